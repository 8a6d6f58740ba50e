"""Routes: RTM_NEWROUTE, what routing answers about one packet, and next hops as objects (rtnetlink(7), include/uapi/linux/rtnetlink.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_interface
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from ...model.snapshot import Route
from .attributes import attribute, attributes, family_and_bytes, ip, native, number

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_DELNEXTHOP, RTM_GETNEXTHOP = 105, 106
_DST, _SRC, _IIF, _OIF, _GATEWAY, _METRIC, _PREFSRC, _METRICS, _MULTIPATH, _CACHE, _TABLE, _VIA = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 18
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
_PROTOCOL_NUMBERS: Final = {name: value for value, name in _PROTOCOLS.items()}
_METRIC_MTU: Final = 2
"""RTAX_MTU."""
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
    family, length, _, _, low_table, protocol, scope, kind, flags = RTMSG.unpack_from(body, 0)
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
    )
    if _MULTIPATH not in found:
        yield RawRoute(route, native(found.get(_OIF, b"")))
        return
    hops, at = found[_MULTIPATH], 0
    while at + _NEXTHOP.size <= len(hops):
        size, hop_flags, _, device = _NEXTHOP.unpack_from(hops, at)
        via = _gateway(attributes(hops, at + _NEXTHOP.size, at + size))
        yield RawRoute(replace(route, via=via, linkdown=bool(hop_flags & _LINKDOWN), onlink=bool(hop_flags & _ONLINK)), device)
        at += max((size + 3) & ~3, _NEXTHOP.size)


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
