"""The last output of a terminal, in memory that whoever is at it and whoever keeps it have in common: one writes at a time, and any may end at any moment.

    bytes 0-7     how many bytes were ever written, or are being written now
    bytes 8-15    how many were ever written
    byte 16       how many bytes the state has
    bytes 17-127  the state: what whoever wrote last notes of all that was written, for when its beginning is there no more
    bytes 128-    ``SIZE`` bytes: the one with the number N (the first is 0) lies at N modulo ``SIZE``

The first number is raised before bytes are laid down and the second after it, so what somebody was killed over is never read; a state has
no length while it is laid down. Whoever reads believes nothing that lies there: it may be anything.

The memory is sealed (memfd_create(2), "File sealing"): it keeps its size, so who has mapped it is not killed for what the other does.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from typing import Final, Protocol

SIZE: Final = 1 << 18
"""Bytes of output: more than the rows that a terminal of the tutor keeps above its screen hold."""
_NUMBER: Final = struct.Struct("=Q")
_MOST: Final = 1 << 62
_BEGUN: Final = slice(0, 8)
_WRITTEN: Final = slice(8, 16)
_LENGTH: Final = slice(16, 17)
_STATE: Final = 17
_DATA: Final = 128
STATE_MOST: Final = _DATA - _STATE
MEMORY: Final = _DATA + SIZE
SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class Memory(Protocol):
    """Bytes that are written and read by slices, as those of a mapping."""

    def __getitem__(self, place: slice, /) -> bytes | bytearray:
        """What lies there."""

    def __setitem__(self, place: slice, data: bytes, /) -> None:
        """Lay as many bytes there."""


def new() -> int:
    """Memory for a ring, empty, as an open file. Raises OSError."""
    memory = os.memfd_create("netless-terminal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(memory, MEMORY)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, SEALS)
    except OSError:
        os.close(memory)
        raise
    return memory


def mapped(memory: int) -> mmap.mmap:
    """An open file as memory for a ring. Raises OSError, ValueError when it is none: it could lose its size, or has another."""
    seals = fcntl.fcntl(memory, fcntl.F_GET_SEALS)
    if seals & SEALS != SEALS or seals & fcntl.F_SEAL_WRITE or os.fstat(memory).st_size != MEMORY:
        raise ValueError("this is no memory for a terminal's output")
    return mmap.mmap(memory, MEMORY)


class Ring:
    """Writes into such memory and reads it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def write(self, data: bytes) -> None:
        """Keep these bytes; the oldest make room."""
        for start in range(0, len(data), SIZE):
            self._write(data[start : start + SIZE])

    def note(self, state: bytes) -> None:
        """Keep this state; one that is too long is none."""
        state = state if len(state) <= STATE_MOST else b""
        self._memory[_LENGTH] = b"\0"
        self._memory[_STATE : _STATE + len(state)] = state
        self._memory[_LENGTH] = bytes((len(state),))

    def noted(self) -> bytes:
        """The state that was noted last."""
        return bytes(self._memory[_STATE : _STATE + min(self._memory[_LENGTH][0], STATE_MOST)])

    def _write(self, data: bytes) -> None:
        begun, written = self._numbers()
        end, place = written + len(data), written % SIZE
        self._memory[_BEGUN] = _NUMBER.pack(max(begun, end))
        first = data[: SIZE - place]
        self._memory[_DATA + place : _DATA + place + len(first)] = first
        if rest := data[len(first) :]:
            self._memory[_DATA : _DATA + len(rest)] = rest
        self._memory[_WRITTEN] = _NUMBER.pack(end)

    def read(self) -> tuple[bytes, bool]:
        """What was written last, and whether that is all there ever was."""
        begun, written = self._numbers()
        first = min(max(0, begun - SIZE), written)
        begin, end = first % SIZE, first % SIZE + written - first
        data = self._memory[_DATA + begin : _DATA + min(end, SIZE)] + self._memory[_DATA : _DATA + max(0, end - SIZE)]
        return bytes(data), first == 0

    def _numbers(self) -> tuple[int, int]:
        """What is no pair of such numbers counts as nothing written."""
        (begun,), (written,) = _NUMBER.unpack(self._memory[_BEGUN]), _NUMBER.unpack(self._memory[_WRITTEN])
        return (begun, written) if written <= begun <= min(written + SIZE, _MOST) else (0, 0)
