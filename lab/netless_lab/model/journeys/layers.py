"""One frame, layer by layer and field by field, for those who want to see the bytes' meaning. Never raises, however broken the frame."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from . import dns
from .packet import ICMP, ICMP6, TCP, UDP, VXLAN_PORTS, ip4, ip6, mac
from .words import ND_NAMES, PROTOCOLS, flag_names, icmp_name

Field = tuple[str, str]
Layer = tuple[str, tuple[Field, ...]]
_ETHERTYPES: Final = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x8100: "802.1Q", 0x88A8: "802.1ad", 0x88CC: "LLDP"}
_DEEPEST: Final = 12
_TEXT_PORTS: Final = frozenset({80, 8000, 8080})
_DNS_PORT: Final = 53
_SHOWN: Final = 48
_Step = tuple[Layer, "Callable[[bytes], _Step] | None", bytes]


def layers(data: bytes) -> tuple[Layer, ...]:
    """((layer, ((field, value), ...)), ...) from Ethernet inwards; what is cut short or unknown ends as ``data``."""
    return tuple(_walk(_ethernet, data))


def _walk(read: Callable[[bytes], _Step], data: bytes) -> Iterator[Layer]:
    following: Callable[[bytes], _Step] | None = read
    for _ in range(_DEEPEST):
        if following is None:
            break
        try:
            layer, following, data = following(data)
        except (struct.error, IndexError):
            yield ("cut short", (("bytes", data[:_SHOWN].hex(" ")),))
            return
        yield layer
    if data:
        yield ("data", (("length", f"{len(data)} bytes"), ("bytes", data[:_SHOWN].hex(" "))))


def _ethernet(data: bytes) -> _Step:
    target, source, kind = struct.unpack_from("!6s6sH", data)
    fields = (("source", mac(source)), ("destination", _mac_words(target)), ("type", _ethertype(kind)))
    return ("Ethernet", fields), _AFTER_ETHERNET.get(kind), data[14:]


def _vlan(data: bytes) -> _Step:
    tag, kind = struct.unpack_from("!HH", data)
    fields = (("VLAN", str(tag & 0x0FFF)), ("priority", str(tag >> 13)), ("type", _ethertype(kind)))
    return ("802.1Q", fields), _AFTER_ETHERNET.get(kind), data[4:]


def _arp(data: bytes) -> _Step:
    hardware, protocol, hardware_size, size, operation = struct.unpack_from("!HHBBH", data)
    name = {1: "request", 2: "reply"}.get(operation, str(operation))
    if (hardware_size, size) != (6, 4):
        return ("ARP", (("operation", name), ("hardware", str(hardware)), ("protocol", _ethertype(protocol)))), None, data[8:]
    sender, own, target, asked = struct.unpack_from("!6s4s6s4s", data, 8)
    fields = (
        ("operation", name),
        ("sender MAC", mac(sender)),
        ("sender IP", ip4(own)),
        ("target MAC", "unknown" if not any(target) else mac(target)),
        ("target IP", ip4(asked)),
    )
    return ("ARP", fields), None, data[28:].strip(b"\0")


def _ip4(data: bytes) -> _Step:
    first, tos, total, ident, fragment, ttl, proto, check, source, target = struct.unpack_from("!BBHHHBBH4s4s", data)
    header = (first & 15) * 4
    names = [name for bit, name in ((0x4000, "do not fragment"), (0x2000, "more pieces")) if fragment & bit]
    fields = (
        ("source", ip4(source)),
        ("destination", ip4(target)),
        ("TTL", str(ttl)),
        ("protocol", PROTOCOLS.get(proto, str(proto))),
        ("length", f"{total} bytes"),
        ("id", str(ident)),
        ("flags", ", ".join(names) or "none"),
        ("piece at", str((fragment & 0x1FFF) * 8)),
        ("DSCP", str(tos >> 2)),
        ("checksum", f"{check:#06x}"),
        ("header", f"{header} bytes"),
    )
    body = data[header : total or None]
    return ("IPv4", fields), None if fragment & 0x1FFF else _TRANSPORTS.get(proto), body


def _ip6(data: bytes) -> _Step:
    first, size, proto, hops, source, target = struct.unpack_from("!IHBB16s16s", data)
    fields = (
        ("source", ip6(source)),
        ("destination", ip6(target)),
        ("hop limit", str(hops)),
        ("next header", PROTOCOLS.get(proto, str(proto))),
        ("length", f"{size} bytes"),
        ("flow label", f"{first & 0xFFFFF:#07x}"),
    )
    return ("IPv6", fields), _TRANSPORTS.get(proto), data[40 : 40 + size]


def _icmp(data: bytes) -> _Step:
    kind, code, check, number, seq = struct.unpack_from("!BBHHH", data)
    fields: tuple[Field, ...] = (("type", f"{kind} {icmp_name(kind, code, six=False)}"), ("code", str(code)), ("checksum", f"{check:#06x}"))
    if kind in (0, 8):
        return ("ICMP", (*fields, ("id", str(number)), ("sequence", str(seq)))), None, data[8:]
    if kind in (3, 4, 5, 11, 12):
        limit: tuple[Field, ...] = (("MTU of the next link", str(seq)),) if (kind, code) == (3, 4) else ()
        return ("ICMP", (*fields, *limit)), _quoted, data[8:]
    return ("ICMP", fields), None, data[8:]


def _icmp6(data: bytes) -> _Step:
    kind, code, check, number, seq = struct.unpack_from("!BBHHH", data)
    fields: tuple[Field, ...] = (("type", f"{kind} {icmp_name(kind, code, six=True)}"), ("code", str(code)), ("checksum", f"{check:#06x}"))
    if kind in (128, 129):
        return ("ICMPv6", (*fields, ("id", str(number)), ("sequence", str(seq)))), None, data[8:]
    if kind in (1, 2, 3, 4):
        limit: tuple[Field, ...] = (("MTU of the next link", str(number << 16 | seq)),) if kind == 2 else ()
        return ("ICMPv6", (*fields, *limit)), _quoted, data[8:]
    if kind in ND_NAMES and kind in (135, 136) and len(data) >= 24:
        option: tuple[Field, ...] = (("link-layer address", mac(data[26:32])),) if data[24:26] in (b"\1\1", b"\2\1") else ()
        return ("ICMPv6", (*fields, ("target", ip6(data[8:24])), *option)), None, b""
    return ("ICMPv6", fields), None, data[8:]


def _quoted(data: bytes) -> _Step:
    """What an ICMP error is about."""
    (name, fields), following, rest = (_ip6 if data[0] >> 4 == 6 else _ip4)(data)
    return (f"about this {name}", fields), _ports if following in (_tcp, _udp) else following, rest


def _ports(data: bytes) -> _Step:
    """Of a quoted packet only the first eight bytes are sure to be there."""
    source, target = struct.unpack_from("!HH", data)
    return ("its ports", (("source port", str(source)), ("destination port", str(target)))), None, b""


def _tcp(data: bytes) -> _Step:
    source, target, seq, ack, offset, flags, window, check, _ = struct.unpack_from("!HHIIBBHHH", data)
    header = (offset >> 4) * 4
    fields = (
        ("source port", str(source)),
        ("destination port", str(target)),
        ("flags", flag_names(flags)),
        ("sequence", str(seq)),
        ("acknowledged", str(ack)),
        ("window", str(window)),
        *_tcp_options(data[20:header]),
        ("checksum", f"{check:#06x}"),
    )
    body = data[header:]
    return ("TCP", fields), _text if body and {source, target} & _TEXT_PORTS else None, body


def _tcp_options(options: bytes) -> Iterator[Field]:
    """Those that a lesson speaks of: the largest segment, and the window scale (RFC 9293, 7323)."""
    at = 0
    while at < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2:
            return
        if (options[at], length) == (2, 4):
            yield "largest segment", f"{int.from_bytes(options[at + 2 : at + 4], 'big')} bytes"
        if (options[at], length) == (3, 3) and at + 2 < len(options):
            yield "window scale", str(options[at + 2])
        at += length


def _udp(data: bytes) -> _Step:
    source, target, length, check = struct.unpack_from("!HHHH", data)
    fields = (("source port", str(source)), ("destination port", str(target)), ("length", f"{length} bytes"), ("checksum", f"{check:#06x}"))
    following = _vxlan if target in VXLAN_PORTS else _dns if _DNS_PORT in (source, target) else None
    return ("UDP", fields), following, data[8:]


def _vxlan(data: bytes) -> _Step:
    flags, vni = struct.unpack_from("!B3xI", data)
    return ("VXLAN", (("network (VNI)", str(vni >> 8)), ("flags", f"{flags:#04x}"))), _ethernet, data[8:]


def _dns(data: bytes) -> _Step:
    message = dns.parse(data)
    if message is None:
        raise IndexError("no DNS")
    answers = tuple((f"answer {number}", f"{kind} {value}") for number, (kind, value) in enumerate(message.answers, 1))
    fields: tuple[Field, ...] = (
        ("id", str(message.ident)),
        ("kind", "answer" if message.response else "question"),
        ("name", message.name),
        ("type", message.kind),
    )
    code: tuple[Field, ...] = (("code", dns.CODES.get(message.code, str(message.code))),) if message.response else ()
    return ("DNS", (*fields, *code, *answers)), None, b""


def _text(data: bytes) -> _Step:
    """The head of an HTTP message, line by line; anything else stays data."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if b"HTTP/" not in lines[0]:
        return ("payload", (("length", f"{len(data)} bytes"),)), None, data
    fields: list[Field] = [("line", _printable(lines[0]))]
    for line in lines[1:24]:
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((_printable(name), _printable(value.strip())))
    return ("HTTP", tuple(fields)), None, body


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in data[:200])


def _ethertype(kind: int) -> str:
    return _ETHERTYPES.get(kind, f"{kind:#06x}")


def _mac_words(packed: bytes) -> str:
    return f"{mac(packed)} (everybody)" if packed == b"\xff" * 6 else mac(packed)


_AFTER_ETHERNET: Final[dict[int, Callable[[bytes], _Step]]] = {
    0x0800: _ip4, 0x0806: _arp, 0x86DD: _ip6, 0x8100: _vlan, 0x88A8: _vlan,
}  # fmt: skip
_TRANSPORTS: Final[dict[int, Callable[[bytes], _Step]]] = {ICMP: _icmp, ICMP6: _icmp6, TCP: _tcp, UDP: _udp}
