"""The namespaces of a node as open files, for those who are to enter it (``enter``)."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType
from typing import Final

from .way import Way

_OF_THE_ROOM: Final = ("cgroup", "user", "pid")
"""One for all nodes of a lab."""
_OF_THE_NODE: Final = ("mnt", "net", "uts", "ipc")


class Spaces:
    """Open files of namespaces by kind, closed with the block."""

    def __init__(self, pid: int, outer: int) -> None:
        """Those of the process ``pid``, as numbered here. Raises FileNotFoundError or ProcessLookupError when it has ended.

        ``outer``: the user namespace around the room's, to which its cgroup namespace belongs (``boot``): the way goes through both.
        """
        self.files: dict[str, int] = {}
        try:
            self.files["outer"] = os.dup(outer)
            for kind in (*_OF_THE_ROOM, *_OF_THE_NODE):
                owner = "self" if kind in _OF_THE_ROOM else str(pid)
                with contextlib.suppress(FileNotFoundError) if kind == "cgroup" else contextlib.nullcontext():
                    self.files[kind] = os.open(f"/proc/{owner}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.close()
            raise

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
