"""Processes that are nodes: containers with no network, as ``docker run --net=none`` leaves them, and the pretend internet.

A thread that lives for one call enters new net, mount, uts and ipc namespaces, arranges what is seen in there, and spawns the
process, which inherits them: no fork of the agent, no helper program, 2 ms. The process is the agent's child, so it ends with
the lab. It has no parent death signal on purpose: that would come when the thread ends (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from pathlib import Path
from typing import Final

import msgspec

from ..kernel import syscalls as sc
from ..kernel.namespace import Namespace, in_thread
from ..room import HOME, NETNS, PROGRAM_PATH
from . import limits, tune
from .in_place import have_file, have_folder, is_plain
from .rootfs import CONTAINERS, EMPTY_RESOLV_CONF, program, unescape

_KINDS: Final = sc.CLONE_NEWNS | sc.CLONE_NEWUTS | sc.CLONE_NEWIPC
_SYS_FLAGS: Final = sc.MS_NOSUID | sc.MS_NODEV | sc.MS_NOEXEC


class Container(msgspec.Struct, frozen=True):
    """A running node: its process as the lab numbers it, and its network namespace, which is for whoever launched it to let go.

    That was opened before the process was there, from inside: for a moment at the end of its execve(2), which its parent does not wait for, nobody
    else may look into it (__ptrace_may_access(), kernel/ptrace.c: its new memory is not dumpable yet).
    """

    name: str
    pid: int
    network: Namespace

    @property
    def netns(self) -> int:
        """The namespace's inode."""
        return self.network.inode

    @property
    def resolv_conf(self) -> str:
        """The file that is its /etc/resolv.conf. Write it in place: a new file under this name would not be seen inside."""
        return f"{CONTAINERS}/{self.name}/resolv.conf"

    def stop(self) -> None:
        """End its process; the namespace goes with the last holder. The reaper collects it. Harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def launch(name: str, *, shown_as: str = "sleep", network: Namespace | None = None) -> Container:
    """Start a node called ``name``: host name, /etc/hosts, /etc/resolv.conf and /sys of its own, ``lo`` down, nothing else.

    It runs ``sleep infinity``; ``shown_as`` is the name under which ``ps`` shows that; ``network`` is a new namespace that was made for it, and
    stays the caller's. Raises OSError naming the failed call.
    """
    files = _own_files(name)
    return in_thread(lambda: _enter_and_spawn(name, files, shown_as, network))


def show_own_files(pid: int, name: str) -> tuple[str, ...]:
    """Have a node see its own files in /etc again where its mounts of them are gone: which. Raises OSError when it cannot be entered.

    Whoever removes such a file in the host takes away what is mounted on it in every other mount namespace (unlink(2) of a mount point, since
    Linux 3.18): the nodes then all see, and write, the host's.
    """
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mounted = {unescape(line.split()[4]) for line in file}
    gone = {file: target for file, target in _own_paths(name).items() if target not in mounted}
    if not gone:
        return ()

    def inside() -> None:
        fd = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        try:
            sc.unshare(sc.CLONE_FS)  # the thread's root and folder are its own from now on, which setns(2) asks for
            sc.setns(fd, sc.CLONE_NEWNS)
        finally:
            os.close(fd)
        for file, target in gone.items():
            if not os.path.exists(file):
                _write(file, name)
            sc.bind(file, target)

    in_thread(inside)
    return tuple(gone.values())


def rewritten(name: str) -> tuple[str, ...]:
    """Which of a node's own files have another text than in a new one, as the node calls them. What names its servers is in the picture."""
    paths = {path: target for path, target in _own_paths(name).items() if os.path.basename(target) != "resolv.conf" and is_plain(Path(path))}
    return tuple(target for path, target in paths.items() if Path(path).read_bytes() != _text(path, name))


def give_back(name: str) -> None:
    """The same files have the text of a new node again, where they are: the node's mounts stay. Raises OSError."""
    changed = rewritten(name)
    for path, target in _own_paths(name).items():
        if target in changed:
            _write(path, name)


def _own_paths(name: str) -> dict[str, str]:
    """The files that differ per node, and where each is to be seen."""
    return {f"{CONTAINERS}/{name}/{file}": f"/etc/{file}" for file in ("hostname", "hosts", "resolv.conf")}


def _write(path: str, name: str) -> None:
    """One of these files, as it is in a new node."""
    have_folder(os.path.dirname(path))
    have_file(Path(path), _text(path, name))


def _text(path: str, name: str) -> bytes:
    """What is in one of them then."""
    texts = {"hostname": f"{name}\n", "hosts": f"127.0.0.1\tlocalhost {name}\n", "resolv.conf": EMPTY_RESOLV_CONF}
    return texts[os.path.basename(path)].encode()


def _own_files(name: str) -> dict[str, str]:
    """The same, written anew."""
    os.makedirs(NETNS, exist_ok=True)
    found = _own_paths(name)
    for path in found:
        _write(path, name)
    return found


def _enter_and_spawn(name: str, files: dict[str, str], shown_as: str, network: Namespace | None) -> Container:
    if network is not None:
        sc.setns(network.fileno(), sc.CLONE_NEWNET)
    sc.unshare(_KINDS if network is not None else _KINDS | sc.CLONE_NEWNET)
    sc.mount(None, "/", None, sc.MS_REC | sc.MS_PRIVATE)
    _forget_names()
    mount_sys()
    for source, target in files.items():
        if is_plain(Path(target)):  # a learner may have replaced or removed it in the host
            sc.bind(source, target)
    tune.lift_limits()
    sc.set_hostname(name)
    own = Namespace.own()
    return Container(name, _spawn_sleep(shown_as), own)


def _forget_names() -> None:
    """Take the host's names in /run/netns out of this copy of the mounts.

    A name made by ``ip netns add`` is a mount that keeps its namespace alive: a copy of it in here would go on doing so after
    ``ip netns delete``. Then the place is covered: a container does not know its host's names. The machine's own names have the same paths,
    below what the room has in place of its /run, and stay there.
    """
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mounts = [(fields[0], unescape(fields[4])) for fields in map(str.split, file)]
    for number, target in reversed(mounts):
        if (target == NETNS or target.startswith(f"{NETNS}/")) and _mount_at(target) == number:
            sc.unmount(target)
    sc.mount("tmpfs", NETNS, "tmpfs", _SYS_FLAGS, "mode=755,size=64k")


def _mount_at(path: str) -> str:
    """The number of the mount that is seen at a path (proc(5), ``fdinfo``); "" where there is nothing."""
    try:
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        with open(f"/proc/thread-self/fdinfo/{fd}", encoding="ascii") as file:
            return next(line.split()[1] for line in file if line.startswith("mnt_id:"))
    finally:
        os.close(fd)


def mount_sys() -> None:
    """The /sys of this thread's network namespace, read-only where the room's is (``rootfs.mount_proc_and_sys``).

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
    sleep = program("sleep")
    if sleep is None:
        raise FileNotFoundError(errno.ENOENT, "there is no program called sleep on this machine (package coreutils)", "sleep")
    if os.path.basename(os.path.realpath(sleep)) != "sleep":
        shown_as = "sleep"  # a program of many names (busybox) looks at the one it is called by
    silent = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    environment = {"PATH": PROGRAM_PATH, "HOME": HOME}
    handled = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]
    pid = os.posix_spawn(sleep, [shown_as, "infinity"], environment, file_actions=silent, setsid=True, setsigmask=[], setsigdef=handled)
    limits.leave_the_reserve(pid)
    return pid
