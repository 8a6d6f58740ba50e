"""Values of a snapshot as netlink message bodies: what a purge writes back (rtnetlink(7), include/uapi/linux/rtnetlink.h, if_link.h)."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_interface
from typing import Final

from ..model.snapshot import Address, Link, Neighbour, PolicyRule, Route
from .attributes import attribute, nest

RTM_NEWLINK, RTM_DELLINK, RTM_SETLINK = 16, 17, 19
RTM_NEWADDR, RTM_DELADDR = 20, 21
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTM_NEWNEIGH, RTM_DELNEIGH = 28, 29
RTM_NEWRULE, RTM_DELRULE = 32, 33
RTM_DELQDISC, RTM_GETQDISC = 37, 38
RTM_DELNEXTHOP, RTM_GETNEXTHOP = 105, 106
RTM_DELLINKPROP = 109
CREATE, EXCLUSIVE, REPLACE, APPEND = 0x400, 0x200, 0x100, 0x800

UP, NOARP, PROMISC = 0x1, 0x80, 0x100
"""Flags of a link that people set (netdevice(7))."""
LEAST_MTU6: Final = 1280
"""A link with less has no IPv6 at all, nor its own addresses (RFC 8200, 5); they come back when it goes up with more."""
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_AF_SPEC = 1, 3, 4, 10, 18, 20, 26
IFLA_GROUP, IFLA_NET_NS_FD, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 27, 28, 52, 53

_IFINFO: Final = struct.Struct("=BxHiII")
_IFADDR: Final = struct.Struct("=BBBBI")
_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_NDMSG: Final = struct.Struct("=BxxxiHBB")
_TCMSG: Final = struct.Struct("=BxxxiIII")
QDISC_SIZE: Final = _TCMSG.size
_ROOT_QDISC: Final = 0xFFFFFFFF
_INGRESS_QDISC: Final = 0xFFFFFFF1
XDP_MODES: Final = (0x2, 0x4)
"""XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE (if_link.h)."""
_SCOPES: Final = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
_TYPES: Final = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9}
_PROTOCOLS: Final = {"unspec": 0, "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "ra": 9, "dhcp": 16}
_ACTIONS: Final = {"lookup": 1, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_STATES: Final = {"permanent": 0x80, "reachable": 0x02, "stale": 0x04}
_TABLE_IN_ATTRIBUTE: Final = 252
"""RT_TABLE_COMPAT: the number in the header when the real one does not fit its byte."""


def link(index: int, *parts: bytes, flags: int = 0, mask: int = 0) -> bytes:
    """A link by index, with the flags in ``mask`` set as in ``flags``, and attributes."""
    return _IFINFO.pack(0, 0, index, flags, mask) + b"".join(parts)


def flags_of(wanted: Link) -> int:
    """The flags that make a link be as ``wanted``."""
    return (UP if wanted.up else 0) | (0 if wanted.arp else NOARP) | (PROMISC if wanted.promisc else 0)


def number(kind: int, value: int) -> bytes:
    """A 32 bit attribute."""
    return attribute(kind, struct.pack("=I", value))


def string(kind: int, value: str) -> bytes:
    """A C string attribute."""
    return attribute(kind, value.encode() + b"\0")


def mac(value: str) -> bytes:
    """A hardware address attribute of a link."""
    return attribute(IFLA_ADDRESS, bytes.fromhex(value.replace(":", "")))


def cable(one: Link, other: Link, other_namespace: int) -> bytes:
    """A veth pair with names, indexes, MACs and MTUs as they were; ``other`` is born in the namespace behind the descriptor."""
    peer = link(other.ifindex, string(IFLA_IFNAME, other.name), mac(other.mac), number(IFLA_MTU, other.mtu))
    kind = nest(IFLA_LINKINFO, string(1, "veth"), nest(2, attribute(1, peer + number(IFLA_NET_NS_FD, other_namespace))))
    return link(one.ifindex, string(IFLA_IFNAME, one.name), mac(one.mac), number(IFLA_MTU, one.mtu), kind)


def quiet(index: int) -> bytes:
    """A link that gives itself no IPv6 address when it goes up (IFLA_INET6_ADDR_GEN_MODE none)."""
    return link(index, nest(IFLA_AF_SPEC, nest(socket.AF_INET6, attribute(8, b"\1"))))


def address(index: int, wanted: Address) -> bytes:
    """An address of a link, with the broadcast address of its network where there is one."""
    family, packed = _packed(wanted.address)
    header = _IFADDR.pack(family, wanted.prefix, 0, _SCOPES.get(wanted.scope, 0), index)
    body = header + attribute(2, packed) + attribute(1, packed)
    if family == socket.AF_INET and wanted.prefix < 31 and wanted.scope == "global":
        body += attribute(4, ip_interface(wanted.cidr).network.broadcast_address.packed)
    return body


def route(wanted: Route, index: int) -> bytes:
    """A route; ``index`` is that of its link, 0 for none."""
    family = socket.AF_INET6 if wanted.family == 6 else socket.AF_INET
    parts, length = [number(15, wanted.table)], 0
    if wanted.dst != "default":
        network = ip_interface(wanted.dst).network
        length = network.prefixlen
        parts.append(attribute(1, network.network_address.packed))
    if wanted.via is not None:
        parts.append(attribute(5, _packed(wanted.via)[1]))
    if index:
        parts.append(number(4, index))
    if wanted.metric:
        parts.append(number(6, wanted.metric))
    if wanted.src is not None:
        parts.append(attribute(7, _packed(wanted.src)[1]))
    protocol = _PROTOCOLS.get(wanted.protocol) if wanted.protocol in _PROTOCOLS else int(wanted.protocol)
    scope, kind = _SCOPES.get(wanted.scope, 0), _TYPES.get(wanted.type, 1)
    return _RTMSG.pack(family, length, 0, 0, _low(wanted.table), protocol, scope, kind, 0) + b"".join(parts)


def rule(wanted: PolicyRule) -> bytes:
    """A policy rule."""
    family = socket.AF_INET6 if wanted.family == 6 else socket.AF_INET
    parts, lengths = [number(6, wanted.priority)], [0, 0]
    for place, (kind, text) in enumerate(((1, wanted.dst), (2, wanted.src))):
        if text != "all":
            network = ip_interface(text).network
            lengths[place] = network.prefixlen
            parts.append(attribute(kind, network.network_address.packed))
    if wanted.table:
        parts.append(number(15, wanted.table))
    parts += [string(3, wanted.iif)] if wanted.iif else []
    parts += [string(17, wanted.oif)] if wanted.oif else []
    action = _ACTIONS.get(wanted.action, 1)
    return _RTMSG.pack(family, lengths[0], lengths[1], 0, _low(wanted.table), 0, 0, action, 0) + b"".join(parts)


def neighbour(wanted: Neighbour, index: int) -> bytes:
    """A neighbour entry; ``number`` of its state as in <linux/neighbour.h>."""
    family, packed = _packed(wanted.address)
    hardware = attribute(2, bytes.fromhex(wanted.mac.replace(":", ""))) if wanted.mac else b""
    return _NDMSG.pack(family, index, _STATES.get(wanted.state, 0x04), 0, 0) + attribute(1, packed) + hardware


def root_qdisc(index: int) -> bytes:
    """The queueing discipline at the root of a link."""
    return _TCMSG.pack(0, index, 0, _ROOT_QDISC, 0)


def ingress_qdisc(index: int) -> bytes:
    """What filters packets as they come in, and with clsact as they leave, beside the root: ``ingress`` or ``clsact`` (tc(8))."""
    return _TCMSG.pack(0, index, 0, _INGRESS_QDISC, 0)


def qdiscs() -> bytes:
    """What asks for every queueing discipline of a namespace."""
    return _TCMSG.pack(0, 0, 0, 0, 0)


def of_qdisc(body: bytes) -> tuple[int, int]:
    """(link, handle) of a discipline as dumped; its attributes follow after ``QDISC_SIZE`` bytes."""
    _, index, handle, _, _ = _TCMSG.unpack_from(body, 0)
    return index, handle


def without_xdp(index: int, mode: int) -> bytes:
    """A link with no XDP program in one of ``XDP_MODES``: program -1 takes away (IFLA_XDP_FD, IFLA_XDP_FLAGS)."""
    return link(index, nest(43, attribute(1, struct.pack("=i", -1)), number(3, mode)))


def next_hop(identity: bytes = b"") -> bytes:
    """struct nhmsg, and NHA_ID when one is named."""
    return bytes(8) + (attribute(1, identity) if identity else b"")


def without_state(body: bytes) -> bytes:
    """A route as dumped, fit to be asked for again: the kernel refuses the flags by which it says "dead" and "linkdown"."""
    return body[:8] + bytes(4) + body[12:]


def _packed(text: str) -> tuple[int, bytes]:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return family, socket.inet_pton(family, text)


def _low(table: int) -> int:
    return table if table < 256 else _TABLE_IN_ATTRIBUTE
