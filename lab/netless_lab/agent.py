"""The agent: the lab's one process, PID 1 of its pretend host, and the only one that changes or judges it.

It serves clients over Unix sockets (``protocol``), keeps the order of what they ask (one verb at a time; looking is always
allowed), and ends when the lab's lease is up. When it ends, however it ends, the kernel takes the whole lab along.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from socket import send_fds
from typing import TYPE_CHECKING

import msgspec

from . import ending, protocol
from .connection import LINE_LIMIT, REQUESTS_LIMIT, Audience, Connection, Lines, TooLong
from .documents import read_json
from .errors import Refusal
from .lease import OF_A_TUTOR
from .sandbox import way

if TYPE_CHECKING:
    import socket

    from .sandbox.callers import Callers
    from .session.session import Session

BY_DOWN = "it was ended by `netless down`"


class Agent:
    """Clients on one side, the session on the other."""

    def __init__(self, session: Session, callers: Callers, audience: Audience) -> None:
        """``audience`` is filled here with those who come in."""
        self._session = session
        self._stage = session.stage
        self._callers = callers
        self._audience = audience
        self._clients: set[Connection] = set()
        self._onlookers: set[Connection] = set()
        """Those of them that only listen: no lease waits for them."""
        self._watching: set[Connection] = set()
        """Those for whom the lab is watched: who has subscribed, entered, or asked for more than a look."""
        self._turn = asyncio.Lock()
        self._reason = ""
        self._news = asyncio.Event()
        """That the lease's end has to be asked for anew: somebody came, left, or ended the lab."""
        self._lease = OF_A_TUTOR
        self._last_use = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unasked: set[asyncio.Task[None]] = set()
        """What clients asked for that have hung up since, and what had begun then."""

    @property
    def clients(self) -> int:
        """How many are connected now."""
        return len(self._clients)

    @property
    def _users(self) -> int:
        """How many of them use the lab."""
        return len(self._clients - self._onlookers)

    async def serve(self) -> str:
        """Serve those who come in (``Callers``) until the lab is to end; returns why."""
        self._callers.begin(self._welcome, self.end)
        reason = await self._until_unused()
        self._session.close()
        await self._callers.shut()
        self._audience.tell(protocol.Bye(reason))
        await asyncio.gather(*(client.close() for client in self._clients))
        return reason

    def end(self, reason: str) -> None:
        """End the lab soon, for this reason."""
        self._reason = reason
        self._news.set()

    async def _until_unused(self) -> str:
        while not self._reason:
            left = self._lease.ends(self._last_use, self._users) - time.monotonic()
            if left <= 0:
                return "its lease was up: nobody had used it for so long"
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(left) else left):
                    await self._news.wait()
        return self._reason

    def _welcome(self, sock: socket.socket) -> None:
        """Somebody who was let in."""
        task = asyncio.create_task(self._converse(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            await self._client(*await asyncio.open_unix_connection(sock=sock, limit=LINE_LIMIT))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client, lines = Connection(writer), Lines(reader)
        try:
            first = await lines.next()
            if not first:
                return
            if way.is_request(first):
                await self._show_the_way(first, writer)
                self._use(client)
                self._watch_for(client)
                while await reader.read(LINE_LIMIT):
                    pass
                if way.stays(first):
                    self._session.command_ended()
            elif (hello := self._greeted(first, client)) is not None:
                self._attend(client, hello)
                await self._listen(lines, client)
            else:
                await self._listen_for_the_end(lines, client)
        except (msgspec.MsgspecError, TooLong) as error:
            client.send(protocol.Failed(0, 2, f"the first line must be a hello: {error}"))
        except OSError:
            pass
        finally:
            self._forget(client)
            writer.close()

    async def _show_the_way(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        """Hand a node's namespaces to somebody who enters it, or say why not. Nothing was said to him before, so nothing waits to be sent."""
        try:
            await self._stage.world.begun()  # what he does in there is not to be taken for how it was,
            await self._stage.handed_over()  # nor for the tutor's doing
            with self._stage.world.way_into(way.asked(request)) as into, writer.get_extra_info("socket").dup() as sock:
                send_fds(sock, [way.answer(into.told)], into.files)
        except Refusal as refusal:
            writer.write(way.refusal(str(refusal)))
        except (ValueError, OSError, RuntimeError) as error:  # the last one: no thread can be started
            writer.write(way.refusal(self._stage.full(error) or str(error)))

    def _greeted(self, first: bytes, client: Connection) -> protocol.Hello | None:
        """A client's hello; None for one of another version, who is told. Raises MsgspecError when the line is no hello at all."""
        theirs = ending.version(first)
        hello = protocol.decode_request(first) if theirs == protocol.VERSION else None
        if isinstance(hello, protocol.Hello):
            return hello
        text = f"this lab speaks protocol {protocol.VERSION}, the client {theirs}: end the lab with `netless down` and start it anew"
        client.send(protocol.Failed(0, 2, text))
        return None

    def _attend(self, client: Connection, hello: protocol.Hello) -> None:
        self._lease = hello.lease or self._lease
        client.send(protocol.Hello(client="agent", lab=self._stage.name))
        if hello.onlooker:
            self._onlookers.add(client)
        self._use(client)

    def _use(self, client: Connection) -> None:
        self._clients.add(client)
        self._stage.views.clients = self.clients
        self._news.set()

    def _watch_for(self, client: Connection) -> None:
        """It stays, or changes something: from now on changes that make no event are looked for. Who only looks is told what is there."""
        self._watching.add(client)
        self._stage.attend(True)

    def _forget(self, client: Connection) -> None:
        for task in client.hung_up():
            self._unasked.add(task)
            task.add_done_callback(self._unasked.discard)
        self._audience.leave(client)
        if client in self._clients:
            self._clients.discard(client)
            self._watching.discard(client)
            if client in self._onlookers:
                self._onlookers.discard(client)
            else:
                self._last_use = time.monotonic()
            self._stage.views.clients = self.clients
            self._stage.attend(bool(self._watching))
            self._news.set()

    async def _listen_for_the_end(self, lines: Lines, client: Connection) -> None:
        """All that a client of another version may ask; it is told so once. It stays connected until the lab has ended."""
        while True:
            try:
                line = await lines.next()
            except TooLong:
                continue
            if not line:
                return
            if (asked := ending.asked(line)) is not None:
                client.send(protocol.Down(id=asked).done(ending.Others(self.clients)))
                self.end(BY_DOWN)

    async def _listen(self, lines: Lines, client: Connection) -> None:
        """Every line but a second hello is answered: what cannot be understood, and what is too much, in words."""
        while True:
            try:
                line = await lines.next()
                if not line:
                    return
                request = protocol.decode_request(line)
            except TooLong as error:
                client.send(protocol.Failed(0, 2, f"not a request this lab knows: {error}"))
                continue
            except msgspec.MsgspecError as error:
                client.send(protocol.Failed(_id_of(line), 2, f"not a request this lab knows: {error}"))
                continue
            match request:
                case protocol.Hello():
                    pass
                case protocol.Down():
                    client.send(request.done(ending.Others(self.clients - 1)))
                    self.end(BY_DOWN)
                case protocol.Leave(agreed=True):
                    client.send(request.done(self._left(self._stays())))
                case _ if client.has_room:
                    client.take(self._answer(client, request))
                case _:
                    text = f"{REQUESTS_LIMIT} requests of this client are not answered yet: wait for one of them before you ask for more"
                    client.send(protocol.Failed(request.id, 2, text))

    async def _answer(self, client: Connection, request: protocol.Asked) -> None:
        try:
            client.send(await self._do(client, request))
        except Refusal as refusal:
            going, coming = (None, ()) if refusal.clearing is None else (refusal.clearing.going, refusal.clearing.coming)
            client.send(protocol.Failed(request.id, refusal.code, str(refusal), refusal.nearest, going, coming))
        except Exception as error:
            self._stage.report(error)
            if full := self._stage.full(error):
                client.send(protocol.Failed(request.id, 3, full))
                return
            text = f"netless failed in a way it should not: {type(error).__name__}: {error}. The lab goes on; details are in the lab's log."
            client.send(protocol.Failed(request.id, 4, text))

    async def _do(self, client: Connection, request: protocol.Asked) -> protocol.Done:
        match request:
            case protocol.Subscribe():
                client.begun()
                for message in self._session.introduction(past=request.past):
                    if message.kind in request.kinds:
                        client.send(message)
                self._audience.join(client, request.kinds, mine=request.mine)
                self._watch_for(client)
                return request.done(None)
            case protocol.Look():
                client.begun()
                return await self._session.answer(request)
            case protocol.Run(wait=True) | protocol.Check(wait=True):
                from .session.ripening import ripe  # no lab needs it to be ready

                async def ask(own: protocol.Run | protocol.Check) -> protocol.Judgement:
                    return own.reply(await self._in_turn(client, own))

                return request.done(await ripe(self._stage, request, ask, client.send, lambda: client in self._clients))
            case protocol.WhatLeaves():
                return request.done(await self._parting(client, request))
            case protocol.Leave():
                return request.done(self._left(self._stays() or await self._stays_unasked(client, protocol.WhatLeaves(id=request.id))))
            case _:
                return await self._in_turn(client, request)

    async def _in_turn(self, client: Connection, request: protocol.Asked) -> protocol.Done:
        self._watch_for(client)
        async with client.in_turn(self._turn):
            self._audience.served = client
            try:
                return await self._session.answer(request)
            finally:
                self._audience.served = None

    async def _parting(self, client: Connection, request: protocol.WhatLeaves) -> protocol.Parting:
        lost = request.reply(await self._in_turn(client, request))
        return protocol.Parting(self._stays(), lost.going, len(self._onlookers))

    async def _stays_unasked(self, client: Connection, request: protocol.WhatLeaves) -> str:
        """Why the lab goes on where nobody has agreed to its end; "" when it may end."""
        found = await self._parting(client, request)
        return found.stays or ("it has what no step of the course brings back" if found.going else "somebody looks on" if found.onlookers else "")

    def _left(self, stays: str) -> str:
        """The tutor that started the lab was quit by the one client who asks: end the lab, unless it ``stays`` for a reason, which is the answer."""
        if not stays:
            self.end("the tutor was quit")
        return stays

    def _stays(self) -> str:
        """Why the lab goes on though the tutor that started it is quit by the one client who asks; "" when it ends."""
        if self._users > 1:
            return "somebody else uses it"
        return "`netless up` asked for it to last" if self._lease.lasting else ""


class _Numbered(msgspec.Struct):
    """All that is looked for in a request of which the rest is wrong."""

    id: int = 0


_numbered = msgspec.json.Decoder(_Numbered)


def _id_of(line: bytes) -> int:
    """The id of a request that could not be understood, 0 when even that is missing."""
    with contextlib.suppress(msgspec.MsgspecError):
        return read_json(line, _numbered).id
    return 0
