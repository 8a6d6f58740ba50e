"""Bytes into a ``Packet``, by struct alone: a few microseconds a frame, and never an exception, however broken the frame.

Sources: IEEE 802.3 and 802.1Q; RFC 826 (ARP), 791 (IPv4), 792 (ICMP), 8200 (IPv6), 4443 and 4861 (ICMPv6, neighbour discovery), 9293
(TCP), 768 (UDP), 7348 (VXLAN).
"""

from __future__ import annotations

import struct
from typing import Final

from .packet import ICMP, ICMP6, TCP, UDP, VXLAN_PORTS, Kind, Packet, ip4, ip6

_ETHERNET: Final = struct.Struct("!6s6sH").unpack_from
_VLAN: Final = struct.Struct("!HH").unpack_from
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s").unpack_from
_IP4: Final = struct.Struct("!BBHHHBBH4s4s").unpack_from
_IP6: Final = struct.Struct("!IHBB16s16s").unpack_from
_ICMP: Final = struct.Struct("!BBHHH").unpack_from
_PORTS: Final = struct.Struct("!HH").unpack_from
_TCP: Final = struct.Struct("!HHIIBB").unpack_from
_UDP: Final = struct.Struct("!HHHH").unpack_from
_EXTENSION: Final = struct.Struct("!BBHI").unpack_from

_VLAN_TYPES: Final = frozenset({0x8100, 0x88A8})
_ARP_TYPE, _IP4_TYPE, _IP6_TYPE = 0x0806, 0x0800, 0x86DD
_ERRORS: Final = frozenset({3, 4, 5, 11, 12})
_ERRORS6: Final = frozenset({1, 2, 3, 4})
_ECHO: Final[dict[int, Kind]] = {8: "echo-request", 0: "echo-reply", 128: "echo-request", 129: "echo-reply"}
_ND: Final = frozenset({133, 134, 135, 136, 137})
_ND_WITH_TARGET: Final = frozenset({135, 136, 137})
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60
_MARKED: Final = 24
"""How much of a payload tells one datagram from the next."""
_DEPTH: Final = 4
"""Packets within packets: tunnels and quotes. Deeper ones are not looked into."""


def decode(data: bytes) -> Packet:
    """The packet in an Ethernet frame. What cannot be told is a ``frame`` or an ``ip`` packet with the fields that could be read."""
    return _ethernet(data, 0, 0)


def _ethernet(data: bytes, at: int, depth: int) -> Packet:
    if len(data) < at + 14:
        return Packet("frame")
    dst, src, kind = _ETHERNET(data, at)
    at += 14
    vlan = None
    while kind in _VLAN_TYPES and len(data) >= at + 4:
        tag, kind = _VLAN(data, at)
        vlan = tag & 0x0FFF
        at += 4
    try:
        if kind == _IP4_TYPE:
            return _ip4(data, at, dst, src, vlan, depth)
        if kind == _ARP_TYPE:
            return _arp(data, at, dst, src, vlan)
        if kind == _IP6_TYPE:
            return _ip6(data, at, dst, src, vlan, depth)
    except (struct.error, IndexError):  # cut short within a header
        pass
    return Packet("frame", dst, src, proto=kind, vlan=vlan)


def _arp(data: bytes, at: int, dst: bytes, src: bytes, vlan: int | None) -> Packet:
    hardware, protocol, _, size, operation, sender, own, _, asked = _ARP(data, at)
    if (hardware, protocol, size) != (1, _IP4_TYPE, 4) or operation not in (1, 2):
        return Packet("frame", dst, src, proto=_ARP_TYPE, vlan=vlan)
    kind: Kind = "arp-request" if operation == 1 else "arp-reply"
    mark = (operation, own, asked, sender)
    return Packet(kind, dst, src, ip4(own), ip4(asked), mark=mark, answer=sender, vlan=vlan)


def _ip4(data: bytes, at: int, dst: bytes, src: bytes, vlan: int | None, depth: int) -> Packet:
    first, _, total, ident, fragment, ttl, proto, _, sender, target = _IP4(data, at)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < 20:
        return Packet("frame", dst, src, proto=_IP4_TYPE, vlan=vlan)
    body = at + header
    size = total - header if total >= header else len(data) - body
    if fragment & 0x1FFF:
        piece = (ident, fragment & 0x1FFF)
        return Packet("fragment", dst, src, ip4(sender), ip4(target), ttl, proto, mark=piece, ident=ident, size=size, vlan=vlan)
    return _transport(data, body, (dst, src, vlan, ip4(sender), ip4(target), ttl, proto, ident, size, depth))


def _ip6(data: bytes, at: int, dst: bytes, src: bytes, vlan: int | None, depth: int) -> Packet:
    first, size, proto, ttl, sender, target = _IP6(data, at)
    if first >> 28 != 6:
        return Packet("frame", dst, src, proto=_IP6_TYPE, vlan=vlan)
    body, ident = at + 40, 0
    for _ in range(8):
        if proto not in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION):
            break
        following, length, offset, number = _EXTENSION(data, body)
        if proto == _FRAGMENT:
            ident = number
            if offset >> 3:
                piece = (ident, offset >> 3)
                return Packet("fragment", dst, src, ip6(sender), ip6(target), ttl, following, mark=piece, ident=ident, vlan=vlan)
            step = 8
        else:
            step = (length + 1) * 8
        proto, body, size = following, body + step, max(0, size - step)
    return _transport(data, body, (dst, src, vlan, ip6(sender), ip6(target), ttl, proto, ident, size, depth))


