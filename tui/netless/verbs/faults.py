"""The verbs about things that are broken on purpose: faults, break, mend."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from netless_lab.errors import Refusal
from netless_lab.protocol import Break, Broke, GetFaults, Mend

from ..commands.seeds import drawn
from ..options import Namespace
from ..printer import Exit, Printer
from ..say.faults import named
from . import find, joined
from .consent import with_consent


def faults(args: Namespace, printer: Printer) -> int:
    """List what can be broken. Needs no lab."""
    client = find(args.lab)
    if client is not None:
        with client:
            found = client.ask(GetFaults())
    else:
        from netless_lab.course.files import fault_texts, shipped
        from netless_lab.drill.format import read_faults
        from netless_lab.drill.library import listed

        found = listed(read_faults(fault_texts(), shipped()).faults)
    printer.document(found)
    width = max((len(fault.id) for fault in found), default=0)
    for fault in found:
        printer.say(named(fault, width))
    printer.narrate("`netless break FAULT` breaks it, `netless break --drill` keeps secret what it is, `netless mend` takes it away")
    return Exit.PASS


def break_(args: Namespace, printer: Printer) -> int:
    """Break something, and say only what is noticed."""
    if args.fault and (args.random or args.seed is not None):
        drawing = "--random" if args.random else "--seed"
        raise Refusal(f"a fault that is named ({args.fault}) is not drawn: leave out {drawing}, or the name")
    seed = args.seed if args.fault or args.seed is not None else drawn()  # here: what is asked about is what is done after the yes
    wanted = Break(args.fault or "", seed, args.node or "", drill=args.drill or args.exam, exam=args.exam, force=args.yes)
    with joined(args) as client:
        return with_consent(client, wanted, replace(wanted, force=True), "rebuilding the lab for it", _broke, printer)


def _broke(broke: Broke, printer: Printer) -> int:
    printer.document({**msgspec.structs.asdict(broke), "mended": "", "came_from": "", "came_done": False, "teaches": ""})
    printer.say(broke.text)
    told = broke.fault
    if told.seed is not None:
        printer.narrate(f"drawn with --seed {told.seed}: the same number draws the same fault")
    help_line = "no help, this is an exam; " if told.exam else "`netless hint` and `netless why FROM TO` help; "
    printer.narrate(f"`netless shell` to look and repair; `netless check` judges; {help_line}`netless mend` gives up and mends")
    return Exit.PASS


def mend(args: Namespace, printer: Printer) -> int:
    """Take away what was broken on purpose, and prove that the network is healthy."""
    with joined(args) as client:
        told = client.ask(Mend())
    printer.document({**msgspec.structs.asdict(told), "fault": None})
    printer.say(told.text)
    if told.came_from:
        printer.narrate(f"`netless goto {told.came_from}{' --end' if told.came_done else ''}` rebuilds the lab for the step you were at")
    return Exit.PASS
