"""Links: RTM_NEWLINK and its like (rtnetlink(7), include/uapi/linux/if_link.h, if_bridge.h, net/if.h).

A message names other devices by ifindex, and those of other namespaces by a namespace id too. Names are put in later, by
``read.py``, which sees every namespace at once.

What of a link is not as it was born with, from one RTM_NEWLINK body (``model/options``; if_link.h, if_tunnel.h, if_tun.h).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from ...model.options import Of, Option, born
from ...model.snapshot import PLAIN_QUEUES, BridgePort, Link, Vxlan
from .attributes import attribute, attributes, each, ip, mac, native, native_signed, nest, number, string, text

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_DELLINKPROP: Final = 109
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_QDISC, IFLA_MASTER, IFLA_OPERSTATE, IFLA_LINKINFO = 1, 3, 4, 5, 6, 10, 16, 18
IFLA_IFALIAS, IFLA_AF_SPEC, IFLA_GROUP, IFLA_NET_NS_FD, IFLA_EXT_MASK, IFLA_CARRIER, IFLA_LINK_NETNSID = 20, 26, 27, 28, 29, 33, 37
IFLA_XDP, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 43, 52, 53
_INFO_KIND, _INFO_DATA, _INFO_PORT_KIND, _INFO_PORT_DATA, _VETH_PEER = 1, 2, 4, 5, 1
_VXLAN_LINK: Final = 3
"""IFLA_VXLAN_LINK: the device that its packets go out by; IFLA_LINK says nothing of it."""
_INET_CONF, _INET6_TOKEN, _INET6_ADDR_GEN_MODE = 1, 7, 8
_XDP_FD, _XDP_ATTACHED, _XDP_FLAGS = 1, 2, 3

_IFINFO: Final = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, hardware type, index, flags, which flags are meant."""
_SKIP_STATS: Final = 8
_ADDR_GEN_NONE: Final = 1
DUMP_BODY: Final = _IFINFO.pack(0, 0, 0, 0, 0) + number(IFLA_EXT_MASK, _SKIP_STATS)
"""Body of RTM_GETLINK for all links without their counters."""

UP, NOARP, PROMISC = 0x1, 0x80, 0x100
"""Flags of a link that a snapshot holds and people set (netdevice(7))."""
SETTABLE_FLAGS: Final = 0x4 | 0x20 | 0x200 | 0x1000 | 0x2000 | 0x4000 | 0x8000
"""IFF_DEBUG, NOTRAILERS, ALLMULTI, MULTICAST, PORTSEL, AUTOMEDIA, DYNAMIC: flags that people set beside those of a snapshot."""
LASTING: Final = {2: "broadcast", 13: "txqueuelen", IFLA_GROUP: "group", 39: "protodown", 40: "gso_max_segs", 41: "gso_max_size",
                  58: "gro_max_size", 63: "gso_ipv4_max_size", 64: "gro_ipv4_max_size"}  # fmt: skip
"""IFLA_ attributes of any link that change only when somebody sets them, and that RTM_SETLINK takes as the dump gives them."""
LEAST_MTU6: Final = 1280
"""A link with less has no IPv6 at all, nor its own addresses (RFC 8200, 5); they come back when it goes up with more."""
XDP_MODES: Final = (0x2, 0x4)
"""XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE."""

_LOOPBACK: Final = 772
_PORT_STATES: Final = ("disabled", "listening", "learning", "forwarding", "blocking")
_OPER_STATES: Final = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
_MACVLAN_MODES: Final = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
_TUN_MODES: Final = {1: "tun", 2: "tap"}
_IPVLAN_MODES: Final = {0: "l2", 1: "l3", 2: "l3s"}

_FORWARDING, _PROXY_ARP, _RP_FILTER, _ROUTE_LOCALNET = 0, 2, 7, 25
"""Places in IFLA_INET_CONF: IPV4_DEVCONF_x minus one (include/uapi/linux/ip.h)."""


def one_link(index: int) -> bytes:
    """Body of RTM_GETLINK for the link ``index`` alone, without its counters."""
    return _IFINFO.pack(0, 0, index, 0, 0) + DUMP_BODY[_IFINFO.size :]


def encode_link(index: int, *parts: bytes, flags: int = 0, mask: int = 0) -> bytes:
    """A link by index, with the flags in ``mask`` set as in ``flags``, and attributes. 0: the index is the kernel's to choose."""
    return _IFINFO.pack(0, 0, index, flags, mask) + b"".join(parts)


