"""The changes pane: what the tutor did, in the chosen dialect, and what changed in the kernel, in words; time and who beside it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from textual.content import Content

from netless_lab.primitives.base import Dialect
from netless_lab.protocol import ActionEvent, ChangesEvent

from ..blocks import Block, Blocks, joined, plain

WHO = {"tutor": ("tutor ", "$muted"), "learner": ("you   ", "bold $accent"), "kernel": ("kernel", "$faint")}
NARROW = 48
"""Below this many cells the time is left out."""


Entry = ActionEvent | ChangesEvent

NOTHING: Blocks = (
    Block(plain("Nothing has changed yet.", "$muted")),
    Block(plain("Whatever changes in the kernel appears here, from whichever terminal it was done.", "$faint")),
)
"""What an empty pane says."""


def change(entry: Entry, before: Entry | None, dialect: Dialect, width: int) -> Blocks:
    """One entry. Time and who are left out when they are those of the entry before it."""
    first = _lead(entry.at, who(entry), width)
    if before is not None and who(before) == who(entry) and clock(before.at) == clock(entry.at):
        first = Content(" " * first.cell_length)
    return tuple(_action(entry, first, dialect) if isinstance(entry, ActionEvent) else _changes(entry, first))


def who(entry: Entry) -> str:
    """Who did it: tutor or learner."""
    return "tutor" if isinstance(entry, ActionEvent) else entry.who


def clock(at: float) -> str:
    """The wall clock, to the second."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def _lead(at: float, who: str, width: int) -> Content:
    name = WHO[who]
    return joined(name, "  ") if width < NARROW else joined((clock(at), "$faint"), "  ", name, "  ")


def _action(entry: ActionEvent, first: Content, dialect: Dialect) -> Iterable[Block]:
    yield Block(plain(entry.sentence), first=first)
    indent = Content(" " * first.cell_length)
    for commands in entry.commands:
        if commands.dialect == dialect:
            for line in commands.lines:
                yield Block(plain(line, "$code"), first=indent, rest=indent + Content("  "))
    if entry.error:
        yield Block(plain(entry.error, "$error"), first=indent + joined(("✗ ", "bold $error")))


def _changes(entry: ChangesEvent, first: Content) -> Iterable[Block]:
    indent = Content(" " * first.cell_length)
    for number, line in enumerate(entry.lines):
        style = "$faint" if line.quiet else "$muted" if entry.who == "tutor" else ""
        yield Block(plain(line.sentence, style), first=first if number == 0 else indent)
