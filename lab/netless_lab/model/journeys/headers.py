"""The headers of packets, one row each: how its bytes lie, how long it is, what follows it, and what of it is told.

``decode`` reads the rows into packets, by position; ``words.layers`` shows them whole. What only one of the two knew would be told of a packet by
one and not by the other.

Sources: IEEE 802.3 and 802.1Q; RFC 826 (ARP), 791 (IPv4), 792 (ICMP), 8200 and 4302 (IPv6 and its extension headers), 4443 and 4861
(ICMPv6, neighbour discovery), 9293 (TCP), 768 (UDP), 7348 (VXLAN).
"""

from __future__ import annotations

import struct
from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

import msgspec

from .. import icmp
from .packet import ACK, FIN, ICMP, ICMP6, PSH, RST, SYN, TCP, UDP, VXLAN_PORTS, ip4, ip6, mac

Field = tuple[str, str]
Shown = tuple[str, Callable[[Any], str]]
"""What a field is called, and how it is told of a header."""
ARP_TYPE, IP4_TYPE, IP6_TYPE = 0x0806, 0x0800, 0x86DD
VLAN_TYPES: Final = {0x8100: "802.1Q", 0x88A8: "802.1ad"}
FRAGMENT, AUTHENTICATION = 44, 51
"""Extension headers of IPv6 that are not laid out like the others."""
LINK_LAYER_OPTIONS: Final = (b"\1\1", b"\2\1")
"""How the options of neighbour discovery begin that hold a hardware address of Ethernet: the sender's, the target's."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A row. In what is called with a header, ``own`` has its parts by name; ``rest`` is all that comes after the fixed part.

    ``shown`` is told of every one, ``more`` of some; ``size`` is the length of the whole header in bytes, ``carries`` what it carries of
    the data that begins with it (None: all that is left), ``following`` how that begins (None: unknown, or data).
    """

    name: str
    layout: struct.Struct
    parts: Callable[[Iterable[Any]], Any]
    shown: tuple[Shown, ...] = ()
    more: Callable[[Any, bytes], Iterable[Field]] = lambda own, rest: ()
    size: Callable[[Any], int] | None = None
    carries: Callable[[Any, bytes], bytes] | None = None
    following: Callable[[Any, bytes], Header | None] = lambda own, body: None

    def read(self, data: bytes) -> Read:
        """The header at the start of ``data``. Raises struct.error when it is cut short."""
        own, rest = self.parts(self.layout.unpack_from(data)), data[self.layout.size :]
        fields = (*((name, told(own)) for name, told in self.shown), *self.more(own, rest))
        body = self.carries(own, data) if self.carries else data[self.size(own) if self.size else self.layout.size :]
        return Read(fields=fields, body=body, following=self.following(own, body), own=own)


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A header that was read: its fields in words, what it carries, and how that begins. ``own`` has its parts by name."""

    fields: tuple[Field, ...]
    body: bytes
    following: Header | None
    own: Any


def _row(name: str, parts: str, shown: tuple[Shown, ...] = (), **rest: Any) -> Header:
    """``parts`` are ``name:format``, as ``struct`` has formats, in network order."""
    names, formats = zip(*(part.split(":") for part in parts.split()), strict=True)
    made = namedtuple("Parts", [part for part in names if part != "_"])  # type: ignore[misc]
    return Header(name=name, layout=struct.Struct("!" + "".join(formats)), parts=made._make, shown=shown, **rest)


def vlan_of(tag: int) -> int:
    """The number of the VLAN in a tag."""
    return tag & 0x0FFF


def ip4_size(first: int) -> int:
    """The length of an IPv4 header by its first byte."""
    return (first & 0x0F) * 4


def ip4_offset(fragment: int) -> int:
    """Where in the whole packet a piece begins, in units of eight bytes."""
    return fragment & 0x1FFF


def ip4_more(fragment: int) -> bool:
    """Whether another piece follows this one."""
    return bool(fragment & _MORE)


def ip6_offset(half: int) -> int:
    """The same of an IPv6 piece, by the third and fourth byte of its fragment header."""
    return half >> 3


def extension_size(number: int, length: int) -> int:
    """How long an extension header is, by the protocol that names it and its second byte."""
    if number == FRAGMENT:
        return 8
    return (length + 2) * 4 if number == AUTHENTICATION else (length + 1) * 8


def tcp_size(offset: int) -> int:
    """The length of a TCP header by its thirteenth byte."""
    return (offset >> 4) * 4


_FLAGS: Final = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (PSH, "PSH"), (ACK, "ACK"))
_MORE: Final = 0x2000
_IP4_FLAGS: Final = ((0x4000, "do not fragment"), (_MORE, "more pieces"))


def flag_names(bits: int) -> str:
    """``SYN,ACK``"""
    return ",".join(name for bit, name in _FLAGS if bits & bit) or "no flags"


def ethertype(kind: int) -> str:
    """What an Ethernet frame carries, by name."""
    return _ETHERTYPES.get(kind, f"{kind:#06x}")


def protocol(number: int) -> str:
    """What an IP packet carries, by name."""
    return PROTOCOLS.get(number) or _PROTOCOLS6.get(number, str(number))


def _arp(own: Any, rest: bytes) -> Iterator[Field]:
    yield "operation", {1: "request", 2: "reply"}.get(own.operation, str(own.operation))
    if (own.hardware_size, own.protocol_size) != (6, 4):
        yield "hardware", str(own.hardware)
        yield "protocol", ethertype(own.protocol)
        return
    yield "sender MAC", mac(own.sender)
    yield "sender IP", ip4(own.own)
    yield "target MAC", mac(own.target) if any(own.target) else "unknown"
    yield "target IP", ip4(own.asked)


def _icmp(own: Any, rest: bytes) -> Iterator[Field]:
    if own.kind in (icmp.ECHO_REQUEST, icmp.ECHO_REPLY):
        yield "id", str(own.number)
        yield "sequence", str(own.seq)
    if (own.kind, own.code) == (icmp.UNREACHABLE, icmp.TOO_BIG):
        yield "MTU of the next link", str(own.seq)


def _icmp6(own: Any, rest: bytes) -> Iterator[Field]:
    if own.kind in (icmp.ECHO_REQUEST6, icmp.ECHO_REPLY6):
        yield "id", str(own.number)
        yield "sequence", str(own.seq)
    if own.kind == icmp.TOO_BIG6:
        yield "MTU of the next link", str(own.number << 16 | own.seq)
    if _about_a_neighbour(own, rest):
        yield "target", ip6(rest[:16])
        if rest[16:18] in LINK_LAYER_OPTIONS:
            yield "link-layer address", mac(rest[18:24])


def _about_a_neighbour(own: Any, rest: bytes) -> bool:
    return own.kind in (icmp.SOLICITATION, icmp.ADVERTISEMENT) and len(rest) >= 16


def _quoted(own: Any, body: bytes) -> Header | None:
    """The packet that an ICMP error is about."""
    return IP6 if body[:1] and body[0] >> 4 == 6 else IP4


def _tcp_options(own: Any, rest: bytes) -> Iterator[Field]:
    """Those that a lesson speaks of: the largest segment, and the window scale (RFC 9293, 7323)."""
    options, at = rest[: max(0, tcp_size(own.offset) - TCP_HEADER.layout.size)], 0
    while at < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2:
            break
        if (options[at], length) == (2, 4):
            yield "largest segment", f"{int.from_bytes(options[at + 2 : at + 4], 'big')} bytes"
        if (options[at], length) == (3, 3) and at + 2 < len(options):
            yield "window scale", str(options[at + 2])
        at += length
    yield "checksum", f"{own.check:#06x}"


def _by_ethertype(own: Any, body: bytes) -> Header | None:
    return _BY_ETHERTYPE.get(own.kind)


def _by_protocol6(own: Any, body: bytes) -> Header | None:
    return _BY_PROTOCOL.get(own.proto) or EXTENSIONS.get(own.proto)


ETHERNET: Final[Header] = _row("Ethernet", "target:6s source:6s kind:H", (
    ("source", lambda own: mac(own.source)),
    ("destination", lambda own: mac(own.target) + (" (everybody)" if own.target == b"\xff" * 6 else "")),
    ("type", lambda own: ethertype(own.kind)),
), following=_by_ethertype)  # fmt: skip
VLAN: Final[Header] = _row("802.1Q", "tag:H kind:H", (
    ("VLAN", lambda own: str(vlan_of(own.tag))),
    ("priority", lambda own: str(own.tag >> 13)),
    ("type", lambda own: ethertype(own.kind)),
), following=_by_ethertype)  # fmt: skip
# what comes after ARP fills the shortest frame
_ARP_PARTS: Final = "hardware:H protocol:H hardware_size:B protocol_size:B operation:H sender:6s own:4s target:6s asked:4s"
ARP: Final[Header] = _row("ARP", _ARP_PARTS, more=_arp, carries=lambda own, data: b"")
# a total of 0 is what a card that cuts packets itself is handed
IP4: Final[Header] = _row("IPv4", "first:B tos:B total:H ident:H fragment:H ttl:B proto:B check:H source:4s target:4s", (
    ("source", lambda own: ip4(own.source)),
    ("destination", lambda own: ip4(own.target)),
    ("TTL", lambda own: str(own.ttl)),
    ("protocol", lambda own: protocol(own.proto)),
    ("length", lambda own: f"{own.total} bytes"),
    ("id", lambda own: str(own.ident)),
    ("flags", lambda own: ", ".join(name for bit, name in _IP4_FLAGS if own.fragment & bit) or "none"),
    ("piece at", lambda own: str(ip4_offset(own.fragment) * 8)),
    ("DSCP", lambda own: str(own.tos >> 2)),
    ("checksum", lambda own: f"{own.check:#06x}"),
    ("header", lambda own: f"{ip4_size(own.first)} bytes"),
), carries=lambda own, data: data[ip4_size(own.first) : own.total or None],
   following=lambda own, body: None if ip4_offset(own.fragment) else _BY_PROTOCOL.get(own.proto))  # fmt: skip
IP6: Final[Header] = _row("IPv6", "first:I size:H proto:B hops:B source:16s target:16s", (
    ("source", lambda own: ip6(own.source)),
    ("destination", lambda own: ip6(own.target)),
    ("hop limit", lambda own: str(own.hops)),
    ("next header", lambda own: protocol(own.proto)),
    ("length", lambda own: f"{own.size} bytes"),
    ("flow label", lambda own: f"{own.first & 0xFFFFF:#07x}"),
), carries=lambda own, data: data[IP6.layout.size : IP6.layout.size + own.size], following=_by_protocol6)  # fmt: skip


def _extension(number: int, name: str, *shown: Shown, following: Callable[[Any, bytes], Header | None] = _by_protocol6) -> Header:
    """What stands between IPv6 and what it carries; the protocol before it calls it ``number``. Its first eight bytes, the fewest there are."""
    return _row(f"IPv6 {name}", "proto:B length:B half:H word:I", (
        ("next header", lambda own: protocol(own.proto)),
        ("length", lambda own: f"{extension_size(number, own.length)} bytes"),
        *shown,
    ), size=lambda own: extension_size(number, own.length), following=following)  # fmt: skip


EXTENSIONS: Final = {
    0: _extension(0, "hop-by-hop options"),
    43: _extension(43, "routing", ("type", lambda own: str(own.half >> 8)), ("segments left", lambda own: str(own.half & 0xFF))),
    FRAGMENT: _extension(
        FRAGMENT, "fragment",
        ("id", lambda own: str(own.word)),
        ("flags", lambda own: "more pieces" if own.half & 1 else "none"),
        ("piece at", lambda own: str(ip6_offset(own.half) * 8)),
        following=lambda own, body: None if ip6_offset(own.half) else _by_protocol6(own, body),
    ),
    AUTHENTICATION: _extension(AUTHENTICATION, "authentication", ("SPI", lambda own: f"{own.word:#010x}")),
    60: _extension(60, "destination options"),
}  # fmt: skip
"""By the protocol that names them."""


def _of_icmp(name: str, errors: Collection[int], *, six: bool, **rest: Any) -> Header:
    """ICMP and ICMPv6 begin alike; those of a type of ``errors`` carry the packet that they are about."""
    return _row(name, "kind:B code:B check:H number:H seq:H", (
        ("type", lambda own: f"{own.kind} {icmp.name(own.kind, own.code, six=six)}"),
        ("code", lambda own: str(own.code)),
        ("checksum", lambda own: f"{own.check:#06x}"),
    ), following=lambda own, body: _quoted(own, body) if own.kind in errors else None, **rest)  # fmt: skip


def _after_icmp6(own: Any, data: bytes) -> bytes:
    body = data[ICMP6_HEADER.layout.size :]
    return b"" if _about_a_neighbour(own, body) else body


ICMP_HEADER: Final = _of_icmp("ICMP", icmp.ERRORS, six=False, more=_icmp)
ICMP6_HEADER: Final = _of_icmp("ICMPv6", icmp.ERRORS6, six=True, more=_icmp6, carries=_after_icmp6)
_SHOWN_PORTS: Final[tuple[Shown, ...]] = (("source port", lambda own: str(own.source)), ("destination port", lambda own: str(own.target)))
PORTS: Final[Header] = _row("its ports", "source:H target:H", _SHOWN_PORTS, carries=lambda own, data: b"")
"""Of TCP and UDP in a packet that an ICMP error quotes: only eight bytes are sure to be there."""
TCP_HEADER: Final[Header] = _row("TCP", "source:H target:H seq:I ack:I offset:B flags:B window:H check:H urgent:H", (
    *_SHOWN_PORTS,
    ("flags", lambda own: flag_names(own.flags)),
    ("sequence", lambda own: str(own.seq)),
    ("acknowledged", lambda own: str(own.ack)),
    ("window", lambda own: str(own.window)),
), more=_tcp_options, size=lambda own: tcp_size(own.offset))  # fmt: skip
UDP_HEADER: Final[Header] = _row("UDP", "source:H target:H length:H check:H", (
    *_SHOWN_PORTS,
    ("length", lambda own: f"{own.length} bytes"),
    ("checksum", lambda own: f"{own.check:#06x}"),
), following=lambda own, body: VXLAN if own.target in VXLAN_PORTS else None)  # fmt: skip
VXLAN: Final[Header] = _row("VXLAN", "flags:B _:3x word:I", (
    ("network (VNI)", lambda own: str(own.word >> 8)),
    ("flags", lambda own: f"{own.flags:#04x}"),
), following=lambda own, body: ETHERNET)  # fmt: skip

_BY_ETHERTYPE: Final[dict[int, Header]] = {IP4_TYPE: IP4, ARP_TYPE: ARP, IP6_TYPE: IP6, **dict.fromkeys(VLAN_TYPES, VLAN)}
_BY_PROTOCOL: Final[dict[int, Header]] = {ICMP: ICMP_HEADER, ICMP6: ICMP6_HEADER, TCP: TCP_HEADER, UDP: UDP_HEADER}
_ETHERTYPES: Final = {number: row.name for number, row in _BY_ETHERTYPE.items()} | VLAN_TYPES | {0x88CC: "LLDP"}
PROTOCOLS: Final = {number: row.name for number, row in _BY_PROTOCOL.items()} | {2: "IGMP", 47: "GRE", 50: "ESP", AUTHENTICATION: "AH", 132: "SCTP"}
_PROTOCOLS6: Final = {number: row.name.removeprefix("IPv6 ") for number, row in EXTENSIONS.items()} | {59: "nothing"}