def encode_up(index: int) -> bytes:
    """A link switched on."""
    return encode_link(index, flags=UP, mask=UP)


def flags_of(wanted: Link) -> int:
    """The flags that make a link be as ``wanted``."""
    return (UP if wanted.up else 0) | (0 if wanted.arp else NOARP) | (PROMISC if wanted.promisc else 0)


def hardware_address(value: str) -> bytes:
    """The attribute of a link that is its MAC."""
    return attribute(IFLA_ADDRESS, bytes.fromhex(value.replace(":", "")))


def of_kind(kind: str, data: bytes = b"") -> bytes:
    """IFLA_LINKINFO: what kind of device, and the attributes that only that kind understands."""
    return nest(IFLA_LINKINFO, string(_INFO_KIND, kind), nest(_INFO_DATA, data) if data else b"")


def encode_cable(one: Link, other: Link, other_namespace: int) -> bytes:
    """A veth pair with names, indexes, MACs and MTUs; ``other`` is born in the namespace behind the descriptor ``other_namespace``.

    The two indexes should differ. The kernel takes a device whose peer has the same number, in another namespace, for one without a
    peer, and then lets it wait up to a second before it notices that the cable is live (net/core/link_watch.c, linkwatch_urgent_event).
    """
    peer = encode_link(other.ifindex, string(IFLA_IFNAME, other.name), hardware_address(other.mac), number(IFLA_MTU, other.mtu))
    kind = of_kind("veth", attribute(_VETH_PEER, peer + number(IFLA_NET_NS_FD, other_namespace)))
    return encode_link(one.ifindex, string(IFLA_IFNAME, one.name), hardware_address(one.mac), number(IFLA_MTU, one.mtu), kind)


def encode_quiet(index: int) -> bytes:
    """A link that gives itself no IPv6 address when it goes up, and so announces none (``ip link set NAME addrgenmode none``)."""
    return encode_link(index, nest(IFLA_AF_SPEC, nest(socket.AF_INET6, attribute(_INET6_ADDR_GEN_MODE, bytes([_ADDR_GEN_NONE])))))


def encode_token(index: int, value: bytes) -> bytes:
    """A link the end of whose own IPv6 addresses is this (ip-token(8)); all zeros for that of its MAC."""
    return encode_link(index, nest(IFLA_AF_SPEC, nest(socket.AF_INET6, attribute(_INET6_TOKEN, value))))


def encode_forwarding(index: int) -> bytes:
    """A link whose IPv4 packets may be forwarded: how that is set where /proc/sys cannot be written."""
    conf = nest(_INET_CONF, number(_FORWARDING + 1, 1))
    return encode_link(index, nest(IFLA_AF_SPEC, nest(socket.AF_INET, conf)))


def encode_without_xdp(index: int, mode: int) -> bytes:
    """A link with no XDP program in one of ``XDP_MODES``: program -1 takes away."""
    return encode_link(index, nest(IFLA_XDP, attribute(_XDP_FD, struct.pack("=i", -1)), number(_XDP_FLAGS, mode)))


class DeviceKnobs(NamedTuple):
    """Per-device IPv4 settings, which the link dump carries: no file needs to be read for them."""

    forwarding: int
    rp_filter: int
    proxy_arp: int
    route_localnet: int


class RawLink(NamedTuple):
    """A link before names: ``link`` has no peer, master or addresses yet, the indexes say which they are.

    ``lower`` is IFLA_LINK (0: none), ``nsid`` the id of the namespace it counts in (None: the link's own).
    """

    link: Link
    master: int
    lower: int
    nsid: int | None
    knobs: DeviceKnobs | None


