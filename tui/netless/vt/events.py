"""What a terminal tells its owner besides the picture."""

from __future__ import annotations

from dataclasses import dataclass

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
