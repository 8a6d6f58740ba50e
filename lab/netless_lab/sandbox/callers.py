"""The agent's side of the two lines that lead to its keeper (``lines``): who comes in, and what is to be kept."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
from collections.abc import Callable
from typing import Final

from . import way
from .find import is_ours
from .lines import CALLER, END, HEADER, KEEP, LAST, MOST

NO_ROOM_S: Final = 1.0
"""Until somebody who could not be taken in is tried again, in seconds."""
SHUT_S: Final = 1.0
"""How long the keeper may take to let nobody in any more, in seconds."""
_FULL: Final = "the lab can open no more files, so nobody more can be let in: leave another terminal of it, or take namespaces away, and try again"
_FAILED: Final = json.dumps({"type": "failed", "id": 0, "code": 3, "text": _FULL}).encode() + b"\n"
"""As ``protocol.Failed`` is written."""
_LINE: Final = 1 << 16


class Callers:
    """For the agent's event loop. Those who come in are of the lab's own user: the keeper has asked the kernel."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callers: socket.socket, words: int) -> None:
        self._loop = loop
        self._callers = callers
        self._words = words
        self._unsaid = b""
        self._shut = asyncio.Event()
        self._on_caller: Callable[[socket.socket], None] = socket.socket.close
        self._on_end: Callable[[str], None] = lambda reason: None
        self._spare = _spare()
        callers.setblocking(False)
        os.set_blocking(words, False)

    def begin(self, on_caller: Callable[[socket.socket], None], on_end: Callable[[str], None]) -> None:
        """From now on hand over each caller, and each wish from outside that the lab end, with its reason."""
        self._on_caller, self._on_end = on_caller, on_end
        self._loop.add_reader(self._callers, self._receive)

    def listen(self, listener: socket.socket) -> None:
        """Hear those who come by another door too, a listening socket, as long as they are of the lab's own user."""
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept, listener)

    def close(self, listener: socket.socket) -> None:
        """Hear nobody more at that door."""
        self._loop.remove_reader(listener)
        listener.close()

    def keep(self, data: bytes) -> None:
        """Have these bytes kept in place of the last ones. Returns at once. Raises ValueError for more than a frame holds."""
        if len(data) > MOST:
            raise ValueError(f"{len(data)} bytes are more than the {MOST} that can be kept")
        self._say(KEEP, data)

    async def shut(self) -> None:
        """Let nobody in any more; returns when the lab's name is free, and all that was to be kept is said."""
        self._say(LAST)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUT_S):
                await self._shut.wait()
        self._loop.remove_writer(self._words)
        os.set_blocking(self._words, True)
        self._write()

    def _receive(self) -> None:
        """Take one message. A spare descriptor makes room for the caller it may carry: without room the kernel drops him (unix(7))."""
        self._make_room()
        try:
            message, files, _, _ = socket.recv_fds(self._callers, 1, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            self._spare = _spare()
            return
        except OSError:
            message, files = b"", []
        self._spare = _spare()
        if message == CALLER and files:
            self._hand_over(socket.socket(fileno=files[0]))
        elif message == END:
            self._on_end("it was ended by a signal from outside")
        elif not message:
            self._loop.remove_reader(self._callers)
            self._shut.set()
            self._on_end("the process that kept it outside has ended")

    def _accept(self, listener: socket.socket) -> None:
        """Take in one. Without room for him, and that is rare, he waits where he is for ``NO_ROOM_S``: we would be woken for him without end."""
        self._make_room()
        try:
            caller, _ = listener.accept()
        except OSError as error:
            self._spare = _spare()
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._loop.remove_reader(listener)
                self._loop.call_later(NO_ROOM_S, self._listen_again, listener)
            return
        self._spare = _spare()
        if is_ours(caller):
            self._hand_over(caller)
        else:
            caller.close()

    def _listen_again(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            self._loop.add_reader(listener, self._accept, listener)

    def _make_room(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _hand_over(self, caller: socket.socket) -> None:
        if self._spare is None:
            self._turn_away(caller)
        else:
            self._on_caller(caller)

    def _turn_away(self, caller: socket.socket) -> None:
        """The caller took the last descriptor: say so, in the words of what he asks for if he has asked already, and have it back.

        What he said is taken first: a connection that is closed over it is reset, and our words may be lost.
        """
        with caller, contextlib.suppress(OSError):
            caller.setblocking(False)
            asked = b""
            with contextlib.suppress(BlockingIOError):
                asked = caller.recv(_LINE)
            caller.sendall(way.refusal(_FULL) if way.is_request(asked) else _FAILED)
        self._spare = _spare()

    def _say(self, letter: bytes, data: bytes = b"") -> None:
        self._unsaid += HEADER.pack(letter, len(data)) + data
        self._write()

    def _write(self) -> None:
        """Write what the pipe takes; the rest when it takes more."""
        try:
            while self._unsaid:
                self._unsaid = self._unsaid[os.write(self._words, self._unsaid) :]
        except BlockingIOError:
            self._loop.add_writer(self._words, self._write)
            return
        except OSError:  # nobody keeps it any more, and the lab is about to end
            self._unsaid = b""
        self._loop.remove_writer(self._words)


def _spare() -> int | None:
    """A descriptor that is there only to be given up; None when there is none to be had."""
    try:
        return os.open("/", os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return None
