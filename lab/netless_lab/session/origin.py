"""How a lab was before anything was done to it: what the judge and the picture begin from, and what a purge brings back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..ground.ground import Ground
from ..kernel.beginning import UNKNOWN, Beginning, NodeBeginning, begin, forget, remember
from ..kernel.namespace import Namespace, call_in_new
from ..model.snapshot import Snapshot


class Origin:
    """Belongs to one world. What a purge brings back takes as long to read as all the rest of a lab's start, so that is done when it is first
    needed. Until then everything is as it was: nobody comes in before, and nothing is done.
    """

    def __init__(self, ground: Ground, on_thread: Callable[[Callable[[], None]], asyncio.Future[None]]) -> None:
        """``on_thread`` does something on the thread on which all that reads what is kept is done."""
        self._ground = ground
        self._on_thread = on_thread
        self.baseline = Snapshot()
        """Before the first step, with what the course gives its nodes once they have it."""
        self._kept = Beginning(self.baseline, {}, UNKNOWN)
        self._reading: asyncio.Future[None] | None = None

    @property
    def kept(self) -> Beginning:
        """What a purge brings back, for that thread once it is ``known``."""
        return self._kept

    async def known(self) -> None:
        """Returns when all that a purge brings back is. Raises what kept it from being read, OSError first of all; who needs it next tries again."""
        if self._reading is None:
            self._reading = self._on_thread(self.keep)
            self._reading.add_done_callback(self._read)
        await asyncio.shield(self._reading)

    def _read(self, reading: asyncio.Future[None]) -> None:
        """A failure is forgotten here, and not by who waits: he may have gone."""
        if reading.cancelled() or reading.exception() is not None:
            self._reading = None

    def keep(self) -> None:
        """Keep how every node is now, and how a container is that nobody has touched. For that thread."""
        self._ground.remember()
        refs = self._ground.refs()
        bare = None if any(ref.role == "container" for ref in refs) else call_in_new(self._bare)
        before, self._kept = self._kept, begin(refs, self.baseline, bare)
        forget(before)

    def _bare(self) -> NodeBeginning:
        self._ground.settle()
        return remember(Namespace.own())

    def move(self) -> None:
        """What is kept of nodes is theirs in other namespaces too. For that thread."""
        self._kept = self._kept.moved(self._ground.refs())

    def brought_back(self) -> None:
        """The lab is to be as it was kept: before it was given anything."""
        self.baseline = self._kept.snapshot
