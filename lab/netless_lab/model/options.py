"""What of a link can be set beside what a snapshot has a field for, in the words of ip-link(8), and what every link is born with.

A link holds only those that are otherwise (``Link.options``): so a link that nobody has touched has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from .snapshot import Link

Of = Literal["link", "kind", "port"]
"""What an option belongs to: any link, a link of its kind, or a port of a bridge."""


class Option(msgspec.Struct, frozen=True):
    """``word value`` of ip-link(8); ``value`` is on or off for a switch."""

    of: Of
    word: str
    value: str


def switch(on: bool) -> str:
    """The value of a switch, as ip(8) takes it and says it."""
    return "on" if on else "off"


_LINK: Final = {
    "group": "0", "allmulticast": "off", "dynamic": "off", "broadcast": "ff:ff:ff:ff:ff:ff", "addrgenmode": "eui64", "token": "::",
    "gso_max_size": "65536", "gso_max_segs": "65535", "gro_max_size": "65536",
}  # fmt: skip
_BRIDGE: Final = {
    "forward_delay": "1500", "hello_time": "200", "max_age": "2000", "ageing_time": "30000", "priority": "32768", "vlan_filtering": "0",
    "group_fwd_mask": "0", "group_address": "01:80:c2:00:00:00", "mcast_router": "1", "mcast_snooping": "1", "mcast_query_use_ifaddr": "0",
    "mcast_querier": "0", "mcast_hash_max": "4096", "mcast_last_member_count": "2", "mcast_startup_query_count": "2",
    "mcast_last_member_interval": "100", "mcast_membership_interval": "26000", "mcast_querier_interval": "25500",
    "mcast_query_interval": "12500", "mcast_query_response_interval": "1000", "nf_call_iptables": "0", "nf_call_ip6tables": "0",
    "nf_call_arptables": "0", "vlan_default_pvid": "1", "vlan_stats_enabled": "0", "mcast_stats_enabled": "0", "mcast_igmp_version": "2",
    "mcast_mld_version": "1", "no_linklocal_learn": "0", "mcast_vlan_snooping": "0",
}  # fmt: skip
_VXLAN: Final = {
    "ttl": "0", "tos": "0", "learning": "on", "ageing": "300", "maxaddress": "0", "srcport": "0 0", "proxy": "off", "rsc": "off",
    "l2miss": "off", "l3miss": "off", "udpcsum": "on", "udp6zerocsumtx": "off", "udp6zerocsumrx": "off", "gbp": "off", "external": "off",
    "flowlabel": "0", "df": "unset",
}  # fmt: skip
_MACVLAN: Final = {"promisc": "on", "bcqueuelen": "1000", "macaddr set": ""}
_TUN: Final = {"user": "", "group": "", "pi": "off", "vnet_hdr": "off", "multi_queue": "off"}
_PORT: Final = {
    "priority": "32", "guard": "off", "root_block": "off", "fastleave": "off", "proxy_arp": "off", "proxy_arp_wifi": "off", "mcast_router": "1",
    "mcast_flood": "on", "mcast_to_unicast": "off", "vlan_tunnel": "off", "group_fwd_mask": "0", "neigh_suppress": "off", "mab": "off",
}  # fmt: skip
_KINDS: Final = {"bridge": _BRIDGE, "vxlan": _VXLAN, "macvlan": _MACVLAN, "macvtap": _MACVLAN, "tun": _TUN}
_QUEUES: Final = {"ifb": "32", "tun": "500"}
_NO_GROUPS: Final = ("ifb", "loopback")
_SLOW_PORTS: Final = "100"


def born(kind: str, mode: str | None, of: Of, word: str) -> str | None:
    """What a link of this kind and mode is born with; None where there is no such option."""
    match of, word:
        case "link", "txqueuelen":
            return "1000" if mode == "tap" else _QUEUES.get(kind, "1000")
        case "link", "multicast":
            return "off" if kind in _NO_GROUPS else "on"
        case "port", "cost":
            return "2" if kind == "veth" else _SLOW_PORTS
        case "link", _:
            return _LINK.get(word)
        case "kind", _:
            return _KINDS.get(kind, {}).get(word)
        case _:
            return _PORT.get(word)


def reset_and_set(before: Link, after: Link) -> tuple[Option, ...]:
    """What makes of a link with the options of ``before`` one with those of ``after``: those that are as born again, then those that differ.

    What a port has goes and comes with being one.
    """
    there = {(own.of, own.word) for own in after.options}
    gone = (own for own in before.options if (own.of, own.word) not in there)
    usual = ((own.of, own.word, born(after.kind, after.mode, own.of, own.word)) for own in gone if own.of != "port" or after.port is not None)
    new = (own for own in after.options if own not in before.options)
    return (*(Option(of, word, value) for of, word, value in usual if value is not None), *new)
