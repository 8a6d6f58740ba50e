"""Everything that was done in a session, in order: by the tutor as actions, by the learner as the changes that were seen.

It can be written down as a shell script that does it again, or as Markdown notes. Bounded: the oldest entries go first.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from ..harmless import ACTING, harmless
from ..model.changes import Change
from ..model.snapshot import Snapshot
from ..primitives.base import Action, Where
from ..primitives.retell import retell
from .live import done_by_somebody

MOST = 2000
"""How many entries are kept."""
_MEANING: Final = re.compile(r"[\\`*_\[\]<>&~]")
"""Signs with a meaning inside a line of Markdown (CommonMark, 6, and GitHub's strikethrough)."""


class Entry(msgspec.Struct, frozen=True):
    """One thing done. ``lines`` are commands (dialect ip) that do it again; empty when there is no plain one."""

    at: float
    who: Literal["tutor", "learner", "lab"]
    text: str
    lines: tuple[str, ...] = ()
    step: str = ""


class History:
    """The session so far."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """From the oldest kept to the newest."""
        return tuple(self._entries)

    def did(self, action: Action, where: Where, step: str) -> None:
        """The tutor did this."""
        self._entries.append(Entry(time.time(), "tutor", action.sentence(), action.commands("ip", where), step))

    def saw(self, changes: tuple[Change, ...], after: Snapshot, where: Where, step: str) -> None:
        """The learner did this: what changed, and the plain commands that bring it about."""
        for change in changes:
            if not done_by_somebody(change):
                continue
            action = retell(change, after)
            lines = action.commands("ip", where) if action is not None else ()
            self._entries.append(Entry(time.time(), "learner", change.sentence, lines, step))

    def moved(self, text: str, step: str) -> None:
        """The lab was rebuilt: what stands above did not happen to what stands below."""
        self.noted(text, step)

    def noted(self, text: str, step: str) -> None:
        """Something befell the lab that no command does again."""
        self._entries.append(Entry(time.time(), "lab", text, (), step))


def script(entries: tuple[Entry, ...]) -> str:
    """A shell script for the lab's host that does it again; what has no plain command stands as a comment."""
    lines = ["#!/bin/sh", "# What was done in a netless lab. Run it in a fresh lab: netless exec host -- sh FILE", "set -eu"]
    step = ""
    for entry in entries:
        if entry.step != step:
            step = entry.step
            lines += ["", f"# --- {step}"]
        lines.append(f"# {_told(entry)}")
        lines += map(_typed, entry.lines)
    return "\n".join(lines) + "\n"


def notes(entries: tuple[Entry, ...]) -> str:
    """Markdown notes of the session: a heading for each step, then what happened and how. Whatever the names in it, none is Markdown: every
    line of a command stands in its code block, and a sentence is text.
    """
    lines = ["# Notes from a netless lab", ""]
    step = ""
    for entry in entries:
        if entry.step != step:
            step = entry.step
            lines += [f"## {step}", ""]
        lines.append(f"* {_told(entry, '**', _plain)}")
        if entry.lines:
            lines += ["", *(f"      {line}" for command in entry.lines for line in _shown(command)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _told(entry: Entry, mark: str = "", write: Callable[[str], str] = str) -> str:
    """One line, whatever names it tells of: a line feed may stand in that of a namespace, and what follows it is not to become a command."""
    text = "".join(sign if sign.isprintable() else "?" for sign in entry.text)
    return f"{time.strftime('%H:%M:%S', time.localtime(entry.at))} {mark}{entry.who}{mark}: {write(text)}"


def _typed(command: str) -> str:
    """A command that does the same and holds no sign that acts on whoever it is shown to: printf(1) writes the sign when it is run. Its
    lines and tabs stay.
    """
    written: list[str] = []
    quote, escaped = "", False
    for sign in command:
        if not escaped and sign in "'\"" and quote in ("", sign):
            quote = "" if quote else sign
        if not escaped and sign not in "\t\n" and ACTING.match(sign):
            said = "$(printf '" + "".join(f"\\{byte:03o}" for byte in sign.encode()) + "')"
            written.append({"'": f"'\"{said}\"'", '"': said, "": f'"{said}"'}[quote])
        else:
            written.append(sign)
        escaped = not escaped and sign == "\\" and quote != "'"
    return "".join(written)


def _shown(command: str) -> list[str]:
    """The lines of a command as they are read: a name may hold line feeds, and those of a quoted program are its lines."""
    return harmless(command, "\t\n").split("\n")


def _plain(text: str) -> str:
    """The text in Markdown, where a backslash takes its meaning from a sign (CommonMark, 2.4)."""
    return _MEANING.sub(r"\\\g<0>", text)
