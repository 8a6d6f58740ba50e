"""An agent that says it ends, so that nobody finds its lab any more, and does not."""

from __future__ import annotations

import os
import time

from netless_lab.sandbox.boot import Room
from netless_lab.sandbox.keeper import HEADER, LAST

ENTRY = "hostile.helpers.hider:main"


def main(room: Room) -> None:
    """PID 1: says so twice, and stays."""
    room.ready()
    for _ in range(2):
        os.write(room.words, HEADER.pack(LAST, 0))
    while True:
        time.sleep(1)
