"""How long a probe may take, and waiting on the event loop for a socket."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Sequence
from typing import Final, Protocol

_RETRY_S: Final = 0.1
"""Between attempts when an answer must come: the network may still be settling."""
_TICK_S: Final = 0.001


class Hope(Protocol):
    """What somebody who watches a probe knows of it."""

    def more_s(self, waited_s: float, *, program: bool) -> float:
        """How long to go on waiting before this is asked again, in an attempt that has waited so long: 0 when nothing will come any more.

        ``program``: a program is to answer, which must be scheduled first; a kernel alone when not.
        """


class Patience:
    """The clock of one probe. ``deadline_s`` bounds it, ``grace_s`` is how long one attempt's silence must last to count.

    A packet that must not be answered has a deadline of at most two graces, and every attempt has a whole grace left when it begins. A
    ping hears the answers to all its attempts to the end, so they may overlap: with one and a half graces the second begins after half of
    one. Any longer deadline is patient: it tries again every 100 ms and does not give up on failures that may pass.

    Only time in which something could be sent and heard counts: what a wait lasts beyond what it was given, because this process or the
    whole machine stood still, is added to the deadline. With ``hope`` a probe ends before its deadline when there is none left, and an attempt
    that is not the ``last`` there is before the next.
    """

    def __init__(self, deadline_s: float, grace_s: float, hope: Hope | None = None) -> None:
        self._hope = hope
        self._begun = False
        self._start = time.monotonic()
        self._end = self._start + deadline_s
        self.patient = deadline_s > 2 * grace_s + _TICK_S
        self._grace_s = grace_s
        self._extended = False
        self._interval_s = max(grace_s, _RETRY_S)
        self._wakes = math.inf

    @property
    def waited_ms(self) -> float:
        """Since the start, in milliseconds."""
        return (time.monotonic() - self._start) * 1000

    @property
    def left_s(self) -> float:
        """Until the deadline, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether there is no time for another attempt. There is always time for one: a probe never sent proves nothing."""
        self._forgive()
        return self._begun and self.left_s <= _TICK_S

    def attempt(self, *, program: bool, last: bool = True) -> Attempt:
        """One that begins now; it has ended when the next begins, or when ``over`` is asked. ``program`` is to answer it, or a kernel; where it is not
        the ``last``, somebody else can be asked after it.
        """
        self._forgive()
        self._begun = True
        return Attempt(self, self._granted(self._attempt_s(self.left_s, last)), program, last)

    def more_s(self, waited_s: float, left_s: float, *, program: bool, last: bool) -> float:
        """How much of what is left an attempt waits before it asks again; 0 ends it, and with the ``last`` the probe."""
        more = left_s if self._hope is None else min(left_s, self._hope.more_s(waited_s, program=program))
        if more <= 0:
            self._wakes = math.inf
            self._end = time.monotonic() if last else self._end
        return more

    def _attempt_s(self, left: float, last: bool) -> float:
        """The last attempt gets its whole grace, however long the sending took, and so does whoever is asked before."""
        if self.patient:
            return min(self._interval_s, left)
        if left > self._grace_s + _TICK_S:
            return min(self._grace_s, left - self._grace_s)
        if not last:
            self._end = time.monotonic() + 2 * self._grace_s
            return self._grace_s
        if not self._extended:
            self._extended = True
            self._end = time.monotonic() + self._grace_s
        return self.left_s

    async def pause(self) -> None:
        """Wait before trying again what failed at once."""
        self._forgive()
        self._begun = True
        await asyncio.sleep(self._granted(min(self._interval_s, self.left_s)))

    def _granted(self, seconds: float) -> float:
        self._wakes = time.monotonic() + seconds
        return seconds

    def _forgive(self) -> None:
        """Add to the deadline what the last wait lasted too long."""
        self._end += max(0.0, time.monotonic() - self._wakes)
        self._wakes = math.inf


class Attempt:
    """One packet that is waited for. What a wait lasts beyond what it was given is no time of its own either."""

    def __init__(self, patience: Patience, seconds: float, program: bool, last: bool) -> None:
        self._patience, self._program, self._last = patience, program, last
        self._begin = time.monotonic()
        self._end = self._begin + seconds

    async def readable(self, *opened: socket.socket) -> socket.socket | None:
        """Wait until there is something, or an error, to take from one of the sockets, and return it; None when the attempt is over."""
        return await self._wait(opened, write=False)

    async def writable(self, opened: Sequence[socket.socket]) -> socket.socket | None:
        """Wait until one of the sockets is connected, or has failed to, and return it; None when the attempt is over."""
        return await self._wait(opened, write=True)

    async def _wait(self, opened: Sequence[socket.socket], *, write: bool) -> socket.socket | None:
        while (left := self._end - (now := time.monotonic())) > 0:
            more = self._patience.more_s(now - self._begin, left, program=self._program, last=self._last)
            if more <= 0:
                break
            wakes = time.monotonic() + more
            if (ready := await _ready(opened, more, write=write)) is not None:
                return ready
            overslept = max(0.0, time.monotonic() - wakes)
            self._begin, self._end = self._begin + overslept, self._end + overslept
        return None


async def _ready(opened: Sequence[socket.socket], seconds: float, *, write: bool) -> socket.socket | None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[socket.socket | None] = loop.create_future()

    def finish(ready: socket.socket | None) -> None:
        if not done.done():
            done.set_result(ready)

    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    timer = loop.call_later(max(0.0, seconds), finish, None)
    for own in opened:
        add(own.fileno(), finish, own)
    try:
        return await done
    finally:
        timer.cancel()
        for own in opened:
            remove(own.fileno())
