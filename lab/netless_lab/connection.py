"""One client of an agent: what it is sent, the lines it sends, and the requests it waits for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Final

from . import protocol

LINE_LIMIT: Final = 256 << 10
"""Bytes of the longest line an agent reads; requests have some hundred."""
BACKLOG_LIMIT: Final = 64 << 20
"""A client that has not read this many bytes of events is cut off; it may come back and ask for the state."""
LAST_WORDS_S: Final = 1.0
"""How long a client may take to read what is said to it last, in seconds."""
REQUESTS_LIMIT: Final = 64
"""How many requests of one client may be open. The tutor has a handful, a command one."""


class TooLong(ValueError):
    """A line of more than ``LINE_LIMIT`` bytes. What is left of it is skipped when the next one is asked for."""

    def __init__(self) -> None:
        super().__init__(f"a line of more than {LINE_LIMIT >> 10} KiB is no request")


class Lines:
    """The lines of a client, none of them held longer than ``LINE_LIMIT``."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        """``reader`` must have been given ``LINE_LIMIT``."""
        self._reader = reader
        self._skipping = False

    async def next(self) -> bytes:
        """The next line with its newline; the last one may lack it; empty at the end. Raises TooLong and OSError."""
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                return b"" if self._skipping else error.partial
            except asyncio.LimitOverrunError as error:
                await self._reader.readexactly(error.consumed)  # it is there: nothing is waited for
                if not self._skipping:
                    self._skipping = True
                    raise TooLong from None
                continue
            if not self._skipping:
                return line
            self._skipping = False


class Connection:
    """One client. A request of it waits until ``begun``, and one that waits is forgotten when the client hangs up."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._open: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()

    def send(self, message: protocol.Message) -> None:
        """Queue one message."""
        self.send_line(protocol.encode(message))

    def send_line(self, line: bytes) -> None:
        """Queue a message that is written down already; a client too slow to read is cut off."""
        if self._writer.is_closing():
            return
        self._writer.write(line)
        if self._writer.transport.get_write_buffer_size() > BACKLOG_LIMIT:
            self._writer.transport.abort()

    async def close(self) -> None:
        """Hang up when all is on its way that was said, or has not been taken in ``LAST_WORDS_S``."""
        self._writer.transport.set_write_buffer_limits(high=0)  # else what is left below the usual mark counts as said
        with contextlib.suppress(OSError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._writer.drain()
        self._writer.close()

    @property
    def has_room(self) -> bool:
        """Whether it may ask for more before it is answered."""
        return len(self._open) < REQUESTS_LIMIT

    def take(self, work: Coroutine[None, None, None]) -> None:
        """Do what a request asks for, beside whatever else is done."""
        task = asyncio.create_task(work)
        for place in (self._open, self._waiting):
            place.add(task)
            task.add_done_callback(place.discard)

    def begun(self) -> None:
        """Called by the work itself: from now on it is done to its end, whoever waits for it."""
        task = asyncio.current_task()
        if task is not None:
            self._waiting.discard(task)

    @contextlib.asynccontextmanager
    async def in_turn(self, turn: asyncio.Lock) -> AsyncIterator[None]:
        """Wait for the turn; what is done then is done to its end."""
        async with turn:
            self.begun()
            yield

    def hung_up(self) -> set[asyncio.Task[None]]:
        """The client has gone: forget what waits, and answer what is being done to its end."""
        for task in tuple(self._waiting):
            task.cancel()
        return self._open - self._waiting


class Audience:
    """The clients that subscribed: what happens in a lab is told to each that wants to hear of its kind, whoever caused it."""

    def __init__(self) -> None:
        self._clients: dict[Connection, tuple[frozenset[str], bool]] = {}
        self.served: Connection | None = None
        """Whose verb is being done now."""

    def join(self, client: Connection, kinds: Iterable[protocol.Kind], *, mine: bool = False) -> None:
        """From now on it hears of these kinds of events, whatever it heard of before; with ``mine`` only while it is ``served``."""
        self._clients[client] = frozenset(kinds), mine

    def leave(self, client: Connection) -> None:
        """It hears no more. Harmless when it did not."""
        self._clients.pop(client, None)

    def tell(self, message: protocol.Message) -> None:
        """Send an event to those who want its kind; it is written down once for all of them."""
        wanting = [client for client, (kinds, mine) in self._clients.items() if message.kind in kinds and (client is self.served or not mine)]
        line = protocol.encode(message) if wanting else b""
        for client in wanting:
            client.send_line(line)
