"""Processes that are nodes: containers with no network, as ``docker run --net=none`` leaves them, and the pretend internet.

A thread that lives for one call enters new net, mount, uts and ipc namespaces, arranges what is seen in there, and spawns the
process, which inherits them: no fork of the agent, no helper program, 2 ms. The process is the agent's child, so it ends with
the lab. It has no parent death signal on purpose: that would come when the thread ends (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from ..room import HOME, NETNS
from . import limits
from . import syscalls as sc
from .furniture import CONTAINERS, EMPTY_RESOLV_CONF, unescape

T = TypeVar("T")
_KINDS: Final = sc.CLONE_NEWNET | sc.CLONE_NEWNS | sc.CLONE_NEWUTS | sc.CLONE_NEWIPC
_SYS_FLAGS: Final = sc.MS_NOSUID | sc.MS_NODEV | sc.MS_NOEXEC
_PROGRAM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Container:
    """A running node: its process as the lab numbers it, and the inode of its network namespace."""

    name: str
    pid: int
    netns: int

    @property
    def resolv_conf(self) -> str:
        """The file that is its /etc/resolv.conf. Write it in place: a new file under this name would not be seen inside."""
        return f"{CONTAINERS}/{self.name}/resolv.conf"

    def stop(self) -> None:
        """End its process; the namespace goes with the last holder. The reaper collects it. Harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def launch(name: str, *, shown_as: str = "sleep") -> Container:
    """Start a node called ``name``: host name, /etc/hosts, /etc/resolv.conf and /sys of its own, ``lo`` down, nothing else.

    It runs ``sleep infinity``; ``shown_as`` is the name under which ``ps`` shows that. Raises OSError naming the failed call.
    """
    files = _own_files(name)
    return in_thread(lambda: _enter_and_spawn(name, files, shown_as))


def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread of its own and answer what it answers: namespaces it enters are gone with it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body, name="netless-node")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def in_netns(netns_fd: int, work: Callable[[], T]) -> T:
    """Run ``work`` in a thread inside the network namespace behind ``netns_fd``; sockets it opens stay there."""

    def inside() -> T:
        sc.setns(netns_fd, sc.CLONE_NEWNET)
        return work()

    return in_thread(inside)


def in_new_netns(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread inside a network namespace made for it, which nobody has touched and which ends with it."""

    def inside() -> T:
        sc.unshare(sc.CLONE_NEWNET)
        return work()

    return in_thread(inside)


def _own_files(name: str) -> tuple[tuple[str, str], ...]:
    """Write the files that differ per node; (file, where it is to be seen)."""
    directory = f"{CONTAINERS}/{name}"
    for needed in (directory, NETNS):
        os.makedirs(needed, exist_ok=True)
    texts = {"hostname": f"{name}\n", "hosts": f"127.0.0.1\tlocalhost {name}\n", "resolv.conf": EMPTY_RESOLV_CONF}
    for file, text in texts.items():
        with open(f"{directory}/{file}", "w", encoding="utf-8") as out:
            out.write(text)
    return tuple((f"{directory}/{file}", f"/etc/{file}") for file in texts)


def _enter_and_spawn(name: str, files: tuple[tuple[str, str], ...], shown_as: str) -> Container:
    sc.unshare(_KINDS)
    sc.mount(None, "/", None, sc.MS_REC | sc.MS_PRIVATE)
    _forget_names()
    mount_sys()
    for source, target in files:
        if stat.S_ISREG(os.lstat(target).st_mode):  # a learner may have replaced or removed it in the host
            sc.bind(source, target)
    sc.set_hostname(name)
    inode = os.stat("/proc/thread-self/ns/net").st_ino
    return Container(name, _spawn_sleep(shown_as), inode)


def _forget_names() -> None:
    """Take the host's names in /run/netns out of this copy of the mounts.

    A name made by ``ip netns add`` is a mount that keeps its namespace alive: a copy of it in here would go on doing so after
    ``ip netns delete``. Then the place is covered: a container does not know its host's names.
    """
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        targets = [unescape(line.split()[4]) for line in file]
    for target in reversed(targets):
        if target == NETNS or target.startswith(f"{NETNS}/"):
            sc.unmount(target)
    sc.mount("tmpfs", NETNS, "tmpfs", _SYS_FLAGS, "mode=755,size=64k")


def mount_sys() -> None:
    """The /sys of this thread's network namespace, read-only where the room's is (``furniture.mount_proc_and_sys``).

    Without it, where the kernel allows none at all: the node then sees its host's.
    """
    for flags in (_SYS_FLAGS, _SYS_FLAGS | sc.MS_RDONLY):
        try:
            sc.mount("sysfs", "/sys", "sysfs", flags)
            return
        except OSError as error:
            if error.errno != errno.EPERM:
                raise


def _spawn_sleep(shown_as: str) -> int:
    """Spawn ``sleep infinity`` in this thread's namespaces, deaf and dumb, in a session of its own."""
    program = shutil.which("sleep", path=_PROGRAM_PATH)
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "there is no program called sleep on this machine (package coreutils)", "sleep")
    if os.path.basename(os.path.realpath(program)) != "sleep":
        shown_as = "sleep"  # a program of many names (busybox) looks at the one it is called by
    silent = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    environment = {"PATH": _PROGRAM_PATH, "HOME": HOME}
    handled = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]
    pid = os.posix_spawn(program, [shown_as, "infinity"], environment, file_actions=silent, setsid=True, setsigmask=[], setsigdef=handled)
    limits.leave_the_reserve(pid)
    return pid
