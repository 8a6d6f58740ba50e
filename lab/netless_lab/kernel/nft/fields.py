"""What a rule can look at: fields of packet headers, of the packet's metadata, of its conntrack entry. Offsets in bytes.

Sources: include/uapi/linux/netfilter/nf_tables.h (keys), the header formats of RFC 791, 8200, 9293, 768, 792, 826, IEEE 802.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from .datatypes import Kind

LINK, NETWORK, TRANSPORT = 0, 1, 2
"""enum nft_payload_bases."""


class Field(NamedTuple):
    """One thing a rule can match: its name in nft, what its values are, its width in bytes, and the protocol whose header holds it."""

    key: str
    kind: Kind
    width: int
    protocol: str = ""


_HEADERS: Final[Mapping[str, Mapping[int, tuple[str, Kind, int]]]] = {
    "ether": {0: ("daddr", "ether", 6), 6: ("saddr", "ether", 6), 12: ("type", "ethertype", 2)},
    "vlan": {14: ("tci", "number", 2), 16: ("type", "ethertype", 2)},
    "ip": {
        0: ("version", "number", 1), 1: ("dscp", "dscp", 1), 2: ("length", "number", 2), 4: ("id", "number", 2),
        6: ("frag-off", "number", 2), 8: ("ttl", "number", 1), 9: ("protocol", "l4proto", 1), 10: ("checksum", "number", 2),
        12: ("saddr", "ipv4", 4), 16: ("daddr", "ipv4", 4),
    },
    "ip6": {
        4: ("length", "number", 2), 6: ("nexthdr", "l4proto", 1), 7: ("hoplimit", "number", 1),
        8: ("saddr", "ipv6", 16), 24: ("daddr", "ipv6", 16),
    },
    "arp": {
        0: ("htype", "number", 2), 2: ("ptype", "ethertype", 2), 4: ("hlen", "number", 1), 5: ("plen", "number", 1),
        6: ("operation", "arpop", 2), 8: ("saddr ether", "ether", 6), 14: ("saddr ip", "ipv4", 4), 18: ("daddr ether", "ether", 6),
        24: ("daddr ip", "ipv4", 4),
    },
    "tcp": {
        0: ("sport", "port", 2), 2: ("dport", "port", 2), 4: ("sequence", "number", 4), 8: ("ackseq", "number", 4),
        13: ("flags", "tcpflags", 1), 14: ("window", "number", 2), 16: ("checksum", "number", 2),
    },
    "udp": {0: ("sport", "port", 2), 2: ("dport", "port", 2), 4: ("length", "number", 2), 6: ("checksum", "number", 2)},
    "th": {0: ("sport", "port", 2), 2: ("dport", "port", 2)},
    "icmp": {0: ("type", "icmp", 1), 1: ("code", "icmpcode", 1), 4: ("id", "number", 2), 6: ("sequence", "number", 2)},
    "icmpv6": {0: ("type", "icmpv6", 1), 1: ("code", "icmpv6code", 1), 4: ("id", "number", 2), 6: ("sequence", "number", 2)},
}  # fmt: skip
_PORTS: Final = frozenset({"sctp", "dccp", "udplite"})

_META: Final[Mapping[int, Field]] = {
    0: Field("meta length", "host", 4), 1: Field("meta protocol", "ethertype", 2), 2: Field("meta priority", "hex", 4),
    3: Field("meta mark", "mark", 4), 4: Field("iif", "ifindex", 4), 5: Field("oif", "ifindex", 4),
    6: Field("iifname", "ifname", 16), 7: Field("oifname", "ifname", 16), 8: Field("meta iiftype", "devtype", 2),
    9: Field("meta oiftype", "devtype", 2), 10: Field("meta skuid", "host", 4), 11: Field("meta skgid", "host", 4),
    12: Field("meta nftrace", "host", 1), 15: Field("meta nfproto", "nfproto", 1), 16: Field("meta l4proto", "l4proto", 1),
    17: Field("meta ibrname", "ifname", 16), 18: Field("meta obrname", "ifname", 16), 19: Field("meta pkttype", "pkttype", 1),
    20: Field("meta cpu", "host", 4), 21: Field("iifgroup", "host", 4), 22: Field("oifgroup", "host", 4),
    23: Field("meta cgroup", "host", 4),
}  # fmt: skip

_CT: Final[Mapping[int, Field]] = {
    0: Field("state", "ctstate", 4), 1: Field("direction", "ctdir", 1), 2: Field("status", "ctstatus", 4), 3: Field("mark", "mark", 4),
    7: Field("l3proto", "nfproto", 1), 8: Field("ip saddr", "ipv4", 4), 9: Field("ip daddr", "ipv4", 4),
    10: Field("protocol", "l4proto", 1), 11: Field("proto-src", "port", 2), 12: Field("proto-dst", "port", 2),
    14: Field("packets", "host", 8), 15: Field("bytes", "host", 8), 17: Field("zone", "host", 2),
    19: Field("ip saddr", "ipv4", 4), 20: Field("ip daddr", "ipv4", 4),
    21: Field("ip6 saddr", "ipv6", 16), 22: Field("ip6 daddr", "ipv6", 16),
}  # fmt: skip

BITS: Final[Mapping[tuple[str, bytes], Field]] = {
    ("ip version", b"\xf0"): Field("ip version", "number", 1, "ip"),
    ("ip version", b"\x0f"): Field("ip hdrlength", "number", 1, "ip"),
    ("ip dscp", b"\xfc"): Field("ip dscp", "dscp", 1, "ip"),
    ("ip dscp", b"\x03"): Field("ip ecn", "ecn", 1, "ip"),
    ("vlan tci", b"\x0f\xff"): Field("vlan id", "number", 2, "vlan"),
}
"""Fields narrower than a byte: what is loaded, and the mask that cuts the field out of it."""

_TCP_OPTIONS: Final[Mapping[int, tuple[str, Mapping[int, tuple[str, int]]]]] = {
    0: ("eol", {}), 1: ("nop", {}), 2: ("maxseg", {1: ("length", 1), 2: ("size", 2)}), 3: ("window", {1: ("length", 1), 2: ("count", 1)}),
    4: ("sack-perm", {1: ("length", 1)}), 5: ("sack", {1: ("length", 1), 2: ("left", 4), 6: ("right", 4)}),
    8: ("timestamp", {1: ("length", 1), 2: ("tsval", 4), 6: ("tsecr", 4)}), 19: ("md5sig", {1: ("length", 1)}), 30: ("mptcp", {1: ("length", 1)}),
    34: ("fastopen", {1: ("length", 1)}),
}  # fmt: skip
_ROUTE: Final[Mapping[int, Field]] = {
    1: Field("rt ip nexthop", "ipv4", 4), 2: Field("rt ip6 nexthop", "ipv6", 16), 3: Field("rt mtu", "host", 2),
}  # fmt: skip
_FIB_RESULTS: Final = {1: "oif", 2: "oifname", 3: "type"}
_FIB_INPUTS: Final = {1: "saddr", 2: "daddr", 4: "mark", 8: "iif", 0x10: "oif"}
_FIB_PRESENT: Final = 0x20


_KEY_TYPES: Final[Mapping[int, Field]] = {
    1: Field("verdict", "text", 0), 2: Field("nf_proto", "nfproto", 1), 5: Field("string", "text", 16), 7: Field("ipv4_addr", "ipv4", 4),
    8: Field("ipv6_addr", "ipv6", 16), 9: Field("ether_addr", "ether", 6), 10: Field("ether_type", "ethertype", 2),
    12: Field("inet_proto", "l4proto", 1), 13: Field("inet_service", "port", 2), 14: Field("icmp_type", "icmp", 1), 19: Field("mark", "mark", 4),
    20: Field("iface_index", "ifindex", 4), 26: Field("ct_state", "ctstate", 4), 28: Field("ct_status", "ctstatus", 4),
    29: Field("icmpv6_type", "icmpv6", 1), 31: Field("pkt_type", "pkttype", 1), 41: Field("ifname", "ifname", 16),
}  # fmt: skip
_TYPE_BITS: Final = 6


def key_fields(kinds: int) -> tuple[Field, ...]:
    """What the keys of a set are, of the number that nft(8) leaves in it: six bits for each type that stands side by side (its TYPE_BITS)."""
    found: list[Field] = []
    while kinds:
        kind = kinds & ((1 << _TYPE_BITS) - 1)
        found.insert(0, _KEY_TYPES.get(kind, Field(f"type {kind}", "number", 4)))
        kinds >>= _TYPE_BITS
    return tuple(found)


def header_fields(protocol: str, offset: int, width: int) -> tuple[Field, ...]:
    """The fields that ``width`` bytes at ``offset`` of a header are: one, or several that lie side by side; () when they are none.

    A load shorter than an address is that address with a prefix; nft loads only as many bytes as it compares.
    """
    table = _HEADERS.get("th" if protocol in _PORTS else protocol, {})
    found: list[Field] = []
    while width > 0:
        if offset not in table:
            return ()
        name, kind, size = table[offset]
        if size > width and kind not in ("ipv4", "ipv6", "ether"):
            return ()
        found.append(Field(f"{protocol} {name}", kind, size, protocol))
        offset, width = offset + size, width - size
    return tuple(found)


def option_field(kind: int, offset: int, width: int, *, presence: bool) -> Field | None:
    """A field of a TCP option (RFC 9293, section 3.1; RFC 7323), or whether the option is there."""
    name, fields = _TCP_OPTIONS.get(kind, (str(kind), {}))
    if presence:
        return Field(f"tcp option {name}", "presence", 1, "tcp")
    found, size = fields.get(offset, ("", 0))
    return Field(f"tcp option {name} {found}", "number", size, "tcp") if size == width else None


def option_name(kind: int) -> str:
    """What nft(8) calls a TCP option."""
    return _TCP_OPTIONS.get(kind, (str(kind), {}))[0]


def route_field(key: int) -> Field | None:
    """What the packet's route says (enum nft_rt_keys)."""
    return _ROUTE.get(key)


