"""Network namespaces as handles, and ways to act inside one without leaving one's own.

``setns(CLONE_NEWNET)`` moves one thread, not the process, and a socket keeps for life the namespace it was opened in
(network_namespaces(7), setns(2)). So everything here that must happen inside another namespace happens in a thread that
lives only for that call: no fork, no helper process, and the caller's own namespace is never disturbed.
Nothing in this module creates a namespace. ``os.setns`` exists from Python 3.12 on, hence ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CLONE_NEWNET: Final = 0x40000000
CLONE_NEWUTS: Final = 0x04000000
NS_GET_NSTYPE: Final = 0xB703
"""ioctl of nsfs: which kind of namespace a descriptor holds (ioctl_ns(2))."""
_KINDS: Final[dict[int, Literal["net", "mnt", "pid", "uts", "ipc", "user", "cgroup", "time"]]] = {
    CLONE_NEWNET: "net", 0x20000: "mnt", 0x20000000: "pid", CLONE_NEWUTS: "uts", 0x8000000: "ipc", 0x10000000: "user",
    0x2000000: "cgroup", 0x80: "time",
}  # fmt: skip
"""CLONE_NEW* flags of clone(2) -> names of the files in /proc/PID/ns."""
_OWN: Final = Path("/proc/thread-self/ns/net")
_libc = ctypes.CDLL(None, use_errno=True)


class NamespaceGone(OSError):
    """The namespace, or the process that was the way to it, does not exist any more."""


def out_of_files(error: OSError) -> bool:
    """Whether a failure tells of us and not of what was to be opened: no descriptor is left to this process, or to the machine."""
    return error.errno in (errno.EMFILE, errno.ENFILE)


class Namespace:
    """A descriptor that holds one network namespace, and the inode that names it.

    While it is open the namespace lives on, even with no process and no name left in it: close it when the node goes.
    """

    __slots__ = ("_fd", "inode")

    def __init__(self, fd: int) -> None:
        """Take ownership of ``fd``. Raises ValueError when it is not a network namespace."""
        self._fd = -1
        if not is_net_namespace(fd):
            os.close(fd)
            raise ValueError(f"descriptor {fd} is not a network namespace: give /proc/PID/ns/net or an entry of /run/netns")
        self._fd = fd
        self.inode = os.fstat(fd).st_ino

    @classmethod
    def at(cls, path: str) -> Namespace:
        """Open by path: ``/run/netns/NAME`` or ``/proc/PID/ns/net``. Raises NamespaceGone when nothing is there."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ESRCH, errno.ENOTDIR):
                raise NamespaceGone(error.errno, "no network namespace there any more", path) from error
            raise
        return cls(fd)

    @classmethod
    def of_pid(cls, pid: int) -> Namespace:
        """The namespace that process ``pid`` is in now. Raises NamespaceGone when the process has ended."""
        return cls.at(f"/proc/{pid}/ns/net")

    @classmethod
    def of_fd(cls, fd: int) -> Namespace:
        """A second handle to the namespace behind ``fd``, which stays the caller's own."""
        return cls(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 0))

    @classmethod
    def own(cls) -> Namespace:
        """The namespace of the calling thread."""
        return cls.at(str(_OWN))

    def fileno(self) -> int:
        """The descriptor, for setns and for netlink attributes. Raises NamespaceGone after ``close``."""
        if self._fd < 0:
            raise NamespaceGone(errno.EBADF, f"the handle of namespace {self.inode} is closed: its node has gone")
        return self._fd

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._fd < 0

    def dup(self) -> Namespace:
        """A second, independent handle to the same namespace."""
        return Namespace.of_fd(self.fileno())

    def close(self) -> None:
        """Let go. Harmless when already closed."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Namespace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Namespace({self.inode}{', closed' if self.closed else ''})"


def enter(fd: int, kind: int = CLONE_NEWNET) -> None:
    """Move the calling *thread* into the namespace behind ``fd`` for good. Raises OSError with the kernel's reason."""
    if _libc.setns(fd, kind):
        code = ctypes.get_errno()
        raise OSError(code, f"cannot enter namespace: {os.strerror(code)}")


def in_thread(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``fn`` in a thread of its own, which ends with the call; its result or exception becomes the caller's."""
    done: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(fn(*args, **kwargs))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="netless-inside")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def call_in(namespace: Namespace, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``fn`` inside ``namespace`` and return what it returns. About 0.1 ms; nothing when the caller is already there.

    ``fn`` sees that namespace's sockets, /proc/sys/net and /proc/thread-self/net; files and processes stay the caller's.
    """
    if _OWN.stat().st_ino == namespace.inode:
        return fn(*args, **kwargs)

    def inside() -> T:
        enter(namespace.fileno())
        return fn(*args, **kwargs)

    return in_thread(inside)


def socket_in(namespace: Namespace, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket that belongs to ``namespace`` for life, whoever uses it; close-on-exec, blocking as sockets are."""
    return call_in(namespace, socket.socket, family, kind | socket.SOCK_CLOEXEC, protocol)


def sysctl_path(key: str) -> str:
    """``net/ipv4/ip_forward`` -> its file. Dots are not separators here: device names may hold them.

    Raises ValueError for a key outside net/, the only part of /proc/sys that belongs to a network namespace.
    """
    if not key.startswith("net/") or ".." in key.split("/"):
        raise ValueError(f"{key!r} is not a sysctl of a network namespace: write it as net/ipv4/ip_forward")
    return f"/proc/sys/{key}"


def read_sysctl(namespace: Namespace, key: str) -> str:
    """The value of ``net/...`` in ``namespace``, without the newline. Raises FileNotFoundError when there is no such knob."""
    return call_in(namespace, _read_text, sysctl_path(key))


def write_sysctl(namespace: Namespace, key: str, value: str) -> None:
    """Set ``net/...`` in ``namespace``. Raises OSError as the kernel gives it (no such knob, not allowed, bad value)."""
    call_in(namespace, _write_text, sysctl_path(key), value)


def _read_text(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def _write_text(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode("ascii"))
    finally:
        os.close(fd)


def hostname_in(uts_path: str) -> str:
    """The host name inside the UTS namespace at ``uts_path`` (``/proc/PID/ns/uts``). Raises OSError when it cannot be entered."""

    def inside() -> str:
        fd = os.open(uts_path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(fd, CLONE_NEWUTS)
        finally:
            os.close(fd)
        return socket.gethostname()

    return in_thread(inside)


def is_net_namespace(fd: int) -> bool:
    """Whether ``fd`` is a network namespace, without taking it."""
    return kind_of_namespace(fd) == "net"


def kind_of_namespace(fd: int) -> Literal["net", "mnt", "pid", "uts", "ipc", "user", "cgroup", "time"] | None:
    """Which kind of namespace ``fd`` is, as /proc/PID/ns calls it; None when it is none."""
    try:
        return _KINDS.get(fcntl.ioctl(fd, NS_GET_NSTYPE))
    except OSError:
        return None
