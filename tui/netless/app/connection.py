"""The app's end of the wire: opens the stream to the agent, turns what comes into messages, and asks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TypeVar

from netless_lab import protocol
from netless_lab.client import LabGone, Refused
from netless_lab.errors import Refusal
from netless_lab.stream import Stream

from .reduce import Courses, Ended, Event, Joined

R = TypeVar("R")


class Connection:
    """One conversation with one ``lab``. ``post`` gets every event in order and is called in the app's own loop."""

    def __init__(self, lab: str, connect: Callable[[], socket.socket], post: Callable[[Event], None]) -> None:
        self._lab = lab
        self._connect = connect
        self._post = post
        self._stream: Stream | None = None

    async def converse(self) -> None:
        """Join the lab and stay until it ends or this task is cancelled. Never raises for a lab that is gone: it posts ``Ended``."""
        listener: asyncio.Task[None] | None = None
        try:
            sock = await asyncio.to_thread(self._connect)
            self._stream = stream = await Stream.open(sock, protocol.Hello(client="app", lab=self._lab))
            self._post(Joined(stream.hello.lab))
            listener = asyncio.create_task(stream.listen(self._post))
            await stream.ask(protocol.Subscribe())
            self._post(Courses(await stream.ask(protocol.GetCourses())))
            await listener
        except (LabGone, Refused, Refusal) as error:
            self._post(Ended(str(error), error.code))
        except OSError as error:
            self._post(Ended(str(error)))
        finally:
            if listener is not None:
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)
            self.close()

    async def ask(self, request: protocol.Request[R]) -> R:
        """Send one request and wait; raises ``Refused``, ``LabGone``, and ``Refusal`` for what is no answer."""
        if self._stream is None:
            raise LabGone("the lab is not there")
        return await self._stream.ask(request)

    def close(self) -> None:
        """Hang up."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
