"""Terminals that a lab keeps, from those who are at them: ordinary programs of the machine, left behind and taken."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from helpers.waiting import becomes
from netless.shell.child import Child, Listener
from netless_lab import keeping
from netless_lab.keeping import Kept, Over, Taken
from netless_lab.sandbox import terminals


class Program:
    """A program on a terminal, as an app has it: what it printed is kept as well."""

    def __init__(self, kept: Kept | None = None) -> None:
        self.kept = kept
        self.said = b""
        self.codes: list[int | None] = []
        self.listener = Listener(self._printed, self.codes.append)

    def _printed(self, data: bytes) -> None:
        self.said += data
        if self.kept is not None:
            self.kept.printed(data)


@asynccontextmanager
async def program(script: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Program, Child]]:
    """One that runs; it is ended afterwards."""
    own = Program()
    child = Child.start(("sh", "-c", script), os.environ, size, own.listener)
    try:
        yield own, child
    finally:
        await child.stop()


@asynccontextmanager
async def left(lab: str, script: str, node: str = "host", note: bytes = b"") -> AsyncIterator[int]:
    """A program whose terminal was left behind when it had printed something; a pidfd of it."""
    own = Program()
    child = Child.start(("sh", "-c", script), os.environ, (80, 24), own.listener)
    watch = os.pidfd_open(child.pid)
    try:
        own.kept = keeping.keep(lab, node, note, child.master)
        assert own.kept is not None
        assert await becomes(lambda: own.said)
        own.kept.note(b"as noted")
        child.leave()
        assert own.kept.leave()
        yield watch
    finally:
        while (found := await keeping.take(lab, ())) is not None:
            forget(found)
        assert await becomes(lambda: collected(watch))
        os.close(watch)


def forget(left: Taken | Over) -> None:
    """Nobody wants it any more."""
    if isinstance(left, Taken):
        os.close(left.master)
        left.kept.end()


def ended(watch: int) -> bool:
    """Whether a process has ended."""
    return bool(select.select([watch], [], [], 0)[0])


def collected(watch: int) -> bool:
    """Whether it has ended and its parent has asked how: it has no number any more (proc(5), fdinfo)."""
    return "Pid:\t-1\n" in Path(f"/proc/self/fdinfo/{watch}").read_text()


async def left_in(lab: str, *but: str) -> Taken | Over:
    """What is left behind, as soon as the lab knows that it is."""
    for _ in range(3000):
        if (one := await keeping.take(lab, but)) is not None:
            return one
        await asyncio.sleep(0.005)
    raise AssertionError("nothing was left behind")


async def taken_from(lab: str, *but: str) -> Taken:
    """The same, of a program that runs."""
    one = await left_in(lab, *but)
    assert isinstance(one, Taken)
    return one


@contextmanager
def full(lab: str, master: int, count: int = terminals.MOST) -> Iterator[list[Kept]]:
    """So many that are kept in a lab, all of them owned; as many as may be."""
    owned = [keeping.keep(lab, "host", b"%d" % number, master) for number in range(count)]
    kept = [one for one in owned if one is not None]
    assert len(kept) == count
    try:
        yield kept
    finally:
        for one in kept:
            one.end()


def readable(kept: Kept) -> bool:
    """Whether the lab has said something of it."""
    return bool(select.select([kept._sock], [], [], 0)[0])


def hung_up(kept: Kept) -> bool:
    """Whether the lab has let go of it."""
    try:
        return not kept._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