_Outer = tuple[bytes, bytes, "int | None", str, str, int, int, int, int, int]
"""MAC to, MAC from, VLAN, source, destination, TTL, protocol, IP id, size of what the IP header carries, depth."""


def _transport(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, proto, ident, size, _ = outer
    try:
        if proto == TCP:
            return _tcp(data, at, outer)
        if proto == UDP:
            return _udp(data, at, outer)
        if proto == ICMP:
            return _icmp(data, at, outer)
        if proto == ICMP6:
            return _icmp6(data, at, outer)
    except (struct.error, IndexError):  # the IP header is whole, what it carries is not
        pass
    return Packet("ip", dst, src, sender, target, ttl, proto, mark=(ident, size), ident=ident, size=size, vlan=vlan)


def _tcp(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, _, ident, size, depth = outer
    if depth and len(data) < at + 14:  # quoted by an ICMP error: eight bytes, the ports and the sequence number
        sport, dport = _PORTS(data, at)
        return Packet("tcp", dst, src, sender, target, ttl, TCP, sport, dport)
    sport, dport, seq, ack, offset, flags = _TCP(data, at)
    header = (offset >> 4) * 4
    carried = max(0, size - header)
    mark = (ident, seq, ack, flags, carried)
    payload = data[at + header : at + size] if carried else b""
    return Packet(
        "tcp", dst, src, sender, target, ttl, TCP, sport, dport, mark, ident, seq, ack, flags, size=carried, payload=payload, vlan=vlan
    )  # fmt: skip


def _udp(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, _, ident, size, depth = outer
    sport, dport, length, _ = _UDP(data, at)
    payload = data[at + 8 : at + min(length, size)]
    inner, vni = None, 0
    if dport in VXLAN_PORTS and len(payload) >= 22 and payload[0] & 0x08 and depth < _DEPTH:
        vni = int.from_bytes(payload[4:7], "big")
        inner = _ethernet(payload, 8, depth + 1)
    mark = (ident, length, payload[:_MARKED])
    carried = max(0, length - 8)
    return Packet(
        "udp", dst, src, sender, target, ttl, UDP, sport, dport, mark, ident, size=carried, payload=payload, inner=inner, vni=vni, vlan=vlan
    )  # fmt: skip


def _icmp(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, _, ident, size, depth = outer
    kind, code, _, number, seq = _ICMP(data, at)
    echo = _ECHO.get(kind)
    if echo is not None:
        return Packet(
            echo, dst, src, sender, target, ttl, ICMP, number, number, (kind, number, seq), ident, seq, size=size - 8, vlan=vlan
        )  # fmt: skip
    if kind in _ERRORS:
        quoted = _quoted(data, at + 8, depth, 4)
        mark = (kind, code, ident, *quoted.mark[:3]) if quoted else (kind, code, ident)
        info = seq if (kind, code) == (3, 4) else 0
        return Packet(
            "icmp-error", dst, src, sender, target, ttl, ICMP, mark=mark, seq=info, code=(kind, code), quoted=quoted, vlan=vlan
        )  # fmt: skip
    return Packet("icmp", dst, src, sender, target, ttl, ICMP, mark=(kind, code, ident), code=(kind, code), vlan=vlan)


def _icmp6(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, _, ident, size, depth = outer
    kind, code, _, number, seq = _ICMP(data, at)
    echo = _ECHO.get(kind)
    if echo is not None:
        return Packet(
            echo, dst, src, sender, target, ttl, ICMP6, number, number, (kind, number, seq), ident, seq, size=size - 8, vlan=vlan
        )  # fmt: skip
    if kind in _ERRORS6:
        quoted = _quoted(data, at + 8, depth, 6)
        mark = (kind, code, *quoted.mark[:3]) if quoted else (kind, code)
        info = (number << 16 | seq) if kind == 2 else 0
        return Packet(
            "icmp-error", dst, src, sender, target, ttl, ICMP6, mark=mark, seq=info, code=(kind, code), quoted=quoted, vlan=vlan
        )  # fmt: skip
    if kind in _ND:
        asked = data[at + 8 : at + 24] if kind in _ND_WITH_TARGET else b""
        option = data[at + 24 : at + 26]
        answer = data[at + 26 : at + 32] if option in (b"\1\1", b"\2\1") else b""
        about = ip6(asked) if len(asked) == 16 else target
        mark6 = (kind, sender.encode(), asked)
        return Packet("ipv6-nd", dst, src, sender, about, ttl, ICMP6, mark=mark6, code=(kind, code), answer=answer, vlan=vlan)
    return Packet("icmp", dst, src, sender, target, ttl, ICMP6, mark=(kind, code, number, seq), code=(kind, code), vlan=vlan)


def _quoted(data: bytes, at: int, depth: int, version: int) -> Packet | None:
    """The start of the packet that an ICMP error is about; None when it is cut too short to be known."""
    if depth >= _DEPTH:
        return None
    try:
        found = (_ip4 if version == 4 else _ip6)(data, at, b"", b"", None, depth + 1)
    except (struct.error, IndexError):
        return None
    return found if found.src else None
