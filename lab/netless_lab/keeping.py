"""Terminals that outlive who is at them, from outside: give one to a lab to keep, take one that was left behind (``sandbox.kept`` tells how).

What is printed is written into the memory that both have, by whoever reads the terminal: nothing stands between him and the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
from collections.abc import Callable, Iterable
from functools import partial
from socket import MSG_DONTWAIT, MSG_PEEK
from typing import TYPE_CHECKING, Final, NamedTuple

from .address import address, terminals_name
from .sandbox import kept
from .sandbox.ring import Ring, mapped, new

if TYPE_CHECKING:
    import socket

PATIENCE_S: Final = 5.0
"""How long a keeper may take to answer, in seconds."""


class Full(NamedTuple):
    """The lab does not keep a terminal: it keeps as many as it may, and somebody is at each of them."""

    most: int


class Refused(NamedTuple):
    """The lab does not keep a terminal: why, "" when that is not known."""

    why: str


class TakenOver(NamedTuple):
    """Somebody else has a terminal now, who asked for it: the process of this number."""

    by: int


News = Full | Refused | TakenOver
"""Why an owner has lost a terminal."""


class NotKept(Exception):
    """A lab could not be asked to keep a terminal; the message says why."""


class Kept:
    """A terminal that a lab keeps, from its owner's side. Whoever goes without a word leaves it to the lab."""

    def __init__(self, sock: socket.socket, memory: mmap.mmap) -> None:
        self._sock, self._memory = sock, memory
        self._ring = Ring(memory)
        self._noted = self._ring.noted()
        self._lost = self._taken = False
        """The lab does not have it for us any more; somebody else has it."""
        self._unattended: Callable[[], object] = lambda: None

    def attend(self, told: Callable[[News], None]) -> None:
        """Be told in the running loop, once, when it is not kept for us (any more), and why. Who has lost it to somebody is to ``leave`` it at once."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sock, self._hear, told)
        self._unattended = partial(loop.remove_reader, self._sock)

    def _hear(self, told: Callable[[News], None]) -> None:
        try:
            message = kept.receive(self._sock)
        except BlockingIOError:
            return
        except OSError:
            message = kept.Message(b"", (), ())
        for file in message.files:
            os.close(file)
        self._unattended()
        self._lost = True
        news = _news(message)
        self._taken = isinstance(news, TakenOver)
        if news is not None:
            told(news)

    def printed(self, data: bytes) -> None:
        """This was read from the terminal. Who has lost it since writes nothing between what the next one does."""
        if self.holds():
            self._ring.write(data)

    def note(self, state: bytes) -> None:
        """How the terminal stands after that, for who has not all of it."""
        if state != self._noted and self.holds():
            self._ring.note(state)
            self._noted = state

    def shown(self) -> tuple[bytes, bool, bytes]:
        """What it printed last, whether that is all it ever did, and how it stood when its owner last saw it."""
        return (*self._ring.read(), self._noted)

    def holds(self) -> bool:
        """Whether it is still ours, also when nobody has heard the news of it yet: what lies on the terminal is somebody else's otherwise."""
        try:
            return not self._taken and self._sock.recv(len(kept.LOST), MSG_PEEK | MSG_DONTWAIT) != kept.LOST
        except OSError:  # nothing was said
            return True

    @property
    def is_kept(self) -> bool:
        """False when it has been heard that the lab does not have it for us."""
        return not self._lost

    def use(self) -> None:
        """The learner is at this one now: of those that are left behind the last one is handed out first."""
        with contextlib.suppress(OSError):
            kept.send(self._sock, kept.USED)

    def end(self) -> None:
        """Nobody wants it any more."""
        with contextlib.suppress(OSError):
            kept.send(self._sock, kept.ENDED)
        self._close()

    def leave(self) -> bool:
        """Leave it behind, with all that runs there. False when nobody else has it: the lab could keep no more of them, or has ended."""
        has, self._taken = False, not self.holds()
        with contextlib.suppress(OSError):
            try:
                for file in kept.receive(self._sock).files:
                    os.close(file)
            except BlockingIOError:  # a keeper says nothing as long as it has it
                has = not self._lost
        self._close()
        return has or self._taken

    def _close(self) -> None:
        self._unattended()
        self._taken = not self.holds()
        self._sock.close()
        self._memory.close()


def _news(message: kept.Message) -> News | None:
    """What a keeper told an owner; None where it has only hung up."""
    with contextlib.suppress(ValueError):
        match message.word, message.fields:
            case kept.FULL, (most,):
                return Full(int(most))
            case kept.REFUSED, (why,):
                return Refused(why.decode(errors="replace"))
            case kept.LOST, (process,):
                return TakenOver(int(process))
    return None


class Taken(NamedTuple):
    """A terminal that was left behind, and is ours now: its node, what was noted about it, its controlling end (ours to close)."""

    kept: Kept
    node: str
    note: bytes
    master: int


