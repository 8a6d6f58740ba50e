"""Matches and targets of iptables inside nf_tables, as iptables-nft makes them, in nft's words where nft has words for them.

Their contents are the C structs of include/uapi/linux/netfilter/xt_*.h and netfilter_ipv4/ipt_*.h, in host byte order.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Final

from ..attributes import text
from .datatypes import show
from .matching import Phrase
from .statements import nat_words, port_range

_STATES: Final = {1: "invalid", 8: "new", 4: "related", 2: "established", 256: "untracked", 64: "snat", 128: "dnat"}
"""XT_CONNTRACK_STATE_*, in the order nft's translation prints them."""
_TRANSLATED: Final = {64: "snat", 128: "dnat"}
_REJECTS: Final = {
    0: "icmp type net-unreachable", 1: "icmp type host-unreachable", 2: "icmp type prot-unreachable", 3: "", 7: "tcp reset",
    5: "icmp type net-prohibited", 6: "icmp type host-prohibited", 8: "icmp type admin-prohibited",
}  # fmt: skip
"""enum ipt_reject_with; ``type`` is how nft prints those of iptables, its own have none."""
_HAS_PORTS: Final = 0x2
_MATCH_STATE: Final = 1
"""XT_CONNTRACK_STATE in match_flags."""
_STATE_ALIAS: Final = 0x2000
"""XT_CONNTRACK_STATE_ALIAS: it was typed as ``-m state``, which means the same."""


def match(name: str, revision: int, info: bytes) -> Phrase:
    """A match of iptables in words, or ``xt match "name"`` and opaque."""
    return _decoded(_MATCHES, name, revision, info) or Phrase(f'xt match "{name}"', opaque=True)


def target(name: str, revision: int, info: bytes) -> Phrase:
    """A target of iptables in words, or ``xt target "name"`` and opaque."""
    return _decoded(_TARGETS, name, revision, info) or Phrase(f'xt target "{name}"', opaque=True)


def _decoded(table: Mapping[tuple[str, int], Callable[[bytes], Phrase | None]], name: str, revision: int, info: bytes) -> Phrase | None:
    decode = table.get((name, revision))
    try:
        return decode(info) if decode else None
    except struct.error:
        return None


def _conntrack(info: bytes) -> Phrase | None:
    """struct xt_conntrack_mtinfo3, the part after 8 addresses, 2 times and 5 port or protocol numbers."""
    flags, inverted, states, _ = struct.unpack_from("=HHHH", info, 128 + 8 + 10)
    if flags & ~_STATE_ALIAS != _MATCH_STATE or not states:
        return None
    status = [name for bit, name in _TRANSLATED.items() if states & bit]
    names = [name for bit, name in _STATES.items() if states & bit and bit not in _TRANSLATED]
    if status and names:
        return None
    key, shown = ("ct status", ",".join(status)) if status else ("ct state", ",".join(names))
    if inverted & _MATCH_STATE:
        return Phrase(f"{key} ! {shown}", (key, "not in", shown))
    return Phrase(f"{key} {shown}", (key, "in", shown))


def _addrtype(info: bytes) -> Phrase | None:
    """struct xt_addrtype_info_v1: masks of address types for source and destination, then flags (1, 2: inverted)."""
    masks, flags = struct.unpack_from("=HH", info), struct.unpack_from("=I", info, 4)[0]
    asked = [(side, mask, flags & bit) for side, mask, bit in zip(("saddr", "daddr"), masks, (1, 2), strict=True) if mask]
    if len(asked) != 1 or asked[0][1].bit_count() != 1 or flags & ~3:
        return None
    side, mask, inverted = asked[0]
    kind = show("fibtype", (mask.bit_length() - 1).to_bytes(4, sys.byteorder), {})
    sign = "!=" if inverted else "=="
    return Phrase(f"fib {side} type {'!= ' if inverted else ''}{kind}", (f"fib {side} type", sign, kind))


