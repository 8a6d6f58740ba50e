"""DNS messages as far as a line of words needs them (RFC 1035)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from .packet import ip4, ip6

_HEADER: Final = struct.Struct("!HHHHHH").unpack_from
_RECORD: Final = struct.Struct("!HHIH").unpack_from
_RESPONSE: Final = 0x8000
TYPES: Final = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 65: "HTTPS"}
CODES: Final = {0: "no error", 1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented", 5: "refused"}
_MOST_RECORDS: Final = 16
_MOST_JUMPS: Final = 16


class Message(NamedTuple):
    """A question or an answer. ``answers`` are (type, value in words)."""

    ident: int
    response: bool
    code: int
    name: str
    kind: str
    answers: tuple[tuple[str, str], ...]


def parse(payload: bytes) -> Message | None:
    """The message, None when it is not one or is cut short before its question ends."""
    try:
        ident, bits, questions, count, _, _ = _HEADER(payload)
        if questions != 1:
            return None
        name, at = _name(payload, 12)
        (number,) = struct.unpack_from("!H", payload, at)
        answers = _answers(payload, at + 4, min(count, _MOST_RECORDS))
    except (struct.error, IndexError, ValueError):
        return None
    return Message(ident, bool(bits & _RESPONSE), bits & 0x0F, name, TYPES.get(number, f"type {number}"), answers)


def summary(payload: bytes) -> str:
    """``DNS A example.test?`` or ``DNS example.test is 198.51.100.10``; "" for what is no DNS."""
    message = parse(payload)
    if message is None:
        return ""
    if not message.response:
        return f"DNS {message.kind} {message.name}?"
    values = [value for kind, value in message.answers if kind in ("A", "AAAA")] or [value for _, value in message.answers]
    if message.code or not values:
        return f"DNS {message.name}: {CODES.get(message.code, f'code {message.code}') if message.code else 'no such record'}"
    return f"DNS {message.name} is {', '.join(values)}"


def _answers(data: bytes, at: int, count: int) -> tuple[tuple[str, str], ...]:
    """As many answers as are whole."""
    found: list[tuple[str, str]] = []
    try:
        for _ in range(count):
            _, at = _name(data, at)
            kind, _, _, size = _RECORD(data, at)
            at += 10
            value = data[at : at + size]
            if len(value) < size:
                break
            if kind == 1 and size == 4:
                found.append(("A", ip4(value)))
            elif kind == 28 and size == 16:
                found.append(("AAAA", ip6(value)))
            elif kind in (2, 5, 12):
                found.append((TYPES[kind], _name(data, at)[0]))
            at += size
    except (struct.error, IndexError, ValueError):
        pass
    return tuple(found)


def _name(data: bytes, at: int) -> tuple[str, int]:
    """(name, where it ends). Raises ValueError for one that runs in circles."""
    labels: list[str] = []
    end = -1
    for _ in range(_MOST_JUMPS + 128):
        length = data[at]
        if length >= 0xC0:
            if end < 0:
                end = at + 2
            at = (length & 0x3F) << 8 | data[at + 1]
        elif length == 0:
            return ".".join(labels) or ".", end if end >= 0 else at + 1
        else:
            label = data[at + 1 : at + 1 + length]
            labels.append("".join(chr(byte) if 0x21 <= byte < 0x7F else "?" for byte in label))
            at += length + 1
    raise ValueError("a name without end")
