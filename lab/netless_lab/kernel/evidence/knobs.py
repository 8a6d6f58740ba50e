"""Sysctls and queues that no snapshot holds and that may still kill a packet: read for the nodes on its way, when it died.

Meaning: Documentation/networking/ip-sysctl.rst of the kernel.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Final

from ...model.snapshot import Snapshot
from .. import ipsec
from ..namespace import call_in, sysctl_path
from ..netlink.link import DUMP_BODY, RTM_GETLINK, decode_discipline
from ..netlink.qdisc import full
from ..netlink.socket import NetlinkSocket
from ..read import NodeRef

_OF_NODE: Final = (
    "net/ipv4/ip_default_ttl",
    "net/ipv4/icmp_ratelimit",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_count",
)
_OF_LINK: Final = ("arp_ignore", "arp_filter", "rp_filter", "accept_local", "route_localnet", "proxy_arp", "proxy_arp_pvlan")
_OF_NODE6: Final = ("net/ipv6/icmp/echo_ignore_all", "net/bridge/bridge-nf-call-ip6tables")
_OF_LINK6: Final = ("forwarding", "force_forwarding", "disable_ipv6", "proxy_ndp", "hop_limit", "accept_ra")


def knobs(nodes: Iterable[str], refs: Mapping[str, NodeRef], snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """Node -> key -> value. A node that has gone is left out, and so is a key that this kernel does not have."""
    found: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(nodes):
        node, ref = snapshot.node(name), refs.get(name)
        if node is None or ref is None:
            continue
        links = ("all", *(link.name for link in node.links if link.kind != "loopback"))
        keys = (*_OF_NODE, *(f"net/ipv4/conf/{link}/{knob}" for link in links for knob in _OF_LINK))
        keys += (*_OF_NODE6, *(f"net/ipv6/conf/{link}/{knob}" for link in links for knob in _OF_LINK6))
        with contextlib.suppress(OSError):
            found[name] = call_in(ref.namespace, _read, keys) | _queues(ref) | _policies(ref) | call_in(ref.namespace, _advertised, links[1:])
    return found


def _advertised(links: Iterable[str]) -> dict[str, str]:
    """How many router advertisements each link has heard that heard any, whether it took anything from them or not (RFC 4293)."""
    found = {}
    for link in links:
        with contextlib.suppress(OSError), open(f"/proc/thread-self/net/dev_snmp6/{link}", encoding="ascii") as counters:
            counts = dict(line.split() for line in counters)
            found[f"advertised/{link}"] = counts.get("Icmp6InRouterAdvertisements", "0")
    return {key: count for key, count in found.items() if count != "0"}


def _queues(ref: NodeRef) -> dict[str, str]:
    """The queueing discipline of each link that has one of its own (IFLA_QDISC, tc(8)), and of a fifo that takes nothing in, that it does not."""
    with contextlib.closing(NetlinkSocket(ref.namespace)) as route:
        links, shut = map(decode_discipline, route.dump(RTM_GETLINK, DUMP_BODY)), full(route)
        return {f"qdisc/{name}": shut.get(index) or discipline for index, name, discipline in links if discipline}


def _policies(ref: NodeRef) -> dict[str, str]:
    """What there is of IPsec, in words."""
    with contextlib.suppress(OSError):  # a kernel without it
        if told := ipsec.told(ref.namespace):
            return {"ipsec": ", ".join(told)}
    return {}


def _read(keys: Iterable[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for key in keys:
        with contextlib.suppress(OSError, ValueError), open(sysctl_path(key), encoding="ascii") as file:
            values[key] = file.read().strip()
    return values
