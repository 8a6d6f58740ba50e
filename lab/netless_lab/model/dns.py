"""DNS messages, read and written (RFC 1035; RFC 3596 for IPv6, 6891 for EDNS): those of followed packets, those of a probe, and those of the
pretend internet's name server.

No library, because this is a pure room and part of every start: dnspython would add 41 ms and 5.5 MiB to the agent, dnslib 7 ms and 1 MiB
and no types; both import ``socket``. They take six and thirteen times as long to read an answer, which is done for every packet to port
53 while somebody floods it. And of a message that was recorded short they tell nothing, where this tells what is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

RESPONSE, OPCODE, AUTHORITATIVE, RECURSION_DESIRED, RECURSION_AVAILABLE = 0x8000, 0x7800, 0x0400, 0x0100, 0x0080
"""Bits of the flags; ``CODES`` are in the last four."""
A, NS, CNAME, SOA, PTR, AAAA, OPT, ANY = 1, 2, 5, 6, 12, 28, 41, 255
TYPES: Final = {A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", 15: "MX", 16: "TXT", AAAA: "AAAA", 33: "SRV", OPT: "OPT", 65: "HTTPS"}
IN: Final = 1
PORT: Final = 53
NO_ERROR, FORMAT_ERROR, NAME_ERROR, NOT_IMPLEMENTED, REFUSED = 0, 1, 3, 4, 5
CODES: Final = {
    NO_ERROR: "no error", FORMAT_ERROR: "format error", 2: "server failure", NAME_ERROR: "no such name",
    NOT_IMPLEMENTED: "not implemented", REFUSED: "refused",
}  # fmt: skip

_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_OF_ONE_NAME: Final = frozenset({NS, CNAME, PTR})
_POINTER: Final = 0xC0
_POINTER_TO_QUESTION: Final = struct.pack("!H", _POINTER << 8 | _HEADER.size)
_LONGEST_LABEL, _LONGEST_NAME = 63, 254
"""Bytes; of a name, with the length of each label and without the last zero."""
_MOST_JUMPS: Final = 16
_MOST_RECORDS: Final = 256

Name = tuple[bytes, ...]
"""The labels as they travel, without the empty one that ends them all."""


class Question(NamedTuple):
    """What is asked."""

    name: Name
    kind: int
    klass: int = IN


class Record(NamedTuple):
    """A record. ``data`` that is a name (of NS, CNAME and PTR) is written out in full; in all other it may still point elsewhere."""

    name: Name
    kind: int
    data: bytes
    ttl: int = 0
    klass: int = IN

    @property
    def value(self) -> str:
        """An address or a name in words, "" for any other."""
        if self.kind == A and len(self.data) == 4:
            return str(IPv4Address(self.data))
        if self.kind == AAAA and len(self.data) == 16:
            return str(IPv6Address(self.data))
        return text(_name(self.data, 0)[0]) if self.kind in _OF_ONE_NAME else ""


class Message(NamedTuple):
    """A message. ``whole``: it holds all that its head says; otherwise there are as many records as could be read, and no questions
    unless all of them could.
    """

    ident: int
    flags: int
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authorities: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    whole: bool = True

    @property
    def response(self) -> bool:
        """Whether it answers."""
        return bool(self.flags & RESPONSE)

    @property
    def code(self) -> int:
        """What came of it: one of ``CODES``."""
        return self.flags & 0x0F


def decode(data: bytes) -> Message | None:
    """The message; None for what is too short for one. Never raises."""
    if len(data) < _HEADER.size:
        return None
    ident, flags, asked, *counts = _HEADER.unpack_from(data)
    questions, at = _each(_question, data, _HEADER.size, asked)
    whole = len(questions) == asked
    sections: list[tuple[Record, ...]] = []
    for count in counts:
        found, at = _each(_record, data, at, count) if whole else ((), at)
        whole = whole and len(found) == count
        sections.append(found)
    answers, authorities, additional = sections
    return Message(ident, flags, questions if len(questions) == asked else (), answers, authorities, additional, whole)


def encode(message: Message) -> bytes:
    """The message as it travels; names that are the question's point there (4.1.4)."""
    sections = (message.answers, message.authorities, message.additional)
    asked = message.questions[0].name if message.questions else ()
    head = _HEADER.pack(message.ident, message.flags, len(message.questions), *map(len, sections))
    body = b"".join(packed(question.name) + _QUESTION.pack(question.kind, question.klass) for question in message.questions)
    for record in (record for section in sections for record in section):
        name = _POINTER_TO_QUESTION if asked and record.name == asked else packed(record.name)
        body += name + _RECORD.pack(record.kind, record.klass, record.ttl, len(record.data)) + record.data
    return head + body


