"""A guard against broadcast storms: while bridges form a loop it counts frames, and when they circle it has one cable switched off.

A storm takes both processors, makes a snapshot last half a second, and never ends by itself; a learner could not even type the cure.
Nothing is counted while there is no loop, and a loop in which nothing circles is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ..kernel.evidence.counters import received
from ..kernel.read import NodeRef
from ..model.loops import Loop, loops
from ..model.snapshot import Snapshot
from .persist import OnFailure, persist

LOOK_S: Final = 0.25
STORM: Final = 20_000
"""Frames a second into one port of a loop: no lesson sends a tenth of that, a storm twenty times as many."""

Stop = Callable[[str, str, str], Awaitable[None]]
"""(node, link to switch off, what to tell the learner)"""


class StormGuard:
    """Have it ``consider`` every snapshot."""

    def __init__(self, stop: Stop, on_failure: OnFailure) -> None:
        """``stop`` is called when a storm is to be ended, and does it; ``on_failure`` when counting or stopping went wrong."""
        self._stop = stop
        self._on_failure = on_failure
        self._loops: tuple[Loop, ...] = ()
        self._refs: dict[str, NodeRef] = {}
        self._task: asyncio.Task[None] | None = None

    def consider(self, snapshot: Snapshot, refs: Mapping[str, NodeRef]) -> None:
        """Count while there is a loop, and only then."""
        self._loops, self._refs = loops(snapshot), dict(refs)
        if self._loops and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._guard())

    def close(self) -> None:
        """Guard no more."""
        if self._task is not None:
            self._task.cancel()

    async def _guard(self) -> None:
        while self._loops:
            await persist(self._look, self._on_failure)

    async def _look(self) -> None:
        before, began = self._counts(), time.monotonic()
        await asyncio.sleep(LOOK_S)
        after, seconds = self._counts(), time.monotonic() - began
        for loop in self._loops:
            rate = max(after.get(port, 0) - before.get(port, after.get(port, 0)) for port in loop.ports) / seconds
            if rate > STORM:
                await self._stop(*loop.ports[0], _told(loop, rate))
                break

    def _counts(self) -> dict[tuple[str, str], int]:
        """Frames into each port of each loop."""
        found: dict[tuple[str, str], int] = {}
        for node in {node for loop in self._loops for node, _ in loop.ports}:
            with contextlib.suppress(OSError, KeyError):
                found |= {(node, link): count for link, count in received(self._refs[node].namespace).items()}
        return found


def _told(loop: Loop, rate: float) -> str:
    node, link = loop.ports[0]
    where = "" if node == "host" else f" in {node}"
    return (
        f"A broadcast storm: {loop.sentence()}, and {rate:,.0f} frames a second went round. {link}{where} was switched off to end it. "
        f"Take one of the ways away, or let the bridges find the loop themselves: ip link set {loop.bridges[0][1]} type bridge stp_state 1"
    )
