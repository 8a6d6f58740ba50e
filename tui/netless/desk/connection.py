"""The app's end of the wire: opens the stream to the agent, turns what comes into messages, and asks."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from netless_lab import protocol
from netless_lab.client import ENDING_S, LabGone, Refused
from netless_lab.errors import Refusal
from netless_lab.stream import Stream

from .reduce import Courses, Ended, Event, Joined

R = TypeVar("R")


async def at_once() -> None:
    """Nothing is waited for."""


class Connection:
    """One conversation with one ``lab``. ``post`` gets every event in order and is called in the app's own loop. An ``onlooker`` hears more of what
    others do, and is no use of the lab. Who shows a log wants the ``past`` too; who tells each event as it comes would tell it as news.
    """

    def __init__(self, lab: str, connect: Callable[[], socket.socket], post: Callable[[Event], None], *, onlooker: bool = False, past: bool = False) -> None:
        self._lab = lab
        self._connect = connect
        self._post = post
        self._onlooker = onlooker
        self._past = past
        self._stream: Stream | None = None

    async def converse(self, ready: Callable[[], Awaitable[object]] = at_once) -> None:
        """Join the lab and stay until it ends or this task is cancelled. Never raises for a lab that is gone: it posts ``Ended``.

        ``ready`` is waited for before anything is said: to read what a lab says takes the loop as long as all its messages take to import.
        """
        listener: asyncio.Task[None] | None = None
        try:
            self._stream = stream = await self._greeted(ready)
            self._post(Joined(stream.hello.lab))
            listener = asyncio.create_task(stream.listen(self._post))
            await stream.ask(protocol.Subscribe((*protocol.DETAILS, "explained") if self._onlooker else protocol.DETAILS, past=self._past))
            await stream.ask(protocol.GetCourses(), lambda courses: self._post(Courses(courses)))
            await listener
        except (LabGone, Refused, Refusal) as error:
            self._post(Ended(str(error), error.code))
        except OSError as error:
            self._post(Ended(str(error)))
        finally:
            self.close()  # first: whoever ends this may do so again while it waits
            if listener is not None:
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)

    async def _greeted(self, ready: Callable[[], Awaitable[object]]) -> Stream:
        """A lab that has greeted. One that hangs up instead was ending when it was come upon, and lets its name go: who uses it gets the next one."""
        give_up = time.monotonic() + ENDING_S
        while True:
            sock = await self._connected(ready)
            try:
                return await Stream.open(sock, protocol.Hello(client="app", lab=self._lab, onlooker=self._onlooker))
            except LabGone:
                if self._onlooker or time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.02)

    async def _connected(self, ready: Callable[[], Awaitable[object]]) -> socket.socket:
        """A lab to talk to, which is looked for or started while ``ready`` is not yet so."""
        sock = await asyncio.to_thread(self._connect)
        try:
            await ready()
        except BaseException:
            sock.close()
            raise
        return sock

    async def ask(self, request: protocol.Request[R], heard: Callable[[R], None] | None = None) -> R:
        """Send one request and wait; raises ``Refused``, ``LabGone``, and ``Refusal`` for what is no answer. ``heard``: see ``Stream.ask``."""
        if self._stream is None:
            raise LabGone("the lab is not there")
        return await self._stream.ask(request, heard)

    def close(self) -> None:
        """Hang up."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
