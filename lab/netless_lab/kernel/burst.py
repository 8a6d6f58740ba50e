"""Many notes in, one call out: a cable plugged into a bridge makes a dozen events, and they are one change to a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

QUIET_S: Final = 0.008
"""A burst is over when nothing came for this long."""
LONGEST_S: Final = 0.05
"""A burst that does not end is told of this often."""
_EARLY_S: Final = 0.0005


class Burst:
    """Calls ``on_change`` when it has been quiet for a moment after a note, or after the longest time a listener may wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_change: Callable[[], None]) -> None:
        self._loop, self._on_change = loop, on_change
        self._first = self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def note(self) -> None:
        """Something changed."""
        self._last = time.monotonic()
        if self._timer is None:
            self._first = self._last
            self._timer = self._loop.call_later(QUIET_S, self._maybe)

    def cancel(self) -> None:
        """Forget what was noted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _maybe(self) -> None:
        due = min(self._last + QUIET_S, self._first + LONGEST_S) - time.monotonic()
        if due > _EARLY_S:
            self._timer = self._loop.call_later(due, self._maybe)
            return
        self._timer = None
        self._on_change()
