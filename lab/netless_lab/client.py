"""How others talk to a lab's agent: the blocking ``Client`` for the command line; the app has ``stream.Stream``.

Both speak ``protocol`` over a connected Unix socket (``sandbox.find.connect``). A reply that says the request failed is raised
as ``Refused`` with the agent's own words and exit code; a connection that ends, or on which something else than the protocol is spoken,
is raised as ``LabGone``. Who does not greet within ``PATIENCE_S`` is refused: a verb may take its time, a greeting takes milliseconds. Who
has said nothing for ``SILENCE_S`` while something was asked of him has to greet anew, on another connection.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec

from . import ending, protocol
from .errors import ExitCode, Refusal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

R = TypeVar("R")
OnEvent: TypeAlias = "Callable[[protocol.AgentMessage], None]"
PATIENCE_S: Final = 5.0
"""How long an agent may take to greet, in seconds."""
ENDING_S: Final = 10.0
"""How long a lab whose agent was killed may take to let its name go, in seconds."""
SILENCE_S: Final = 8.0
"""After so many seconds without a word, while a request is not answered, it is asked whether the lab still lives."""
LINE_LIMIT: Final = 16 << 20
"""Bytes of the longest line of an agent; a snapshot of a large lab is some hundred kilobytes."""
_CHUNK: Final = 1 << 16


class LabGone(ConnectionError):
    """The lab's agent ended or was killed, and the lab went with it; or it was given up. ``code`` is the exit code that fits."""

    def __init__(self, text: str, code: ExitCode = 4) -> None:
        super().__init__(text)
        self.code = code


class Refused(Exception):
    """The agent could not do what was asked: ``code`` is the exit code, ``nearest`` the names that were perhaps meant, ``going`` and ``coming`` see ``Failed``."""

    def __init__(self, failed: protocol.Failed) -> None:
        super().__init__(failed.text)
        self.code = failed.code
        self.nearest = failed.nearest
        self.going = failed.going
        self.coming = failed.coming


def unanswered() -> Refusal:
    """Why nothing can be asked of what holds a lab's name: it has not greeted in time."""
    return Refusal(
        f"What holds the name of this lab has not answered for {PATIENCE_S:.0f} seconds: it is stopped, or no lab. "
        "`netless down` ends it; --lab NAME takes another one.",
        code=3,
    )


def reply(request: protocol.Request[R], done: protocol.Done) -> R:
    """What was answered. Raises Refusal when it is no answer to this request: not every agent is of our mind."""
    try:
        return request.reply(done)
    except msgspec.MsgspecError as error:
        raise Refusal("The lab answered in a way that this netless does not understand: `netless down` ends it.", code=3) from error


def insist_on_life(lab: str) -> None:
    """Make sure that a lab which has been silent for long still greets a caller. Raises Refusal when it does not, LabGone when it has ended.

    What is being done in a lab may take as long as it likes: its agent greets all the while.
    """
    from .sandbox import find  # a screen is handed its connection, and needs this only now

    try:
        Client(find.connect(lab), protocol.Hello(client="cli", lab=lab)).close()
    except Refused:  # it has no room for one more, and says so
        pass
    except find.NoSuchLab as error:
        raise LabGone("the lab ended") from error
    except (find.NotOurs, find.TakesNobody) as error:
        raise unanswered() from error


def understood(line: bytes) -> protocol.AgentMessage:
    """A line from the agent. Raises LabGone for what is none, an end in the middle of a line among them."""
    try:
        return protocol.decode_event(line)
    except msgspec.MsgspecError as error:
        raise LabGone(f"what answers for the lab does not speak as a lab does ({error})") from error


