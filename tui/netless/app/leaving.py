"""Why the tutor ended. Only who quits on purpose may end the lab too; whatever else takes the screen away leaves the lab as it is."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from .exit_codes import Exit


@dataclass(frozen=True, slots=True)
class Quit:
    """Somebody pressed q or ctrl+c. ``code`` is what a lab that never came was refused with, else 0."""

    code: int = Exit.PASS


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal ended it: a machine that shuts down, a terminal that was closed, ``kill``."""

    number: int


@dataclass(frozen=True, slots=True)
class HungUp:
    """What it was drawn on is gone: a terminal that can no longer be read, a browser's tab that was closed."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """It failed in a way it should not; the report is written and the sentence about it said."""


Leaving = Quit | Signalled | HungUp | Crashed


def exit_code(leaving: Leaving) -> int:
    """What the process ends with: 128 + the signal as a shell counts it; a terminal that went away is what SIGHUP says."""
    match leaving:
        case Quit(code):
            return code
        case Signalled(number):
            return 128 + number
        case HungUp():
            return 128 + signal.SIGHUP
        case Crashed():
            return Exit.OURS
