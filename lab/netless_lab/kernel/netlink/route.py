"""Routes: RTM_NEWROUTE, what routing answers about one packet, and next hops as objects (rtnetlink(7), include/uapi/linux/rtnetlink.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_interface
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from ...model.snapshot import Route
from .attributes import attribute, attributes, family_and_bytes, ip, native, number, text

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_DELNEXTHOP, RTM_GETNEXTHOP = 105, 106
_DST, _SRC, _IIF, _OIF, _GATEWAY, _METRIC, _PREFSRC, _METRICS, _MULTIPATH, _FLOW, _CACHE, _TABLE, _VIA = 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 18
_PREF, _ENCAP_TYPE, _ENCAP, _TTL_PROPAGATE, _NEXT_HOP = 20, 21, 22, 26, 30
"""RTA_*"""
RTMSG: Final = struct.Struct("=BBBBBBBBI")
"""struct rtmsg: family, lengths of destination and source, TOS, table, protocol, scope, type, flags. struct fib_rule_hdr is laid out alike."""
_NEXTHOP: Final = struct.Struct("=HBBi")
"""struct rtnexthop: length, flags, weight, ifindex."""
ROUTES_BODY: Final = bytes(RTMSG.size)
NEXT_HOPS_BODY: Final = bytes(8)
"""struct nhmsg."""
_NHA_ID: Final = 1

LOCAL_TABLE: Final = 255
_TABLE_IN_ATTRIBUTE: Final = 252
"""RT_TABLE_COMPAT: the number in the header when the real one does not fit its byte."""
SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
SCOPE_NUMBERS: Final = {name: value for value, name in SCOPES.items()}
_TYPES: Final = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast",
    6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw", 10: "nat",
}  # fmt: skip
_TYPE_NUMBERS: Final = {name: value for value, name in _TYPES.items()}
_UNICAST: Final = 1
_NOISE: Final = (3, 4, 5)
_PROTOCOLS: Final = {0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}
_BY_KERNEL, _BY_ROUTER = 2, 9
_PROTOCOL_NUMBERS: Final = {name: value for value, name in _PROTOCOLS.items()}
_METRIC_MTU: Final = 2
"""RTAX_MTU."""
_METRIC_WORDS: Final = {
    2: "mtu", 3: "window", 6: "ssthresh", 7: "cwnd", 8: "advmss", 9: "reordering", 10: "hoplimit", 11: "initcwnd", 14: "initrwnd",
    15: "quickack",
}  # fmt: skip
"""RTAX_* as ip(8) calls them, those whose numbers it takes as they are; rtt and rttvar it counts in other units."""
_LOCK, _RTT, _RTTVAR, _FEATURES, _RTO_MIN, _CONGESTION = 1, 4, 5, 12, 13, 16
_PREFERENCES: Final = {1: "high", 3: "low"}
_ENCAP_IP: Final = 2
"""LWTUNNEL_ENCAP_IP: inside another packet of IPv4 (lwtunnel.h)."""
_TUNNEL_FLAGS: Final = {0x04: "key", 0x01: "csum", 0x08: "seq"}
"""TUNNEL_* as ip(8) calls them (if_tunnel.h)."""
_ENCAP_OPTIONS: Final = 8
_ENCAP_NAMES: Final = {1: "mpls", 2: "ip", 3: "ila", 4: "ip6", 5: "seg6", 6: "bpf", 7: "seg6local", 8: "rpl", 9: "ioam6", 10: "xfrm"}
_EXPIRES: Final = slice(8, 12)
"""In struct rta_cacheinfo: the time that is left, 0 for ever."""
_LINKDOWN: Final = 16
_ONLINK: Final = 4
_CLONED: Final = 0x200
_LOOKUP_TABLE: Final = 0x1000
"""RTM_F_LOOKUP_TABLE: say which table decided. IPv6 always says it, and refuses the flag."""


class RawRoute(NamedTuple):
    """A route before names: ``device`` is the ifindex it goes out by, 0 for none."""

    route: Route
    device: int


class Way(NamedTuple):
    """What routing does with one packet. ``device`` is the ifindex it goes out by (0: none), ``table`` the one that decided.

    ``mtu`` is the path's, 0 when routing knows of none but the link's; ``learned``: routers said so, and it is forgotten after a while.
    """

    type: str
    via: str | None
    device: int
    prefsrc: str | None
    table: int
    mtu: int = 0
    learned: bool = False


def version_of(family: int) -> Literal[4, 6] | None:
    """AF_INET and AF_INET6 as 4 and 6, None for any other."""
    return 4 if family == socket.AF_INET else 6 if family == socket.AF_INET6 else None


def low(table: int) -> int:
    """What of a table's number stands in the header; all of it goes into an attribute."""
    return table if table < 256 else _TABLE_IN_ATTRIBUTE


