"""What there is to see of a lab: every node there is, what the last look saw of them, and whether there may be anything new since."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence

from ..kernel.discover import Discovery
from ..kernel.read import NodeRef, Reader
from ..kernel.watch import Watch
from ..model.snapshot import Snapshot
from ..watching.live import News


class Sight:
    """Belongs to one world and its loop."""

    def __init__(self, own: Callable[[], Sequence[NodeRef]], on_look: Callable[[Snapshot, dict[str, NodeRef]], None]) -> None:
        """``own`` are the lab's own nodes now; ``on_look`` is shown every look, with the way to each node in it."""
        self._own = own
        self._on_look = on_look
        self.refs: dict[str, NodeRef] = {ref.name: ref for ref in own()}
        """Every node there was when they were last looked for, whatever is in it."""
        self.news = News()
        self.seen = Snapshot()
        """What the last look saw."""
        self.reader = Reader()
        self._discovery = Discovery()
        self._watch = Watch(asyncio.get_running_loop(), self.news.tell, self._learned)
        self._watched = False
        self._looked = 0
        """The count of news when the last look began,"""
        self._looked_at = 0.0
        """and when that was, on the clock of ``time.monotonic``."""

    def listen(self) -> None:
        """Listen to the lab's own nodes from now on. What the kernel tells of that is told before the look that follows."""
        self.refs = {ref.name: ref for ref in self._own()}
        self._watch.add(*self.refs.values())

    async def look(self) -> Snapshot:
        """Every node as the kernel has it now; nodes that came or went are noticed here. What the kernel has only noted of carriers it does before:
        else whoever asks it for readiness would make news of it, and all would have to be looked at again. Nothing counts as seen when this fails.
        """
        begun, found = self._about_to_look()
        if self.reader.foresee():
            self.reader.catch_up()
            begun, found = self._about_to_look()
        snapshot = self.seen = self.reader.snapshot(tuple(found.values()))
        self._looked, self._looked_at = begun
        self._on_look(snapshot, found)
        return snapshot

    def _about_to_look(self) -> tuple[tuple[int, float], dict[str, NodeRef]]:
        """When a look begins, by news and clock: what the kernel told before is not told after it, what it tells from now on is. And every node there is."""
        self._watch.heard()
        begun = self.news.count, time.monotonic()
        found = self.discover()
        self._watch.only(*found.values())
        return begun, found

    def discover(self) -> dict[str, NodeRef]:
        """Every node there is now, whatever is in it."""
        self.refs = {ref.name: ref for ref in self._discovery.scan(self._own())}
        return self.refs

    async def latest(self, *, learned: bool = False) -> Snapshot:
        """What the last look saw, or a new one when the kernel has had something to tell since; what packets taught counts when all of a train has
        come, or ``learned`` at once. Some changes it never tells of (``kernel.watch``).
        """
        return self.seen if self._told_nothing(learned=learned) else await self.look()

    def _told_nothing(self, *, learned: bool) -> bool:
        return self._watch.heard(learned=learned) <= self._looked_at

    def _learned(self) -> None:
        """Packets have taught something, which whoever looks next must see unless the last look did."""
        if not self._told_nothing(learned=True):
            self.unheard()

    def unheard(self) -> None:
        """There may be something to see that the watch has not heard of."""
        self._looked_at = -math.inf
        self.news.tell()

    async def changed(self, timeout_s: float) -> bool:
        """Wait for news from the kernel that the last look has not seen; False when the time passed without any."""
        return await self.news.beyond(self._looked, timeout_s)

    def attend(self, watched: bool) -> None:
        """Whether somebody looks: only then are the silent changes polled for. What was silent before that, or until it ended, is looked for once."""
        self._watch.attend(watched)
        if watched != self._watched:
            self._watched = watched
            self.unheard()
