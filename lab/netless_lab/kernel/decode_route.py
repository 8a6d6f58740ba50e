"""RTM_NEWADDR, RTM_NEWROUTE and RTM_NEWRULE messages (rtnetlink(7), include/uapi/linux/if_addr.h, rtnetlink.h, fib_rules.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from ..model.snapshot import Address, PolicyRule, Route
from .attributes import attributes, ip, native, text

RTM_GETADDR: Final = 22
RTM_GETROUTE: Final = 26
RTM_GETRULE: Final = 34
_IFADDR: Final = struct.Struct("=BBBBI")
_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_NEXTHOP: Final = struct.Struct("=HBBi")
ADDRESSES_BODY: Final = bytes(_IFADDR.size)
ROUTES_BODY: Final = bytes(_RTMSG.size)
RULES_BODY: Final = bytes(_RTMSG.size)

LOCAL_TABLE: Final = 255
_AF_INET, _AF_INET6 = 2, 10
_SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_ROUTE_TYPES: Final = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast",
    6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw", 10: "nat",
}  # fmt: skip
_PROTOCOLS: Final = {0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}
_ACTIONS: Final = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_DADFAILED, _TENTATIVE = 0x08, 0x40
"""IFA_F_*; a flag of its own says that duplicate address detection found somebody."""
_LINKDOWN: Final = 16
_CLONED: Final = 0x200


class RawRoute(NamedTuple):
    """A route before names: ``device`` is the ifindex it goes out by, 0 for none."""

    route: Route
    device: int


def _family(number: int) -> Literal[4, 6] | None:
    return 4 if number == _AF_INET else 6 if number == _AF_INET6 else None


def decode_address(body: bytes) -> tuple[int, Address] | None:
    """(ifindex, address) of one RTM_NEWADDR body; None for a family that is neither IPv4 nor IPv6."""
    number, prefix, flags, scope, index = _IFADDR.unpack_from(body, 0)
    found, family = attributes(body, 8), _family(number)
    own = found.get(2) or found.get(1)  # IFA_LOCAL: on a point-to-point link IFA_ADDRESS is the far end
    if family is None or own is None:
        return None
    flags = native(found[8]) if 8 in found else flags
    return index, Address(ip(own), prefix, family, _SCOPES.get(scope, str(scope)), bool(flags & _TENTATIVE), bool(flags & _DADFAILED))


def decode_route(body: bytes) -> Iterator[RawRoute]:
    """The routes of one RTM_NEWROUTE body: one per next hop, none when it is the kernel's own noise.

    Noise is the local table, and broadcast, anycast and multicast routes wherever they are: each address brings several.
    """
    number, length, _, _, low_table, protocol, scope, kind, flags = _RTMSG.unpack_from(body, 0)
    family = _family(number)
    if family is None or flags & _CLONED or kind in (3, 4, 5):
        return
    found = attributes(body, 12)
    table = native(found[15]) if 15 in found else low_table
    if table == LOCAL_TABLE:
        return
    route = Route(
        dst=f"{ip(found[1])}/{length}" if 1 in found else "default",
        via=_gateway(found),
        table=table,
        type=_ROUTE_TYPES.get(kind, str(kind)),
        scope=_SCOPES.get(scope, str(scope)),
        protocol=_PROTOCOLS.get(protocol, str(protocol)),
        metric=native(found.get(6, b"")),
        src=ip(found[7]) if 7 in found else None,
        family=family,
        linkdown=bool(flags & _LINKDOWN),
    )
    if 9 not in found:
        yield RawRoute(route, native(found.get(4, b"")))
        return
    hops, at = found[9], 0
    while at + 8 <= len(hops):
        size, hop_flags, _, device = _NEXTHOP.unpack_from(hops, at)
        via = _gateway(attributes(hops, at + 8, at + size))
        yield RawRoute(_replace_hop(route, via, bool(hop_flags & _LINKDOWN)), device)
        at += max((size + 3) & ~3, 8)


def _replace_hop(route: Route, via: str | None, linkdown: bool) -> Route:
    return Route(
        route.dst, via, None, route.table, route.type, route.scope, route.protocol, route.metric, route.src, route.family, linkdown
    )


def _gateway(found: dict[int, bytes]) -> str | None:
    """RTA_GATEWAY, or RTA_VIA (an IPv4 route by way of an IPv6 neighbour): two bytes of family, then the address."""
    if 5 in found:
        return ip(found[5])
    return ip(found[18][2:]) if 18 in found else None


def decode_rule(body: bytes) -> PolicyRule | None:
    """One RTM_NEWRULE body; None for a family that is neither IPv4 nor IPv6."""
    number, dst_length, src_length, _, low_table, _, _, action, _ = _RTMSG.unpack_from(body, 0)
    family = _family(number)
    if family is None:
        return None
    found = attributes(body, 12)
    name = _ACTIONS.get(action, str(action))
    return PolicyRule(
        priority=native(found.get(6, b"")),
        src=f"{ip(found[2])}/{src_length}" if 2 in found else "all",
        dst=f"{ip(found[1])}/{dst_length}" if 1 in found else "all",
        action=f"goto {native(found[4])}" if action == 2 and 4 in found else name,
        table=(native(found[15]) if 15 in found else low_table) if action == 1 else 0,
        iif=text(found[3]) if 3 in found else None,
        oif=text(found[17]) if 17 in found else None,
        family=family,
        mark=_mark(found),
    )


def _mark(found: dict[int, bytes]) -> str | None:
    """FRA_FWMARK and FRA_FWMASK as ``ip rule`` prints them: 0x1, or 0x1/0xff."""
    value, mask = native(found.get(10, b"")), native(found.get(16, b"\xff\xff\xff\xff"))
    if not value:
        return None
    return f"{value:#x}" if mask == 0xFFFFFFFF else f"{value:#x}/{mask:#x}"
