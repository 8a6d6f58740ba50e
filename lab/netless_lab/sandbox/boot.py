"""The way into a room, run as ``python -I -S boot.py`` by ``start`` with a ``Plan`` on standard input.

A chain of processes, as the package's docstring draws it. Each of them dies with the one before it until the room is ready: the keeper
when the client's end of the status pipe closes, P0, P1, P2 and P4 by PR_SET_PDEATHSIG. P2 cuts that tie just before it says that it is
ready, and from then on it and the keeper end with one another: so at no moment can a SIGKILL of any of them leave a room that nobody
was told of.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":  # with -I -S, sys.path knows the standard library and this file's own directory, nothing else
    import gc
    import importlib
    import json

    gc.disable()  # nothing that a start makes is garbage; the agent collects again when it is ready
    _text = sys.stdin.read()
    sys.path[:] = json.loads(_text)["path"]
    importlib.import_module("netless_lab.sandbox.boot").main(_text)

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final, NoReturn

from netless_lab.address import socket_name
from netless_lab.room import HOME, PATH
from netless_lab.sandbox import furniture, ids, limits, seccomp
from netless_lab.sandbox import syscalls as sc
from netless_lab.sandbox.keeper import AGENT, HEADER, READY, Keeper, Save
from netless_lab.sandbox.plan import Plan
from netless_lab.sandbox.staged import Staged, stage
from netless_lab.sandbox.status import Failure, Reporter

_A_KINDS: Final = sc.CLONE_NEWUSER | sc.CLONE_NEWNS
_B_KINDS: Final = sc.CLONE_NEWNET | sc.CLONE_NEWPID | sc.CLONE_NEWUTS | sc.CLONE_NEWIPC


@dataclass(frozen=True, slots=True)
class Room:
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
    _ready: Callable[[], None] = field(repr=False, default=lambda: None)

    def ready(self) -> None:
        """Call once, when clients may come: cuts the tie to those who made the room, and tells the keeper, who tells the client.

        Raises BrokenPipeError when the keeper has gone: then the room is to end.
        """
        self._ready()


Entry = Callable[[Room], None]
"""What runs as PID 1; it returns when the room is to end."""


@dataclass(frozen=True, slots=True)
class _Word:
    """What P4 tells P2 when the furniture stands."""

    pid: int
    means: limits.Means
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pipes:
    """``up`` carries lines to P0, ``down`` the one word from P4 to P2. (read end, write end)"""

    up: tuple[int, int]
    down: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Lines:
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


def main(text: str) -> NoReturn:
    """The client's child: leaves the keeper behind, a child of nobody's, and ends."""
    if os.fork():
        os._exit(0)
    plan = Plan.from_json(text)
    sc.set_process_name("netless-keeper")
    reporter = Reporter(plan.status_fd)
    with reporter.to_the_end():
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir("/")
        for fd in (*plan.fds, *plan.held):
            os.set_inheritable(fd, False)
        reporter.stage = "name"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(socket_name(plan.lab, os.geteuid()))
        its, mine = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = os.pipe()
        who = ids.outside()
        keeper = os.getpid()
        reporter.keeper(keeper)
        if os.fork() == 0:
            for own in (listener, its):
                own.close()
            for fd in (words[0], *plan.held):
                os.close(fd)
            _die_with(keeper)
            _outermost(plan, reporter, _Lines(mine, words[1]), who, keeper)
        mine.close()
        for fd in (words[1], *plan.fds):
            os.close(fd)
        reporter.stage = "uid map"
        if who.nobody and (furnishing := its.recv(16)):  # nothing comes from one that has failed, and told why
            sc.map_root_to(who.uid, who.gid, of=furnishing.decode())
            its.send(b"m")
        reporter.stage = "keeper"
        Keeper(reporter, listener, its, words[0], lambda: _saver(plan)).run()
    raise AssertionError("unreachable")


def _saver(plan: Plan) -> Save:
    """How what the agent wants kept is kept: by the plan's ``saver``, told where."""
    if not plan.saver:
        return lambda data: None
    module, _, name = plan.saver.partition(":")
    made: Save = getattr(import_module(module), name)(plan.kept_in)
    return made


