"""The namespaces of a node as open files, for those who are to enter it (``enter``)."""

from __future__ import annotations

import contextlib
import errno
import os
from types import TracebackType
from typing import Final

from .way import Way

_OF_THE_ROOM: Final = ("cgroup", "user", "pid")
"""One for all nodes of a lab."""
_OF_THE_NODE: Final = ("mnt", "net", "uts", "ipc")


class Spaces:
    """Open files of namespaces by kind, closed with the block."""

    def __init__(self, pid: int, netns: int, outer: int) -> None:
        """Those of the process ``pid``, as numbered here, that lives in the network namespace with the inode ``netns``. Raises FileNotFoundError
        or ProcessLookupError when it has ended, whoever has its number now.

        ``outer``: the user namespace around the room's, to which its cgroup namespace belongs (``pid1``): the way goes through both.
        """
        self.files: dict[str, int] = {}
        process = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # no other's, whatever becomes of the number
        try:
            self.files["outer"] = os.dup(outer)
            for kind in _OF_THE_ROOM:
                with contextlib.suppress(FileNotFoundError) if kind == "cgroup" else contextlib.nullcontext():
                    self.files[kind] = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
            for kind in _OF_THE_NODE:
                self.files[kind] = os.open(f"ns/{kind}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
            if os.fstat(self.files["net"]).st_ino != netns:
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        except OSError:
            self.close()
            raise
        finally:
            os.close(process)

    def __enter__(self) -> Spaces:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all."""
        while self.files:
            os.close(self.files.popitem()[1])


class WayInto:
    """What is told and what is handed to somebody who enters a node; the files are closed with the block."""

    def __init__(self, told: Way, spaces: Spaces) -> None:
        self.told = told
        self._spaces = spaces

    @property
    def files(self) -> tuple[int, ...]:
        """One for each of ``told.kinds``."""
        return tuple(self._spaces.files[kind] for kind in self.told.kinds)

    def __enter__(self) -> WayInto:
        return self

    def __exit__(self, *exc: object) -> None:
        self._spaces.close()
