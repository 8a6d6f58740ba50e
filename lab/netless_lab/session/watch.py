"""The judge that watches: it judges again after every change, and never two at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable


class WatchingJudge:
    """Belongs to one loop. ``due``: a verb stopped it at its work, or left what nobody has judged, and nobody has judged since, nor asked for it."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        """``work`` judges once, to the end; it must not raise."""
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._turn = asyncio.Lock()
        self.due = False

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Held by whoever judges, so that an older verdict never comes after a newer one."""
        async with self._turn:
            yield
            self.due = False

    def soon(self) -> None:
        """Judge from the start: what it is at is out of date. Asked for by the work itself, it is done once more when that has ended."""
        self.due = False
        if self._task is not None and self._task is asyncio.current_task():
            self._again = True
            return
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._judge())

    async def hold(self) -> None:
        """A verb begins: stop."""
        task, self._task = self._task, None
        self._again = False
        if task is not None and task is not asyncio.current_task():
            self.due |= not task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _judge(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            await self._work()
