"""Network namespaces as handles, and ways to act inside one without leaving one's own.

``setns(CLONE_NEWNET)`` moves one thread, not the process, and a socket keeps for life the namespace it was opened in
(network_namespaces(7), setns(2)). So everything here that must happen inside another namespace happens in a thread that
lives only for that call: no fork, no helper process, and the caller's own namespace is never disturbed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, ParamSpec, TypeVar

from . import syscalls as sc

Kind = Literal["net", "mnt", "pid", "uts", "ipc", "user", "cgroup", "time"]
P = ParamSpec("P")
T = TypeVar("T")

NS_GET_NSTYPE: Final = 0xB703
"""ioctl of nsfs: which kind of namespace a descriptor holds (ioctl_ns(2))."""
_KINDS: Final[dict[int, Kind]] = {
    sc.CLONE_NEWNET: "net", sc.CLONE_NEWNS: "mnt", sc.CLONE_NEWPID: "pid", sc.CLONE_NEWUTS: "uts", sc.CLONE_NEWIPC: "ipc",
    sc.CLONE_NEWUSER: "user", sc.CLONE_NEWCGROUP: "cgroup", 0x80: "time",
}  # fmt: skip
"""CLONE_NEW* flags of clone(2) -> names of the files in /proc/PID/ns."""
_OWN: Final = Path("/proc/thread-self/ns/net")


class NamespaceGone(OSError):
    """The namespace, or the process that was the way to it, does not exist any more."""


def out_of_files(error: OSError) -> bool:
    """Whether a failure tells of us and not of what was to be opened: no descriptor is left to this process, or to the machine."""
    return error.errno in (errno.EMFILE, errno.ENFILE)


class Namespace:
    """A descriptor that holds one network namespace, and the inode that names it.

    While it is open the namespace lives on, even with no process and no name left in it: close it when the node goes. It may be closed in
    one thread while another goes in: who is ``held`` on the way keeps the descriptor until he is there, so that its number means nothing else.
    """

    __slots__ = ("_closed", "_fd", "_holders", "_lock", "inode")

    def __init__(self, fd: int) -> None:
        """Take ownership of ``fd``. Raises ValueError when it is not a network namespace."""
        self._fd = -1
        self._closed = False
        self._holders = 0
        self._lock = threading.Lock()
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
        if self._closed:
            raise NamespaceGone(errno.EBADF, f"the handle of namespace {self.inode} is closed: its node has gone")
        return self._fd

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @contextmanager
    def held(self) -> Iterator[int]:
        """The descriptor, open until the block ends, whoever closes the handle meanwhile. From any thread. Raises NamespaceGone after ``close``."""
        with self._lock:
            fd = self.fileno()
            self._holders += 1
        try:
            yield fd
        finally:
            with self._lock:
                self._holders -= 1
            self._let_go()

    def dup(self) -> Namespace:
        """A second, independent handle to the same namespace."""
        with self.held() as fd:
            return Namespace.of_fd(fd)

    def close(self) -> None:
        """Let go. Harmless when already closed."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        """Close the descriptor when that was asked for and nobody holds it."""
        with self._lock:
            if not self._closed or self._holders:
                return
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


def in_thread(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``fn`` in a thread of its own, which ends with the call, and with it all namespaces that it entered; its result or exception
    becomes the caller's.
    """
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
        with namespace.held() as fd:
            sc.setns(fd, sc.CLONE_NEWNET)
        return fn(*args, **kwargs)

    return in_thread(inside)


def call_in_new(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``fn`` inside a network namespace made for it, which nobody has touched, and which ends with it unless ``fn`` holds it."""

    def inside() -> T:
        sc.unshare(sc.CLONE_NEWNET)
        return fn(*args, **kwargs)

    return in_thread(inside)


def each_in(calls: Sequence[tuple[Namespace, Callable[[], T]]]) -> list[T]:
    """What each function returns that is called inside its namespace, all at once: whoever waits for the kernel lets the others work.

    Raises what the first of them raised, when all have ended. What ``call_in`` and ``socket_in`` do there for the same namespace is direct.
    """
    done: dict[int, T] = {}
    failed: dict[int, BaseException] = {}

    def work(place: int, namespace: Namespace, fn: Callable[[], T]) -> None:
        try:
            if _OWN.stat().st_ino != namespace.inode:
                with namespace.held() as fd:
                    sc.setns(fd, sc.CLONE_NEWNET)
            done[place] = fn()
        except BaseException as error:
            failed[place] = error

    threads = [threading.Thread(target=work, args=(place, *call), name="netless-inside") for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[min(failed)]
    return [done[place] for place in range(len(calls))]


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


def write_sysctl(namespace: Namespace, key: str, value: str) -> None:
    """Set ``net/...`` in ``namespace``. Raises OSError as the kernel gives it (no such knob, not allowed, bad value)."""
    call_in(namespace, _write_text, sysctl_path(key), value)


def _write_text(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode("ascii"))
    finally:
        os.close(fd)


def hostname_in(uts_path: str) -> str:
    """The host name inside the UTS namespace at ``uts_path`` (``/proc/PID/ns/uts``). Raises OSError when it cannot be entered."""
    return _in_uts(uts_path, socket.gethostname)


def call_me(pid: int, name: str) -> None:
    """Give the UTS namespace of a process this host name, where it has another. Raises OSError when it cannot be entered."""

    def inside() -> None:
        if socket.gethostname() != name:
            socket.sethostname(name)

    _in_uts(f"/proc/{pid}/ns/uts", inside)


def _in_uts(path: str, fn: Callable[[], T]) -> T:
    """What ``fn`` returns in the UTS namespace at ``path``."""

    def inside() -> T:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sc.setns(fd, sc.CLONE_NEWUTS)
        finally:
            os.close(fd)
        return fn()

    return in_thread(inside)


def is_net_namespace(fd: int) -> bool:
    """Whether ``fd`` is a network namespace, without taking it."""
    return kind_of_namespace(fd) == "net"


def kind_of_namespace(fd: int) -> Kind | None:
    """Which kind of namespace ``fd`` is, as /proc/PID/ns calls it; None when it is none."""
    try:
        return _KINDS.get(fcntl.ioctl(fd, NS_GET_NSTYPE))
    except OSError:
        return None
