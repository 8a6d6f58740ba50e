"""Matches of iptables: inside nf_tables, as iptables-nft makes them, and in the tables of the old iptables; ``xt_targets`` has what they do.

Their contents are the C structs of include/uapi/linux/netfilter/xt_*.h, netfilter_ipv4/ipt_*.h and netfilter_ipv6/ip6t_*.h, in host byte
order. Each has its words, nft's own where nft has some, and what it means, typed. What has no words may have a meaning all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from ...model.netfilter import rules as r
from ...model.netfilter.conditions import words
from ...model.netfilter.packet import addresses, network, only, spans, without
from ..netlink.attributes import text
from .datatypes import quoted
from .matching import Phrase

_STATES: Final = {1: "invalid", 8: "new", 4: "related", 2: "established", 256: "untracked", 64: "snat", 128: "dnat"}
"""XT_CONNTRACK_STATE_*, in the order nft's translation prints them."""
_TRANSLATED: Final = {64: "snat", 128: "dnat"}
_STATE_BITS: Final = {1: 1, 2: 2, 4: 4, 8: 8, 256: 64}
"""To the bits of nft's ct state."""
_BY_STATE, _BY_STATUS, _BY_DIRECTION, _STATE_ALIAS = 0x1, 0x40, 0x1000, 0x2000
"""XT_CONNTRACK_* in match_flags; the alias says that it was typed as ``-m state``, which means the same."""
_LOCAL: Final = 2
"""RTN_LOCAL."""
_ANY_PORT: Final = (0, 0xFFFF)
_VARYING: Final = frozenset({"limit", "hashlimit", "connlimit", "statistic", "quota", "recent", "time", "cpu", "connbytes", "rateest"})

Decoded = tuple[r.Part, ...]
T = TypeVar("T")


def match(name: str, revision: int, info: bytes, family: str) -> Phrase:
    """A match of iptables: in nft's words, or as ``xt match "name"`` and opaque."""
    meaning = decoded(_MEANINGS, name, revision, info, family)
    if meaning is None:
        meaning = (r.Unread(f"-m {name}", varies=name in _VARYING),)
    words = decoded(_MATCHES, name, revision, info, family)
    return Phrase(words, parts=meaning) if words else Phrase(f"xt match {quoted(name)}", opaque=True, parts=meaning)


def decoded(table: Mapping[str, Callable[[int, bytes, str], T | None]], name: str, revision: int, info: bytes, family: str) -> T | None:
    """What the table has for it; None for nothing, and for contents that are too short to be it."""
    decode = table.get(name)
    try:
        return decode(revision, info, family) if decode else None
    except (struct.error, IndexError):
        return None


# ---- matches in words

def _conntrack_words(revision: int, info: bytes, family: str) -> str | None:
    flags, inverted, states, _ = _conntrack_fields(info)
    if revision < 2 or flags & ~_STATE_ALIAS != _BY_STATE or not states:
        return None
    status = [name for bit, name in _TRANSLATED.items() if states & bit]
    names = [name for bit, name in _STATES.items() if states & bit and bit not in _TRANSLATED]
    if status and names:
        return None
    key, shown = ("ct status", ",".join(status)) if status else ("ct state", ",".join(names))
    if inverted & _BY_STATE:
        return f"{key} ! {shown}"
    return f"{key} {shown}"


def _addrtype_words(revision: int, info: bytes, family: str) -> str | None:
    asked = _types(info) if revision == 1 else None
    if asked is None or len(asked) != 1 or asked[0][1].bit_count() != 1:
        return None
    field, mask, inverted = asked[0]
    return words(r.Condition(field, r.Numbers(only(mask.bit_length() - 1)), inverted))


def _ports_words(protocol: str) -> Callable[[int, bytes, str], str | None]:
    def decode(revision: int, info: bytes, family: str) -> str | None:
        first_source, last_source, first, last = struct.unpack_from("=HHHH", info)
        inverted = info[11] if protocol == "tcp" else info[8]
        if inverted or (protocol == "tcp" and (info[8] or info[9])):
            return None
        asked = [
            (f"{protocol} {side}", str(low) if low == high else f"{low}-{high}")
            for side, low, high in (("sport", first_source, last_source), ("dport", first, last))
            if (low, high) != _ANY_PORT
        ]
        if len(asked) != 1:
            return None
        key, shown = asked[0]
        return f"{key} {shown}"

    return decode


def _comment_words(revision: int, info: bytes, family: str) -> str:
    return f"comment {quoted(text(info))}"


# ---- matches, what they mean