def decode_link(body: bytes) -> RawLink:
    """One RTM_NEWLINK body."""
    _, hardware, index, flags, _ = _IFINFO.unpack_from(body, 0)
    found = attributes(body, _IFINFO.size)
    info = attributes(found[IFLA_LINKINFO]) if IFLA_LINKINFO in found else {}
    kind = text(info[_INFO_KIND]) if _INFO_KIND in info else ("loopback" if hardware == _LOOPBACK else "physical")
    data = attributes(info[_INFO_DATA]) if _INFO_DATA in info else {}
    bridged = text(info.get(_INFO_PORT_KIND, b"")) == "bridge" and _INFO_PORT_DATA in info
    link = Link(
        name=text(found[IFLA_IFNAME]),
        ifindex=index,
        kind=kind,
        up=bool(flags & UP),
        carrier=bool(native(found.get(IFLA_CARRIER, b""))),
        mac=mac(found.get(IFLA_ADDRESS, b"")),
        mtu=native(found.get(IFLA_MTU, b"")),
        port=_port(attributes(info[_INFO_PORT_DATA])) if bridged else None,
        stp=kind == "bridge" and bool(native(data.get(5, b""))),
        forward_delay_s=_ticks(data[1]) if kind == "bridge" and 1 in data else None,
        arp=not flags & NOARP,
        promisc=bool(flags & PROMISC),
        operstate=_name(_OPER_STATES, native(found.get(IFLA_OPERSTATE, b""))),
        vxlan=_vxlan(data) if kind == "vxlan" else None,
        mode=_mode(kind, data),
        alias=text(found.get(IFLA_IFALIAS, b"")),
        altnames=tuple(text(name) for which, name in each(found.get(IFLA_PROP_LIST, b"")) if which == IFLA_ALT_IFNAME),
        options=options(kind, _mode(kind, data), flags, found, data, attributes(info[_INFO_PORT_DATA]) if bridged else None),
        programs=(*(("xdp",) if _has_xdp(found) else ()), *(("queue",) if text(found.get(IFLA_QDISC, b"")) not in PLAIN_QUEUES else ())),
    )
    nsid = native_signed(found[IFLA_LINK_NETNSID]) if IFLA_LINK_NETNSID in found else None
    master = native(found.get(IFLA_MASTER, b""))
    lower = native(data.get(_VXLAN_LINK, b"")) if kind == "vxlan" else native(found.get(IFLA_LINK, b""))
    return RawLink(link, master, lower, nsid, _knobs(found.get(IFLA_AF_SPEC, b"")))


class LinkImage(NamedTuple):
    """What a snapshot does not hold of a link: ``SETTABLE_FLAGS``, the ``LASTING`` attributes, whether an XDP program is attached,
    and the token that its own IPv6 addresses end in.
    """

    flags: int
    attributes: dict[int, bytes]
    xdp: bool = False
    token: bytes = b""


def decode_image(body: bytes) -> tuple[int, LinkImage]:
    """(index, the rest) of one RTM_NEWLINK body."""
    _, _, index, flags, _ = _IFINFO.unpack_from(body, 0)
    found = attributes(body, _IFINFO.size)
    token = attributes(attributes(found.get(IFLA_AF_SPEC, b"")).get(socket.AF_INET6, b"")).get(_INET6_TOKEN, b"")
    return index, LinkImage(flags & SETTABLE_FLAGS, {kind: found[kind] for kind in LASTING if kind in found}, _has_xdp(found), token)


def _has_xdp(found: dict[int, bytes]) -> bool:
    return IFLA_XDP in found and attributes(found[IFLA_XDP]).get(_XDP_ATTACHED, b"\0") != b"\0"


def decode_discipline(body: bytes) -> tuple[int, str, str]:
    """(ifindex, name, the kind of its queueing discipline, "" for none) of one RTM_NEWLINK body."""
    found = attributes(body, _IFINFO.size)
    return _IFINFO.unpack_from(body, 0)[2], text(found[IFLA_IFNAME]), text(found.get(IFLA_QDISC, b""))


def _name(names: tuple[str, ...], place: int) -> str:
    return names[place] if place < len(names) else "unknown"


def _ticks(payload: bytes) -> int:
    """Bridge times travel in hundredths of a second."""
    return native(payload) // 100


def _port(data: dict[int, bytes]) -> BridgePort:
    """IFLA_BRPORT_*: state 1, hairpin mode 4, learning 8, flood 9, broadcast flood 30, isolated 33, locked 39."""
    state = native(data.get(1, b""))
    return BridgePort(
        state=_PORT_STATES[state] if state < len(_PORT_STATES) else "disabled",
        hairpin=data.get(4, b"\0") != b"\0",
        isolated=data.get(33, b"\0") != b"\0",
        learning=data.get(8, b"\1") != b"\0",
        flood=data.get(9, b"\1") != b"\0",
        broadcast=data.get(30, b"\1") != b"\0",
        locked=data.get(39, b"\0") != b"\0",
    )


