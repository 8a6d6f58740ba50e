"""A conversation with a lab, from a script: the other end of a real socket pair, speaking the real protocol line by line.

It is no kernel and pretends to be none: it sends what a test gives it to say and writes down what the app asked. What a real lab said
to such a request is said again with ``Exchange.answer`` (``recordings``): events and reply in their order on the wire.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from netless_lab import protocol
from netless_lab.model.clearing import Clearing
from netless_lab.protocol.base import reply_type

Answer = Callable[[protocol.Request[Any]], Sequence[protocol.Message]]
"""What the lab sends when a request of a kind arrives; where it holds no reply, one that says nothing is added (``_NOTHING_MUCH``)."""
_NOTHING_MUCH: dict[Any, Any] = {
    protocol.Moved: protocol.Moved("", "", ""),
    protocol.Judgement: protocol.Judgement((), ""),
    protocol.Help: protocol.Help(0, "", 0),
    Clearing: Clearing(),
    protocol.Parting: protocol.Parting(),
    protocol.Enterable: protocol.Enterable("host"),
}


def says(reply: object) -> Answer:
    """Always this reply."""
    return lambda request: [request.done(reply)]


def says_nonsense(value: object) -> Answer:
    """This as JSON, whatever the request declares."""
    return lambda request: [protocol.Done(request.id, msgspec.Raw(msgspec.json.encode(value)))]


class Peer:
    """The lab's end. ``opening`` is sent after Subscribe; ``answers`` maps a kind of request to what follows it."""

    def __init__(self, opening: Sequence[protocol.Message], answers: dict[type[protocol.Request[Any]], Answer] | None = None) -> None:
        self.opening = list(opening)
        self.answers = dict(answers or {})
        self.asked: list[Any] = []
        self.held: dict[type[protocol.Request[Any]], threading.Event] = {}
        self.hung_up = threading.Event()
        """Set when the app's end of a conversation is closed."""
        self._ours: socket.socket | None = None
        self._lock = threading.Lock()

    def connect(self) -> socket.socket:
        """The app's end of a new conversation."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._ours = ours
        threading.Thread(target=self._serve, args=(ours,), daemon=True).start()
        return theirs

    def say(self, *messages: protocol.Message) -> None:
        """Send events out of the blue, as when somebody changes the kernel in another terminal.

        The socket holds some 200 kB: whoever sends more from the app's own thread waits for ever, and uses ``asyncio.to_thread``.
        """
        assert self._ours is not None
        with self._lock:
            for message in messages:
                self._ours.sendall(protocol.encode(message))

    def die(self) -> None:
        """Hang up without a word, as a killed agent does."""
        assert self._ours is not None
        self._ours.shutdown(socket.SHUT_RDWR)
        self._ours.close()

    def kinds(self) -> list[str]:
        """The names of what was asked, Subscribe and GetCourses left out."""
        return [type(request).__name__ for request in self.asked if not isinstance(request, protocol.Subscribe | protocol.GetCourses)]

    def hold(self, kind: type[protocol.Request[Any]]) -> threading.Event:
        """Answer requests of this kind only after the returned event is set."""
        return self.held.setdefault(kind, threading.Event())

    def _serve(self, sock: socket.socket) -> None:
        stream = sock.makefile("rb")
        try:
            for line in stream:
                request = protocol.decode_request(line)
                if isinstance(request, protocol.Hello):
                    self.say(protocol.Hello(client="agent", lab="default"))
                else:
                    self.asked.append(request)
                    threading.Thread(target=self._answer, args=(request,), daemon=True).start()
        except (OSError, ValueError):
            pass
        finally:
            stream.close()
            sock.close()
            self.hung_up.set()

    def _answer(self, request: protocol.Request[Any]) -> None:
        gate = self.held.get(type(request))
        if gate is not None:
            gate.wait(20)
        messages = list(self.opening) if isinstance(request, protocol.Subscribe) else []
        answer = self.answers.get(type(request))
        if answer is not None:
            messages += answer(request)
        if not any(isinstance(message, protocol.Done | protocol.Failed) for message in messages):
            messages.append(request.done(_NOTHING_MUCH.get(reply_type(type(request)))))
        with contextlib.suppress(OSError):
            self.say(*messages)
