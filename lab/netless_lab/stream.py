"""How the app talks to a lab's agent: over asyncio, which the command line does without, because importing it takes longer than a verb."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from . import protocol
from .client import LINE_LIMIT, PATIENCE_S, SILENCE_S, LabGone, OnEvent, Refused, greeted, insist_on_life, reply, unanswered, understood
from .errors import Refusal

if TYPE_CHECKING:
    import socket

R = TypeVar("R")
_AT_ONCE: Final = 16
"""So many messages are taken before others on the loop have their turn: lines that are there already are read without waiting."""


class Stream:
    """``client.Client`` over asyncio: requests may overlap, every event goes to ``on_event`` in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lab: str, hello: protocol.Hello) -> None:
        self._reader = reader
        self._writer = writer
        self._lab = lab
        self._heard = time.monotonic()
        """When the lab last said anything, or was last asked whether it lives."""
        self._lost: LabGone | None = None
        """Why nobody listens any more: nothing that is asked after that would be answered."""
        self._ids = itertools.count(1)
        self._waiting: dict[int, Callable[[protocol.Done | protocol.Failed | LabGone], None]] = {}
        self.hello = hello

    @classmethod
    async def open(cls, sock: socket.socket, hello: protocol.Hello) -> Stream:
        """Greet the agent on a connected socket, and be greeted. Raises Refused, Refusal and LabGone; the socket is closed then."""
        sock.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=sock, limit=LINE_LIMIT)
        try:
            writer.write(protocol.encode(hello))
            async with asyncio.timeout(PATIENCE_S):
                line = await _line(reader)
            return cls(reader, writer, hello.lab, greeted(line, hello.lab))
        except TimeoutError as error:
            writer.close()
            raise unanswered() from error
        except BaseException:
            writer.close()
            raise

    async def ask(self, request: protocol.Request[R], heard: Callable[[R], None] | None = None) -> R:
        """Send a request and wait for its reply; needs ``listen`` to be running, or to begin. Raises Refused, LabGone, and Refusal for what is no
        answer.

        The asker goes on a little later than the reply is read, and other messages may be read meanwhile; ``heard`` is called in its place on the wire.
        """
        if self._lost is not None:
            raise self._lost
        number = next(self._ids)
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def settle(message: protocol.Done | protocol.Failed | LabGone) -> None:
            if future.done():
                return
            if isinstance(message, protocol.Done):
                try:
                    answer = reply(request, message)
                except Exception as error:  # whatever it is, it is the asker's; who reads the wire reads on
                    future.set_exception(error)
                else:
                    future.set_result(answer)
                    if heard is not None:
                        heard(answer)
            else:
                future.set_exception(Refused(message) if isinstance(message, protocol.Failed) else message)

        self._waiting[number] = settle
        self._writer.write(protocol.encode(msgspec.structs.replace(request, id=number)))
        try:
            while not (await asyncio.wait((future,), timeout=SILENCE_S))[0]:
                await self._insist_on_life()
            return future.result()
        finally:
            self._waiting.pop(number, None)

    async def _insist_on_life(self) -> None:
        """Hang up when the lab has been silent for long and does not greet any more; who listens then hears why."""
        if not self._lab or time.monotonic() < self._heard + SILENCE_S:
            return
        self._heard = time.monotonic()
        try:
            await asyncio.to_thread(insist_on_life, self._lab)
        except (Refusal, LabGone) as error:
            self._lost = LabGone(str(error), error.code)
            self._writer.transport.abort()

    async def listen(self, on_event: OnEvent) -> None:
        """Read until the lab ends; replies go to their askers, everything else to ``on_event``. Raises ``LabGone`` at the end."""
        try:
            for number in itertools.count(1):
                self._take(understood(await _line(self._reader)), on_event)
                self._heard = time.monotonic()
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        except LabGone as error:
            self._lost = self._lost or error
            raise self._lost from None
        finally:
            self._lost = self._lost or LabGone("the lab is listened to no longer")
            for settle in self._waiting.values():
                settle(self._lost)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def _take(self, message: protocol.AgentMessage, on_event: OnEvent) -> None:
        if isinstance(message, protocol.Done | protocol.Failed):
            if message.id in self._waiting:
                self._waiting[message.id](message)
            return
        on_event(message)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line of an agent. Raises LabGone when there is none."""
    try:
        line = await reader.readline()
    except (OSError, ValueError) as error:  # ValueError: longer than LINE_LIMIT
        raise LabGone(f"the connection to the lab broke: {error}") from error
    if not line:  # who ends in good order says why before (``Bye``)
        raise LabGone("it broke off without a word, as a lab does that is killed")
    return line
