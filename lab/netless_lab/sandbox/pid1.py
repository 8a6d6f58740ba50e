"""The process that becomes a room's agent: it imports that, enters what a child of its has built meanwhile (``builder``), and makes PID 1.

The agent is imported outside, where our own files are as they are outside: its user inside may not be one who could read them all, and
could not write Python's caches.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, NoReturn

from ..kernel import syscalls as sc
from ..room import HOME, PATH
from . import limits, seccomp
from .built import AS_NOBODY, KINDS, Built
from .lines import AGENT, HEADER, READY
from .plan import Plan
from .status import Failure, Reporter


def _nobody_waits() -> None:
    """For a room that nobody started."""


class Room(NamedTuple):
    """What the agent finds when it starts. ``pid`` is its own as seen from outside; ``callers`` and ``words`` lead to its keeper (``callers``).

    ``outer`` is the user namespace around the room's own, as an open file: who enters goes through it (``spaces``).
    """

    lab: str
    pid: int
    callers: socket.socket
    words: int
    outer: int
    limits: limits.Limits
    notes: tuple[str, ...] = ()
    argument: str = ""
    files: tuple[int, ...] = ()
    """What its starter handed over with the argument, open."""
    ahead: bytes = b""
    """What was made of the argument ahead (``Plan``)."""
    ready: Callable[[], None] = _nobody_waits
    """Call once, when clients may come: cuts the tie to those who made the room, and tells the keeper, who tells the client.

    Raises BrokenPipeError when the keeper has gone: then the room is to end.
    """


Entry = Callable[[Room], None]
"""What runs as PID 1; it returns when the room is to end."""


class _Lines(NamedTuple):
    """The room's ends of the two lines to the keeper."""

    callers: socket.socket
    words: int

    def say(self, letter: bytes, data: bytes) -> None:
        """One frame to the keeper. Raises BrokenPipeError when it has gone."""
        os.write(self.words, HEADER.pack(letter, len(data)) + data)

    def close(self) -> None:
        """Leave them to the others."""
        self.callers.close()
        os.close(self.words)


def main(text: str, files: tuple[int, ...], callers: int, words: int, keeper: int) -> NoReturn:
    """P0's whole life, with the files that came with the plan and its ends of the two lines (``boot``). It dies with ``keeper``, and ends when
    the room is ready or cannot be.
    """
    plan = Plan.from_json(text)
    reporter = Reporter(plan.status_fd)
    with reporter.to_the_end():
        sc.die_with(keeper)
        for fd in (*plan.held, *files[plan.passed :]):
            os.close(fd)
        lines = _Lines(socket.socket(fileno=callers), words)
        reporter.stage = "agent"
        lean = import_module("netless_lab.lean")
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        word, said = os.pipe()
        ahead = os.memfd_create("netless-ahead", os.MFD_CLOEXEC)
        parent = os.getpid()
        building = os.fork()
        if building == 0:
            from . import builder  # nobody else needs it

            ours.close()
            os.close(word)
            os.close(words)
            builder.main(plan, reporter, builder.Ends(lines.callers, its, said, ahead), parent)
        its.close()
        os.close(said)
        lean.import_asyncio()
        module, _, name = plan.entry.partition(":")
        entry: Entry = getattr(import_module(module), name)
        told, made, _, _ = socket.recv_fds(ours, 1, len(KINDS), socket.MSG_CMSG_CLOEXEC)
        if not made:
            raise SystemExit(1)  # the builder has told why
        outer = _go_in(dict(zip(KINDS, made, strict=True)), reporter, keeper if told == AS_NOBODY else 0)
        mine, tie = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            mine.close()
            _first(plan, files[: plan.passed], reporter, lines, _Awaited(word, ahead), tie, outer, entry)
        tie.close()
        os.close(word)
        os.close(ahead)
        with contextlib.suppress(ConnectionError):  # it has failed and told why, or was killed
            socket.send_fds(ours, [b"p"], [os.open("/proc/self/ns/pid_for_children", os.O_RDONLY | os.O_CLOEXEC)])
        reporter.pid(pid)
        lines.say(AGENT, str(pid).encode())
        lines.close()
        mine.send(str(pid).encode())
        if not mine.recv(1):
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if code < 0:
                reporter.refuse(Failure("agent", 0, f"the agent was killed by {signal.Signals(-code).name} before it was ready"))
            raise SystemExit(1)
        os.waitpid(building, 0)  # it dies with us, and has to collect its child, a process of the room: PID 1 could not end before (pid_namespaces(7))
    raise AssertionError("unreachable")


