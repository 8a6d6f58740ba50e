"""A packet in one line of words, as a hop shows it."""

from __future__ import annotations

import re
from typing import Final

from .dns import summary
from .packet import ACK, FIN, PSH, RST, SYN, TCP, UDP, Packet, mac

_FLAGS: Final = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (PSH, "PSH"), (ACK, "ACK"))
_HTTP: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) [^\r\n]{1,100} HTTP/1\.[01]|HTTP/1\.[01] [^\r\n]{3,60}")
_DNS_PORT: Final = 53
_UNREACHABLE: Final = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    9: "network prohibited",
    10: "host prohibited",
    13: "administratively prohibited",
}
_UNREACHABLE6: Final = {
    0: "no route",
    1: "administratively prohibited",
    2: "beyond scope",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address refused",
    6: "route rejected",
}
_ERRORS: Final = {4: "source quench", 5: "redirect", 11: "TTL exceeded", 12: "parameter problem"}
_ERRORS6: Final = {2: "packet too big", 3: "hop limit exceeded", 4: "parameter problem"}
ND_NAMES: Final = {
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbour solicitation",
    136: "neighbour advertisement",
    137: "redirect",
}
PROTOCOLS: Final = {1: "ICMP", 2: "IGMP", TCP: "TCP", UDP: "UDP", 47: "GRE", 50: "ESP", 58: "ICMPv6", 132: "SCTP"}


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


def flag_names(bits: int) -> str:
    """``SYN,ACK``"""
    return ",".join(name for bit, name in _FLAGS if bits & bit) or "no flags"


def error(packet: Packet) -> str:
    """What an ICMP error says: ``host unreachable``."""
    return icmp_name(*packet.code, six=":" in packet.src)


def icmp_name(kind: int, code: int, *, six: bool) -> str:
    """An ICMP or, with ``six``, an ICMPv6 type and code in words."""
    if kind == (1 if six else 3):
        return (_UNREACHABLE6 if six else _UNREACHABLE).get(code, f"unreachable, code {code}")
    if kind in (128, 129) if six else kind in (8, 0):
        return "echo request" if kind in (128, 8) else "echo reply"
    named = (_ERRORS6 | ND_NAMES).get(kind) if six else _ERRORS.get(kind)
    return named or f"ICMP type {kind} code {code}"


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
            told = summary(packet.payload) if _DNS_PORT in (packet.sport, packet.dport) else ""
            return told or f"UDP, {packet.size} bytes"
        case "fragment":
            return f"piece of a cut {PROTOCOLS.get(packet.proto, 'IP')} packet"
        case "icmp":
            return f"ICMP type {packet.code[0]} code {packet.code[1]}"
        case _:
            return PROTOCOLS.get(packet.proto, f"IP protocol {packet.proto}")


def _neighbour(packet: Packet) -> str:
    if packet.code[0] == 135:
        return f"who has {packet.dst}? tell {packet.src}" if packet.src != "::" else f"does anybody have {packet.dst}?"
    if packet.code[0] == 136:
        return f"{packet.dst} is at {mac(packet.answer)}" if packet.answer else f"{packet.dst} is here"
    return f"{packet.src} {ND_NAMES.get(packet.code[0], 'neighbour discovery')}"
