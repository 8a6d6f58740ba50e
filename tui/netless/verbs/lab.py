"""The verbs about a lab as a whole: up, down, status, labs; and doctor, which tries what this machine can and explains what it cannot."""

from __future__ import annotations

import msgspec

from netless_lab import labs as all_labs
from netless_lab import protocol
from netless_lab.drill.spent import help_used, took
from netless_lab.lease import LASTING, Lease
from netless_lab.model.needs import unable

from ..options import Namespace
from ..printer import Exit, Printer, Styled, plural
from . import find, known_course, missing, of_course, opened

_MARKS = {"ok": Styled("good", "✓"), "missing": Styled("dim", "○"), "failed": Styled("bad", "✗")}


def up(args: Namespace, printer: Printer) -> int:
    """Start the lab, or find it running; return when it is ready. Either way it lasts from now on, for the lease that was asked for."""
    known_course(args.course)
    lease = LASTING if args.lease is None else Lease(args.lease * 60.0, lasting=True)
    with opened(args, printer, course=args.course, lease=lease, show=tuple(args.show)) as client:
        status = msgspec.structs.replace(client.ask(protocol.GetStatus()), lab=args.lab)
    of_course(status, args.course)
    printer.document(status)
    printer.row(f"the lab {args.lab} is ready: " + ", ".join(node.name for node in status.nodes))
    printer.narrate("`netless` opens the tutor, `netless shell` a shell in the host, `netless down` ends the lab")
    return Exit.PASS


def down(args: Namespace, printer: Printer) -> int:
    """End the lab; everything in it is gone, the ticks are kept."""
    others = all_labs.end(args.lab)
    if others is None:
        printer.document({"lab": args.lab, "ended": False})
        printer.say(f"the lab {args.lab} is not running: nothing to end")
        return Exit.PASS
    printer.document({"lab": args.lab, "ended": True, "others": others})
    printer.say(f"the lab {args.lab} is gone, with everything in it")
    if others:
        printer.narrate(f"{plural(others, 'other window or shell', 'other windows or shells')} had it open")
    return Exit.PASS


def status(args: Namespace, printer: Printer) -> int:
    """Where the lab stands."""
    client = find(args.lab)
    if client is None:
        refusal = missing(args.lab)
        return printer.failure(str(refusal), Exit.NO_LAB, refusal.nearest, lab=args.lab, running=False)
    with client:
        state = client.ask(protocol.GetStatus())
    printer.document({**msgspec.structs.asdict(state), "lab": args.lab, "running": True})
    printer.say(f"lab       {args.lab} ({state.mode}), agent {state.agent_pid}" + (f", {state.limits}" if state.limits else ""))
    printer.say(f"course    {state.course.id}  {state.course.title}")
    printer.say(f"position  {state.position}  {state.page.title}")
    if lacks := unable(state.page.lacks):
        printer.say(f"          {lacks}")
    ahead = False
    for lesson in state.course.lessons:
        ticks, broken = "".join("●" if step.earned else "○" for step in lesson.steps), []
        for step in lesson.steps:
            ahead = ahead or state.position.endswith(f"/{lesson.id}/{step.id}")
            if not ahead and step.earned and step.live is False:
                broken.append(step.title)
        printer.say(f"          {ticks:<8} {lesson.title}" + (f"   (earned, but not so now: {', '.join(broken)})" if broken else ""))
    if state.fault is not None:
        printer.row(f"fault     {_fault(state.fault)}")
    for node in state.nodes:
        pid = f"pid {node.pid}" if node.pid else "no process"
        printer.row(f"node      {node.name:<10} {node.role:<10} {pid:<11} net:[{node.netns}]  {' '.join(node.names)}")
    for notice in state.notices:
        printer.row(f"note      {notice}")
    return Exit.PASS


def _fault(fault: protocol.FaultStatus) -> str:
    """What may be told of what is broken on purpose: while it is a secret only what is noticed."""
    used = f"{took(fault.seconds)}, with {help_used(fault.hints, fault.whys)}"
    if fault.healthy:
        return f"the network is healthy again, after {used}. It was: {fault.title}"
    kind = "an exam" if fault.exam else "a drill" if fault.drill else "broken on purpose"
    return f"{kind}, for {used} so far: {fault.tells}" + (f" It is: {fault.title}" if fault.title else "")


def labs(args: Namespace, printer: Printer) -> int:
    """Your labs that run; those of other users are theirs to list."""
    names = all_labs.running()
    printer.document(names)
    for name in names:
        printer.say(name)
    if not names:
        printer.narrate("no lab of yours is running")
    return Exit.PASS


def doctor(args: Namespace, printer: Printer) -> int:
    """Try every mechanism for real, in a throwaway child, and say what to do about what fails."""
    from netless_lab.sandbox.doctor import examine

    report = examine()
    printer.document(report)
    for check in report.checks:
        printer.say(_MARKS[check.status], f" {check.name:<34} {check.detail}")
        if check.status != "ok":
            for label, text in (("why", check.why), ("do", check.do), ("needed for", check.needed_for)):
                if text:
                    printer.say(f"    {label}: {text}")
    printer.say(report.summary)
    return Exit.PASS if report.usable else Exit.MACHINE
