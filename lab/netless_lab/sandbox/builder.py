"""The process beside the one that becomes the agent: makes all namespaces of a room but the last, and builds its root file system, while that imports.
There it also makes ahead what can be made before there is an agent (``Plan``).

It hands over as open files what it has made (``built``), is told which pid namespace the other has made in turn, and mounts /proc and
/sys there.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable
from importlib import import_module
from typing import Final, NamedTuple, NoReturn

from ..kernel import syscalls as sc
from . import ids, limits, rootfs
from .built import AS_NOBODY, AS_SELF, KINDS, Built
from .lines import NO_MAP, UserMap
from .plan import Plan
from .staged import Staged, stage
from .status import Reporter

_OF_B: Final = {kind: sc.NAMESPACES[kind] for kind in KINDS[3:]}


class Ends(NamedTuple):
    """The builder's ends of lines: to the keeper, to P0, to PID 1 to be, and the file for what is made ahead."""

    keeper: socket.socket
    parent: socket.socket
    word: int
    ahead: int


def main(plan: Plan, reporter: Reporter, ends: Ends, parent: int) -> NoReturn:
    """P4's whole life. It dies with ``parent``; what it meets is told to whoever starts the lab."""
    with reporter.to_the_end():
        sc.die_with(parent)
        make = _maker(plan.ahead)
        reporter.stage = "mounts"
        who = ids.outside()
        staged = stage(plan.keep, rootfs.staging_place(), who) if who.nobody else Staged()
        reporter.stage = "user namespace"
        shares = limits.shares()
        sc.unshare(sc.CLONE_NEWUSER | sc.CLONE_NEWNS)
        reporter.stage = "uid map"
        with ends.keeper as line:
            _become_root(who, line)
        sc.die_with(parent)  # forgotten by a change of user (prctl(2))
        limits.grant(shares)
        reporter.stage = "namespaces"
        inner = _inner(plan.node, reporter)
        reporter.stage = "mounts"
        rootfs.set_up(plan, staged)
        own = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "mnt")]
        socket.send_fds(ends.parent, [AS_NOBODY if who.nobody else AS_SELF], [*own, *inner.values()])
        reporter.stage = "agent"
        with open(ends.ahead, "wb") as file:
            file.write(make(plan.argument))
        _, pids, _, _ = socket.recv_fds(ends.parent, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if pids:
            reporter.stage = "proc and sys"
            _mount_inside(inner["net"], pids[0], plan.processes, reporter, ends.word)
    raise AssertionError("unreachable")


def _maker(ahead: str) -> Callable[[str], bytes]:
    """What makes what the agent would have to make first (``Plan``). It is called with the rights that the agent will have and among the same files, and
    imported outside, beside what the agent imports: of most of it that has no need.
    """
    if not ahead:
        return lambda argument: b""
    module, _, name = ahead.partition(":")
    made: Callable[[str], bytes] = getattr(import_module(module), name)
    return made


def _become_root(who: ids.Outside, keeper: socket.socket) -> None:
    """Be root of user namespace A. For a user of nobody's only somebody outside can say so, the keeper, who waits for a word in either case."""
    if who.nobody:
        keeper.send(UserMap(os.getpid(), who.uid, who.gid).to_bytes())
        keeper.recv(1)
        sc.become_root_inside()
    else:
        keeper.send(NO_MAP)
        sc.map_root_to(who.uid, who.gid)


def _inner(node: str, reporter: Reporter) -> dict[str, int]:
    """P1, a child for a moment: user namespace B inside A and, owned by it, the room's net, uts and ipc namespaces. Answers open files."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        with reporter.to_the_end():
            ours.close()
            limits.halve_shares()
            sc.unshare(sc.CLONE_NEWUSER)
            sc.map_root_to(0, 0)
            sc.unshare(sum(_OF_B.values()))  # after the map: files of /proc/net belong for ever to whoever root is when the namespace is born
            sc.set_hostname(node)
            made = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", *_OF_B)]
            socket.send_fds(its, [b"m"], made)
    its.close()
    with ours:
        _, files, _, _ = socket.recv_fds(ours, 1, len(_OF_B) + 1, socket.MSG_CMSG_CLOEXEC)
    _collect(child, "the process that makes the namespaces")
    return dict(zip(("user", *_OF_B), files, strict=True))


def _mount_inside(net: int, pids: int, processes: int, reporter: Reporter, word: int) -> None:
    """P3, a child for a moment: in these mounts and this user namespace, but in the room's pid and net namespaces. PID 1 is told what it says."""
    sc.setns(pids, sc.CLONE_NEWPID)

    def mount(into: int) -> None:
        sc.setns(net, sc.CLONE_NEWNET)
        notes = rootfs.mount_proc_and_sys()
        means = limits.limit_this_namespace(processes)
        os.write(into, Built(notes, means).to_json().encode())

    run_and_hear(mount, "the process that mounts /proc", lambda said: os.write(word, said), reporter)


def run_and_hear(child: Callable[[int], None], what: str, tell: Callable[[bytes], object], reporter: Reporter) -> None:
    """Run ``child`` in a process of its own, ``tell`` at once what it writes (at most PIPE_BUF) to the file it is given, and collect it.

    What escapes it goes to ``reporter``. One that has said its word has done what it was for, however it ends then: a process of the room is
    killed when PID 1 ends, and PID 1 may end as soon as it is told. Of one that has said nothing, see ``_collect``.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with reporter.to_the_end():
            os.close(reading)
            child(writing)
    os.close(writing)
    with open(reading, "rb", buffering=0) as file:
        said = file.read(select.PIPE_BUF)
    if said:
        with contextlib.suppress(BrokenPipeError):  # PID 1 has ended, which is for others to tell
            tell(said)
        os.waitpid(pid, 0)
    else:
        _collect(pid, what)


def _collect(child: int, what: str) -> None:
    """Wait for a child's end. One that failed has told why, and so this process only ends; OSError for one that was killed."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        raise OSError(0, f"{what} was killed by {signal.Signals(-code).name}")
    if code:
        raise SystemExit(code)
