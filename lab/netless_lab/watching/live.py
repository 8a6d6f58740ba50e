"""Follow the kernel: after every change take a snapshot, say what changed and who did it, and let the session judge again.

That the kernel had something to tell is counted (``News``), so that nobody who waits for more can miss any.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, Protocol

import msgspec

from ..model.births import Births
from ..model.changes import Change, done_by_somebody, worth_telling
from ..model.diff import diff
from ..model.snapshot import Snapshot
from ..model.telling import sentence
from ..protocol import ChangeLine, ChangesEvent, Message, Notice, SnapshotEvent
from .persist import OnFailure, persist


class News:
    """Belongs to one loop. Each who waits does so beyond the count it has seen; what one has heard is not taken from another."""

    def __init__(self) -> None:
        self._count = 0
        self._next = asyncio.Event()

    @property
    def count(self) -> int:
        """How often there was news so far. Take it before you look, and wait beyond it when you have looked."""
        return self._count

    def tell(self) -> None:
        """There is news: everybody who waits for it goes on."""
        self._count += 1
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def beyond(self, seen: int, timeout_s: float | None = None) -> bool:
        """Wait until there is more than the ``seen`` count; False when the time passed without any."""
        if self._count == seen:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._next.wait()
            except TimeoutError:
                return self._count != seen
        return True


Who = Literal["tutor", "learner", "kernel"]


class Visible(Protocol):
    """A lab that can be looked at, and that tells when there is something to see."""

    @property
    def news(self) -> News:
        """Counts what the kernel had to tell."""

    @property
    def seen(self) -> Snapshot:
        """What the last look saw."""

    async def latest(self, *, learned: bool = False) -> Snapshot:
        """That, or what a new look sees when the kernel has had something to tell since; ``learned``: what packets taught as well."""

    async def look(self) -> Snapshot:
        """Every node as it is now."""


class Deed(msgspec.Struct, frozen=True):
    """What the learner changed between two looks: usually one command."""

    before: Snapshot
    after: Snapshot
    changes: tuple[Change, ...]


class Live:
    """The last snapshot everybody was told about, and the task that keeps it true."""

    def __init__(self, sight: Visible, tell: Callable[[Message], None], on_learner: Callable[[Deed], None],
                 on_kernel: Callable[[Snapshot], None], on_failure: OnFailure) -> None:
        """``on_failure`` hears that the lab could not be looked at; it is tried until it can."""
        self._sight = sight
        self.tell = tell
        self._on_learner = on_learner
        self._on_kernel = on_kernel
        self._on_failure = on_failure
        self._untold: Callable[[Deed], None] | None = None
        self._tutor, self._working = asyncio.Lock(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.last, self.births = Snapshot(), Births()
        self.goal: Snapshot | None = None

    async def begin(self) -> None:
        """Take the first snapshot, the last look's where there was nothing new since, and follow from there."""
        seen = self._sight.news.count
        self._has_seen(await self._sight.latest())
        self._task = asyncio.create_task(self._follow(seen))

    def set_goal(self, goal: Snapshot | None) -> None:
        """The outline that the picture should leave room for."""
        if goal != self.goal:
            self.goal = goal
            self.tell(SnapshotEvent(self.last, goal))

    @asynccontextmanager
    async def tutor_at_work(self) -> AsyncIterator[None]:
        """Changes seen inside this block are the tutor's own; so is what it leaves behind when it fails. One such block at a time: what is
        written in one is planned on what was seen in it, and a verb's work has several writes.
        """
        async with self._tutor:
            self._working.set()
            try:
                yield
            except Exception:
                try:
                    await self.refresh()
                except Exception:  # whoever follows looks until that goes, and says why it does not
                    self._sight.news.tell()
                raise
            finally:
                self._working.clear()

    @contextmanager
    def untold(self, on_change: Callable[[Deed], None]) -> Iterator[None]:
        """Changes seen inside this block, whenever they were caused, are shown, told to nobody but ``on_change``, and count as nobody's doing."""
        outer, self._untold = self._untold, on_change
        try:
            yield
        finally:
            self._untold = outer

    async def work_begun(self) -> None:
        """Returns when the tutor is at work."""
        await self._working.wait()

    async def refresh(self, *, looked: bool = False) -> Snapshot:
        """Look now, tell what changed since everybody was told last, and return what is there. ``looked``: the last look was just now, and unless the
        kernel has told of something since, be it learned from packets, no other is needed.
        """
        await (self._sight.latest(learned=True) if looked else self._sight.look())
        return self.show()

    def show(self) -> Snapshot:
        """The same of what the last look saw: for who has looked just now."""
        snapshot = self._sight.seen
        before = self.last
        self._has_seen(snapshot)
        changes = () if snapshot is before else diff(before, snapshot)
        if not changes:
            return snapshot
        if self._untold is not None:
            self.tell(SnapshotEvent(snapshot))
            self._untold(Deed(before, snapshot, changes))
            return snapshot
        by_itself = not any(done_by_somebody(change) for change in changes)
        who: Who = "tutor" if self._tutor.locked() else "kernel" if by_itself else "learner"
        self.tell(SnapshotEvent(snapshot))
        if lines := tuple(ChangeLine(sentence(change), change.node, change.quiet) for change in changes if worth_telling(change)):
            self.tell(ChangesEvent(time.time(), who, lines))
        if who == "learner":
            self._on_learner(Deed(before, snapshot, changes))
        elif who == "kernel":
            self._on_kernel(snapshot)
        return snapshot

    def _has_seen(self, snapshot: Snapshot) -> None:
        if snapshot is not self.last:
            self.last, self.births = snapshot, self.births.after(snapshot)

    async def _follow(self, seen: int) -> None:
        """Look whenever there is news beyond the count ``seen``."""
        while True:
            await self._sight.news.beyond(seen)
            seen = self._sight.news.count
            if await persist(self._catch_up, self._on_failure):
                self.tell(Notice("info", "The picture shows again what is there."))

    async def _catch_up(self) -> None:
        """See what the news is, by a look unless one came after it. While the tutor is at work it is waited for: it looks itself, or does not."""
        async with self._tutor:
            pass
        await self._sight.latest()
        self.show()