def decode_route(body: bytes) -> Iterator[RawRoute]:
    """The routes of one RTM_NEWROUTE body: one per next hop, none when it is the kernel's own noise.

    Noise is the local table, and broadcast, anycast and multicast routes wherever they are: each address brings several.
    """
    family, length, source, tos, low_table, protocol, scope, kind, flags = RTMSG.unpack_from(body, 0)
    version = version_of(family)
    if version is None or flags & _CLONED or kind in _NOISE:
        return
    found = attributes(body, RTMSG.size)
    table = native(found[_TABLE]) if _TABLE in found else low_table
    if table == LOCAL_TABLE:
        return
    route = Route(
        dst=f"{ip(found[_DST])}/{length}" if _DST in found else "default",
        via=_gateway(found),
        table=table,
        type=_TYPES.get(kind, str(kind)),
        scope=SCOPES.get(scope, str(scope)),
        protocol=_PROTOCOLS.get(protocol, str(protocol)),
        metric=native(found.get(_METRIC, b"")),
        src=ip(found[_PREFSRC]) if _PREFSRC in found else None,
        family=version,
        linkdown=bool(flags & _LINKDOWN),
        onlink=bool(flags & _ONLINK),
        others=(*([f"from {ip(found[_SRC])}/{source}"] if _SRC in found else []), *([f"tos {tos:#04x}"] if tos else []), *_others(found)),
    )
    if _MULTIPATH not in found:
        yield RawRoute(replace(route, others=(*route.others, *_of_way(found))), native(found.get(_OIF, b"")))
        return
    hops, at = found[_MULTIPATH], 0
    while at + _NEXTHOP.size <= len(hops):
        size, hop_flags, more, device = _NEXTHOP.unpack_from(hops, at)
        own = attributes(hops, at + _NEXTHOP.size, at + size)
        way = replace(
            route,
            via=_gateway(own),
            linkdown=bool(hop_flags & _LINKDOWN),
            onlink=bool(hop_flags & _ONLINK),
            share=more + 1 if version == 4 or more else 0,
            others=(*route.others, *_of_way(own)),
        )
        yield RawRoute(way, device)
        at += max((size + 3) & ~3, _NEXTHOP.size)


def expires(body: bytes) -> bool:
    """Whether somebody gave a route a time after which it goes; what a router's advertisement gave one is the kernel's own matter."""
    _, _, _, _, _, protocol, _, _, flags = RTMSG.unpack_from(body, 0)
    left = attributes(body, RTMSG.size).get(_CACHE, b"")[_EXPIRES]
    return protocol not in (_BY_KERNEL, _BY_ROUTER) and not flags & _CLONED and native(left) != 0


def _others(found: dict[int, bytes]) -> Iterator[str]:
    """What a route has beside where it leads, in ip's words: metrics, preference. How long it lasts (``expires``) is another number each time."""
    metrics = attributes(found.get(_METRICS, b""))
    locked = native(metrics.get(_LOCK, b""))
    for kind, payload in metrics.items():
        lock = "lock " if locked & 1 << kind else ""
        if kind in _METRIC_WORDS:
            yield f"{_METRIC_WORDS[kind]} {lock}{native(payload)}{'ms' if _METRIC_WORDS[kind] == 'rto_min' else ''}"
        elif kind == _RTO_MIN:  # which ip(8) always locks
            yield f"rto_min {native(payload)}ms"
        elif kind in (_RTT, _RTTVAR):
            yield f"{'rtt' if kind == _RTT else 'rttvar'} {lock}{native(payload) // (8 if kind == _RTT else 4)}ms"
        elif kind == _FEATURES and native(payload) & 1:
            yield "features ecn"
        elif kind == _CONGESTION:
            yield f"congctl {lock}{text(payload)}"
    if native(found.get(_PREF, b"")) in _PREFERENCES:
        yield f"pref {_PREFERENCES[native(found[_PREF])]}"
    if _TTL_PROPAGATE in found:
        yield f"ttl-propagate {'enabled' if native(found[_TTL_PROPAGATE]) else 'disabled'}"
    if _NEXT_HOP in found:
        yield f"nhid {native(found[_NEXT_HOP])}"


def _of_way(found: dict[int, bytes]) -> Iterator[str]:
    """What each way of a route has of its own: the realm of its packets, and what they are put into."""
    if (flow := native(found.get(_FLOW, b""))) != 0:
        yield f"realm {flow >> 16}/{flow & 0xFFFF}" if flow >> 16 else f"realm {flow}"
    if _ENCAP_TYPE in found:
        kind = native(found[_ENCAP_TYPE])
        yield _encap_ip(found.get(_ENCAP, b"")) if kind == _ENCAP_IP else f"encap {_ENCAP_NAMES.get(kind, kind)}"


