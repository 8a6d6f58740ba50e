"""The verbs about a lab as a whole: up, down, status, labs; and doctor, which tries what this machine can and explains what it cannot."""

from __future__ import annotations

import msgspec

from netless_lab import labs as all_labs
from netless_lab import protocol
from netless_lab.lease import LASTING, Lease

from ..options import Namespace
from ..printer import Exit, Printer
from ..say.counted import plural
from ..say.status import standing
from . import find, known_course, missing, of_course, opened


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
    for row in standing(args.lab, state):
        printer.row(row)
    return Exit.PASS


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

    from ..say.doctor import tried

    report = examine()
    printer.document(report)
    for check in report.checks:
        printer.tell(tried(check))
    printer.say(report.summary)
    return Exit.PASS if report.usable else Exit.MACHINE
