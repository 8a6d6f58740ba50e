"""A live agent's socket: every line is answered, in words when it is none; a conversation ends only after saying why."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from fuzz.mutate import SPLINTERS, mutated
from fuzz.target import Check, Given, Target
from netless_lab import labs
from netless_lab.address import socket_name
from netless_lab.protocol import VERSION
from netless_lab.sandbox import way

FIRST, LATER, WAY = "a first line", "lines after the greeting", "a line that asks for a node"
_REQUESTS: tuple[dict[str, Any], ...] = (
    {"type": "getstatus"}, {"type": "getsnapshot"}, {"type": "getcourses"}, {"type": "subscribe"}, {"type": "check"}, {"type": "hint", "rung": 0},
    {"type": "enter", "node": "host"}, {"type": "setdialect", "dialect": "ip"}, {"type": "whatgoes", "scope": "step"},
    {"type": "sendprobe", "probe": {"type": "ping", "source": "host", "target": "127.0.0.1"}}, {"type": "goto", "target": "nowhere"},
    {"type": "play", "on": False}, {"type": "gethistory"}, {"type": "follow", "on": True}, {"type": "getfaults"}, {"type": "getjourneys"},
    {"type": "break", "fault": "no-such", "node": "c1"}, {"type": "getpacket", "journey": 1, "hop": 0}, {"type": "getcapture", "journey": None},
    {"type": "getprogress", "on": None, "text": "a" * 100}, {"type": "run", "target": "no-such"},
)  # fmt: skip
_WHOLE = re.compile(rb"down|leave|prove|hello", re.IGNORECASE)
"""What would end the lab, take minutes, or (a second hello) goes without an answer."""
_SILENCE_S = 30.0
_OUR_FAULT = "netless failed in a way it should not"


def make(dice: Random) -> Given:
    """One first line, or a dozen lines after the greeting."""
    match dice.randrange(4):
        case 0:
            hello = json.dumps({"type": "hello", "version": dice.choice((VERSION, 1, 999))}).encode()
            return Given(mutated(hello, dice).replace(b"\n", b" "), FIRST)
        case 1:
            return Given(mutated(way.request(dice.choice(("host", "c1", "internet", "nowhere"))), dice, (*SPLINTERS, b"\0", b"\0\0"), 3), WAY)
        case _:
            return Given(b"\n".join(_line(dice) for _ in range(dice.randint(1, 12))), LATER)


def _line(dice: Random) -> bytes:
    request = {**dice.choice(_REQUESTS), "id": dice.choice((1, 2, 0, -5, 1 << 40))}
    line = json.dumps(request).encode()
    kind = dice.randrange(10)
    if kind == 0:
        line = dice.randbytes(dice.randint(1, 200))
    elif kind > 2:
        line = mutated(line, dice, most=3)
    return _WHOLE.sub(b"x", line.replace(b"\n", b" "))


@contextmanager
def opened() -> Iterator[Check]:
    """With a lab of its own."""
    lab = f"fuzz-{uuid.uuid4().hex[:10]}"
    labs.start(lab, keep_progress=False).close()

    def check(given: Given) -> None:
        with socket.socket(socket.AF_UNIX) as sock:  # one that takes files, as who enters has it
            sock.connect(socket_name(lab, os.geteuid()))
            sock.settimeout(_SILENCE_S)
            match given.what:
                case "a first line":
                    _answered_at_first(sock, given.data)
                case "a line that asks for a node":
                    _shown_or_refused(sock, given.data)
                case _:
                    _each_answered(sock, _WHOLE.sub(b"x", given.data))

    try:
        yield check
    finally:
        labs.end(lab)


def _answered_at_first(sock: socket.socket, line: bytes) -> None:
    """One line in, at least one line out."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(line.replace(b"\n", b" ") + b"\n")
    with sock.makefile("rb") as lines:
        said = json.loads(lines.readline())
    assert said["type"] in ("hello", "failed") and (said["type"] == "hello" or said["text"])


def _shown_or_refused(sock: socket.socket, data: bytes) -> None:
    line = data.split(b"\n")[0] + b"\n"
    if not way.is_request(line):
        _answered_at_first(sock, line)
        return
    sock.sendall(line)
    with contextlib.suppress(way.NotThere):
        for handle in way.receive(sock)[1]:
            os.close(handle)


def _each_answered(sock: socket.socket, data: bytes) -> None:
    """As many replies as lines, whatever else is told meanwhile."""
    wanted = len(data.split(b"\n"))
    hello = json.dumps({"type": "hello", "version": VERSION, "client": "fuzz"}).encode()
    sock.sendall(hello + b"\n" + data + b"\n")
    with sock.makefile("rb") as lines:
        assert json.loads(lines.readline())["type"] == "hello"
        while wanted:
            line = lines.readline()
            assert line, f"hung up with {wanted} lines unanswered"
            said = json.loads(line)
            if said["type"] in ("done", "failed"):
                wanted -= 1
                assert _OUR_FAULT not in said.get("text", ""), said["text"]


TARGET = Target("protocol", make, opened)
