"""Values of nf_tables as nft prints them: addresses, ports, states, types. Names as in nft(8), numbers from the kernel's own headers."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal[
    "ifname", "ifindex", "ipv4", "ipv6", "ether", "port", "l4proto", "nfproto", "ethertype", "mark", "ctstate", "ctstatus", "ctdir",
    "icmp", "icmpcode", "icmpv6", "icmpv6code", "tcpflags", "pkttype", "fibtype", "arpop", "devtype", "dscp",
    "number", "host", "hex", "presence", "text",
]  # fmt: skip
"""What a value is. ``number`` is in network order, ``host`` in the machine's own, ``presence`` the outcome of a fib lookup."""

_NAMES: Final[Mapping[str, Mapping[int, str]]] = {
    "l4proto": {
        1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 17: "udp", 33: "dccp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah",
        58: "ipv6-icmp", 89: "ospf", 132: "sctp", 136: "udplite",
    },
    "nfproto": {2: "ipv4", 10: "ipv6"},
    "ethertype": {0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "vlan"},
    "ctdir": {0: "original", 1: "reply"},
    "icmp": {
        0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request", 9: "router-advertisement",
        10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem", 13: "timestamp-request", 14: "timestamp-reply",
        15: "info-request", 16: "info-reply", 17: "address-mask-request", 18: "address-mask-reply",
    },
    "icmpcode": {
        0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable", 4: "frag-needed",
        9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited",
    },
    "icmpv6": {
        1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
        129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report", 132: "mld-listener-done", 133: "nd-router-solicit",
        134: "nd-router-advert", 135: "nd-neighbor-solicit", 136: "nd-neighbor-advert", 137: "nd-redirect", 143: "mld2-listener-report",
    },
    "icmpv6code": {0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable", 5: "policy-fail", 6: "reject-route"},
    "pkttype": {0: "host", 1: "broadcast", 2: "multicast", 3: "other"},
    "fibtype": {
        0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
        8: "prohibit",
    },
    "arpop": {1: "request", 2: "reply", 3: "rrequest", 4: "rreply", 8: "inrequest", 9: "inreply", 10: "nak"},
    "devtype": {1: "ether", 772: "loopback", 512: "ppp", 768: "ipip", 769: "ipip6", 778: "ipgre"},
    "dscp": {
        0: "cs0", 8: "cs1", 16: "cs2", 24: "cs3", 32: "cs4", 40: "cs5", 48: "cs6", 56: "cs7", 46: "ef",
        10: "af11", 12: "af12", 14: "af13", 18: "af21", 20: "af22", 22: "af23", 26: "af31", 28: "af32", 30: "af33",
        34: "af41", 36: "af42", 38: "af43",
    },
    "presence": {0: "missing", 1: "exists"},
}  # fmt: skip

FLAGS: Final[Mapping[str, Mapping[int, str]]] = {
    "ctstate": {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"},
    "ctstatus": {1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 0x10: "snat", 0x20: "dnat", 0x200: "dying"},
    "tcpflags": {1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ecn", 128: "cwr"},
}
"""Kinds whose bits have names of their own."""

_HOST_ORDER: Final = frozenset({"ifindex", "mark", "ctstate", "ctstatus", "devtype", "fibtype", "host", "hex"})
_QUOTED: Final = frozenset({"ifname", "ifindex"})


def number(kind: Kind, payload: bytes) -> int:
    """The bytes of a value as a number, in the order its kind travels in."""
    return int.from_bytes(payload, sys.byteorder if kind in _HOST_ORDER else "big")


def quote(kind: Kind, shown: str) -> str:
    """Interface names stand in quotes in a listing, everything else stands bare."""
    return f'"{shown}"' if kind in _QUOTED and not shown.isdecimal() else shown


def show(kind: Kind, payload: bytes, devices: Mapping[int, str]) -> str:
    """One value without quotes. ``devices`` names interface indexes. Unknown numbers stay numbers."""
    if kind == "ipv4":
        return socket.inet_ntop(socket.AF_INET, payload.ljust(4, b"\0")[:4])
    if kind == "ipv6":
        return socket.inet_ntop(socket.AF_INET6, payload.ljust(16, b"\0")[:16])
    if kind == "ether":
        return payload.hex(":")
    if kind in ("ifname", "text"):
        shown = payload.split(b"\0", 1)[0].decode("utf-8", "replace")
        return shown if b"\0" in payload or kind == "text" or len(payload) >= 16 else f"{shown}*"
    value = number(kind, payload)
    if kind == "ifindex":
        return devices.get(value, str(value))
    if kind == "mark":
        return f"0x{value:08x}"
    if kind == "hex":
        return f"{value:#x}"
    if kind in FLAGS:
        return flags(kind, value)
    return _NAMES.get(kind, {}).get(value, str(value))


def flags(kind: Kind, value: int) -> str:
    """The names of the bits of ``value``, lowest bit first, joined by commas."""
    known = FLAGS[kind]
    named = [name for bit, name in known.items() if value & bit]
    rest = value & ~sum(known)
    return ",".join([*named, *([f"0x{rest:x}"] if rest else [])]) or "0x0"


def prefix_length(mask: bytes) -> int | None:
    """How many leading ones ``mask`` has; None when it is not a prefix mask."""
    ones = int.from_bytes(mask, "big")
    width = len(mask) * 8
    length = ones.bit_count()
    return length if ones == ((1 << length) - 1) << (width - length) else None
