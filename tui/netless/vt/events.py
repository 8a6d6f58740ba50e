r"""What a terminal tells its owner besides the picture.

Shell integration: marks that a shell prints around its prompt and its commands.

``OSC 133 ; A|B|C|D[;code]`` are FinalTerm's prompt marks; ``OSC 633 ; E ; text`` carries the command line, with backslash, semicolon
and control characters written as ``\\`` and ``\xHH`` (VS Code's shell integration sequences).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TEXT_LIMIT = 4096
"""Characters kept of any text the child chose: titles, directories, command lines."""


@dataclass(frozen=True, slots=True)
class Bell:
    """BEL."""


@dataclass(frozen=True, slots=True)
class Title:
    """OSC 0 and 2: the child names its window.  Any text at all: never treat it as markup."""

    text: str


@dataclass(frozen=True, slots=True)
class PromptShown:
    """OSC 133;B: the prompt is complete and the shell waits for a line."""


@dataclass(frozen=True, slots=True)
class CommandStarted:
    """OSC 133;C: the shell runs what was typed."""


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """OSC 133;D: a command line is over.  ``exit_code`` is None when the shell did not say.

    Narration only: the child can print any mark it likes, so nothing may be decided from it.
    """

    text: str
    exit_code: int | None


Event = Bell | Title | PromptShown | CommandStarted | CommandEnded


_ESCAPED: Final = re.compile(r"\\(?:\\|x([0-9a-fA-F]{2}))")


class ShellMarks:
    """Puts the marks of one shell together: a command line is reported when it ends, with its exit code."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text: str | None = None

    def read(self, code: str, body: str) -> Event | None:
        """What the mark ``OSC code ; body`` means, if anything."""
        kind, _, rest = body.partition(";")
        if code == "633" and kind == "E":
            self._text = unescape(rest.partition(";")[0])
        elif code == "133" and kind == "B":
            return PromptShown()
        elif code == "133" and kind == "C":
            return CommandStarted()
        elif code == "133" and kind == "D":
            text, self._text = self._text, None
            if text is not None:
                return CommandEnded(text, _exit_code(rest))
        return None


def unescape(text: str) -> str:
    r"""Undo the ``\\`` and ``\xHH`` of a command line."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", text[:TEXT_LIMIT])


def _exit_code(text: str) -> int | None:
    digits = text.partition(";")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 6 else None