def _outermost(plan: Plan, reporter: Reporter, lines: _Lines, who: ids.Outside, keeper: int) -> NoReturn:
    """P0: imports the agent while its child furnishes, goes where that has been, and on. Ends when the room is ready or cannot be.

    The agent is imported here, where our own files are as they are outside: its user inside may not be one who could read them all, and
    could not write Python's caches.
    """
    with reporter.to_the_end():
        pipes = _Pipes(os.pipe(), os.pipe())
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        me = os.getpid()
        if os.fork() == 0:
            ours.close()
            _furnishing(plan, reporter, lines, pipes, its, who, me)
        its.close()
        reporter.stage = "agent"
        module, _, name = plan.entry.partition(":")
        entry: Entry = getattr(import_module(module), name)
        _, spaces, _, _ = socket.recv_fds(ours, 1, 2)
        if not spaces:
            raise SystemExit(1)  # it has told why
        outer, mounts = spaces
        reporter.stage = "user namespace"
        sc.setns(outer, sc.CLONE_NEWUSER)
        if who.nobody:
            sc.become_root_inside()
            _die_with(keeper)  # forgotten by the change of user (prctl(2))
        reporter.stage = "mounts"
        proc = os.open("/proc", os.O_PATH | os.O_CLOEXEC)  # where P1 can still write who it is
        sc.setns(mounts, sc.CLONE_NEWNS)
        os.close(mounts)
        with contextlib.suppress(OSError):
            sc.unshare(sc.CLONE_NEWCGROUP)  # in A: who is root in B sees no group above his own, and may mount no tree of them
        me = os.getpid()
        middle = os.fork()
        if middle == 0:
            ours.close()
            _middle(plan, reporter, lines, pipes, me, outer, proc, entry)
        lines.close()
        os.close(pipes.up[1])
        for end in pipes.down:
            os.close(end)
        if pid := _line(pipes.up[0], reporter):
            try:
                ours.send(pid.encode())
                told = ours.recv(1)
            except ConnectionError:
                told = b""
            if not told:  # P4 has failed or was killed; not waited for is P1, who waits for PID 1, who waits for P3 to be collected
                raise SystemExit(1)
            _line(pipes.up[0], reporter)
        raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(middle, 0)[1]) & 0xFF)
    raise AssertionError("unreachable")


def _furnishing(plan: Plan, reporter: Reporter, lines: _Lines, pipes: _Pipes, tie: socket.socket, who: ids.Outside, parent: int) -> NoReturn:
    """P4: user namespace A and the furniture; hands both to P0, and when there is a PID 1, mounts what needs its namespaces."""
    with reporter.to_the_end():
        _die_with(parent)
        for end in (*pipes.up, pipes.down[0]):
            os.close(end)
        reporter.stage = "mounts"
        staged = stage(plan.keep, furniture.staging_place(), who) if who.nobody else Staged()
        reporter.stage = "user namespace"
        shares = limits.shares()
        sc.unshare(_A_KINDS)
        reporter.stage = "uid map"
        if who.nobody:
            lines.callers.send(str(os.getpid()).encode())
            lines.callers.recv(1)
            sc.become_root_inside()
            _die_with(parent)
        else:
            sc.map_root_to(who.uid, who.gid)
        lines.close()
        limits.grant(shares)
        reporter.stage = "mounts"
        furniture.furnish(plan, staged)
        spaces = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "mnt")]
        socket.send_fds(tie, [b"f"], spaces)
        pid = int(tie.recv(16) or 0)
        if pid:
            reporter.stage = "proc and sys"
            net, pids = (os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "pid"))
            told = _mount_inside(net, pids, plan.processes)
            os.write(pipes.down[1], json.dumps({"pid": pid, **told}).encode() + b"\n")
            tie.send(b"f")
    raise AssertionError("unreachable")


