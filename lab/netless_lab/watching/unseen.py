"""Changes that no snapshot holds (settings that no lesson speaks of, disciplines, IPsec, ...): they can decide a packet as well.

The kernel sends no event for most of them, so what differs from the beginning is looked at now and then while somebody watches, and once more when
nobody does any longer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from ..model.clearing import Things
from ..model.snapshot import Snapshot
from .persist import OnFailure, persist

PERIOD_S: Final = 1.0
"""A look costs about two milliseconds a node, on the thread that changes the kernel."""
_MOST_LOOKS: Final = 5
"""So often one who comes in waits for a look that nothing came between."""

OnChange = Callable[[tuple[str, ...], tuple[str, ...]], None]


class Differing(Protocol):
    """A lab that can say what differs from its beginning though no snapshot shows it."""

    @property
    def written(self) -> int:
        """How often the tutor has written to it so far."""

    async def latest(self) -> Snapshot:
        """What the last look saw, or what a new one sees when the kernel has had something to tell since."""

    async def unseen(self) -> Things:
        """In words: what the last look did not see."""


class Unseen:
    """Says what of it came and what went, in words. What is found first after the tutor wrote is the tutor's own."""

    def __init__(self, sight: Differing, on_change: OnChange, on_failure: OnFailure) -> None:
        self._sight = sight
        self._on_change = on_change
        self._on_failure = on_failure
        self._task: asyncio.Task[None] | None = None
        self._watched = False
        self._soon = asyncio.Event()
        self._known: tuple[str, ...] = ()
        self._written = 0

    def attend(self, watched: bool) -> None:
        """Whether somebody watches: else nothing is looked at. What was left behind, or came since, is looked at when that changes."""
        if watched != self._watched:
            self._watched = watched
            self.soon()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._follow())

    async def known(self) -> None:
        """Returns when what the tutor has written is known: what comes after that is somebody else's."""
        for _ in range(_MOST_LOOKS):
            if self._written == self._sight.written:
                break
            with contextlib.suppress(OSError, RuntimeError):  # no file or no thread to spare: it is looked at again
                await self._look()

    def soon(self) -> None:
        """A verdict was found: look now, so that little can have changed since."""
        self._soon.set()

    def hold(self) -> None:
        """The lab is about to be changed: whoever does it need not wait for a look that is under way. The next is as late as after one."""
        if self._task is not None:
            self._task.cancel()
            self._soon.clear()
            self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while self._watched or self._soon.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_S):
                    await self._soon.wait()
            self._soon.clear()
            await persist(self._look, self._on_failure)

    async def _look(self) -> None:
        written, seen = self._sight.written, await self._sight.latest()
        found = (await self._sight.unseen()).now
        if written != self._sight.written or seen is not await self._sight.latest():  # meanwhile: some of it is what was before, or is seen by now
            return
        before = self._known if written == self._written else found
        self._known, self._written = found, written
        if before != found:
            self._on_change(tuple(own for own in found if own not in before), tuple(own for own in before if own not in found))
