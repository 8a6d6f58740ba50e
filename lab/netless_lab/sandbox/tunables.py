"""Settings of the room that are no network's: what its user namespace may have, what its queues and its shared memory may hold,
how many processes it may have.

Root inside may write them (sysctl(8)), and a lab in which no namespace may be made could not even start over.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from typing import Final

_FOLDERS: Final = ("sys/user", "sys/fs/mqueue")
_FILES: Final = (
    "msgmax", "msgmnb", "msgmni", "auto_msgmni", "msg_next_id", "sem", "sem_next_id", "shmall", "shmmax", "shmmni",
    "shm_next_id", "shm_rmid_forced",
)  # fmt: skip
"""Below /proc/sys/kernel, those that belong to an IPC namespace (ipc_namespaces(7))."""
_PID_MAX: Final = "sys/kernel/pid_max"
"""Of a pid namespace since Linux 6.14; before that it is the machine's, and nobody in a room may write it."""


class Tunables:
    """As they were when it was made, in the caller's namespaces."""

    def __init__(self, proc: int) -> None:
        """``proc`` is a /proc that nobody can cover, as an open directory. A kernel may lack some, and some may not be for this user."""
        self._proc = proc
        self._values: dict[str, bytes] = {}
        names = [*(f"{folder}/{name}" for folder in _FOLDERS for name in self._listed(folder)), *(f"sys/kernel/{name}" for name in _FILES), _PID_MAX]
        for name in names:
            with contextlib.suppress(OSError):
                self._values[name] = self._open_and_read(name)

    def have_room(self) -> None:
        """As many processes may run as at the beginning, whoever said otherwise since."""
        self.put_back((_PID_MAX,))

    def put_back(self, names: Collection[str] = ()) -> None:
        """Write those that differ, of these or of all."""
        for name, value in self._values.items():
            if names and name not in names:
                continue
            with contextlib.suppress(OSError):
                if self._open_and_read(name) != value:
                    self._write(name, value)

    def _listed(self, folder: str) -> list[str]:
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._proc)
        except OSError:
            return []
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def _open_and_read(self, name: str) -> bytes:
        """Only what may be written too counts."""
        fd = os.open(name, os.O_RDWR | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            return os.read(fd, 4096)
        finally:
            os.close(fd)

    def _write(self, name: str, value: bytes) -> None:
        fd = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            os.write(fd, value)
        finally:
            os.close(fd)
