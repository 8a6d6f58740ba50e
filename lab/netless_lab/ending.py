"""The part of the protocol that is the same in every version, for ever: how a lab is ended, whatever has been installed since it was started.

The first line of either side is ``{"type":"hello","version":N}``. A client of any version may send that and ``{"type":"down","id":M}`` at once,
and reads until the agent hangs up. The agent ends the lab after ``{"type":"done","id":M,"value":{"others":O}}``, where O clients more were
connected. All it says to another version before that is ``failed``, with a ``text``; whatever else such a client asks for goes unanswered.
All lines may have further keys. What follows knows no more than this.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import msgspec

from .documents import read_json

if TYPE_CHECKING:
    import socket

PATIENCE_S: Final = 5.0
"""How long an agent may take to end its lab, in seconds, whatever it says meanwhile."""
LINE_LIMIT: Final = 1 << 16
"""Bytes of the longest line of an agent here: what is said has some hundred."""
_CLOSE_S: Final = 1.0
_AGAIN_S: Final = 1.0
_CHUNK: Final = 1 << 16


class Opening(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first line of a client."""

    version: int


class Refusing(msgspec.Struct, frozen=True, tag_field="type", tag="failed"):
    """What an agent says to a client whose version is not its own."""

    text: str


class Ending(msgspec.Struct, frozen=True, tag_field="type", tag="down"):
    """The request to end the lab."""

    id: int


class Others(msgspec.Struct, frozen=True):
    """How many clients more were connected when the lab was ended."""

    others: Annotated[int, msgspec.Meta(ge=0, le=1 << 16)] = 0


class Agreement(msgspec.Struct, frozen=True, tag_field="type", tag="done"):
    """The answer to it."""

    id: int
    value: Others | None = None


_opening = msgspec.json.Decoder(Opening)
_refusing = msgspec.json.Decoder(Refusing)
_ending = msgspec.json.Decoder(Ending)
_agreement = msgspec.json.Decoder(Agreement)


def version(line: bytes) -> int:
    """The version in somebody's first line. Raises msgspec.MsgspecError in words when it is no hello."""
    return read_json(line, _opening).version


def refused(line: bytes) -> str | None:
    """Why an agent of whatever version will not talk to us; None when that is not what its first line says."""
    try:
        return read_json(line, _refusing).text
    except msgspec.MsgspecError:
        return None


def asked(line: bytes) -> int | None:
    """The id of the request when a line of a client of another version asks for the lab's end, None when it asks for anything else."""
    try:
        return read_json(line, _ending).id
    except msgspec.MsgspecError:
        return None


def ask(sock: socket.socket, version: int) -> int | None:
    """Ask for the end on a connection on which nothing was said yet, and wait until the agent has hung up.

    How many others were connected; None when it did not agree, speaks in longer lines than ``LINE_LIMIT``, or has not hung up within
    ``PATIENCE_S``: an agent older than this hangs up without having read the request. What it said it does need not be so.
    """
    others: int | None = None
    unread = b""
    end = time.monotonic() + PATIENCE_S
    try:
        with _cut_short(PATIENCE_S):
            sock.settimeout(PATIENCE_S)
            sock.sendall(b"".join(msgspec.json.encode(line) + b"\n" for line in (Opening(version), Ending(1))))
            while len(unread) <= LINE_LIMIT and (left := end - time.monotonic()) > 0:
                sock.settimeout(left)
                got = sock.recv(_CHUNK)
                if not got:
                    return others
                *lines, unread = (unread + got).split(b"\n")
                for line in lines:
                    with contextlib.suppress(msgspec.MsgspecError):
                        said = read_json(line, _agreement).value
                        others = said.others if said else 0
    except OSError:
        pass
    return None


def hang_up(sock: socket.socket) -> None:
    """Close a connection, without waiting for what was handed over by it and never taken."""
    with contextlib.suppress(OSError), _cut_short(_CLOSE_S):
        sock.close()


@contextlib.contextmanager
def _cut_short(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what takes longer, even where the kernel waits for something that we have not asked for.

    That is an open file of somebody else's that it closes for us (``find.refuse_files``): no timeout counts there, only a signal. Signals
    are the main thread's (signal(3)); in others nothing is cut short. Again and again, for one that came just before the kernel waited.
    """
    import signal  # who only reads an agent's first line waits for neither
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _late)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _late(*_: object) -> NoReturn:
    raise TimeoutError
