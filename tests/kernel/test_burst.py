"""Many notes, few calls: by a clock that the test turns."""

from __future__ import annotations

import itertools
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import cast

import pytest

from netless_lab.kernel import watch
from netless_lab.kernel.watch import LONGEST_S, QUIET_S, Burst

SHORT_S = QUIET_S / 4


class Timer:
    """What ``call_later`` returns."""

    def __init__(self, due: float, work: Callable[[], None]) -> None:
        self.due, self.work, self.cancelled = due, work, False

    def cancel(self) -> None:
        """It will not be called."""
        self.cancelled = True


class Clock:
    """Stands in for the loop and for time: a timer is due when the hand has been turned that far."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []
        self.calls: list[float] = []

    def monotonic(self) -> float:
        """time.monotonic()"""
        return self.now

    def call_later(self, seconds: float, work: Callable[[], None]) -> Timer:
        """loop.call_later()"""
        self.timers.append(Timer(self.now + seconds, work))
        return self.timers[-1]

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while due := sorted((timer for timer in self.timers if timer.due <= end), key=lambda timer: timer.due):
            self.timers.remove(due[0])
            self.now = max(self.now, due[0].due)
            if not due[0].cancelled:
                due[0].work()
        self.now = end


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock by which bursts are measured."""
    own = Clock()
    monkeypatch.setattr(watch, "time", own)
    return own


def noted(clock: Clock) -> Burst:
    """A burst that notes when it calls."""
    return Burst(cast(AbstractEventLoop, clock), lambda: clock.calls.append(clock.now))


def test_what_comes_in_one_breath_is_one_call(clock: Clock) -> None:
    """A dozen notes, each before it was quiet for long enough: one call, when it is."""
    own = noted(clock)
    for _ in range(12):
        own.note()
        clock.turn(QUIET_S / 4)
    assert clock.calls == []
    clock.turn(QUIET_S)
    assert len(clock.calls) == 1
    clock.turn(10)
    assert len(clock.calls) == 1


def test_what_never_ends_is_told_of_now_and_then(clock: Clock) -> None:
    """Notes without a pause: a call every ``LONGEST_S``, far fewer than notes, and none is late."""
    own, began = noted(clock), clock.now
    for _ in range(1000):
        own.note()
        clock.turn(SHORT_S)
    times = [began, *clock.calls]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert len(clock.calls) >= 1000 * SHORT_S / (LONGEST_S + SHORT_S) - 1
    assert all(LONGEST_S - SHORT_S <= gap <= LONGEST_S + SHORT_S + 1e-9 for gap in gaps), gaps


def test_what_is_forgotten_is_not_told(clock: Clock) -> None:
    """After ``cancel`` nothing is called; a later note is."""
    own = noted(clock)
    own.note()
    own.cancel()
    clock.turn(1)
    assert clock.calls == []
    own.note()
    clock.turn(1)
    assert len(clock.calls) == 1
