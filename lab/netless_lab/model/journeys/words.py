"""A packet in words: in one line, as a hop shows it, and a frame layer by layer and field by field, for those who want to see the bytes' meaning."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any, Final

from .. import dns, icmp
from ..addresses import with_port
from .headers import ETHERNET, ICMP6_HEADER, ICMP_HEADER, PORTS, PROTOCOLS, TCP_HEADER, UDP_HEADER, Field, Header, flag_names
from .packet import TCP, UDP, Packet, mac

_HTTP: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) [^\r\n]{1,100} HTTP/1\.[01]|HTTP/1\.[01] [^\r\n]{3,60}")
_DNS_PORT: Final = 53
_MOST_RECORDS: Final = 16
Layer = tuple[str, tuple[Field, ...]]
_DEEPEST: Final = 16
_ERRORS: Final = (ICMP_HEADER, ICMP6_HEADER)
_TEXT_PORTS: Final = frozenset({80, 8000, 8080})
_SHOWN: Final = 48


def words(packet: Packet) -> str:
    """The packet in words, with its addresses as they stand here."""
    if packet.inner is not None:
        return f"{packet.src} > {packet.dst} VXLAN {packet.vni}: {words(packet.inner)}"
    match packet.kind:
        case "arp-request":
            return f"who has {packet.dst}? tell {packet.src}"
        case "arp-reply":
            return f"{packet.src} is at {mac(packet.answer)}"
        case "ipv6-nd":
            return _neighbour(packet)
        case "frame":
            return f"frame of type {packet.proto:#06x}" if packet.proto else "broken frame"
        case _:
            return f"{_talk(packet)} {_what(packet)}"


def error(packet: Packet) -> str:
    """What an ICMP error says: ``host unreachable``."""
    return icmp.name(*packet.code, six=":" in packet.src)


def _talk(packet: Packet) -> str:
    if packet.proto in (TCP, UDP) and packet.kind != "fragment" and packet.dport:
        return f"{with_port(packet.src, packet.sport)} > {with_port(packet.dst, packet.dport)}"
    return f"{packet.src} > {packet.dst}"


def _what(packet: Packet) -> str:
    match packet.kind:
        case "echo-request" | "echo-reply":
            return f"{packet.kind.replace('-', ' ')} seq {packet.seq}"
        case "icmp-error":
            about = f" about {_talk(packet.quoted)}" if packet.quoted is not None else ""
            limit = f" (mtu {packet.seq})" if packet.seq else ""
            return f"{error(packet)}{limit}{about}"
        case "tcp":
            if (said := _HTTP.match(packet.payload)) is not None:
                return said[0].decode("ascii", "replace")
            return flag_names(packet.flags) + (f", {packet.size} bytes" if packet.size else "")
        case "udp":
            told = _dns(packet.payload) if _DNS_PORT in (packet.sport, packet.dport) else ""
            return told or f"UDP, {packet.size} bytes"
        case "fragment":
            return f"piece of a cut {PROTOCOLS.get(packet.proto, 'IP')} packet"
        case "icmp":
            return f"ICMP type {packet.code[0]} code {packet.code[1]}"
        case _:
            return PROTOCOLS.get(packet.proto, f"IP protocol {packet.proto}")


def _dns(payload: bytes) -> str:
    """``DNS A example.test?`` or ``DNS example.test is 198.51.100.10``; "" for what is no DNS."""
    if (message := _message(payload)) is None:
        return ""
    (question,) = message.questions
    name = dns.text(question.name)
    if not message.response:
        return f"DNS {dns.TYPES.get(question.kind, f'type {question.kind}')} {name}?"
    if message.code:
        return f"DNS {name}: {dns.CODES.get(message.code, f'code {message.code}')}"
    told = _answers(message)
    values = [record.value for record in told if record.kind in (dns.A, dns.AAAA)] or [record.value for record in told]
    return f"DNS {name} is {', '.join(values)}" if values else f"DNS {name}: no such record"


def _neighbour(packet: Packet) -> str:
    if packet.code[0] == icmp.SOLICITATION:
        return f"who has {packet.dst}? tell {packet.src}" if packet.src != "::" else f"does anybody have {packet.dst}?"
    if packet.code[0] == icmp.ADVERTISEMENT:
        return f"{packet.dst} is at {mac(packet.answer)}" if packet.answer else f"{packet.dst} is here"
    return f"{packet.src} {icmp.DISCOVERY.get(packet.code[0], 'neighbour discovery')}"


def layers(data: bytes) -> tuple[Layer, ...]:
    """((layer, ((field, value), ...)), ...) from Ethernet inwards; what is cut short or unknown ends as ``data``. Never raises, however broken the frame."""
    return tuple(_walk(data))


def _walk(data: bytes) -> Iterator[Layer]:
    following: Header | None = ETHERNET
    row: Header | None = None
    own: Any = None
    quoted = False
    for _ in range(_DEEPEST):
        if following is None:
            break
        about = "about this " if row in _ERRORS else ""
        row = PORTS if quoted and following in (TCP_HEADER, UDP_HEADER) else following
        try:
            found = row.read(data)
        except struct.error:
            yield ("cut short", (("bytes", data[:_SHOWN].hex(" ")),))
            return
        yield about + row.name, found.fields
        data, following, own = found.body, found.following, found.own
        quoted = quoted or (row in _ERRORS and following is not None)
    if row in (TCP_HEADER, UDP_HEADER):
        layer, data = _payload({own.source, own.target}, data, text=row == TCP_HEADER)
        yield from layer
    if data:
        yield ("data", (("length", f"{len(data)} bytes"), ("bytes", data[:_SHOWN].hex(" "))))


def _payload(ports: set[int], data: bytes, *, text: bool) -> tuple[tuple[Layer, ...], bytes]:
    """(what a port says that this is, the rest)."""
    if text:
        return _text(data) if data and ports & _TEXT_PORTS else ((), data)
    message = _message(data) if _DNS_PORT in ports else None
    return ((("DNS", tuple(_dns_fields(message))),), b"") if message is not None else ((), data)


def _message(data: bytes) -> dns.Message | None:
    """One that asks, or answers, a single question; None for any other."""
    message = dns.decode(data)
    return message if message is not None and len(message.questions) == 1 else None


def _answers(message: dns.Message) -> list[dns.Record]:
    """The first of its records that can be told."""
    return [record for record in message.answers if record.value][:_MOST_RECORDS]


def _dns_fields(message: dns.Message) -> Iterator[Field]:
    (question,) = message.questions
    yield "id", str(message.ident)
    yield "kind", "answer" if message.response else "question"
    yield "name", dns.text(question.name)
    yield "type", dns.TYPES.get(question.kind, f"type {question.kind}")
    if message.response:
        yield "code", dns.CODES.get(message.code, str(message.code))
    for number, record in enumerate(_answers(message), 1):
        yield f"answer {number}", f"{dns.TYPES[record.kind]} {record.value}"


def _text(data: bytes) -> tuple[tuple[Layer, ...], bytes]:
    """The head of an HTTP message, line by line; anything else stays data."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if b"HTTP/" not in lines[0]:
        return (("payload", (("length", f"{len(data)} bytes"),)),), data
    fields: list[Field] = [("line", _printable(lines[0]))]
    for line in lines[1:24]:
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((_printable(name), _printable(value.strip())))
    return (("HTTP", tuple(fields)),), body


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in data[:200])