def _conntrack_fields(info: bytes) -> tuple[int, int, int, int]:
    """struct xt_conntrack_mtinfo3 (and 2), the part after 8 addresses, 2 times and 5 port or protocol numbers."""
    flags, inverted, states, status = struct.unpack_from("=HHHH", info, 128 + 8 + 10)
    return flags, inverted, states, status


def _conntrack(revision: int, info: bytes, family: str) -> Decoded | None:
    if revision < 2:
        return None
    flags, inverted, states, status = _conntrack_fields(info)
    found: list[r.Part] = []
    if flags & _BY_STATE:
        found += _states(states, bool(inverted & _BY_STATE))
    if flags & _BY_STATUS:
        found.append(_bits("ct status", status, bool(inverted & _BY_STATUS)))
    if flags & _BY_DIRECTION:
        found.append(r.Condition("ct direction", r.Numbers(only(0)), bool(inverted & _BY_DIRECTION)))
    if flags & ~(_BY_STATE | _BY_STATUS | _BY_DIRECTION | _STATE_ALIAS):
        found.append(r.Unread("-m conntrack"))
    return tuple(found)


def _state(revision: int, info: bytes, family: str) -> Decoded:
    """struct xt_state_info."""
    return _states(struct.unpack_from("=I", info)[0], False)


def _states(mask: int, inverted: bool) -> Decoded:
    """One of these states, or translated in one of these ways; only then it is more than nft's ct state."""
    if mask & ~sum(_STATE_BITS):
        return (_bits("xt state", mask, inverted),)
    return (_bits("ct state", sum(bit for own, bit in _STATE_BITS.items() if mask & own), inverted),)


def _bits(field: str, mask: int, inverted: bool) -> r.Condition:
    """Any of these bits is set, or with ``inverted`` none of them."""
    return r.Condition(field, r.Numbers(only(0), mask), negated=not inverted)


def _types(info: bytes) -> list[tuple[str, int, bool]] | None:
    """struct xt_addrtype_info_v1: masks of address types for source and destination, then flags (1, 2: inverted; 4, 8: of one interface)."""
    masks, flags = struct.unpack_from("=HH", info), struct.unpack_from("=I", info, 4)[0]
    if flags & ~3:
        return None
    sides = zip(("saddr", "daddr"), masks, (1, 2), strict=True)
    return [(f"fib {side} type", mask, bool(flags & bit)) for side, mask, bit in sides if mask]


def _addrtype(revision: int, info: bytes, family: str) -> Decoded | None:
    asked = _types(info) if revision == 1 else None
    if asked is None:
        return None
    if family == "ip6":
        return tuple(part for field, mask, inverted in asked for part in _types6(field, mask, inverted))
    return tuple(
        r.Condition(field, r.Numbers(only(*(kind for kind in range(12) if mask & 1 << kind))), inverted) for field, mask, inverted in asked
    )


def _types6(field: str, mask: int, inverted: bool) -> Decoded:
    """For IPv6 an address is to be of all the types at once, and what is local is unicast too (match_type6(), net/netfilter/xt_addrtype.c)."""
    address = field.replace("fib", "ip6").removesuffix(" type")
    groups, nobody = network("ff00::/8"), network("::/128")
    kinds = {
        0: (address, nobody), 1: (address, without(addresses(6), spans((*groups, *nobody)))), 2: (field, only(_LOCAL)), 5: (address, groups),
    }  # fmt: skip
    found = [r.Condition(name, r.Numbers(held), inverted) for kind, (name, held) in kinds.items() if mask & 1 << kind]
    if len(found) != mask.bit_count() or (inverted and len(found) > 1):
        return (r.Unread("-m addrtype"),)
    return tuple(found)


def _ports(protocol: str) -> Callable[[int, bytes, str], Decoded]:
    """struct xt_tcp or xt_udp: two pairs of ports, and (after an option and two flag bytes for TCP) what is inverted."""

    def decode(revision: int, info: bytes, family: str) -> Decoded:
        *ports, inverted = (*struct.unpack_from("=HHHH", info), info[11] if protocol == "tcp" else info[8])
        sides = (("th sport", ports[0], ports[1], 1), ("th dport", ports[2], ports[3], 2))
        found: list[r.Part] = [
            r.Condition(field, r.Numbers(spans([(low, high)])), bool(inverted & bit)) for field, low, high, bit in sides if (low, high) != _ANY_PORT
        ]
        if protocol == "tcp" and info[9]:
            found.append(r.Condition("tcp flags", r.Numbers(only(info[10]), info[9]), bool(inverted & 4)))
        if protocol == "tcp" and info[8]:
            found.append(r.Unread("--tcp-option"))
        return tuple(found)

    return decode