def _vxlan(data: dict[int, bytes]) -> Vxlan:
    """IFLA_VXLAN_*: id 1, group 2 or group6 16, local 4 or local6 17, port 15 (network order)."""
    local, remote = data.get(4) or data.get(17), data.get(2) or data.get(16)
    return Vxlan(
        vni=native(data.get(1, b"")),
        port=int.from_bytes(data.get(15, b""), "big"),
        local=ip(local) if local and any(local) else None,
        remote=ip(remote) if remote and any(remote) else None,
    )


def _mode(kind: str, data: dict[int, bytes]) -> str | None:
    """IFLA_MACVLAN_MODE 1, IFLA_IPVLAN_MODE 1, IFLA_TUN_TYPE 3 (IFF_TUN: IP packets, IFF_TAP: whole frames; if_tun.h)."""
    if kind in ("macvlan", "macvtap"):
        return _MACVLAN_MODES.get(native(data.get(1, b"")))
    if kind in ("ipvlan", "ipvtap"):
        return _IPVLAN_MODES.get(native(data.get(1, b"")))
    if kind == "tun":
        return _TUN_MODES.get(native(data.get(3, b"")))
    return None


def _knobs(af_spec: bytes) -> DeviceKnobs | None:
    """IFLA_AF_SPEC / AF_INET / IFLA_INET_CONF: an array of 32 bit values."""
    inet = attributes(af_spec).get(socket.AF_INET)
    conf = attributes(inet).get(_INET_CONF, b"") if inet else b""
    values = struct.unpack(f"={len(conf) // 4}i", conf)
    if len(values) <= _ROUTE_LOCALNET:
        return None
    return DeviceKnobs(values[_FORWARDING], values[_RP_FILTER], values[_PROXY_ARP], values[_ROUTE_LOCALNET])


Decode = Callable[[bytes], str]
Words = Mapping[int, tuple[str, Decode]]
"""The word of an attribute, and how its value is written."""


def _number(payload: bytes) -> str:
    return str(native(payload))


def _switch(payload: bytes) -> str:
    return "on" if any(payload) else "off"


def _range(payload: bytes) -> str:
    """struct ifla_vxlan_port_range, in network order."""
    return f"{int.from_bytes(payload[:2], 'big')} {int.from_bytes(payload[2:4], 'big')}"


_LINK: Final[Words] = {
    2: ("broadcast", mac), 13: ("txqueuelen", _number), 27: ("group", _number), 40: ("gso_max_segs", _number), 41: ("gso_max_size", _number),
    58: ("gro_max_size", _number),
}  # fmt: skip
_FLAGS: Final = {0x200: "allmulticast", 0x1000: "multicast", 0x8000: "dynamic"}
_BRIDGE: Final[Words] = {
    1: ("forward_delay", _number), 2: ("hello_time", _number), 3: ("max_age", _number), 4: ("ageing_time", _number), 6: ("priority", _number),
    7: ("vlan_filtering", _number), 9: ("group_fwd_mask", _number), 20: ("group_address", mac), 22: ("mcast_router", _number),
    23: ("mcast_snooping", _number), 24: ("mcast_query_use_ifaddr", _number), 25: ("mcast_querier", _number), 27: ("mcast_hash_max", _number),
    28: ("mcast_last_member_count", _number), 29: ("mcast_startup_query_count", _number), 30: ("mcast_last_member_interval", _number),
    31: ("mcast_membership_interval", _number), 32: ("mcast_querier_interval", _number), 33: ("mcast_query_interval", _number),
    34: ("mcast_query_response_interval", _number), 36: ("nf_call_iptables", _number), 37: ("nf_call_ip6tables", _number),
    38: ("nf_call_arptables", _number), 39: ("vlan_default_pvid", _number), 41: ("vlan_stats_enabled", _number),
    42: ("mcast_stats_enabled", _number), 43: ("mcast_igmp_version", _number), 44: ("mcast_mld_version", _number),
}  # fmt: skip
_DELAY, _AGEING, _STP = 1, 4, 5
"""IFLA_BR_*: with STP the kernel itself lets MACs age in two forward delays while the topology changes (__br_set_topology_change())."""
_BRIDGE_SWITCHES: Final = (46, ("no_linklocal_learn", "mcast_vlan_snooping"))
"""IFLA_BR_MULTI_BOOLOPT, a bit each."""
_VXLAN: Final[Words] = {
    5: ("ttl", _number), 6: ("tos", _number), 7: ("learning", _switch), 8: ("ageing", _number), 9: ("maxaddress", _number), 10: ("srcport", _range),
    11: ("proxy", _switch), 12: ("rsc", _switch), 13: ("l2miss", _switch), 14: ("l3miss", _switch), 18: ("udpcsum", _switch),
    19: ("udp6zerocsumtx", _switch), 20: ("udp6zerocsumrx", _switch), 23: ("gbp", lambda _: "on"), 25: ("external", _switch),
    26: ("flowlabel", lambda payload: str(int.from_bytes(payload, "big"))), 29: ("df", lambda payload: ("unset", "set", "inherit")[native(payload) % 3]),
}  # fmt: skip
_MACVLAN: Final[Words] = {
    2: ("promisc", lambda payload: "off" if native(payload) & 1 else "on"), 7: ("bcqueuelen", _number),
    5: ("macaddr set", lambda payload: " ".join(sorted(mac(own) for _, own in each(payload)))),
}  # fmt: skip
"""ip-link(8) takes a list of MACs for the rest of the line, so it is last."""
_TUN: Final[Words] = {1: ("user", _number), 2: ("group", _number), 4: ("pi", _switch), 5: ("vnet_hdr", _switch), 7: ("multi_queue", _switch)}
_KINDS: Final[Mapping[str, Words]] = {"bridge": _BRIDGE, "vxlan": _VXLAN, "macvlan": _MACVLAN, "macvtap": _MACVLAN, "tun": _TUN}
_PORT: Final[Words] = {
    2: ("priority", _number), 3: ("cost", _number), 5: ("guard", _switch), 6: ("root_block", _switch), 7: ("fastleave", _switch),
    10: ("proxy_arp", _switch), 12: ("proxy_arp_wifi", _switch), 25: ("mcast_router", _number), 27: ("mcast_flood", _switch),
    28: ("mcast_to_unicast", _switch), 29: ("vlan_tunnel", _switch), 31: ("group_fwd_mask", _number), 32: ("neigh_suppress", _switch), 40: ("mab", _switch),
}  # fmt: skip
_ADDRESS_MODES: Final = ("eui64", "none", "stable_secret", "random")
_ETHERNET: Final = 6


