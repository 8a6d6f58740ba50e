"""The ring that the drop-reason program of ``sandbox/drops`` writes to: memory shared with the kernel (Documentation/bpf/ringbuf.rst).

Whoever holds the open file may read it; no right is needed.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...model.journeys.decode import decode
from ...model.journeys.packet import Packet

_POSITION: Final = struct.Struct("<Q")
_LENGTH: Final = struct.Struct("<I")
_BUSY, _DISCARDED, _SIZE = 1 << 31, 1 << 30, (1 << 30) - 1
_RECORD_HEADER: Final = 8


class Dropped(NamedTuple):
    """One packet the kernel threw away. ``reason`` is a number of this kernel; ``at_ns`` counts from boot (CLOCK_MONOTONIC)."""

    at_ns: int
    reason: int
    netns: int
    link: str
    function: str
    packet: Packet


class DropRing:
    """Reads the ring behind ``fd``, which stays the caller's own. One reader only: what was taken is gone."""

    def __init__(self, fd: int, size: int, layout: str) -> None:
        """``layout`` (struct) is that of the program's record. Raises OSError or ValueError when ``fd`` is no such ring."""
        page = mmap.PAGESIZE
        self._record = struct.Struct(layout)
        self._size = size
        self._read_at = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0)
        self._memory = mmap.mmap(fd, page + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)

    def close(self) -> None:
        """Unmap."""
        self._read_at.close()
        self._memory.close()

    def take(self) -> Iterator[Dropped]:
        """Every record that is there, oldest first."""
        (at,) = _POSITION.unpack_from(self._read_at)
        while at < _POSITION.unpack_from(self._memory)[0]:
            start = mmap.PAGESIZE + (at & (self._size - 1))
            (length,) = _LENGTH.unpack_from(self._memory, start)
            if length & _BUSY:
                return
            data = self._memory[start + _RECORD_HEADER : start + _RECORD_HEADER + (length & _SIZE)]
            at += ((length & _SIZE) + _RECORD_HEADER + 7) & ~7
            _POSITION.pack_into(self._read_at, 0, at)
            if not length & _DISCARDED and len(data) >= self._record.size:
                yield _dropped(*self._record.unpack_from(data))


def _dropped(
    at_ns: int, reason: int, netns: int, _ifindex: int, protocol: int, link: bytes, function: bytes, packet: bytes
) -> Dropped:
    frame = bytes(12) + struct.pack("=H", protocol) + packet
    return Dropped(at_ns, reason, netns, _text(link), _text(function), decode(frame))


def _text(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("ascii", "replace")

