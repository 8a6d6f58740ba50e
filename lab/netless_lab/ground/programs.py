"""The programs of a lab: who they are, in which network they live, and how they end."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple

_LONGEST: Final = 60
_NAMED: Final = 5
"""How much of a program's command line is told, in characters, and how many programs of one place."""
_AWAITED: Final = 16
"""Of those who are ended so many are waited for at a time: each takes an open file until then."""
_ENDING_S: Final = 2.0
"""So long those who are ended are waited for: a large process takes a while to give back what it holds, and its sockets come last."""


class Program(NamedTuple):
    """A process, by its number in the lab, with the inode of its network namespace and its command line, the program by its name alone."""

    pid: int
    netns: int
    words: str


def programs() -> Iterator[Program]:
    """Every process that may be looked into and has a command line: who has ended, or belongs to the kernel, has none."""
    for pid in _pids():
        with contextlib.suppress(OSError):
            netns = os.stat(f"/proc/{pid}/ns/net").st_ino
            program, _, rest = _read(pid, "cmdline").rstrip(b"\0").partition(b"\0")
            words = os.path.basename(program) + (b" " + rest if rest else b"")
            if words:
                yield Program(pid, netns, words.replace(b"\0", b" ").decode(errors="replace"))


def outside(staying: Collection[int], but: Collection[int | None], places: Mapping[int, str]) -> tuple[str, ...]:
    """Those that live in none of these network namespaces, in words, with the place of each; ``but`` are numbers of which nobody speaks."""
    found: dict[str, list[Program]] = {}
    for own in programs():
        if own.netns not in staying and own.pid not in but:
            found.setdefault(places.get(own.netns, "a namespace of its own"), []).append(own)
    return tuple(f"{words} in {place}" for place, there in found.items() for words in _told(there, lambda own: f"the program `{_shortened(own)}`"))


def numbered(but: Collection[int | None]) -> tuple[str, ...]:
    """All but those with these numbers, each with its own."""
    return _told([own for own in programs() if own.pid not in but], lambda own: f"{_shortened(own)} (pid {own.pid})")


def _told(found: Collection[Program], each: Callable[[Program], str]) -> tuple[str, ...]:
    """The first few of them, each in the words that ``each`` has for it, and how many more there are."""
    few = sorted(found)[:_NAMED]
    rest = len(found) - len(few)
    return (*map(each, few), *((f"{rest} more" if rest > 1 else "one more",) if rest else ()))


def _shortened(program: Program) -> str:
    """Its command line, as far as it is told; one line, whatever is in it."""
    line = "".join(sign if sign.isprintable() else " " for sign in program.words)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def marked(line: str, mark: str) -> str:
    """A command line of which every process has this variable in its environment from when it is forked: what a shell itself exports is seen only in
    what has been executed since (proc_pid_environ(5)).
    """
    return f"{mark}=1 exec sh -c {shlex.quote(line)}"


def end_marked(mark: str) -> None:
    """End the processes that were started with this variable in their environment. Takes a thread that may wait; see ``_end``."""
    wanted = f"{mark}=".encode()
    _end(lambda pid: pid != os.getpid() and wanted in _read(pid, "environ"))


def end_outside(own: Collection[int]) -> None:
    """End the processes that live in other network namespaces than those with these inodes. Takes a thread that may wait; see ``_end``."""
    _end(lambda pid: os.stat(f"/proc/{pid}/ns/net").st_ino not in own)


def _end(wanted: Callable[[int], bool]) -> None:
    """End the processes of which this is true, and those that they start meanwhile. Returns when they have ended and hold nothing any more, no
    listening socket either, or after ``_ENDING_S``.
    """
    give_up = time.monotonic() + _ENDING_S
    while time.monotonic() < give_up:
        awaited: list[int] = []
        try:
            killed = [pid for pid in _pids() if _kill(pid, wanted, awaited)]
            for fd in awaited:
                ended = select.poll()
                ended.register(fd, select.POLLIN)
                ended.poll(max(0.0, give_up - time.monotonic()) * 1000)
        finally:
            for fd in awaited:
                os.close(fd)
        if not killed:
            return


def _kill(pid: int, wanted: Callable[[int], bool], awaited: list[int]) -> bool:
    """End a process if this is true of it; the first few of them are ``awaited``, as open files. Who has such a number next is not ended in place of
    one (pidfd_open(2)).
    """
    with contextlib.suppress(OSError):
        held = os.pidfd_open(pid)
        try:
            if not wanted(pid):
                return False
            signal.pidfd_send_signal(held, signal.SIGKILL)
            if len(awaited) < _AWAITED:
                awaited.append(held)
                held = -1
            return True
        finally:
            if held >= 0:
                os.close(held)
    return False


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _read(pid: int, file: str) -> bytes:
    with open(f"/proc/{pid}/{file}", "rb") as opened:
        return opened.read()