def options(kind: str, mode: str | None, flags: int, found: Mapping[int, bytes], data: Mapping[int, bytes], port: Mapping[int, bytes] | None) -> tuple[Option, ...]:
    """Those that are not as every link of this ``kind`` and ``mode`` is born. ``found`` are its attributes, ``data`` those of its kind."""
    every = (*_of_any(flags, found), *_of_kind(kind, data), *(_said("port", _PORT, port) if port is not None else ()))
    return tuple(own for own in every if born(kind, mode, own.of, own.word) not in (own.value, None))


def _said(of: Of, words: Words, found: Mapping[int, bytes]) -> Iterator[Option]:
    return (Option(of, word, write(found[number])) for number, (word, write) in words.items() if number in found)


def _of_any(flags: int, found: Mapping[int, bytes]) -> Iterator[Option]:
    ethernet = len(found.get(2, b"")) == _ETHERNET and any(found[2])
    yield from (own for own in _said("link", _LINK, found) if own.word != "broadcast" or ethernet)
    yield from (Option("link", word, _switch(bytes([bool(flags & flag)]))) for flag, word in _FLAGS.items())
    six = attributes(attributes(found.get(IFLA_AF_SPEC, b"")).get(socket.AF_INET6, b""))
    if _INET6_ADDR_GEN_MODE in six:
        yield Option("link", "addrgenmode", _ADDRESS_MODES[native(six[_INET6_ADDR_GEN_MODE]) % len(_ADDRESS_MODES)])
    if any(six.get(_INET6_TOKEN, b"")):
        yield Option("link", "token", ip(six[_INET6_TOKEN]))


def _of_kind(kind: str, data: Mapping[int, bytes]) -> Iterator[Option]:
    shortened = kind == "bridge" and native(data.get(_STP, b"")) and native(data.get(_AGEING, b"")) == 2 * native(data.get(_DELAY, b""))
    yield from (own for own in _said("kind", _KINDS.get(kind, {}), data) if not (shortened and own.word == "ageing_time"))
    number, switches = _BRIDGE_SWITCHES
    if kind == "bridge" and number in data:
        bits = native(data[number][:4])
        yield from (Option("kind", word, str(bits >> place & 1)) for place, word in enumerate(switches))
