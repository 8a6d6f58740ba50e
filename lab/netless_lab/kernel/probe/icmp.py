"""The two kinds of ICMP echo: what a request looks like, how its socket is set up, and how an answer is read (RFC 792, RFC 4443)."""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple, Protocol

from ...model.probe import Ping
from ..namespace import Namespace, socket_in
from . import errors
from .size import filler, say_whether_to_cut

_HEADER: Final = struct.Struct("!BBHHH")
_RAW: Final = socket.SOCK_RAW | socket.SOCK_NONBLOCK
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("=qq")
_SOL_RAW, _ICMP_FILTER = 255, 1
_ICMP6_FILTER: Final = 1

Ancillary = list[tuple[int, int, bytes]]


class Reply(NamedTuple):
    """An answer: the id of the request it answers, and how many hops it could still have gone."""

    ident: int
    ttl: int


class Voice(Protocol):
    """One of the two kinds."""

    def open(self, namespace: Namespace, probe: Ping) -> socket.socket:
        """A socket in ``namespace`` that hears echo replies and errors only, with the time at which each came."""

    def request(self, ident: int, sequence: int, size: int) -> bytes:
        """An echo request with ``size`` bytes of data."""

    def reply(self, data: bytes, ancillary: Ancillary) -> Reply | None:
        """What was received as an answer; None when it is none."""


class Icmp4:
    """ICMP echo over IPv4."""

    def open(self, namespace: Namespace, probe: Ping) -> socket.socket:
        """As ``Voice``."""
        opened = socket_in(namespace, socket.AF_INET, _RAW, socket.IPPROTO_ICMP)
        try:
            _prepare(opened, probe)
            opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~(1 << 0) & 0xFFFFFFFF))
            if probe.ttl is not None:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe.ttl)
        except OSError:
            opened.close()
            raise
        return opened

    def request(self, ident: int, sequence: int, size: int) -> bytes:
        """As ``Voice``."""
        data = filler(size)
        blank = _HEADER.pack(8, 0, 0, ident, sequence & 0xFFFF) + data
        return _HEADER.pack(8, 0, _checksum(blank), ident, sequence & 0xFFFF) + data

    def reply(self, data: bytes, ancillary: Ancillary) -> Reply | None:
        """As ``Voice``: a raw IPv4 socket receives the IP header as well (raw(7))."""
        start = (data[0] & 0x0F) * 4 if data else 0
        if len(data) < start + _HEADER.size:
            return None
        kind, _, _, ident, _ = _HEADER.unpack_from(data, start)
        return Reply(ident, data[8]) if kind == 0 else None


class Icmp6:
    """ICMP echo over IPv6. The kernel fills the checksum in, and hands out no IP header (RFC 3542, section 3)."""

    def open(self, namespace: Namespace, probe: Ping) -> socket.socket:
        """As ``Voice``."""
        opened = socket_in(namespace, socket.AF_INET6, _RAW, socket.IPPROTO_ICMPV6)
        try:
            _prepare(opened, probe)
            passing = [0xFFFFFFFF] * 8
            passing[129 // 32] &= ~(1 << 129 % 32)
            opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *passing))
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            if probe.ttl is not None:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, probe.ttl)
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, probe.ttl)
        except OSError:
            opened.close()
            raise
        return opened

    def request(self, ident: int, sequence: int, size: int) -> bytes:
        """As ``Voice``."""
        return _HEADER.pack(128, 0, 0, ident, sequence & 0xFFFF) + filler(size)

    def reply(self, data: bytes, ancillary: Ancillary) -> Reply | None:
        """As ``Voice``."""
        if len(data) < _HEADER.size:
            return None
        kind, _, _, ident, _ = _HEADER.unpack_from(data)
        hops = next((payload for level, number, payload in ancillary if (level, number) == _HOPLIMIT), b"")
        return Reply(ident, struct.unpack("=i", hops)[0] if len(hops) == 4 else 0) if kind == 129 else None


_HOPLIMIT: Final = (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)
VOICES: Final[dict[int, Voice]] = {socket.AF_INET: Icmp4(), socket.AF_INET6: Icmp6()}
"""By family."""


def came_at(ancillary: Ancillary) -> int | None:
    """When the kernel received the packet, in nanoseconds since the epoch (SO_TIMESTAMPNS, socket(7))."""
    for level, number, payload in ancillary:
        if (level, number) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack_from(payload)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def _prepare(opened: socket.socket, probe: Ping) -> None:
    errors.watch_errors(opened)
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    say_whether_to_cut(opened, dont_fragment=probe.dont_fragment)


def _checksum(data: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
