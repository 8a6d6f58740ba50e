"""Changes that no snapshot holds (settings that no lesson speaks of, disciplines, IPsec, ...): they can decide a packet as well.

The kernel sends no event for most of them, so what differs from the beginning is looked at now and then, while somebody watches.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from ..model.clearing import Things
from .persist import OnFailure, persist

PERIOD_S: Final = 1.0
"""A look costs about two milliseconds a node, on the thread that changes the kernel."""

OnChange = Callable[[tuple[str, ...], tuple[str, ...]], None]


class Sight(Protocol):
    """A lab that can say what differs from its beginning though no snapshot shows it."""

    async def unseen(self) -> Things:
        """In words."""


class Unseen:
    """Says what of it came and what went, in words, since the last verdict."""

    def __init__(self, sight: Sight, on_change: OnChange, on_failure: OnFailure) -> None:
        self._sight = sight
        self._on_change = on_change
        self._on_failure = on_failure
        self._task: asyncio.Task[None] | None = None
        self._judging = asyncio.Event()
        self._known: tuple[str, ...] | None = None

    def attend(self, watched: bool) -> None:
        """Whether somebody looks: else nothing is looked at."""
        if watched and self._task is None:
            self._judging.set()
            self._task = asyncio.create_task(self._follow())
        elif not watched and self._task is not None:
            self._task.cancel()
            self._task = self._known = None

    def judging(self) -> None:
        """A verdict is about to be found: it will hold for what is there now."""
        self._known = None
        self._judging.set()

    def hold(self) -> None:
        """The lab is about to be changed: whoever does it need not wait for a look that is under way. The next is as late as after one."""
        if self._task is not None:
            self._task.cancel()
            self._judging.clear()
            self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._judging.wait(), PERIOD_S)
            self._judging.clear()
            await persist(self._look, self._on_failure)

    async def _look(self) -> None:
        found = (await self._sight.unseen()).now
        before, self._known = self._known, found
        if before is not None and before != found:
            self._on_change(tuple(own for own in found if own not in before), tuple(own for own in before if own not in found))
