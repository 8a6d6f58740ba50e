"""One recording: everything the taps hear between start and stop, bounded in memory, with what was not kept counted."""

from __future__ import annotations

from typing import Final

from ...model.journeys.frame import Frame, Recording, in_order
from .sieve import EVERYTHING
from .taps import Taps

LIMIT: Final = 20_000
"""Frames one recording keeps: about 8 MB. A probe makes some dozen; only a flood comes near."""


class Recorder:
    """Several may run at once on the same taps. Start and stop take some microseconds a node."""

    def __init__(self, taps: Taps, limit: int = LIMIT, sieve: bytes = EVERYTHING) -> None:
        """``sieve`` (``sieve.py``) says what is wanted; more may come when somebody else records too."""
        self._taps = taps
        self._limit = limit
        self._sieve = sieve
        self._frames: list[Frame] = []
        self._left_out = 0
        self._lost_before = 0
        self._running = False

    def start(self) -> None:
        """Begin to record."""
        self._frames, self._left_out = [], 0
        self._taps.listen(self._take, self._sieve)
        self._lost_before = self._taps.lost()
        self._running = True

    def stop(self) -> Recording:
        """End, with everything that has passed until now. Call it as often as you like: afterwards it is empty."""
        if not self._running:
            return Recording()
        self._running = False
        self._taps.unlisten(self._take)
        frames, self._frames = self._frames, []
        return Recording(tuple(in_order(frames)), self._taps.lost() - self._lost_before, self._left_out, self._taps.unheard)

    def so_far(self) -> tuple[Frame, ...]:
        """The frames that have passed so far, in true order; they stay in the recording."""
        self._taps.drain()
        return tuple(in_order(self._frames))

    def take(self) -> Recording:
        """What has passed so far, and go on: for those who follow for long."""
        self._taps.drain()
        frames, self._frames = self._frames, []
        left_out, self._left_out = self._left_out, 0
        lost_before, self._lost_before = self._lost_before, self._taps.lost()
        return Recording(tuple(in_order(frames)), self._lost_before - lost_before, left_out, self._taps.unheard)

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _take(self, frames: list[Frame]) -> None:
        room = self._limit - len(self._frames)
        self._frames += frames[:room] if room > 0 else ()
        self._left_out += max(0, len(frames) - max(room, 0))
