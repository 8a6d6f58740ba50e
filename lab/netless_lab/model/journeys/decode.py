"""Bytes into a ``Packet``: a few microseconds a frame, and never an exception, however broken the frame. The headers are in ``headers``."""

from __future__ import annotations

import struct
from typing import Final

from .. import icmp
from . import headers as rows
from .headers import ARP_TYPE, EXTENSIONS, FRAGMENT, IP4_TYPE, IP6_TYPE, LINK_LAYER_OPTIONS, VLAN_TYPES, extension_size, ip4_more, ip4_offset, ip4_size, ip6_offset
from .packet import ICMP, ICMP6, TCP, UDP, VXLAN_PORTS, Kind, Packet, ip4, ip6

_ETHERNET: Final = rows.ETHERNET.layout.unpack_from
_VLAN: Final = rows.VLAN.layout.unpack_from
_ARP: Final = rows.ARP.layout.unpack_from
_IP4: Final = rows.IP4.layout.unpack_from
_IP6: Final = rows.IP6.layout.unpack_from
_ICMP: Final = rows.ICMP_HEADER.layout.unpack_from
_PORTS: Final = rows.PORTS.layout.unpack_from
_TCP: Final = rows.TCP_HEADER.layout.unpack_from
_UDP: Final = rows.UDP_HEADER.layout.unpack_from
_VXLAN: Final = rows.VXLAN.layout.unpack_from
_EXTENSION: Final = EXTENSIONS[FRAGMENT].layout.unpack_from
_SIZE4, _SIZE6, _TCP_LEAST, _UDP_SIZE, _ICMP_SIZE, _VXLAN_SIZE, _ETHERNET_SIZE = (
    row.layout.size for row in (rows.IP4, rows.IP6, rows.TCP_HEADER, rows.UDP_HEADER, rows.ICMP_HEADER, rows.VXLAN, rows.ETHERNET)
)

_ECHO: Final[dict[int, Kind]] = {
    icmp.ECHO_REQUEST: "echo-request", icmp.ECHO_REPLY: "echo-reply", icmp.ECHO_REQUEST6: "echo-request", icmp.ECHO_REPLY6: "echo-reply",
}  # fmt: skip
_WITH_TARGET: Final = frozenset({icmp.SOLICITATION, icmp.ADVERTISEMENT, icmp.REDIRECT6})
_VNI_IS_VALID: Final = 0x08
_MARKED: Final = 24
"""How much of a payload tells one datagram from the next."""
_DEPTH: Final = 4
"""Packets within packets: tunnels and quotes. Deeper ones are not looked into."""


def decode(data: bytes) -> Packet:
    """The packet in an Ethernet frame. What cannot be told is a ``frame`` or an ``ip`` packet with the fields that could be read."""
    return _ethernet(data, 0, 0)


def _ethernet(data: bytes, at: int, depth: int) -> Packet:
    if len(data) < at + _ETHERNET_SIZE:
        return Packet("frame")
    dst, src, kind = _ETHERNET(data, at)
    at += _ETHERNET_SIZE
    vlan = None
    while kind in VLAN_TYPES and len(data) >= at + 4:
        tag, kind = _VLAN(data, at)
        vlan = rows.vlan_of(tag)
        at += 4
    try:
        if kind == IP4_TYPE:
            return _ip4(data, at, dst, src, vlan, depth)
        if kind == ARP_TYPE:
            return _arp(data, at, dst, src, vlan)
        if kind == IP6_TYPE:
            return _ip6(data, at, dst, src, vlan, depth)
    except (struct.error, IndexError):  # cut short within a header
        pass
    return Packet("frame", dst, src, proto=kind, vlan=vlan)


def _arp(data: bytes, at: int, dst: bytes, src: bytes, vlan: int | None) -> Packet:
    hardware, protocol, _, size, operation, sender, own, _, asked = _ARP(data, at)
    if (hardware, protocol, size) != (1, IP4_TYPE, 4) or operation not in (1, 2):
        return Packet("frame", dst, src, proto=ARP_TYPE, vlan=vlan)
    kind: Kind = "arp-request" if operation == 1 else "arp-reply"
    mark = (operation, own, asked, sender)
    return Packet(kind, dst, src, ip4(own), ip4(asked), mark=mark, answer=sender, vlan=vlan)


def _ip4(data: bytes, at: int, dst: bytes, src: bytes, vlan: int | None, depth: int) -> Packet:
    first, _, total, ident, fragment, ttl, proto, _, sender, target = _IP4(data, at)
    header = ip4_size(first)
    if first >> 4 != 4 or header < _SIZE4:
        return Packet("frame", dst, src, proto=IP4_TYPE, vlan=vlan)
    body = at + header
    size = total - header if total >= header else len(data) - body
    if offset := ip4_offset(fragment):
        piece = (ident, offset)
        return Packet("fragment", dst, src, ip4(sender), ip4(target), ttl, proto, mark=piece, ident=ident, size=size, vlan=vlan)
    shared = ident if ip4_more(fragment) else 0
    return _transport(data, body, (dst, src, vlan, ip4(sender), ip4(target), ttl, proto, ident, shared, size, depth))


