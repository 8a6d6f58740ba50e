"""The judge that watches: it judges again after every change, and never two at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable


class WatchingJudge:
    """Belongs to one loop. ``due``: a verb stopped it at its work, or left what nobody has judged, and nobody has judged since, nor asked for it.
    ``asked``: somebody had a reason to have it judged, other than that a command has ended, and no judgement that began since has come to its end.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        """``work`` judges once, to the end; it must not raise."""
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._again = self._late = False
        self._turn = asyncio.Lock()
        self.due = False
        self.asked = True

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Held by whoever judges, so that an older verdict never comes after a newer one; whether it was ``asked`` for."""
        async with self._turn:
            self._late = False
            asked, self.asked = self.asked, False
            try:
                yield asked
            except BaseException:
                self.asked |= asked
                raise
            self.due = False
            if self._late:
                self._begin()

    def soon(self, *, patient: bool = False) -> None:
        """Judge from the start: what it is at is out of date. Asked for by the work itself, it is done once more when that has ended. ``patient``: only
        a command has ended, or a verb; what is under way comes to its end before, for who asks again and again would have none.
        """
        self.due = False
        self.asked |= not patient
        if patient and self._turn.locked():
            self._late = True
        elif self._task is not None and self._task is asyncio.current_task():
            self._again = True
        else:
            self._begin()

    def failed(self, *, changed: bool) -> None:
        """A verb failed. Where it had ``changed`` something by then, that is still to be judged."""
        self.due |= changed
        self.asked |= changed

    def _begin(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._judge())

    async def hold(self) -> None:
        """A verb begins: stop."""
        task, self._task = self._task, None
        self._again = self._late = False
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
