"""The verbs about things that are broken on purpose: faults, break, mend; and how an explanation is printed."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import msgspec

from netless_lab.client import reply
from netless_lab.errors import Refusal
from netless_lab.model.journey import Explanation
from netless_lab.protocol import Call, FaultStatus

from ..exit_codes import Exit
from ..labs import find, joined
from ..printer import Printer


def faults(args: Namespace, printer: Printer) -> int:
    """List what can be broken. Needs no lab."""
    client = find(args.lab)
    if client is not None:
        with client:
            listed = client.ask(Call, name="faults")
    else:
        from netless_lab.course.faults import listed as pure_list
        from netless_lab.course.faults import read_faults
        from netless_lab.course.files import fault_texts, shipped

        listed = msgspec.to_builtins(pure_list(read_faults(fault_texts(), shipped()).faults))
    printer.document(listed)
    width = max((len(fault["id"]) for fault in listed), default=0)
    for fault in listed:
        lack = f"  (this machine lacks {fault['lacks']})" if fault["lacks"] else ""
        printer.say(f"{printer.style('bold', fault['id'].ljust(width))}  {fault['title']}  {printer.style('dim', fault['teaches'])}{lack}")
    printer.narrate("`netless break FAULT` breaks it, `netless break --drill` keeps secret what it is, `netless mend` takes it away")
    return Exit.PASS


def break_(args: Namespace, printer: Printer) -> int:
    """Break something, and say only what is noticed."""
    if args.fault and (args.random or args.seed is not None):
        drawing = "--random" if args.random else "--seed"
        raise Refusal(f"a fault that is named ({args.fault}) is not drawn: leave out {drawing}, or the name")
    wanted = {"fault": args.fault or "", "seed": args.seed, "node": args.node or "", "drill": args.drill or args.exam, "exam": args.exam}
    with joined(args) as client:
        answer = client.ask(Call, name="break", args=wanted)
    printer.document(answer)
    printer.say(answer["text"])
    told = reply(answer["fault"], FaultStatus)
    if told.seed is not None:
        printer.narrate(f"drawn with --seed {told.seed}: the same number draws the same fault")
    help_line = "no help, this is an exam; " if told.exam else "`netless hint` and `netless ping FROM TO --explain` help; "
    printer.narrate(f"`netless shell` to look and repair; `netless check` judges; {help_line}`netless mend` gives up and mends")
    return Exit.PASS


def mend(args: Namespace, printer: Printer) -> int:
    """Take away what was broken on purpose, and prove that the network is healthy."""
    with joined(args) as client:
        answer = client.ask(Call, name="mend")
    printer.document(answer)
    printer.say(answer["text"])
    if answer["came_from"]:
        printer.narrate(f"`netless goto {answer['came_from']}` takes you back to where you were")
    return Exit.PASS


def print_explanation(plain: dict[str, Any], printer: Printer) -> int:
    """Two sentences, the facts with the commands that show them, and the lesson. 0 when the probe was answered, else 1."""
    told = reply(plain, Explanation)
    printer.document(plain)
    printer.say(printer.style("good" if told.answered else "bad", told.seen))
    if not told.answered:
        printer.say(_cause(told))
    for fact in told.facts:
        printer.say(f"  {fact.text}")
        if fact.look:
            printer.say(f"      {printer.style('dim', '$ ' + fact.look)}")
    if told.fix:
        printer.say(f"  mend it: {told.fix}")
    if told.lesson:
        printer.say(f"  lesson:  {told.lesson}")
    return Exit.PASS if told.answered else Exit.FAIL


def _cause(told: Explanation) -> str:
    if not told.cause:
        return "The cause is unknown: no fact names one."
    return told.cause if told.certainty == "certain" else f"Likely cause: {told.cause}"