class _Awaited(NamedTuple):
    """What PID 1 has of the builder's: the pipe of its last word, and the file in which what was made ahead is by then."""

    word: int
    ahead: int

    def hear(self) -> tuple[Built, bytes]:
        """Both, when the builder is done. Raises SystemExit when it has failed and told why."""
        with open(self.word, encoding="utf-8") as word, open(self.ahead, "rb") as ahead:
            told = word.readline()
            if not told:
                raise SystemExit(1)
            ahead.seek(0)
            return Built.from_json(told), ahead.read()


def _go_in(files: dict[str, int], reporter: Reporter, keeper: int) -> int:
    """Enter what the builder has made, and have a pid namespace for the next child. Answers the outer user namespace, and closes the others.

    ``keeper`` is told where this process has to become another user, 0 where it stays who it is.
    """
    reporter.stage = "user namespace"
    sc.setns(files["outer"], sc.CLONE_NEWUSER)
    if keeper:
        sc.become_root_inside()
        sc.die_with(keeper)  # forgotten by the change of user (prctl(2))
    reporter.stage = "mounts"
    sc.setns(files["mnt"], sc.CLONE_NEWNS)
    with contextlib.suppress(OSError):
        sc.unshare(sc.CLONE_NEWCGROUP)  # in A: who is root in B sees no group above his own, and may mount no tree of them
    reporter.stage = "namespaces"
    for kind in ("user", "net", "uts", "ipc"):
        sc.setns(files[kind], sc.NAMESPACES[kind])
    sc.unshare(sc.CLONE_NEWPID)
    outer = files.pop("outer")
    for fd in files.values():
        os.close(fd)
    return outer


def _first(plan: Plan, files: tuple[int, ...], reporter: Reporter, lines: _Lines, awaited: _Awaited, tie: socket.socket, outer: int, entry: Entry) -> NoReturn:
    """P2, PID 1 of the room: settles in, waits for the root file system, takes its own locked copy of the mounts, runs the agent."""
    with reporter.to_the_end():
        sc.set_parent_death_signal(signal.SIGKILL)
        pid = int(tie.recv(16) or 0)
        if not pid or select.select([tie], [], [], 0)[0]:  # P0 ended before it was known that this process is to die with it
            raise SystemExit(1)
        reporter.stage = "system calls"
        lacking = _settle_in(plan.lab)
        built, ahead = awaited.hear()
        reporter.stage = "locked mounts"
        sc.unshare(sc.CLONE_NEWNS)
        os.chdir("/")
        limit = limits.Limits(limits.most(plan.processes) if built.means != "none" else 0, built.means)
        if limit.processes:
            sc.limit_processes(limit.processes)
        notes = (*plan.notes, *built.notes, *lacking)
        reporter.stage = "agent"

        def ready() -> None:
            sc.set_parent_death_signal(0)
            tie.send(b"r")  # before the client is told: what it does then may be to close the pipe, and P0 ends with that
            tie.close()
            reporter.close()
            lines.say(READY, json.dumps(notes).encode())

        entry(Room(plan.lab, pid, lines.callers, lines.words, outer, limit, notes, plan.argument, files, ahead, ready))
    raise AssertionError("unreachable")


def _settle_in(lab: str) -> tuple[str, ...]:
    """What PID 1 and all it starts live with: a name that ``ps`` shows, signals, capabilities, system calls, environment.

    Answers what cannot be so here, in words.

    Nobody inside can trace it, read its memory or take its files (``syscalls.set_dumpable``): it is the one process of the lab that the
    machine outside listens to. A signal without a handler does not reach PID 1 (pid_namespaces(7)), so Python's own handler for SIGINT goes:
    nobody inside is to end the lab by ``kill -INT 1``.
    """
    sc.set_process_name("netless-agent")
    sc.set_dumpable(False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sc.forbid_reboot()
    sc.leave_no_core()
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TZ")}
    os.environ.clear()
    os.environ.update(kept, PATH=PATH, HOME=HOME, USER="root", NETLESS_LAB=lab)
    lacking = seccomp.enclose()
    return (lacking,) if lacking else ()
