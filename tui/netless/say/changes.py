"""The log of changes: what the tutor did, in the chosen dialect, and what changed in the kernel, in words; time and who beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from netless_lab import protocol

from .stamps import clock, stamped
from .text import Block, Blocks, Look, Looked, Text, blanks, joined, plain

if TYPE_CHECKING:
    from netless_lab.primitives.base import Dialect
    from netless_lab.protocol import ActionEvent, ChangesEvent
    from netless_lab.protocol import Entry as Noted

WHO: Final[Mapping[str, Looked]] = {"tutor": ("tutor ", "muted"), "learner": ("you   ", "strong", "accent"), "kernel": ("kernel", "faint")}
Entry: TypeAlias = "ActionEvent | ChangesEvent"

NO_CHANGES: Blocks = (
    Block(plain("Nothing has changed since this screen was opened.", "muted")),
    Block(plain("Whatever changes in the kernel appears here, from whichever terminal it was done.", "faint")),
)
"""What an empty pane says."""


def change(entry: Entry, before: Entry | None, dialect: Dialect, width: int) -> Blocks:
    """One entry. Time and who are left out when they are those of the entry before it."""
    first = _lead(entry.at, who(entry), width)
    if before is not None and who(before) == who(entry) and clock(before.at) == clock(entry.at):
        first = blanks(first.cells)
    return tuple(_action(entry, first, dialect) if isinstance(entry, protocol.ActionEvent) else _changes(entry, first))


def who(entry: Entry) -> str:
    """Who did it: tutor or learner."""
    return "tutor" if isinstance(entry, protocol.ActionEvent) else entry.who


def _lead(at: float, who: str, width: int) -> Text:
    return stamped(at, width, WHO[who], "  ")


def _action(entry: ActionEvent, first: Text, dialect: Dialect) -> Iterable[Block]:
    yield Block(plain(entry.sentence), first=first)
    indent = blanks(first.cells)
    for commands in entry.commands:
        if commands.dialect == dialect:
            for line in commands.lines:
                yield Block(plain(line, "code"), first=indent, rest=indent + blanks(2))
    if entry.error:
        yield Block(plain(entry.error, "bad"), first=indent + joined(("✗ ", "strong", "bad")))


def typed(entry: ActionEvent) -> Iterable[Block]:
    """The commands of what the tutor does, in the dialect in force, and what went wrong."""
    for line in entry.commands[0].lines if entry.commands else ():
        yield Block(plain(line, "command"))
    if entry.error:
        yield Block(plain(entry.error, "bad"))


def _changes(entry: ChangesEvent, first: Text) -> Iterable[Block]:
    indent = blanks(first.cells)
    for number, line in enumerate(entry.lines):
        look: Look | None = "faint" if line.quiet else "muted" if entry.who == "tutor" else None
        yield Block(plain(line.sentence, look), first=first if number == 0 else indent)


def noted(entry: Noted) -> Text:
    """A row of the history: when, who, what; and whether a script of it has no command for that."""
    said = f"{entry.text} (no command for it)" if entry.unsaid else entry.text
    return joined((clock(entry.at), "faint"), f"  {entry.who:<8} {said}")
