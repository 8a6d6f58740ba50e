"""How the tutor ends, and what then becomes of it. Only who quits on purpose may end the lab too; whatever else takes the screen away leaves
the lab as it is.

It ends when it is told to, whatever its event loop is at: who has been asked and is not done in time is ended.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from .called import Called
from .printer import Exit

PATIENCE_S: Final = 8.0
"""How long the app may take to end, in seconds. Putting its shells away takes milliseconds."""


class Quit(msgspec.Struct, frozen=True):
    """Somebody pressed q or ctrl+c. ``code`` is what a lab that never came was refused with, else 0; ``keep``: the lab is to go on; ``agreed``: it is to
    end, with all that was said to go.
    """

    code: int = Exit.PASS
    keep: bool = False
    agreed: bool = False


class Signalled(msgspec.Struct, frozen=True):
    """A signal ended it: a machine that shuts down, a terminal that was closed, ``kill``."""

    number: int


class HungUp(msgspec.Struct, frozen=True):
    """What it was drawn on is gone: a terminal that can no longer be read, a browser's tab that was closed."""


class ReadOut(msgspec.Struct, frozen=True):
    """What it was to read is at its end: a script, or a pipe whose other end has gone, which nobody can tell apart."""


class Crashed(msgspec.Struct, frozen=True):
    """It failed in a way it should not; the report is written and the sentence about it said."""


Leaving = Quit | Signalled | HungUp | ReadOut | Crashed


def exit_code(leaving: Leaving) -> int:
    """What the process ends with: 128 + the signal as a shell counts it; a terminal that went away is what SIGHUP says."""
    match leaving:
        case Quit(code):
            return code
        case Signalled(number):
            return 128 + number
        case HungUp():
            return 128 + signal.SIGHUP
        case ReadOut():
            return Exit.PASS
        case Crashed():
            return Exit.OURS


class Overdue:
    """Ends the process when its event loop does not.

    A loop that computes takes no key and no signal. Keys are read by another thread, and what Python does on a signal is done between two
    of its instructions; both only start a clock here, and the loop stops it by doing what it was asked for.

    ``give_back(words)`` gives the terminal back and says these on it; it is called in a thread of its own, and the process ends after it.

    ``called`` words the commands in them. All of it may be called from any thread and from a signal's handler.
    """

    def __init__(self, give_back: Callable[[str], None], lab: str, called: Called) -> None:
        self._give_back = give_back
        self._lab = lab
        self._called = called
        self._lock = threading.RLock()  # a signal may come while its handler's own thread has it
        self._clock: threading.Timer | None = None
        self._ending = False

    def pressed(self, leaving: Leaving) -> None:
        """A key was pressed that ends the app where it is heeded: whoever takes it says so with ``heeded``."""
        self._start(leaving)

    def heeded(self) -> None:
        """The loop has come to the key that was pressed."""
        with self._lock:
            if not self._ending:
                self._stop()

    def asked(self, leaving: Leaving) -> None:
        """The app is to end, by now. The first reason counts."""
        with self._lock:
            if self._ending:
                return
            self._ending = True
            self._stop()
        self._start(leaving)

    def close(self) -> None:
        """It has ended in good order."""
        with self._lock:
            self._stop()

    def _start(self, leaving: Leaving) -> None:
        with self._lock:
            if self._clock is None:
                self._clock = threading.Timer(PATIENCE_S, self._end, (leaving,))
                self._clock.daemon = True
                self._clock.start()

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _end(self, leaving: Leaving) -> None:
        words = (
            f"netless was still at work {PATIENCE_S:.0f} seconds after it was told to end, and was ended. "
            f"If the lab {self._lab} runs, it goes on: `netless down` ends it."
        )
        try:
            self._give_back(self._called.typed(words))
        finally:
            os._exit(exit_code(leaving))
