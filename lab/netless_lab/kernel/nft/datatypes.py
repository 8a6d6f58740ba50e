"""Values of nf_tables as nft prints them: addresses, ports, states, types. Names as in nft(8), numbers from the kernel's own headers."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Mapping
from typing import Final, Literal

from ...model.netfilter.conditions import literally, named

Kind = Literal[
    "ifname", "ifindex", "ipv4", "ipv6", "ether", "port", "l4proto", "nfproto", "ethertype", "mark", "ctstate", "ctstatus", "ctdir",
    "icmp", "icmpcode", "icmpv6", "icmpv6code", "tcpflags", "pkttype", "fibtype", "arpop", "devtype", "dscp", "ecn",
    "number", "host", "hex", "presence", "text",
]  # fmt: skip
"""What a value is. ``number`` is in network order, ``host`` in the machine's own, ``presence`` the outcome of a fib lookup."""

HOST_ORDER: Final = frozenset({"ifindex", "mark", "ctstate", "ctstatus", "devtype", "fibtype", "host", "hex"})
_QUOTED: Final = frozenset({"ifname", "ifindex"})
_UNSPEAKABLE: Final = re.compile(r'["\x00-\x1f\x7f]')


def number(kind: Kind, payload: bytes) -> int:
    """The bytes of a value as a number, in the order its kind travels in."""
    return int.from_bytes(payload, sys.byteorder if kind in HOST_ORDER else "big")


def quoted(shown: str) -> str:
    """A string of a rule's as nft(8) writes it. In its language a string ends with the next quote, and none can be written in one: "?" stands for it."""
    return f'"{_UNSPEAKABLE.sub("?", shown)}"'


def quote(kind: Kind, shown: str) -> str:
    """Interface names stand in quotes in a listing, everything else stands bare."""
    return quoted(shown) if kind in _QUOTED and not shown.isdecimal() else shown


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
        if kind == "text":
            return shown
        return literally(shown) if b"\0" in payload or len(payload) >= 16 else f"{shown}*"
    value = number(kind, payload)
    if kind == "ifindex":
        return devices.get(value, str(value))
    return f"{value:#x}" if kind == "hex" else named(kind, value)


def prefix_length(mask: bytes) -> int | None:
    """How many leading ones ``mask`` has; None when it is not a prefix mask."""
    ones = int.from_bytes(mask, "big")
    width = len(mask) * 8
    length = ones.bit_count()
    return length if ones == ((1 << length) - 1) << (width - length) else None
