"""Whose conversations are told and how often, on frames made by hand and by a clock that the test moves."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from capture.frames import ethernet, ip4, tcp
from helpers.waiting import becomes
from netless_lab.kernel.evidence.lookout import Lookout, Seen
from netless_lab.model.journey import Journey
from netless_lab.model.journeys.frame import Frame, Recording
from netless_lab.model.snapshot import Snapshot
from netless_lab.watching import traffic
from netless_lab.watching.traffic import LONGEST_NS, QUIET_NS, Traffic

STEP_NS = QUIET_NS // 3


class Played:
    """A lookout, and what it watches: each turn hears the frames that are to be heard next."""

    def __init__(self) -> None:
        self.next: list[Frame] = []
        self.turns = 0

    def watch(self) -> Played:
        """As a lookout does."""
        return self

    def take(self) -> Seen:
        """What has passed."""
        frames, self.next = tuple(self.next), []
        self.turns += 1
        return Seen(Recording(frames), (), ())

    def stop(self) -> None:
        """Nothing to let go."""


def said(at_ns: int, *, back: bool) -> Frame:
    """A byte of one TCP connection, as c1 hears it."""
    one, other = ("10.0.0.2", 40000), ("10.0.0.3", 9001)
    (source, port), (target, to) = (other, one) if back else (one, other)
    data = ethernet(ip4(6, tcp(0x18, port, to, data=b"x"), source, target))
    return Frame(at_ns, "c1", "veth1", 2, "in" if back else "out", data, len(data))


async def test_an_endless_conversation_is_known_whichever_end_speaks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never falls silent is told once, though what is left of it after a while begins now with the one end, now with the other."""
    lab, told = Played(), list[Journey]()
    now = 10**18
    monkeypatch.setattr(traffic, "time", SimpleNamespace(time_ns=lambda: now))
    following = Traffic(cast(Lookout, lab), Snapshot, lambda journey, frames, skipped: told.append(journey))
    following.start()
    for part in range(6):
        began, now = now, now + LONGEST_NS
        lab.next = [said(at, back=bool((number + part) % 2)) for number, at in enumerate(range(began, now + 1, STEP_NS))]
        turns = lab.turns
        assert await becomes(lambda: lab.turns > turns + 1)  # noqa: B023  (it is awaited here)
    following.stop()
    await asyncio.sleep(0)
    assert len(told) == 1
