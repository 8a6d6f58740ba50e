"""DNS messages, as much as a question for an address needs (RFC 1035; RFC 3596 for IPv6)."""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("!HHHHHH")
_RECURSION_DESIRED: Final = 0x0100
_RESPONSE: Final = 0x8000
A, AAAA = 1, 28
"""Record types: an IPv4, and an IPv6 address."""
_CLASS_IN = 1
_FAMILIES: Final = {(A, 4): socket.AF_INET, (AAAA, 16): socket.AF_INET6}
"""By record type and size."""
_LONGEST_LABEL, _LONGEST_NAME = 63, 253
NO_ERROR, NAME_ERROR = 0, 3
CODES: Final = {1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented", 5: "refused"}
"""RCODE, section 4.1.1."""


class Answer(NamedTuple):
    """What a server said: its code, and the addresses it gave."""

    code: int
    addresses: tuple[str, ...]


def question(ident: int, name: str, kind: int = A) -> bytes:
    """A query for the records of ``kind`` of ``name``. Raises ValueError when it cannot be a domain name."""
    labels = name.rstrip(".").split(".")
    try:
        encoded = [label.encode("ascii") if label.isascii() else label.encode("idna") for label in labels]
    except UnicodeError as error:
        raise ValueError(f"{name!r} cannot be a domain name: {error}") from error
    if any(not 0 < len(label) <= _LONGEST_LABEL for label in encoded) or sum(len(label) + 1 for label in encoded) > _LONGEST_NAME:
        raise ValueError(f"{name!r} cannot be a domain name: its parts have 1 to {_LONGEST_LABEL} letters, {_LONGEST_NAME} in all")
    packed = b"".join(bytes([len(label)]) + label for label in encoded) + b"\0"
    return _HEADER.pack(ident, _RECURSION_DESIRED, 1, 0, 0, 0) + packed + struct.pack("!HH", kind, _CLASS_IN)


def parse(data: bytes, asked: bytes) -> Answer | None:
    """The answer to the query ``asked``; None when ``data`` is not one: another id, another question, cut short, or no DNS at all."""
    try:
        ident, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
        if ident != _HEADER.unpack_from(asked)[0] or not flags & _RESPONSE or questions > 1:
            return None
        at = _HEADER.size
        if questions:
            if data[at : len(asked)].lower() != asked[at:].lower():
                return None
            at = len(asked)
        addresses = []
        for _ in range(answers):
            at = _skip_name(data, at)
            kind, _, _, size = struct.unpack_from("!HHIH", data, at)
            at += 10
            if at + size > len(data):
                return None
            if (kind, size) in _FAMILIES:
                addresses.append(socket.inet_ntop(_FAMILIES[kind, size], data[at : at + size]))
            at += size
        return Answer(flags & 0x0F, tuple(addresses))
    except (struct.error, IndexError, OSError):
        return None


def _skip_name(data: bytes, at: int) -> int:
    """Where the name at ``at`` ends: at its zero byte, or at a pointer (4.1.4)."""
    while True:
        length = data[at]
        if length >= 0xC0:
            return at + 2
        if length == 0:
            return at + 1
        at += length + 1
