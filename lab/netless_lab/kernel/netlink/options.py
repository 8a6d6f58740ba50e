"""What of a link is not as it was born with, from one RTM_NEWLINK body (``model/options``; if_link.h, if_tunnel.h, if_tun.h)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ...model.options import Of, Option, born
from .attributes import attributes, ip, mac, native

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
_MACVLAN: Final[Words] = {2: ("promisc", lambda payload: "off" if native(payload) & 1 else "on"), 7: ("bcqueuelen", _number)}
_TUN: Final[Words] = {1: ("user", _number), 2: ("group", _number), 4: ("pi", _switch), 5: ("vnet_hdr", _switch), 7: ("multi_queue", _switch)}
_KINDS: Final[Mapping[str, Words]] = {"bridge": _BRIDGE, "vxlan": _VXLAN, "macvlan": _MACVLAN, "macvtap": _MACVLAN, "tun": _TUN}
_PORT: Final[Words] = {
    2: ("priority", _number), 3: ("cost", _number), 5: ("guard", _switch), 6: ("root_block", _switch), 7: ("fastleave", _switch),
    10: ("proxy_arp", _switch), 12: ("proxy_arp_wifi", _switch), 25: ("mcast_router", _number), 27: ("mcast_flood", _switch),
    28: ("mcast_to_unicast", _switch), 29: ("vlan_tunnel", _switch), 31: ("group_fwd_mask", _number), 32: ("neigh_suppress", _switch), 40: ("mab", _switch),
}  # fmt: skip
_ADDRESS_MODES: Final = ("eui64", "none", "stable_secret", "random")
_AF_SPEC, _INET6_TOKEN, _INET6_ADDR_GEN_MODE = 26, 7, 8
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
    six = attributes(attributes(found.get(_AF_SPEC, b"")).get(socket.AF_INET6, b""))
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
