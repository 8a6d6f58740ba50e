"""The sysctls of a snapshot: which there are, and by which short key a lesson calls them. This is the one list of them.

==========================  ==============================================================================================
key                         file below /proc/sys/net, and when it is in the snapshot
==========================  ==============================================================================================
ip_forward                  ipv4/ip_forward
rp_filter                   ipv4/conf/all/rp_filter; the kernel uses the larger of this and the device's
proxy_arp, route_localnet   ipv4/conf/all/...
icmp_echo_ignore_all        ipv4/icmp_echo_ignore_all: a host that is there and does not answer pings
ip_unprivileged_port_start  ipv4/ip_unprivileged_port_start
ip_default_ttl              ipv4/ip_default_ttl: how many routers a packet may pass when its sender asks for nothing else
bridge-nf-call-iptables     bridge/...: whether bridged frames pass the IP firewall; absent when br_netfilter is not there
v6.forwarding               ipv6/conf/all/forwarding
v6.disabled                 ipv6/conf/all/disable_ipv6
default.rp_filter           ipv4/conf/default/rp_filter: what a new device gets; proxy_arp and route_localnet the same
forwarding/DEVICE           ipv4/conf/DEVICE/forwarding, when it differs from ip_forward
rp_filter/DEVICE            ipv4/conf/DEVICE/..., when it differs from ipv4/conf/default/..., which is what a new device gets
proxy_arp/DEVICE            the same
route_localnet/DEVICE       the same
==========================  ==============================================================================================

Meaning: Documentation/networking/ip-sysctl.rst of the kernel. Per-device values come with the link dump (``netlink.link.DeviceKnobs``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .namespace import Namespace
from .netlink.link import DeviceKnobs
from .proc_files import ProcFiles

KNOBS: Final = {
    "ip_forward": "net/ipv4/ip_forward",
    "rp_filter": "net/ipv4/conf/all/rp_filter",
    "proxy_arp": "net/ipv4/conf/all/proxy_arp",
    "route_localnet": "net/ipv4/conf/all/route_localnet",
    "icmp_echo_ignore_all": "net/ipv4/icmp_echo_ignore_all",
    "ip_unprivileged_port_start": "net/ipv4/ip_unprivileged_port_start",
    "ip_default_ttl": "net/ipv4/ip_default_ttl",
    "bridge-nf-call-iptables": "net/bridge/bridge-nf-call-iptables",
    "default.rp_filter": "net/ipv4/conf/default/rp_filter",
    "default.proxy_arp": "net/ipv4/conf/default/proxy_arp",
    "default.route_localnet": "net/ipv4/conf/default/route_localnet",
    "v6.forwarding": "net/ipv6/conf/all/forwarding",
    "v6.disabled": "net/ipv6/conf/all/disable_ipv6",
}
"""Snapshot key -> sysctl key, for the values of a whole namespace. Actions that set one use the same table."""

_XTABLES: Final = {
    "xtables/ip": "/proc/thread-self/net/ip_tables_names",
    "xtables/ip6": "/proc/thread-self/net/ip6_tables_names",
}
_PATHS: Final = {key: f"/proc/sys/{name}" for key, name in KNOBS.items()} | _XTABLES


def knob_of(key: str) -> str:
    """The sysctl key behind a snapshot key: ``forwarding/br0`` -> ``net/ipv4/conf/br0/forwarding``. Raises KeyError if unknown."""
    if "/" in key:
        knob, device = key.split("/", 1)
        if knob in DeviceKnobs._fields:
            return f"net/ipv4/conf/{device}/{knob}"
    return KNOBS[key]


class Sysctls:
    """The knobs of one namespace, kept open: reading all takes about ten microseconds. Close it with the node."""

    def __init__(self, namespace: Namespace) -> None:
        self._files = ProcFiles(namespace, _PATHS)

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def read(self, devices: Iterable[tuple[str, DeviceKnobs | None]]) -> tuple[dict[str, str], tuple[str, ...]]:
        """(sysctls of the snapshot, tables that legacy iptables has registered, empty or not: ``nat``, ``ip6 nat``)."""
        values = self._files.read()
        sysctls = {key: values[key] for key in KNOBS if key in values}
        for name, knobs in devices:
            if knobs is None:
                continue
            for knob, value in zip(DeviceKnobs._fields, knobs, strict=True):
                usual = values.get("ip_forward" if knob == "forwarding" else f"default.{knob}")
                if usual is not None and str(value) != usual:
                    sysctls[f"{knob}/{name}"] = str(value)
        tables = values.get("xtables/ip", "").split()
        return sysctls, (*tables, *(f"ip6 {table}" for table in values.get("xtables/ip6", "").split()))
