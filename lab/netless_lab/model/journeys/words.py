"""A packet in one line of words, as a hop shows it."""

from __future__ import annotations

import re
from typing import Final

from .. import dns, icmp
from .headers import PROTOCOLS, flag_names
from .packet import TCP, UDP, Packet, mac

_HTTP: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) [^\r\n]{1,100} HTTP/1\.[01]|HTTP/1\.[01] [^\r\n]{3,60}")
_DNS_PORT: Final = 53
_MOST_RECORDS: Final = 16


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


def flags(packet: Packet) -> str:
    """``SYN,ACK``"""
    return flag_names(packet.flags)


def error(packet: Packet) -> str:
    """What an ICMP error says: ``host unreachable``."""
    return icmp.name(*packet.code, six=":" in packet.src)


def _talk(packet: Packet) -> str:
    if packet.proto in (TCP, UDP) and packet.kind != "fragment" and packet.dport:
        return f"{_end(packet.src, packet.sport)} > {_end(packet.dst, packet.dport)}"
    return f"{packet.src} > {packet.dst}"


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _what(packet: Packet) -> str:
    match packet.kind:
        case "echo-request" | "echo-reply":
            return f"{packet.kind.replace('-', ' ')} seq {packet.seq}"
        case "icmp-error":
            about = f" about {_talk(packet.quoted)}" if packet.quoted is not None else ""
            limit = f" (mtu {packet.seq})" if packet.seq else ""
            return f"{error(packet)}{limit}{about}"
        case "tcp":
            said = _HTTP.match(packet.payload)
            if said is not None:
                return said[0].decode("ascii", "replace")
            return f"{flags(packet)}, {packet.size} bytes" if packet.size else flags(packet)
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
    message = dns.decode(payload)
    if message is None or len(message.questions) != 1:
        return ""
    (question,) = message.questions
    name = dns.text(question.name)
    if not message.response:
        return f"DNS {dns.TYPES.get(question.kind, f'type {question.kind}')} {name}?"
    if message.code:
        return f"DNS {name}: {dns.CODES.get(message.code, f'code {message.code}')}"
    told = [record for record in message.answers if record.value][:_MOST_RECORDS]
    values = [record.value for record in told if record.kind in (dns.A, dns.AAAA)] or [record.value for record in told]
    return f"DNS {name} is {', '.join(values)}" if values else f"DNS {name}: no such record"


def _neighbour(packet: Packet) -> str:
    if packet.code[0] == icmp.SOLICITATION:
        return f"who has {packet.dst}? tell {packet.src}" if packet.src != "::" else f"does anybody have {packet.dst}?"
    if packet.code[0] == icmp.ADVERTISEMENT:
        return f"{packet.dst} is at {mac(packet.answer)}" if packet.answer else f"{packet.dst} is here"
    return f"{packet.src} {icmp.DISCOVERY.get(packet.code[0], 'neighbour discovery')}"
