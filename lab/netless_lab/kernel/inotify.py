"""Names that come and go in a directory (inotify(7)), for which Python has no module of its own; hence ctypes."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

CREATE, DELETE, MOVED_FROM, MOVED_TO = 0x100, 0x200, 0x40, 0x80
OVERFLOW: Final = -1
"""In place of a watch's number: more happened than the kernel keeps, and of what came after nothing is told."""
NAMES: Final = CREATE | DELETE | MOVED_FROM | MOVED_TO
_IGNORED: Final = 0x8000
_EVENT: Final = struct.Struct("=iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """Something happened to ``name`` in the directory that ``watch`` stands for; ``lost``: the directory itself is gone."""

    watch: int
    name: str
    lost: bool


class Inotify:
    """One inotify descriptor, non-blocking."""

    def __init__(self) -> None:
        """Raises OSError (EMFILE) when this user has no more of them."""
        self._fd: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), f"no inotify: {os.strerror(ctypes.get_errno())}")

    def fileno(self) -> int:
        """For the event loop."""
        return self._fd

    def close(self) -> None:
        """Stop watching."""
        os.close(self._fd)

    def watch(self, directory: str, mask: int = NAMES) -> int | None:
        """Hear of ``directory`` from now on; its number in events, None when there is no such directory. Harmless when repeated."""
        number: int = _libc.inotify_add_watch(self._fd, os.fsencode(directory), mask)
        return None if number < 0 else number

    def read(self) -> Iterator[Event]:
        """Everything that happened since the last read."""
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return
        at = 0
        while at + _EVENT.size <= len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            yield Event(watch, data[at : at + length].split(b"\0", 1)[0].decode("utf-8", "replace"), bool(mask & _IGNORED))
            at += length
