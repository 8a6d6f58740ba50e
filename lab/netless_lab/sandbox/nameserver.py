"""The pretend internet's name server: a pure function from question to answer (RFC 1035), and asyncio's ends for UDP and TCP.

It knows one zone and its reverse names, and says so of everything else: there is no other internet to ask.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final, cast

import msgspec

from ..model import dns

_ANSWER: Final = dns.RESPONSE | dns.AUTHORITATIVE | dns.RECURSION_AVAILABLE
"""It answers, with authority, and there is nothing it would have to ask others for."""
_TTL: Final = 60
_LONGEST_DATAGRAM: Final = 1232
"""Bytes that pass everywhere uncut; an OPT record says it in place of a class (RFC 6891)."""
_OUR_OPT: Final = dns.Record((), dns.OPT, b"", klass=_LONGEST_DATAGRAM)
_TCP_SILENCE_S: Final = 5.0
_TCP_QUESTIONS: Final = 16


class Zone(msgspec.Struct, frozen=True):
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


def answer(message: bytes, zone: Zone) -> bytes | None:
    """The reply to one DNS message; None for what deserves none: no DNS, or itself a reply."""
    asked = dns.decode(message)
    if asked is None or asked.response:
        return None
    head = dns.Message(asked.ident, _ANSWER | asked.flags & (dns.RECURSION_DESIRED | dns.OPCODE))
    if asked.flags & dns.OPCODE:
        return _reply(head, dns.NOT_IMPLEMENTED)
    if not asked.whole or len(asked.questions) != 1 or asked.answers or asked.authorities:
        return _reply(head, dns.FORMAT_ERROR)
    (question,) = asked.questions
    # an asker who sends the record of EDNS expects one back
    extra = (_OUR_OPT,) if any(record.kind == dns.OPT for record in asked.additional) else ()
    head = head._replace(questions=asked.questions, additional=extra)
    if question.klass != dns.IN:
        return _reply(head, dns.REFUSED)
    known, found = _look_up(question, zone)
    proof = () if found else (dns.Record(dns.name_of(zone.origin), dns.SOA, _soa(zone), _TTL),)
    return _reply(head._replace(answers=found, authorities=proof), dns.NO_ERROR if known else dns.NAME_ERROR)


def _reply(message: dns.Message, code: int) -> bytes:
    return dns.encode(message._replace(flags=message.flags | code))


def _look_up(question: dns.Question, zone: Zone) -> tuple[bool, tuple[dns.Record, ...]]:
    """Whether the name exists, and its records of the kind asked for: no records of an existing name is a full answer (RFC 2308)."""
    asked = ".".join(label.decode("latin-1").lower() for label in question.name)
    reverse = zone.reverse()
    records: list[tuple[int, bytes]] = []
    if asked in zone.addresses:
        records.append((dns.A, socket.inet_aton(zone.addresses[asked])))
    if asked in reverse:
        records.append((dns.PTR, _packed(reverse[asked])))
    if asked == zone.origin:
        records += [(dns.NS, _packed(zone.server)), (dns.SOA, _soa(zone))]
    names = (*zone.addresses, *reverse, zone.origin)
    known = any(name == asked or name.endswith(f".{asked}") for name in names) or not asked
    wanted = tuple(dns.Record(question.name, kind, data, _TTL) for kind, data in records if question.kind in (kind, dns.ANY))
    return known, wanted


def _soa(zone: Zone) -> bytes:
    return _packed(zone.server) + _packed(f"hostmaster.{zone.origin}") + struct.pack("!IIIII", 1, 3600, 600, 86400, _TTL)


def _packed(name: str) -> bytes:
    return dns.packed(dns.name_of(name))


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
