"""An agent that has its keeper write all the time, as much as it can: large things that differ, or things that cannot be kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from netless_lab.sandbox.lines import HEADER, KEEP, LAST, MOST
from netless_lab.sandbox.pid1 import Room

ENTRY = "hostile.helpers.filler:main"
SAVER = "hostile.helpers.filler:saver"
MANY = 12


def main(room: Room) -> None:
    """PID 1: a thing to be kept, and another when the keeper has had time to write it; then the end."""
    room.ready()
    os.set_blocking(room.words, True)
    if room.argument == "last words":
        for data in (b"first", b"last"):
            time.sleep(0.03)  # the second comes when the first is written, and before the next may be (``keeper.WRITINGS_APART_S``)
            _write(room.words, HEADER.pack(KEEP, len(data)) + data)
        _write(room.words, HEADER.pack(LAST, 0))
        time.sleep(1000)
    for number in range(MANY):
        data = bytes([number]) * MOST
        _write(room.words, HEADER.pack(KEEP, len(data)) + data)
        time.sleep(0.12)
    _write(room.words, HEADER.pack(LAST, 0))


def saver(folder: str) -> Callable[[bytes], None]:
    """Outside: one line for each writing; ValueError in a folder that is called so."""

    def save(data: bytes) -> None:
        with open(Path(folder, "kept"), "a", encoding="ascii") as file:
            file.write(f"{len(data)} bytes from {data[:5]!r} on\n")
        if folder.endswith("refused"):
            raise ValueError("this is no progress")

    return save


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
