"""What somebody types where there is no screen: a word that means a command of the table, a node to be in, or a line for a shell. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

WORDS: Final[Mapping[str, str]] = {
    "step": "pane.lesson", "run": "run", "check": "check", "hint": "hint", "why": "why", "next": "next", "back": "back", "go": "goto",
    "reset": "reset", "dialect": "dialect", "play": "play", "drill": "drill", "mend": "mend", "courses": "courses",
    "picture": "pane.network", "changes": "pane.changes", "packets": "pane.packets", "filter": "packets.seek", "bytes": "packets.bytes",
    "follow": "packets.follow", "save": "packets.save", "screenshot": "screenshot", "record": "record", "theme": "theme",
    "export": "export", "help": "help", "quit": "quit",
}  # fmt: skip
"""Words that do what a key does on the screen: each means the command of this id."""
OWN: Final[Mapping[str, str]] = {
    "where": "where you are: course, lesson, step, and what holds",
    "type": "the commands of the step, to type them yourself",
    "in": "`in NODE`: what you type is run there from now on",
    "sh": "`sh NODE`: a shell of the whole terminal, until you leave it",
    "again": "when the lab is gone: build it anew, where you were",
}
"""Words that only stand for themselves here, and what each does."""
HERE: Final[Mapping[str, str]] = {
    "picture": "the network in words, node by node", "help": "these words", "step": "the lesson again, and what holds",
    "filter": "`filter WORDS`: `packets` and `bytes` tell only those with these words; `filter` alone asks, and Enter is all",
    "bytes": "what the bytes of a packet mean, layer by layer; it asks which", "mend": "in a drill: give up; when it is over: back to the lesson",
    "screenshot": "there is no screen here: `script FILE` around netless keeps what is said", "record": "the same",
    "theme": "there are no colours here, so there is none to choose",
}  # fmt: skip
"""What some words of the table do here."""
_ALIASES: Final[Mapping[str, str]] = {"goto": "go", "exit": "quit", "?": "help", "lesson": "step", "network": "picture", "commands": "type"}
_ANSWERED: Final = frozenset(("go", "reset", "drill", "courses", "help", "mend", "follow", "filter"))
"""Words that ask something, which what stands behind them answers at once."""


_SAME: Final = re.compile(r"`netless (run|check|hint|why|next|back|goto|reset|mend|play|courses)(?=[ `])([^`-]*)`")
"""Commands of the command line that words do here, with the same behind them."""


def worded(text: str) -> str:
    """A sentence whose commands are the words for them, where there are such."""
    return _SAME.sub(r"`\1\2`", text)


class Said(NamedTuple):
    """A word, and what stands behind it: the answer to what it would ask."""

    word: str
    rest: str = ""


class Typed(NamedTuple):
    """A line for the shell of a node; "" is the node in hand."""

    line: str
    node: str = ""


def read(line: str, nodes: Collection[str]) -> Said | Typed | None:
    """What a line means; None for a blank one. One that begins with ``!`` or a blank is the shell's, whatever it says."""
    if not line.strip():
        return None
    if line[0] in "! \t":
        return Typed(line[1:].lstrip() if line[0] == "!" else line.strip())
    first, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    word = _ALIASES.get(first.lower(), first.lower())
    if word in ("in", "sh"):
        node, _, command = rest.partition(" ")
        if word == "in" and node in nodes and command.strip():
            return Typed(command.strip(), node)
        return Said(word, rest) if not command and (node in nodes or not node) else Typed(line.strip())
    if word in _ANSWERED or ((word in WORDS or word in OWN) and not rest):
        return Said(word, rest)
    return Typed(line.strip())
