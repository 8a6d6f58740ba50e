"""The pretend internet's name server: a pure function from question to answer (RFC 1035), and asyncio's ends for UDP and TCP.

It knows one zone and its reverse names, and says so of everything else: there is no other internet to ask.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Final, cast

_HEADER: Final = struct.Struct("!HHHHHH")
_A, _NS, _SOA, _PTR, _OPT, _ANY = 1, 2, 6, 12, 41, 255
_IN: Final = 1
_QUERY_BIT, _OPCODE, _RECURSION_DESIRED = 0x8000, 0x7800, 0x0100
_ANSWER: Final = 0x8480
"""QR, AA and RA: it answers, with authority, and there is nothing it would have to ask others for."""
_FORMERR, _NXDOMAIN, _NOTIMP, _REFUSED = 1, 3, 4, 5
_TTL: Final = 60
_POINTER_TO_QUESTION: Final = b"\xc0\x0c"
_TCP_SILENCE_S: Final = 5.0
_TCP_QUESTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's addresses by name, lower case without the last dot, and the name of its server, which must be among them.

    ``aliases`` are names that share an address with another one: that one is its reverse name.
    """

    origin: str
    server: str
    addresses: dict[str, str]
    aliases: frozenset[str] = frozenset()

    def reverse(self) -> dict[str, str]:
        """``10.100.51.198.in-addr.arpa`` -> the name."""
        return {
            ".".join(reversed(address.split("."))) + ".in-addr.arpa": name
            for name, address in self.addresses.items()
            if name not in self.aliases
        }


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    kind: int
    klass: int
    raw: bytes


def answer(message: bytes, zone: Zone) -> bytes | None:
    """The reply to one DNS message; None for what deserves none: no DNS, or itself a reply."""
    if len(message) < _HEADER.size:
        return None
    ident, flags, questions, answers, authorities, additional = _HEADER.unpack_from(message)
    if flags & _QUERY_BIT:
        return None
    head = ident, _ANSWER | (flags & (_RECURSION_DESIRED | _OPCODE))
    if flags & _OPCODE:
        return _reply(head, _NOTIMP)
    question = _read_question(message) if questions == 1 and not answers and not authorities else None
    if question is None:
        return _reply(head, _FORMERR)
    extra = _OUR_OPT if additional and _has_opt(message, _HEADER.size + len(question.raw)) else b""
    if question.klass != _IN:
        return _reply(head, _REFUSED, question, extra=extra)
    known, found = _look_up(question, zone)
    proof = b"" if found else _soa(zone, _encode(zone.origin))
    return _reply(head, 0 if known else _NXDOMAIN, question, found, proof, extra)


def _look_up(question: _Question, zone: Zone) -> tuple[bool, list[tuple[int, bytes]]]:
    """Whether the name exists, and its records of the kind asked for: no records of an existing name is a full answer (RFC 2308)."""
    reverse = zone.reverse()
    records: list[tuple[int, bytes]] = []
    if question.name in zone.addresses:
        records.append((_A, socket.inet_aton(zone.addresses[question.name])))
    if question.name in reverse:
        records.append((_PTR, _encode(reverse[question.name])))
    if question.name == zone.origin:
        records += [(_NS, _encode(zone.server)), (_SOA, _soa_data(zone))]
    names = (*zone.addresses, *reverse, zone.origin)
    known = any(name == question.name or name.endswith(f".{question.name}") for name in names) or not question.name
    return known, [record for record in records if question.kind in (record[0], _ANY)]


def _read_question(message: bytes) -> _Question | None:
    labels: list[str] = []
    at = _HEADER.size
    while True:
        if at >= len(message):
            return None
        length = message[at]
        at += 1
        if length == 0:
            break
        if length > 63 or at + length > len(message) or at - _HEADER.size + length > 254:
            return None
        labels.append(message[at : at + length].decode("latin-1").lower())
        at += length
    if at + 4 > len(message):
        return None
    kind, klass = struct.unpack_from("!HH", message, at)
    return _Question(".".join(labels), kind, klass, message[_HEADER.size : at + 4])


def _has_opt(message: bytes, at: int) -> bool:
    """Whether the record after the question is the EDNS one: an asker who sends it expects one back (RFC 6891)."""
    return len(message) >= at + 11 and message[at] == 0 and struct.unpack_from("!H", message, at + 1)[0] == _OPT


_OUR_OPT: Final = b"\0" + struct.pack("!HHIH", _OPT, 1232, 0, 0)


def _reply(
    head: tuple[int, int],
    code: int,
    question: _Question | None = None,
    found: list[tuple[int, bytes]] | None = None,
    proof: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    ident, flags = head
    records = found or []
    body = b"".join(_POINTER_TO_QUESTION + struct.pack("!HHIH", kind, _IN, _TTL, len(data)) + data for kind, data in records)
    counts = (1 if question else 0, len(records), 1 if proof else 0, 1 if extra else 0)
    return _HEADER.pack(ident, flags | code, *counts) + (question.raw if question else b"") + body + proof + extra


def _soa(zone: Zone, owner: bytes) -> bytes:
    data = _soa_data(zone)
    return owner + struct.pack("!HHIH", _SOA, _IN, _TTL, len(data)) + data


def _soa_data(zone: Zone) -> bytes:
    return _encode(zone.server) + _encode(f"hostmaster.{zone.origin}") + struct.pack("!IIIII", 1, 3600, 600, 86400, _TTL)


def _encode(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.split(".")) + b"\0"


class UdpEnd(asyncio.DatagramProtocol):
    """One datagram, one answer."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what sends."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # it is one by duty, not by ancestry

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer it, or say nothing."""
        reply = answer(data, self._zone)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """An earlier answer did not arrive (no way back to the asker): there is nothing to mend."""


async def serve_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, zone: Zone) -> None:
    """Questions over TCP, each with its length before it (RFC 7766); a few of them, and not for long."""
    try:
        for _ in range(_TCP_QUESTIONS):
            async with asyncio.timeout(_TCP_SILENCE_S):
                size = int.from_bytes(await reader.readexactly(2), "big")
                reply = answer(await reader.readexactly(size), zone)
                if reply is None:
                    break
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
