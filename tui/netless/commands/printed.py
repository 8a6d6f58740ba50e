"""The table of commands as plain lines and as data: what ``netless keys`` prints, and the README and the man page show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from .command import Command, Place
from .table import COMMANDS, DOING, USUAL, Keymap, at, keys_called, one_by_one

Heads = tuple[tuple[str, tuple[Command, ...]], ...]
MAIN: Final[Heads] = (
    ("Keys", DOING),
    ("Moving about", tuple(own for own in at("tutor", "everywhere") if own not in DOING)),
    ("In the picture", at("network")),
    ("In the packets", at("packets")),
    ("In the changes", at("changes")),
    ("In the terminal", at("terminal")),
    ("In every text", at("text")),
)
"""What acts on the main screen, under headings."""
HEADS: Final[Heads] = (
    *MAIN,
    ("In every window", at("window")),
    ("In every list", at("list")),
    ("In Go to", at("goto")),
    ("In Courses", at("courses")),
    ("In Reset", at("reset")),
    ("Where more would go", at("consent")),
    ("In Quit?", at("leaving")),
    ("In Drill", at("drill")),
    ("In Give up?", at("mend")),
    ("In It was this", at("told")),
    ("In Why", at("why")),
    ("In Which packet?", at("hops")),
    ("In One packet", at("packet")),
    ("In Show only packets with", at("seek")),
    ("In Help", at("help")),
    ("In Shells of this lab that are elsewhere", at("shells")),
    ("In The lab is gone", at("gone")),
)
"""The whole table."""


class KeyView(msgspec.Struct, frozen=True):
    """One command as a program reads it: what it is called in a keymap, its keys as Textual names them, and where they act."""

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    where: Place


def views(keymap: Keymap = USUAL) -> tuple[KeyView, ...]:
    """All of them, on the keys of a person who has others."""
    return tuple(KeyView(own.id, keymap.get(own.id, own.keys), own.label, own.help, own.where) for own in COMMANDS)


def rows(heads: Heads = HEADS, keymap: Keymap = USUAL) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """All of them: under each heading keys, and what they do."""
    for head, commands in heads:
        yield head, tuple((keys_called(same, keymap), worded(same[0])) for same in one_by_one(commands))


def lines(heads: Heads = HEADS, keymap: Keymap = USUAL) -> Iterator[str]:
    """All of them, for reading."""
    for number, (head, under) in enumerate(rows(heads, keymap)):
        yield from ([""] if number else []) + [head]
        yield from (f"  {keys:<10} {does}" for keys, does in under)


def worded(command: Command) -> str:
    """What a command does, in a line."""
    return f"{command.label.lower()}: {command.help}" if command.label else command.help
