"""The part of the protocol that is the same in every version, for ever: how a lab is ended, whatever has been installed since it was started.

A client of any version may send ``{"type":"hello","version":N}`` and ``{"type":"down","id":M}`` at once, and reads until the agent hangs up.
The agent ends the lab after ``{"type":"done","id":M,"value":{"others":O}}``, where O clients more were connected. All it says to another
version before that is ``failed``, with a ``text``; whatever else such a client asks for goes unanswered. All lines may have further
keys. What follows knows no more than this.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import msgspec

from .documents import read_json

if TYPE_CHECKING:
    import socket

PATIENCE_S: Final = 5.0
"""How long an agent may be silent while it is to end its lab."""


class Opening(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first line of a client."""

    version: int


class Ending(msgspec.Struct, frozen=True, tag_field="type", tag="down"):
    """The request to end the lab."""

    id: int


class Others(msgspec.Struct, frozen=True):
    """How many clients more were connected when the lab was ended."""

    others: int = 0


class Agreement(msgspec.Struct, frozen=True, tag_field="type", tag="done"):
    """The answer to it."""

    id: int
    value: Others | None = None


_opening = msgspec.json.Decoder(Opening)
_ending = msgspec.json.Decoder(Ending)
_agreement = msgspec.json.Decoder(Agreement)


def version(line: bytes) -> int:
    """The version in a client's first line. Raises msgspec.MsgspecError in words when it is no hello."""
    return read_json(line, _opening).version


def asked(line: bytes) -> int | None:
    """The id of the request when a line of a client of another version asks for the lab's end, None when it asks for anything else."""
    try:
        return read_json(line, _ending).id
    except msgspec.MsgspecError:
        return None


def ask(sock: socket.socket, version: int) -> int | None:
    """Ask for the end on a connection on which nothing was said yet, and wait until the agent has hung up.

    How many others were connected; None when it did not agree, or has not hung up within ``PATIENCE_S``: an agent older than this
    hangs up without having read the request.
    """
    others: int | None = None
    sock.settimeout(PATIENCE_S)
    try:
        sock.sendall(b"".join(msgspec.json.encode(line) + b"\n" for line in (Opening(version), Ending(1))))
        with sock.makefile("rb") as lines:
            for line in lines:
                with contextlib.suppress(msgspec.MsgspecError):
                    said = read_json(line, _agreement).value
                    others = said.others if said else 0
    except OSError:
        return None
    return others