def _icmp(field: str) -> Callable[[int, bytes, str], Decoded]:
    """struct ipt_icmp and ip6t_icmp: type, two codes, inverted; type 255 of IPv4's is any."""

    def decode(revision: int, info: bytes, family: str) -> Decoded:
        kind, low, high, inverted = info[0], info[1], info[2], info[3] & 1
        if field == "icmp" and kind == 0xFF:
            return ()
        parts = [r.Condition(f"{field} type", r.Numbers(only(kind)), bool(inverted))]
        if (low, high) != (0, 0xFF):
            if inverted:
                return (r.Unread(f"-m {field}"),)
            parts.append(r.Condition(f"{field} code", r.Numbers(spans([(low, high)]))))
        return tuple(parts)

    return decode


def _multiport(revision: int, info: bytes, family: str) -> Decoded | None:
    """struct xt_multiport_v1: flags, count, 15 ports, 15 marks of where a range begins, inverted."""
    if revision != 1:
        return None
    side, count = info[0], info[1]
    ports, ranges, inverted = struct.unpack_from("=15H", info, 2), info[32:47], info[47]
    pairs, at = list[tuple[int, int]](), 0
    while at < min(count, 15):
        last = at + 1 if ranges[at] and at + 1 < count else at
        pairs.append((ports[at], ports[last]))
        at = last + 1
    if side > 1:
        return (r.Unread("-m multiport --ports"),)
    return (r.Condition("th dport" if side else "th sport", r.Numbers(spans(pairs)), bool(inverted)),)


def _iprange(revision: int, info: bytes, family: str) -> Decoded | None:
    """struct xt_iprange_mtinfo: four addresses, flags (1 source, 2 destination, 16 and 32 inverted)."""
    if revision != 1:
        return None
    width, prefix = (16, "ip6") if family == "ip6" else (4, "ip")
    edges = [int.from_bytes(info[at : at + width], "big") for at in range(0, 64, 16)]
    flags = info[64]
    sides = ((f"{prefix} saddr", edges[0], edges[1], 1, 16), (f"{prefix} daddr", edges[2], edges[3], 2, 32))
    return tuple(r.Condition(field, r.Numbers(spans([(low, high)])), bool(flags & inverted)) for field, low, high, bit, inverted in sides if flags & bit)


def _mark(field: str) -> Callable[[int, bytes, str], Decoded | None]:
    """struct xt_mark_mtinfo1 and xt_connmark_mtinfo1: mark, mask, inverted."""

    def decode(revision: int, info: bytes, family: str) -> Decoded | None:
        if revision != 1:
            return None
        mark, mask = struct.unpack_from("=II", info)
        return (r.Condition(field, r.Numbers(only(mark), mask), bool(info[8])),)

    return decode


def _mac(revision: int, info: bytes, family: str) -> Decoded:
    """struct xt_mac_info: an address, padding, inverted."""
    return (r.Condition("ether saddr", r.Numbers(only(int.from_bytes(info[:6], "big"))), bool(struct.unpack_from("=i", info, 8)[0])),)


def _pkttype(revision: int, info: bytes, family: str) -> Decoded:
    """struct xt_pkttype_info."""
    kind, inverted = struct.unpack_from("=ii", info)
    return (r.Condition("meta pkttype", r.Numbers(only(kind)), bool(inverted)),)


def _length(revision: int, info: bytes, family: str) -> Decoded:
    """struct xt_length_info: without the header of IPv6, which nft's own length holds."""
    low, high = struct.unpack_from("=HH", info)
    more = 40 if family == "ip6" else 0
    return (r.Condition("meta length", r.Numbers(spans([(low + more, high + more)])), bool(info[4])),)


def _nothing(revision: int, info: bytes, family: str) -> Decoded:
    return ()


_MATCHES: Final[Mapping[str, Callable[[int, bytes, str], str | None]]] = {
    "conntrack": _conntrack_words,
    "addrtype": _addrtype_words,
    "comment": _comment_words,
    "tcp": _ports_words("tcp"),
    "udp": _ports_words("udp"),
}
_MEANINGS: Final[Mapping[str, Callable[[int, bytes, str], Decoded | None]]] = {
    "conntrack": _conntrack,
    "state": _state,
    "addrtype": _addrtype,
    "comment": _nothing,
    "tcp": _ports("tcp"),
    "udp": _ports("udp"),
    "icmp": _icmp("icmp"),
    "icmp6": _icmp("icmpv6"),
    "multiport": _multiport,
    "iprange": _iprange,
    "mark": _mark("meta mark"),
    "connmark": _mark("ct mark"),
    "mac": _mac,
    "pkttype": _pkttype,
    "length": _length,
}
