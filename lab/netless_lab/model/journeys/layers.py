"""One frame, layer by layer and field by field, for those who want to see the bytes' meaning. Never raises, however broken the frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

from .. import dns
from .headers import ETHERNET, ICMP6_HEADER, ICMP_HEADER, PORTS, TCP_HEADER, UDP_HEADER, Field, Header

Layer = tuple[str, tuple[Field, ...]]
_DEEPEST: Final = 16
_ERRORS: Final = (ICMP_HEADER, ICMP6_HEADER)
_TEXT_PORTS: Final = frozenset({80, 8000, 8080})
_DNS_PORT: Final = 53
_SHOWN: Final = 48
_MOST_RECORDS: Final = 16


def layers(data: bytes) -> tuple[Layer, ...]:
    """((layer, ((field, value), ...)), ...) from Ethernet inwards; what is cut short or unknown ends as ``data``."""
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
    message = dns.decode(data) if _DNS_PORT in ports else None
    return ((("DNS", tuple(_dns(message))),), b"") if message is not None and len(message.questions) == 1 else ((), data)


def _dns(message: dns.Message) -> Iterator[Field]:
    (question,) = message.questions
    yield "id", str(message.ident)
    yield "kind", "answer" if message.response else "question"
    yield "name", dns.text(question.name)
    yield "type", dns.TYPES.get(question.kind, f"type {question.kind}")
    if message.response:
        yield "code", dns.CODES.get(message.code, str(message.code))
    told = [record for record in message.answers if record.value][:_MOST_RECORDS]
    for number, record in enumerate(told, 1):
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