def name_of(words: str) -> Name:
    """``example.test`` as it travels, IDNA for other letters (RFC 3490). Raises ValueError when it cannot be a domain name."""
    try:
        labels = tuple(label.encode("ascii") if label.isascii() else label.encode("idna") for label in words.rstrip(".").split("."))
    except UnicodeError as error:
        raise ValueError(f"{words!r} cannot be a domain name: {error}") from error
    if any(not 0 < len(label) <= _LONGEST_LABEL for label in labels) or len(packed(labels)) - 1 > _LONGEST_NAME:
        raise ValueError(f"{words!r} cannot be a domain name: its parts have 1 to {_LONGEST_LABEL} letters, {_LONGEST_NAME - 1} in all")
    return labels


def packed(name: Name) -> bytes:
    """A name written out in full."""
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def text(name: Name) -> str:
    """A name for people; "." for the root, and question marks for bytes that are no letters."""
    return ".".join("".join(chr(byte) if 0x21 <= byte < 0x7F else "?" for byte in label) for label in name) or "."


def folded(name: Name) -> Name:
    """A name to be compared: case makes no difference (RFC 4343)."""
    return tuple(label.lower() for label in name)


def _each(read: Callable[[bytes, int], tuple[T, int]], data: bytes, at: int, count: int) -> tuple[tuple[T, ...], int]:
    """As many of ``count`` as are whole, and where they end."""
    found: list[T] = []
    try:
        for _ in range(min(count, _MOST_RECORDS)):
            one, at = read(data, at)
            found.append(one)
    except (struct.error, IndexError, ValueError):
        pass
    return tuple(found), at


def _question(data: bytes, at: int) -> tuple[Question, int]:
    name, at = _name(data, at)
    return Question(name, *_QUESTION.unpack_from(data, at)), at + _QUESTION.size


def _record(data: bytes, at: int) -> tuple[Record, int]:
    name, at = _name(data, at)
    kind, klass, ttl, size = _RECORD.unpack_from(data, at)
    at += _RECORD.size
    if at + size > len(data):
        raise ValueError("cut short")
    value = packed(_name(data, at)[0]) if kind in _OF_ONE_NAME else data[at : at + size]
    return Record(name, kind, value, ttl, klass), at + size


def _name(data: bytes, at: int) -> tuple[Name, int]:
    """(name, where it ends). Raises IndexError where the data ends before, ValueError for what is none or runs in circles."""
    labels: list[bytes] = []
    end, left, jumps = -1, _LONGEST_NAME, 0
    while True:
        length = data[at]
        if length >= _POINTER:
            end = at + 2 if end < 0 else end
            at = (length & ~_POINTER) << 8 | data[at + 1]
            jumps += 1
        elif length == 0:
            return tuple(labels), end if end >= 0 else at + 1
        else:
            label = data[at + 1 : at + 1 + length]
            labels.append(label)
            at += length + 1
            left -= length + 1
        if (length < _POINTER and (length > _LONGEST_LABEL or len(label) < length or left < 0)) or jumps > _MOST_JUMPS:
            raise ValueError("no name")