class Client:
    """One request at a time, events handed to a callback while waiting. Not for use inside an event loop."""

    def __init__(self, sock: socket.socket, hello: protocol.Hello, on_event: OnEvent | None = None) -> None:
        """Greet, and be greeted. Raises Refused, Refusal and LabGone; the socket is closed then."""
        self._sock = sock
        self._unread = bytearray()
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._lab = hello.lab
        try:
            self._send(hello, "the greeting")
            self.hello = greeted(self._line(time.monotonic() + PATIENCE_S), hello.lab)
        except TimeoutError as error:
            sock.close()
            raise unanswered() from error
        except BaseException:
            sock.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def fileno(self) -> int:
        """The connection's descriptor."""
        return self._sock.fileno()

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def ask(self, request: protocol.Request[R]) -> R:
        """Send a request and wait for its reply. Raises Refused, LabGone, and Refusal.

        Refusal: what comes is no answer to it, or the lab, by the name in our hello, does not even greet any more.
        """
        number = next(self._ids)
        try:
            self._send(msgspec.structs.replace(request, id=number), "the request")
        except LabGone:
            self._hear_the_rest()
            raise
        while True:
            message = self._awaited()
            if isinstance(message, protocol.Done) and message.id == number:
                return reply(request, message)
            if isinstance(message, protocol.Failed) and message.id == number:
                raise Refused(message)
            if self._on_event is not None:
                self._on_event(message)

    def _send(self, message: protocol.Message, what: str) -> None:
        try:
            self._sock.sendall(protocol.encode(message))
        except OSError as error:
            raise LabGone(f"the lab hung up before {what} could be sent: it has ended, or can open no more files") from error

    def _hear_the_rest(self) -> None:
        """What a lab that hung up had said before, why it ended among it."""
        with contextlib.suppress(LabGone, TimeoutError, Refusal):
            while self._on_event is not None:
                self._on_event(understood(self._line(time.monotonic() + PATIENCE_S)))

    def _awaited(self) -> protocol.AgentMessage:
        """The next message of an agent that has something to answer."""
        while True:
            try:
                return understood(self._line(time.monotonic() + SILENCE_S if self._lab else None))
            except TimeoutError:
                insist_on_life(self._lab)

    def _line(self, give_up: float | None = None) -> bytes:
        """The next line; one that is not there on the clock of ``time.monotonic`` at ``give_up`` raises TimeoutError."""
        seen = 0
        while (end := self._unread.find(b"\n", seen)) < 0:
            seen = len(self._unread)
            if seen > LINE_LIMIT:
                raise LabGone(f"what answers for the lab does not speak as a lab does (a line of more than {LINE_LIMIT >> 20} MiB)")
            self._unread += self._received(give_up)
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line

    def _received(self, give_up: float | None) -> bytes:
        """Some more bytes, at least one. Raises LabGone at the end, and TimeoutError when it is late."""
        left = None if give_up is None else give_up - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        try:
            self._sock.settimeout(left)
            got = self._sock.recv(_CHUNK)
            self._sock.settimeout(None)
        except TimeoutError:
            raise
        except OSError as error:
            raise LabGone("the lab hung up: it has ended, or can open no more files") from error
        if not got:
            raise LabGone("the lab ended")
        return got


def greeted(line: bytes, lab: str = "") -> protocol.Hello:
    """The agent's first line. Raises ``Refused`` when it will not talk to us or speaks another version, ``Refusal`` when it says another name.

    Who asked for a ``lab`` knows its name; one that calls itself otherwise would have shells opened and files written in another's name.
    What is not of our version is read no further than every version can be (``ending``).
    """
    if (why := ending.refused(line)) is not None:
        try:
            message = protocol.decode_event(line)
        except msgspec.MsgspecError:
            message = None
        raise Refused(message if isinstance(message, protocol.Failed) else protocol.Failed(0, 2, why))
    try:
        theirs = ending.version(line)
    except msgspec.MsgspecError as error:
        raise LabGone(f"what answers for the lab did not greet as a lab does ({error})") from error
    if theirs != protocol.VERSION:
        text = f"this lab speaks protocol {theirs}, this netless {protocol.VERSION}: end the lab with `netless down` and start it anew"
        raise Refused(protocol.Failed(0, 2, text))
    hello = understood(line)
    assert isinstance(hello, protocol.Hello), "its version was read"
    if lab and hello.lab != lab:
        raise Refusal(f"What answers is not the lab {lab}: it calls itself by another name. `netless down` ends it; --lab NAME takes another one.", code=3)
    return hello
