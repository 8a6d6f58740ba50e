"""What programs leave behind that no file, process or network namespace holds: System V objects, message queues (ipc_namespaces(7))."""

from __future__ import annotations

import contextlib
import os
from typing import Final

from ..kernel import syscalls as sc
from ..kernel.namespace import in_thread
from ..room import NETLESS

_SYSTEM_V: Final = ("msg", "sem", "shm")
"""As /proc/sysvipc calls them; the second column of each is the number of an object (proc(5))."""


def forget_ipc(proc: int) -> None:
    """Take away all of it in the caller's IPC namespace. ``proc`` is a /proc that nobody can cover, as an open directory."""
    for kind in _SYSTEM_V:
        with contextlib.suppress(OSError):  # a kernel without it
            for number in _numbers(proc, kind):
                with contextlib.suppress(OSError):  # it has gone
                    sc.remove_ipc(kind, number)
    with contextlib.suppress(OSError):
        in_thread(_forget_queues)


def _numbers(proc: int, kind: str) -> list[int]:
    fd = os.open(f"sysvipc/{kind}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    with open(fd, encoding="ascii") as file:
        return [int(line.split()[1]) for line in file.readlines()[1:]]


def _forget_queues() -> None:
    """POSIX message queues are files of a file system of their own, which is seen only where it is mounted (mq_overview(7)): by this thread."""
    sc.unshare(sc.CLONE_FS | sc.CLONE_NEWNS)
    sc.mount(None, "/", None, sc.MS_REC | sc.MS_PRIVATE)
    sc.mount("mqueue", NETLESS, "mqueue", sc.MS_NOSUID | sc.MS_NODEV | sc.MS_NOEXEC)
    for name in os.listdir(NETLESS):
        with contextlib.suppress(OSError):
            os.unlink(f"{NETLESS}/{name}")