def _ip6(data: bytes, at: int, dst: bytes, src: bytes, vlan: int | None, depth: int) -> Packet:
    first, size, proto, ttl, sender, target = _IP6(data, at)
    if first >> 28 != 6:
        return Packet("frame", dst, src, proto=IP6_TYPE, vlan=vlan)
    body, ident = at + _SIZE6, 0
    for _ in range(8):
        if proto not in EXTENSIONS:
            break
        following, length, half, number = _EXTENSION(data, body)
        if proto == FRAGMENT:
            ident = number
            if offset := ip6_offset(half):
                piece = (ident, offset)
                return Packet("fragment", dst, src, ip6(sender), ip6(target), ttl, following, mark=piece, ident=ident, vlan=vlan)
        step = extension_size(proto, length)
        proto, body, size = following, body + step, max(0, size - step)
    return _transport(data, body, (dst, src, vlan, ip6(sender), ip6(target), ttl, proto, ident, ident, size, depth))


_Outer = tuple[bytes, bytes, "int | None", str, str, int, int, int, int, int, int]
"""MAC to, MAC from, VLAN, source, destination, TTL, protocol, IP id, the same if later pieces share it, size of what the IP header carries, depth."""


def _transport(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, proto, ident, shared, size, _ = outer
    try:
        if proto == TCP:
            return _tcp(data, at, outer)
        if proto == UDP:
            return _udp(data, at, outer)
        if proto in (ICMP, ICMP6):
            return _icmp(data, at, outer)
    except (struct.error, IndexError):  # the IP header is whole, what it carries is not
        pass
    return Packet("ip", dst, src, sender, target, ttl, proto, mark=(ident, size), ident=shared, size=size, vlan=vlan)


def _tcp(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, _, ident, shared, size, depth = outer
    if depth and len(data) < at + _TCP_LEAST:  # quoted by an ICMP error: eight bytes, the ports and the sequence number
        sport, dport = _PORTS(data, at)
        return Packet("tcp", dst, src, sender, target, ttl, TCP, sport, dport)
    sport, dport, seq, ack, offset, flags, _, _, _ = _TCP(data, at)
    header = rows.tcp_size(offset)
    carried = max(0, size - header)
    mark = (ident, seq, ack, flags, carried)
    payload = data[at + header : at + size] if carried else b""
    return Packet("tcp", dst, src, sender, target, ttl, TCP, sport, dport, mark, shared, seq, ack, flags, size=carried, payload=payload, vlan=vlan)


def _udp(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, _, ident, shared, size, depth = outer
    sport, dport, length, _ = _UDP(data, at)
    payload = data[at + _UDP_SIZE : at + min(length, size)]
    inner, vni = None, 0
    if dport in VXLAN_PORTS and len(payload) >= _VXLAN_SIZE + _ETHERNET_SIZE and depth < _DEPTH:
        valid, word = _VXLAN(payload)
        if valid & _VNI_IS_VALID:
            vni = word >> 8
            inner = _ethernet(payload, _VXLAN_SIZE, depth + 1)
    mark = (ident, length, payload[:_MARKED])
    carried = max(0, length - _UDP_SIZE)
    return Packet("udp", dst, src, sender, target, ttl, UDP, sport, dport, mark, shared, size=carried, payload=payload, inner=inner, vni=vni, vlan=vlan)


def _icmp(data: bytes, at: int, outer: _Outer) -> Packet:
    dst, src, vlan, sender, target, ttl, proto, ident, shared, size, depth = outer
    kind, code, _, number, seq = _ICMP(data, at)
    six = proto == ICMP6
    if (echo := _ECHO.get(kind)) is not None:
        mark = (kind, number, seq)
        return Packet(echo, dst, src, sender, target, ttl, proto, number, number, mark, shared, seq, size=size - _ICMP_SIZE, vlan=vlan)
    if kind in (icmp.ERRORS6 if six else icmp.ERRORS):
        quoted = _quoted(data, at + _ICMP_SIZE, depth, 6 if six else 4)
        about = ((kind, code) if six else (kind, code, ident)) + (quoted.mark[:3] if quoted else ())
        link = (number << 16 | seq) if six and kind == icmp.TOO_BIG6 else seq if not six and (kind, code) == (icmp.UNREACHABLE, icmp.TOO_BIG) else 0
        return Packet("icmp-error", dst, src, sender, target, ttl, proto, mark=about, seq=link, code=(kind, code), quoted=quoted, vlan=vlan)
    if six and kind in icmp.DISCOVERY:
        asked = data[at + 8 : at + 24] if kind in _WITH_TARGET else b""
        option = data[at + 24 : at + 26]
        answer = data[at + 26 : at + 32] if option in LINK_LAYER_OPTIONS else b""
        whom = ip6(asked) if len(asked) == 16 else target
        return Packet("ipv6-nd", dst, src, sender, whom, ttl, proto, mark=(kind, sender.encode(), asked), code=(kind, code), answer=answer, vlan=vlan)
    last = (kind, code, number, seq) if six else (kind, code, ident)
    return Packet("icmp", dst, src, sender, target, ttl, proto, mark=last, code=(kind, code), vlan=vlan)


def _quoted(data: bytes, at: int, depth: int, version: int) -> Packet | None:
    """The start of the packet that an ICMP error is about; None when it is cut too short to be known."""
    if depth >= _DEPTH:
        return None
    try:
        found = (_ip4 if version == 4 else _ip6)(data, at, b"", b"", None, depth + 1)
    except (struct.error, IndexError):
        return None
    return found if found.src else None
