"""The last output of a terminal in memory that two have in common: what is read is what was written, whoever was ended over it."""

from __future__ import annotations

import fcntl
import os
import random

import pytest

from netless_lab.sandbox import ring
from netless_lab.sandbox.ring import MEMORY, SIZE, Ring


class Cut(Exception):
    """Who wrote is no more."""


class Frail:
    """Memory of which the writer is ended after so many bytes have been laid down."""

    def __init__(self, bytes_left: int = 1 << 60) -> None:
        self.memory = bytearray(MEMORY)
        self.bytes_left = bytes_left

    def __getitem__(self, place: slice) -> bytes | bytearray:
        return self.memory[place]

    def __setitem__(self, place: slice, data: bytes) -> None:
        assert place.stop - place.start == len(data), "memory keeps its size"
        whole = place.stop <= 17  # a number is stored at once
        done = len(data) if self.bytes_left >= len(data) else 0 if whole else self.bytes_left
        self.memory[place.start : place.start + done] = data[:done]
        self.bytes_left -= done
        if done < len(data):
            raise Cut


def test_short_output_is_all_there() -> None:
    """What fits is read as it was written, and known to be the whole."""
    own = Ring(bytearray(MEMORY))
    assert own.read() == (b"", True)
    own.write(b"one ")
    own.write(b"")
    own.write(b"two")
    assert own.read() == (b"one two", True)


def test_of_a_long_output_the_last_part_is_there() -> None:
    """The oldest bytes make room, and it is known that there were some."""
    own = Ring(bytearray(MEMORY))
    own.write(b"a" * SIZE)
    assert own.read() == (b"a" * SIZE, True)
    own.write(b"b")
    assert own.read() == (b"a" * (SIZE - 1) + b"b", False)
    own.write(b"c" * (3 * SIZE) + b"d")
    assert own.read() == (b"c" * (SIZE - 1) + b"d", False)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_read_was_written_though_writers_end_in_the_middle(seed: int) -> None:
    """Any writes of any lengths, each by another who may be ended after any byte: what is read is the end of what was written whole. Nothing of
    it is lacking but what somebody was ended over, and as many of the oldest bytes as that may have been laid upon.
    """
    chance = random.Random(seed)
    memory = Frail()
    told, begun = b"", 0
    for _ in range(chance.randrange(2, 14)):
        size = chance.choice((0, 1, 7, 4096, SIZE - 1, SIZE, chance.randrange(SIZE)))
        data = chance.randbytes(size)
        memory.bytes_left = chance.choice((1 << 60, chance.randrange(size + 16)))
        begun = max(begun, len(told) + (size if size and memory.bytes_left >= 8 else 0))
        try:
            Ring(memory).write(data)
            told += data
        except Cut:
            pass
        read, whole = Ring(memory).read()
        assert read == told[max(0, begun - SIZE) :]
        assert whole == (begun <= SIZE)


@pytest.mark.parametrize("left", range(20))
def test_a_state_is_there_whole_or_not_at_all(left: int) -> None:
    """Whoever is ended while he notes it leaves the one before, none, or his own."""
    memory = Frail()
    Ring(memory).note(b"before")
    assert Ring(memory).noted() == b"before"
    memory.bytes_left = left
    try:
        Ring(memory).note(b"after it")
    except Cut:
        assert Ring(memory).noted() in (b"before", b"")
    else:
        assert Ring(memory).noted() == b"after it"
    memory.bytes_left = 1 << 60
    Ring(memory).note(b"x" * ring.STATE_MOST)
    assert Ring(memory).noted() == b"x" * ring.STATE_MOST and Ring(memory).read() == (b"", True)
    Ring(memory).note(b"x" * (ring.STATE_MOST + 1))
    assert Ring(memory).noted() == b""


@pytest.mark.parametrize("seed", range(20))
def test_any_memory_can_be_read_and_written(seed: int) -> None:
    """Whatever lies there, reading answers some bytes of it, and what is written then is read."""
    chance = random.Random(seed)
    memory = bytearray(chance.randbytes(MEMORY))
    memory[:16] = chance.choice((chance.randbytes(16), b"\0" * 16, b"\xff" * 16, (1 << 63).to_bytes(8, "little") * 2, chance.randbytes(2) + b"\0" * 14))
    own = Ring(memory)
    assert len(own.read()[0]) <= SIZE and len(own.noted()) <= ring.STATE_MOST
    own.write(b"hello")
    assert own.read()[0].endswith(b"hello")
    assert len(memory) == MEMORY


def test_only_sealed_memory_of_its_size_is_mapped() -> None:
    """A file that may become shorter would end whoever has mapped it (SIGBUS); one that cannot be written is no use."""
    made = ring.new()
    unsealed = os.memfd_create("unsealed", os.MFD_ALLOW_SEALING)
    os.ftruncate(unsealed, MEMORY)
    short = os.memfd_create("short", os.MFD_ALLOW_SEALING)
    fcntl.fcntl(short, fcntl.F_ADD_SEALS, ring.SEALS)
    unwritten = os.memfd_create("unwritten", os.MFD_ALLOW_SEALING)
    os.ftruncate(unwritten, MEMORY)
    fcntl.fcntl(unwritten, fcntl.F_ADD_SEALS, ring.SEALS | fcntl.F_SEAL_WRITE)
    null, (out, into) = os.open("/dev/null", os.O_RDWR), os.pipe()
    try:
        Ring(ring.mapped(made)).write(b"here")
        assert Ring(ring.mapped(made)).read() == (b"here", True), "two have the same memory"
        with pytest.raises(OSError):
            os.ftruncate(made, 0)
        for wrong in (unsealed, short, unwritten, null, out):
            with pytest.raises((OSError, ValueError)):
                ring.mapped(wrong)
    finally:
        for fd in (made, unsealed, short, unwritten, null, out, into):
            os.close(fd)
