"""Agents under somebody else's control that do not end when they are asked to. The room's argument says how they answer.

``ticks``     a line now and then, for ever
``floods``    lines without a pause
``no line``   bytes without an end of line
``agrees``    that it ends; it hangs up, and stays
``deaf``      not at all: it takes no caller in
``lingers``   hands over open files that nobody can close without waiting for them
``hides``     hands such files to its keeper, and gives its name away
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator

from netless_lab.protocol import VERSION
from netless_lab.sandbox.lines import HEADER, LAST
from netless_lab.sandbox.pid1 import Room

ENTRY = "hostile.helpers.stubborn:main"
_LINGER_S = 30000


def main(room: Room) -> None:
    """PID 1: take every caller, and stay."""
    _DRAGGING.extend(_dragging(6))
    room.ready()
    if room.argument == "hides":
        _hand_over(room.callers)
        os.write(room.words, HEADER.pack(LAST, 0))
        while True:
            time.sleep(1)
    while room.argument == "deaf":
        time.sleep(1)
    room.callers.setblocking(True)
    while True:
        message, files, _, _ = socket.recv_fds(room.callers, 1, 1)
        if files:
            threading.Thread(target=_serve, args=(socket.socket(fileno=files[0]), room), daemon=True).start()
        elif not message:
            time.sleep(1)


def _serve(caller: socket.socket, room: Room) -> None:
    with contextlib.suppress(OSError), caller:
        if room.argument == "lingers":
            for _ in range(3):  # at once: whoever is the last to close one waits, and that may be one of these
                threading.Thread(target=_hand_over, args=(caller,), daemon=True).start()
            time.sleep(1)
        caller.sendall(b'{"type":"hello","version":%d,"client":"agent","lab":"%b"}\n' % (VERSION, room.lab.encode()))
        caller.recv(9999)
        if room.argument == "agrees":
            caller.sendall(b'{"type":"done","id":1,"value":{"others":0}}\n')
            return
        while room.argument == "floods":
            caller.sendall(b'{"type":"notice","level":"info","text":"x"}\n' * 1000)
        while room.argument == "no line":
            caller.sendall(b"x" * (1 << 16))
        while True:
            caller.sendall(b"{}\n" if room.argument == "ticks" else b"")
            time.sleep(1)


def _dragging(many: int) -> Iterator[socket.socket]:
    """TCP connections whose last close waits until all is said (SO_LINGER, socket(7)), which never is: the link they went over is down."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for _ in range(many):
        listener = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(listener.getsockname())
        _KEPT.extend((listener, listener.accept()[0]))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, _LINGER_S))
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.send(b"x" * (1 << 16))
        yield client
    subprocess.run(["ip", "link", "set", "lo", "down"], check=True)


def _hand_over(to: socket.socket) -> None:
    """One of them."""
    own = _DRAGGING.pop()
    try:
        socket.send_fds(to, [b"\n"], [own.fileno()])
    except OSError:  # refused, and to close it would be ours
        _KEPT.append(own)
    else:
        own.close()


_DRAGGING: list[socket.socket] = []
_KEPT: list[socket.socket] = []
"""What must not be closed here."""