def _encap_ip(nested: bytes) -> str:
    """LWTUNNEL_IP_*: id 1 (network order), dst 2, src 3, ttl 4, tos 5, flags 6 (network order), opts 8, of which nothing is decoded."""
    found = attributes(nested)
    if _ENCAP_OPTIONS in found:
        return "encap ip"
    flags = int.from_bytes(found.get(6, b""), "big")
    words = [f"encap ip id {int.from_bytes(found.get(1, b''), 'big')} dst {ip(found.get(2, bytes(4)))}"]
    words += [f"src {ip(found[3])}"] if any(found.get(3, b"")) else []
    words += [f"{word} {native(found[kind])}" for kind, word in ((4, "ttl"), (5, "tos")) if native(found.get(kind, b""))]
    words += [word for bit, word in _TUNNEL_FLAGS.items() if flags & bit]
    return " ".join(words)


def _gateway(found: dict[int, bytes]) -> str | None:
    """RTA_GATEWAY, or RTA_VIA (an IPv4 route by way of an IPv6 neighbour): two bytes of family, then the address."""
    if _GATEWAY in found:
        return ip(found[_GATEWAY])
    return ip(found[_VIA][2:]) if _VIA in found else None


def encode_route(wanted: Route, index: int) -> bytes:
    """A route; ``index`` is that of its link, 0 for none."""
    family = socket.AF_INET6 if wanted.family == 6 else socket.AF_INET
    parts, length = [number(_TABLE, wanted.table)], 0
    if wanted.dst != "default":
        network = ip_interface(wanted.dst).network
        length = network.prefixlen
        parts.append(attribute(_DST, network.network_address.packed))
    if wanted.via is not None:
        by, packed = family_and_bytes(wanted.via)
        parts.append(attribute(_GATEWAY, packed) if by == family else attribute(_VIA, struct.pack("=H", by) + packed))
    if index:
        parts.append(number(_OIF, index))
    if wanted.metric:
        parts.append(number(_METRIC, wanted.metric))
    if wanted.src is not None:
        parts.append(attribute(_PREFSRC, family_and_bytes(wanted.src)[1]))
    protocol = _PROTOCOL_NUMBERS[wanted.protocol] if wanted.protocol in _PROTOCOL_NUMBERS else int(wanted.protocol)
    scope, kind = SCOPE_NUMBERS.get(wanted.scope, 0), _TYPE_NUMBERS.get(wanted.type, _UNICAST)
    return RTMSG.pack(family, length, 0, 0, low(wanted.table), protocol, scope, kind, _ONLINK if wanted.onlink else 0) + b"".join(parts)


def without_state(body: bytes) -> bytes:
    """A route as dumped, fit to be asked for again: the kernel refuses the flags by which it says "dead" and "linkdown"."""
    *fields, _ = RTMSG.unpack_from(body, 0)
    return RTMSG.pack(*fields, 0) + body[RTMSG.size :]


def encode_question(dst: bytes, src: bytes = b"", iif: int = 0) -> bytes:
    """Body of RTM_GETROUTE that asks what becomes of one packet: to ``dst``, from ``src`` (if any), come in by the link ``iif`` (0: our own).

    Addresses are as they travel: four bytes or sixteen.
    """
    family, flags = (socket.AF_INET, _LOOKUP_TABLE) if len(dst) == 4 else (socket.AF_INET6, 0)
    parts = attribute(_DST, dst) + (attribute(_SRC, src) if src else b"") + (number(_IIF, iif) if iif else b"")
    return RTMSG.pack(family, len(dst) * 8, len(src) * 8, 0, 0, 0, 0, 0, flags) + parts


def decode_way(body: bytes) -> Way:
    """The answer to such a question."""
    kind, found = RTMSG.unpack_from(body, 0)[7], attributes(body, RTMSG.size)
    prefsrc = ip(found[_PREFSRC]) if _PREFSRC in found else None
    mtu = native(attributes(found.get(_METRICS, b"")).get(_METRIC_MTU, b""))
    expires = native(found.get(_CACHE, b"")[_EXPIRES])
    return Way(_TYPES.get(kind, str(kind)), _gateway(found), native(found.get(_OIF, b"")), prefsrc, native(found.get(_TABLE, b"")), mtu, expires != 0)


def encode_next_hop(identity: bytes) -> bytes:
    """The next hop object of a number (ip-nexthop(8)), as ``decode_next_hop`` gives it."""
    return NEXT_HOPS_BODY + attribute(_NHA_ID, identity)


def decode_next_hop(body: bytes) -> bytes | None:
    """The number of a next hop object, as it travels."""
    return attributes(body, len(NEXT_HOPS_BODY)).get(_NHA_ID)