def _mount_inside(net: int, pids: int, processes: int) -> dict[str, object]:
    """P3: in P4's mounts and user namespace, but in the room's pid and net namespaces.

    Answers the room's notes and by what means its processes are limited; raises what it met.
    """
    sc.setns(pids, sc.CLONE_NEWPID)
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        answer: dict[str, object]
        try:
            sc.setns(net, sc.CLONE_NEWNET)
            notes = furniture.mount_proc_and_sys()
            means = limits.limit_this_namespace(processes)
            answer = {"notes": notes, "means": means}
        except OSError as error:
            answer = {"errno": error.errno, "text": error.strerror, "path": error.filename}
        os.write(into, json.dumps(answer).encode())
        os._exit(0)
    os.close(into)
    with open(out, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(child, 0)
    told: dict[str, object] = json.loads(text or "{}")
    if "notes" not in told:
        raise OSError(told.get("errno", 0), told.get("text", "the process that mounts /proc was killed"), told.get("path"))
    return told


def _middle(plan: Plan, reporter: Reporter, lines: _Lines, pipes: _Pipes, parent: int, outer: int, proc: int, entry: Entry) -> NoReturn:
    """P1: user namespace B with the room's other namespaces; makes PID 1 and stays until it is ready or dead."""
    with reporter.to_the_end():
        _die_with(parent)
        os.close(pipes.up[0])
        os.close(pipes.down[1])
        reporter.stage = "namespaces"
        limits.halve_shares()
        sc.unshare(sc.CLONE_NEWUSER)
        sc.map_root_to(0, 0, proc=f"/proc/self/fd/{proc}")
        os.close(proc)  # of the machine, and none of the room's
        sc.unshare(_B_KINDS)  # after the map: files of /proc/net belong for ever to whoever root is when the namespace is born
        sc.set_hostname(plan.node)
        mine, its = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            mine.close()
            _first(plan, reporter, lines, pipes, its, outer, entry)
        its.close()
        os.close(pipes.down[0])
        reporter.pid(pid)
        lines.say(AGENT, str(pid).encode())
        lines.close()
        os.write(pipes.up[1], f"{pid}\n".encode())
        if not mine.recv(1):
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if code < 0:
                reporter.refuse(Failure("agent", 0, f"the agent was killed by {signal.Signals(-code).name} before it was ready"))
            raise SystemExit(1)
    raise AssertionError("unreachable")


def _first(plan: Plan, reporter: Reporter, lines: _Lines, pipes: _Pipes, tie: socket.socket, outer: int, entry: Entry) -> NoReturn:
    """P2, PID 1 of the room: waits for the furniture, takes its own locked copy of the mounts, runs the agent."""
    with reporter.to_the_end():
        sc.set_parent_death_signal(signal.SIGKILL)
        if select.select([tie], [], [], 0)[0]:
            raise SystemExit(1)
        os.close(pipes.up[1])
        with open(pipes.down[0], encoding="utf-8") as file:
            told = file.readline()
        if not told:
            raise SystemExit(1)
        fields = json.loads(told)
        word = _Word(fields["pid"], fields["means"], tuple(fields["notes"]))
        reporter.stage = "locked mounts"
        sc.unshare(sc.CLONE_NEWNS)
        os.chdir("/")
        if word.means != "none":
            sc.limit_processes(plan.processes)
        notes = (*plan.notes, *word.notes, *_settle_in(plan.lab))
        reporter.stage = "agent"

        def ready() -> None:
            sc.set_parent_death_signal(0)
            tie.send(b"r")  # before the client is told: what it does then may be to close the pipe, and P0 and P1 end with that
            tie.close()
            reporter.close()
            lines.say(READY, json.dumps(notes).encode())

        limit = limits.Limits(plan.processes if word.means != "none" else 0, word.means)
        entry(Room(plan.lab, word.pid, lines.callers, lines.words, outer, limit, notes, plan.argument, ready))
    raise AssertionError("unreachable")


def _settle_in(lab: str) -> tuple[str, ...]:
    """What PID 1 and all it starts live with: a name that ``ps`` shows, signals, capabilities, system calls, environment.

    Answers what cannot be so here, in words.

    Nobody inside can trace it, read its memory or take its files (``syscalls.set_dumpable``): it is the one process of the lab that the
    machine outside listens to. A signal without a handler does not reach PID 1 (pid_namespaces(7)), so Python's own handler for SIGINT goes: nobody inside is to
    end the lab by ``kill -INT 1``.
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


def _die_with(parent: int) -> None:
    """End when ``parent`` ends, even if that was a moment ago."""
    sc.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


def _line(fd: int, reporter: Reporter) -> str:
    """One line from a pipe, "" at its end. Ends this process, and with it the chain, when the client goes away meanwhile."""
    text = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(reporter.fileno(), 0)
    while not text.endswith(b"\n"):
        ready = dict(poll.poll())
        if reporter.fileno() in ready:
            raise SystemExit(1)
        byte = os.read(fd, 1)
        if not byte:
            return ""
        text += byte
    return text.decode().strip()
