"""An agent that takes names of the machine's with the sockets that lead to its keeper, and tells in its log that it has tried."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time

from netless_lab.sandbox.pid1 import Room

ENTRY = "hostile.helpers.namer:main"
NAME = "netless/0/taken"


def main(room: Room) -> None:
    """PID 1: tries each socket that it has, then stays."""
    for fd in range(3, 64):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as own:
            own.bind(f"\0{NAME}-{fd}")
    print("tried", file=sys.stderr, flush=True)
    room.ready()
    while True:
        time.sleep(1)