def cleared(fields: tuple[Field, ...], kept: bytes) -> Field | None:
    """The one field of those side by side of which a mask keeps nothing, while it keeps all else: what is written anew."""
    at, found = 0, list[Field | None]()
    for field in fields:
        mask = kept[at : at + field.width]
        at += field.width
        if any(mask) and mask != b"\xff" * field.width:
            found.append(BITS.get((field.key, bytes(byte ^ 0xFF for byte in mask))))
        elif not any(mask):
            found.append(field)
    return found[0] if len(found) == 1 else None


def meta_field(key: int) -> Field | None:
    """The metadata behind a key of the ``meta`` expression."""
    return _META.get(key)


def ct_field(key: int, direction: int | None) -> Field | None:
    """The conntrack property behind a key of the ``ct`` expression, with its direction when it has one."""
    field = _CT.get(key)
    if field is None:
        return None
    way = "" if direction is None else ("original ", "reply ")[direction & 1]
    return field._replace(key=f"ct {way}{field.key}")


def fib_field(result: int, flags: int) -> Field:
    """What a ``fib`` expression looks up: ``fib daddr type``, ``fib saddr . iif oif``."""
    inputs = " . ".join(name for bit, name in _FIB_INPUTS.items() if flags & bit)
    kind: Kind = "presence" if flags & _FIB_PRESENT else "fibtype" if result == 3 else "ifname" if result == 2 else "ifindex"
    return Field(f"fib {inputs} {_FIB_RESULTS.get(result, str(result))}", kind, 16 if result == 2 else 4)
