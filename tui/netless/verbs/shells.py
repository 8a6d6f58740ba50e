"""The verbs for the shell around netless: completions, the man page, and what the completions ask."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from netless_lab import labs, protocol
from netless_lab.client import LabGone, Refused
from netless_lab.errors import Refusal

from .. import __version__
from ..options import Namespace
from ..printer import Exit, Printer
from . import courses, find


def completions(args: Namespace, printer: Printer) -> int:
    """Print what completes netless in a shell."""
    from ..usage.completions import script

    text = script(args.shell).rstrip()
    printer.document({"shell": args.shell, "script": text})
    printer.raw(text)
    return Exit.PASS


def man(args: Namespace, printer: Printer) -> int:
    """Print the man page."""
    text = man_page(__version__).rstrip()
    printer.document({"page": text})
    printer.raw(text)
    return Exit.PASS


def man_page(version: str) -> str:
    """The page, of all three tables."""
    from ..commands.printed import rows
    from ..config.schema import SETTINGS, toml
    from ..usage.man import Said, page

    default = {own.name: f" (default: {toml(own.default)})" if own.default not in ("", {}) else "" for own in SETTINGS}
    return page(version, rows(), [Said(own.name, own.about + default[own.name], own.variable, own.option) for own in SETTINGS])


def complete(args: Namespace, printer: Printer) -> int:
    """List what may stand somewhere and begins so. Whoever pressed a key wants no reasons: what cannot be told now is no line."""
    listed = {"lab": lambda _: labs.running(), "node": _nodes, "course": _courses, "step": lambda _: _places(args.begun), "fault": _faults}[args.kind]
    found: list[str] = []
    with contextlib.suppress(Refusal, Refused, LabGone, OSError):
        found += [name for name in listed(args.lab) if name.startswith(args.begun)]
    printer.document(found)
    for name in found:
        printer.say(name)
    return Exit.PASS


def _nodes(lab: str) -> tuple[str, ...]:
    client = find(lab)
    if client is None:
        return ()
    with client:
        return tuple(node.name for node in client.ask(protocol.GetStatus()).nodes)


def _courses(lab: str) -> tuple[str, ...]:
    return tuple(course.id for course in courses().courses)


def _faults(lab: str) -> tuple[str, ...]:
    from netless_lab.course.files import fault_texts, shipped
    from netless_lab.drill.format import read_faults

    return tuple(fault.id for fault in read_faults(fault_texts(), shipped()).faults)


def _places(begun: str) -> Iterable[str]:
    """Of every place the shortest end that means only it, and begins so."""
    from netless_lab.course.catalog import targets

    whole = [str(target) for course in courses().courses for target in targets(course)]
    ends = [["/".join(place.split("/")[at:]) for at in reversed(range(place.count("/") + 1))] for place in whole]
    counted: dict[str, int] = {}
    for end in (end for own in ends for end in own):
        counted[end] = counted.get(end, 0) + 1
    for own in ends:
        yield from [end for end in own if (counted[end] == 1 or end == own[-1]) and end.startswith(begun)][:1]