class Over(NamedTuple):
    """What is left of a shell that ended while nobody was there: its node, what was noted about it, when it ended (seconds since the epoch) and
    its exit code, None where nobody knows it, negative for a signal; and as ``Kept.shown`` what it printed.
    """

    node: str
    note: bytes
    at: int
    code: int | None
    shown: tuple[bytes, bool, bytes]


def keep(lab: str, node: str, note: bytes, master: int) -> Kept:
    """Have a lab keep the terminal with this controlling end; at once, and the lab never waited for. Raises NotKept where it cannot be asked.

    In a lab itself none can: a terminal in there is the lab's already, and ends with the program that made it.
    """
    try:
        sock = _connected(lab)
    except OSError as error:
        raise NotKept(kept.reason(error)) from error
    try:
        memory = new()
        try:
            both = mapped(memory)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has hung up: its last word is there for who attends
                kept.send(sock, kept.KEEP, kept.VERSION, node.encode(), note, files=(master, memory))
        finally:
            os.close(memory)
    except (OSError, ValueError) as error:
        sock.close()
        raise NotKept(kept.reason(error)) from error
    return Kept(sock, both)


async def take(lab: str, but: Iterable[str]) -> Taken | Over | None:
    """A terminal that somebody left behind, the one that was used last first, but none in these nodes; then what is left of those that are over.
    None when there is none.
    """
    return await _asked_for(lab, kept.TAKE, *(node.encode() for node in but))


async def claim(lab: str, number: int) -> Taken | Over | None:
    """The one that is listed with this number, from whoever has it: he is told. None when it is there no more, or just changes hands."""
    return await _asked_for(lab, kept.CLAIM, b"%d" % number)


class Listed(NamedTuple):
    """A terminal that a lab keeps: the number that names it, its node, the processes that own it and that lead the session there (0: none), and of
    one that is over when and how it ended, as ``Over`` has it.
    """

    number: int
    node: str
    owner: int
    leader: int
    at: int | None
    code: int | None


async def listed(lab: str) -> tuple[Listed, ...]:
    """All that a lab keeps, the one that was used last at the end. Nothing where it does not answer."""
    answer = await _answer(lab, kept.LIST)
    if answer is None:
        return ()
    sock, (word, fields, files) = answer
    sock.close()
    for file in files:
        os.close(file)
    if word != kept.LISTED:
        return ()
    with contextlib.suppress(ValueError):
        return tuple(_listed(*fields[place : place + kept.ENTRY]) for place in range(0, len(fields) - kept.ENTRY + 1, kept.ENTRY))
    return ()


def _listed(number: bytes, owner: bytes, leader: bytes, at: bytes, code: bytes, node: bytes) -> Listed:
    """Raises ValueError."""
    return Listed(int(number), node.decode(errors="replace"), int(owner or 0), int(leader or 0), int(at) if at else None, int(code) if code else None)


async def _asked_for(lab: str, *words: bytes) -> Taken | Over | None:
    while (answer := await _answer(lab, *words)) is not None:
        sock, message = answer
        if message.word not in (kept.KEPT, kept.OVER):
            sock.close()
            for file in message.files:
                os.close(file)
            return None
        if (found := _examined(sock, message) if message.word == kept.KEPT else _read(sock, message)) is not None:
            return found
    return None


async def _answer(lab: str, word: bytes, *fields: bytes) -> tuple[socket.socket, kept.Message] | None:
    """What a lab answers, and the connection; None where it does not."""
    try:
        sock = _connected(lab)
    except OSError:
        return None
    try:
        kept.send(sock, word, kept.VERSION, *fields)
        async with asyncio.timeout(PATIENCE_S):
            await _readable(sock)
        return sock, kept.receive(sock)
    except (OSError, ValueError):  # a TimeoutError is an OSError
        sock.close()
        return None
    except BaseException:
        sock.close()
        raise


def _examined(sock: socket.socket, answer: kept.Message) -> Taken | None:
    """What came along, looked at. None when it is not what it should be: then nobody shall have it."""
    try:
        (node, note), (master, memory) = answer.fields, answer.files
        kept.check_master(master)
        both = mapped(memory)
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            kept.send(sock, kept.ENDED)
        sock.close()
        for file in answer.files:
            os.close(file)
        return None
    os.close(memory)
    return Taken(Kept(sock, both), node.decode(errors="replace"), note, master)


def _read(sock: socket.socket, answer: kept.Message) -> Over | None:
    """What one that is over printed, as far as it is what it should be."""
    sock.close()
    try:
        (node, note, at, code), (memory,) = answer.fields, answer.files
        with mapped(memory) as printed:
            ring = Ring(printed)
            return Over(node.decode(errors="replace"), note, int(at), int(code) if code else None, (*ring.read(), ring.noted()))
    except (OSError, ValueError):
        return None
    finally:
        for file in answer.files:
            os.close(file)


def _connected(lab: str) -> socket.socket:
    if not address(lab).startswith("@"):
        raise FileNotFoundError("a lab keeps no terminal for those who are in it")
    return kept.connected(terminals_name(lab, os.geteuid()))


async def _readable(sock: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)
