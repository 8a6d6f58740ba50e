"""A process of the lab's own user that squats on the lab's name and says and hands over whatever it is told to.

It speaks both ways: it greets and agrees as an agent does (``protocol``), and it answers who asks for a node (``way``).
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from netless_lab.protocol import VERSION

GREETING = b'{"type":"hello","version":%d,"client":"agent","lab":"rogue"}\n'
Answer = Callable[[socket.socket], None]
"""What it does with somebody who asks for a node."""


@contextmanager
def rogue(name: str, answer: Answer, agrees: bytes | Mapping[str, bytes] = b"null", *, greets: int = 1000, after: float = 0.0) -> Iterator[int]:
    """One that listens at this abstract name; the number of its process. ``agrees`` is the value of its answer to each request, as JSON, or to each
    by its type on the wire.

    It answers ``after`` so many seconds; those who come after the first ``greets`` get no word of it.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen(8)
    silent: list[socket.socket] = []
    pid = os.fork()
    if pid == 0:
        try:
            for number in itertools.count():
                caller, _ = listener.accept()
                if number >= greets:
                    silent.append(caller)
                else:
                    threading.Thread(target=_serve, args=(caller, answer, agrees, after), daemon=True).start()
        finally:
            os._exit(1)
    listener.close()
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _serve(caller: socket.socket, answer: Answer, agrees: bytes | Mapping[str, bytes], after: float) -> None:
    with suppress(OSError), caller, caller.makefile("rb") as lines:
        for number, line in enumerate(lines):
            if line.startswith(b"enter\0"):
                answer(caller)
                return
            if number:
                time.sleep(after)
            value = agrees if isinstance(agrees, bytes) else agrees.get(json.loads(line)["type"], b"null")
            caller.sendall(b'{"type":"done","id":%d,"value":%s}\n' % (number, value) if number else GREETING % VERSION)


def hands(line: bytes, files: Callable[[], list[int]]) -> Answer:
    """Say a line and hand over these files with it."""

    def answer(caller: socket.socket) -> None:
        own = files()
        socket.send_fds(caller, [line], own)

    return answer


def says(*lines: bytes) -> Answer:
    """Say these and hand over nothing."""

    def answer(caller: socket.socket) -> None:
        for line in lines:
            caller.sendall(line)

    return answer
