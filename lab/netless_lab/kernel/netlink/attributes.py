"""Netlink attributes: the type-length-value triples that every netlink message is made of (include/uapi/linux/netlink.h).

Header 4 bytes (length, type; host byte order), payload, padding to 4. The two top bits of the type are flags, not part of it.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

_HEADER = struct.Struct("=HH")
_NUMBER = struct.Struct("=HHI")
_TYPE_MASK = 0x3FFF
NESTED = 0x8000
"""NLA_F_NESTED, set on an attribute that holds attributes."""


def attributes(data: bytes, start: int = 0, end: int | None = None) -> dict[int, bytes]:
    """The attributes in ``data[start:end]`` by type; of a type that comes twice the last one stays (see ``each``)."""
    found: dict[int, bytes] = {}
    stop = len(data) if end is None else end
    unpack = _HEADER.unpack_from
    while start + 4 <= stop:
        length, kind = unpack(data, start)
        if length < 4:
            break
        found[kind & _TYPE_MASK] = data[start + 4 : start + length]
        start += (length + 3) & ~3
    return found


def each(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The attributes of ``data`` one by one, for lists in which a type repeats."""
    while start + 4 <= len(data):
        length, kind = _HEADER.unpack_from(data, start)
        if length < 4:
            return
        yield kind & _TYPE_MASK, data[start + 4 : start + length]
        start += (length + 3) & ~3


def attribute(kind: int, payload: bytes = b"") -> bytes:
    """One attribute, padded."""
    return _HEADER.pack(4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def nest(kind: int, *parts: bytes) -> bytes:
    """An attribute that holds ``parts``."""
    return attribute(kind | NESTED, b"".join(parts))


def number(kind: int, value: int) -> bytes:
    """A 32 bit attribute in host byte order."""
    return _NUMBER.pack(8, kind, value)


def string(kind: int, value: str) -> bytes:
    """A C string attribute."""
    return attribute(kind, value.encode() + b"\0")


def text(payload: bytes) -> str:
    """A C string. Bytes that are not UTF-8 become question marks: a name must never stop a snapshot."""
    return payload.split(b"\0", 1)[0].decode("utf-8", "replace")


def native(payload: bytes) -> int:
    """An unsigned integer in host byte order, of any width."""
    return int.from_bytes(payload, sys.byteorder)


def native_signed(payload: bytes) -> int:
    """A signed integer in host byte order."""
    return int.from_bytes(payload, sys.byteorder, signed=True)


def mac(payload: bytes) -> str:
    """A hardware address as lower case hex with colons, of any length."""
    return payload.hex(":")


def ip(payload: bytes) -> str:
    """4 bytes as an IPv4, 16 as an IPv6 address; anything else as hex, because a picture with a strange word beats no picture."""
    if len(payload) == 4:
        return socket.inet_ntop(socket.AF_INET, payload)
    if len(payload) == 16:
        return socket.inet_ntop(socket.AF_INET6, payload)
    return payload.hex()


def family_and_bytes(address: str) -> tuple[int, bytes]:
    """AF_INET or AF_INET6, and the address as it travels. Raises OSError for what is no address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)