def _ports(protocol: str) -> Callable[[bytes], Phrase | None]:
    """struct xt_tcp or xt_udp: two pairs of ports, and (after an option and two flag bytes for TCP) what is inverted."""

    def decode(info: bytes) -> Phrase | None:
        first_source, last_source, first, last = struct.unpack_from("=HHHH", info)
        inverted = info[11] if protocol == "tcp" else info[8]
        if inverted or (protocol == "tcp" and (info[8] or info[9])):
            return None
        asked = [
            (f"{protocol} {side}", str(low) if low == high else f"{low}-{high}")
            for side, low, high in (("sport", first_source, last_source), ("dport", first, last))
            if (low, high) != (0, 0xFFFF)
        ]
        if len(asked) != 1:
            return None
        key, shown = asked[0]
        return Phrase(f"{key} {shown}", (key, "==", shown))

    return decode


def _comment(info: bytes) -> Phrase:
    return Phrase(f'comment "{text(info)}"')


def _masquerade(info: bytes) -> Phrase:
    _, flags, _, _, low, high = struct.unpack_from("=II4s4s2s2s", info)
    ports = f" to {_port_words(low, high)}" if flags & _HAS_PORTS else ""
    return Phrase(f"masquerade{ports}", verdict="masquerade")


def _compat_nat(kind: str) -> Callable[[bytes], Phrase]:
    """struct nf_nat_ipv4_multi_range_compat."""

    def decode(info: bytes) -> Phrase:
        _, flags, first, last, low, high = struct.unpack_from("=II4s4s2s2s", info)
        return _nat(kind, flags, first, last, (low, high))

    return decode


def _range_nat(kind: str) -> Callable[[bytes], Phrase]:
    """struct nf_nat_range and nf_nat_range2: addresses are unions of IPv4 and IPv6; the tables here are IPv4's."""

    def decode(info: bytes) -> Phrase:
        flags, first, last, low, high = struct.unpack_from("=I4s12x4s12x2s2s", info)
        return _nat(kind, flags, first, last, (low, high))

    return decode


def _nat(kind: str, flags: int, first: bytes, last: bytes, ports: tuple[bytes, bytes]) -> Phrase:
    shown = _port_words(*ports) if flags & _HAS_PORTS else ""
    if kind == "redirect":
        words = f"redirect to {shown}" if shown else "redirect"
    else:
        words = nat_words(kind, socket.inet_ntoa(first), socket.inet_ntoa(last), shown)
    return Phrase(words, verdict=words)


def _port_words(low: bytes, high: bytes) -> str:
    return port_range(int.from_bytes(low, "big"), int.from_bytes(high, "big"))


def _reject(info: bytes) -> Phrase | None:
    """struct ipt_reject_info: one number; 3, port unreachable, is what plain ``reject`` does too."""
    kind = int(struct.unpack_from("=I", info)[0])
    if kind not in _REJECTS:
        return None
    return Phrase(f"reject with {_REJECTS[kind]}" if _REJECTS[kind] else "reject", verdict="reject")


def _log(info: bytes) -> Phrase:
    prefix = text(info[2:32])
    return Phrase(f'log prefix "{prefix}"' if prefix else "log")


_MATCHES: Final[Mapping[tuple[str, int], Callable[[bytes], Phrase | None]]] = {
    ("conntrack", 2): _conntrack,
    ("conntrack", 3): _conntrack,
    ("addrtype", 1): _addrtype,
    ("comment", 0): _comment,
    ("tcp", 0): _ports("tcp"),
    ("udp", 0): _ports("udp"),
}
_TARGETS: Final[Mapping[tuple[str, int], Callable[[bytes], Phrase | None]]] = {
    ("MASQUERADE", 0): _masquerade,
    ("DNAT", 0): _compat_nat("dnat"),
    ("DNAT", 1): _range_nat("dnat"),
    ("DNAT", 2): _range_nat("dnat"),
    ("SNAT", 0): _compat_nat("snat"),
    ("SNAT", 1): _range_nat("snat"),
    ("SNAT", 2): _range_nat("snat"),
    ("REDIRECT", 0): _compat_nat("redirect"),
    ("REJECT", 0): _reject,
    ("LOG", 0): _log,
}
