"""How others talk to a lab's agent: the blocking ``Client`` for the command line; the app has ``stream.Stream``.

Both speak ``protocol`` over a connected Unix socket (``sandbox.find.connect``). A reply that says the request failed is raised
as ``Refused`` with the agent's own words and exit code; a connection that ends is raised as ``LabGone``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import protocol

if TYPE_CHECKING:
    import socket

OnEvent = Callable[[protocol.AgentMessage], None]


class LabGone(ConnectionError):
    """The lab's agent ended or was killed; the lab went with it."""


class Refused(Exception):
    """The agent could not do what was asked: ``code`` is the exit code, ``nearest`` the names that were perhaps meant, ``going`` see ``Failed``."""

    def __init__(self, failed: protocol.Failed) -> None:
        super().__init__(failed.text)
        self.code = failed.code
        self.nearest = failed.nearest
        self.going = failed.going


class Client:
    """One request at a time, events handed to a callback while waiting. Not for use inside an event loop."""

    def __init__(self, sock: socket.socket, hello: protocol.Hello, on_event: OnEvent | None = None) -> None:
        self._sock = sock
        self._file = sock.makefile("rb")
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._sock.sendall(protocol.encode(hello))
        self.hello = greeted(self._read())

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def fileno(self) -> int:
        """The connection's descriptor."""
        return self._sock.fileno()

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._sock.close()

    def ask(self, kind: type[protocol.Request], **fields: Any) -> Any:
        """Send a request and wait for its reply; the value is plain JSON (dicts and lists)."""
        request = kind(id=next(self._ids), **fields)
        try:
            self._sock.sendall(protocol.encode(request))
        except OSError as error:
            raise LabGone("the lab ended before the request could be sent") from error
        while True:
            message = self._read()
            if isinstance(message, protocol.Done) and message.id == request.id:
                return message.value
            if isinstance(message, protocol.Failed) and message.id == request.id:
                raise Refused(message)
            if self._on_event is not None:
                self._on_event(message)

    def events(self) -> Iterator[protocol.AgentMessage]:
        """Every message from now on, until the lab ends."""
        while True:
            try:
                yield self._read()
            except LabGone:
                return

    def _read(self) -> protocol.AgentMessage:
        try:
            line = self._file.readline()
        except OSError as error:
            raise LabGone("the connection to the lab broke") from error
        if not line:
            raise LabGone("the lab ended")
        return protocol.decode_event(line)


def greeted(message: protocol.AgentMessage) -> protocol.Hello:
    """The agent's greeting. Raises ``Refused`` when it will not talk to us."""
    if isinstance(message, protocol.Failed):
        raise Refused(message)
    if not isinstance(message, protocol.Hello):
        raise LabGone(f"the agent did not greet: {type(message).__name__}")
    return message
