"""The sysctls of a snapshot: which there are, and by which short key it calls them. This is the one list of them. Pure.

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

Meaning: Documentation/networking/ip-sysctl.rst of the kernel.
"""

from __future__ import annotations

from typing import Final

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
"""Snapshot key -> sysctl key, for the values of a whole namespace."""
OF_DEVICES: Final = {
    "forwarding": "ip_forward", "rp_filter": "default.rp_filter", "proxy_arp": "default.proxy_arp", "route_localnet": "default.route_localnet",
}  # fmt: skip
"""What each device has of its own -> the key of what it is where a snapshot does not say."""
_SHORT: Final = {path: key for key, path in KNOBS.items()}


def slashed(key: str) -> str:
    """``net/ipv4/ip_forward``: the spelling in which a dot is a dot of a device's name (sysctl(8))."""
    return key if "/" in key else key.replace(".", "/")


def short(key: str) -> str | None:
    """The key under which a snapshot holds a setting, however it is spelt: ``ip_forward``, ``forwarding/br0``. None when it holds no such."""
    match slashed(key).split("/"):
        case ["net", "ipv4", "conf", device, knob] if knob in OF_DEVICES and device not in ("all", "default"):
            return f"{knob}/{device}"
    return _SHORT.get(slashed(key))


def path(key: str) -> str:
    """The opposite: ``forwarding/br0`` -> ``net/ipv4/conf/br0/forwarding``. Raises KeyError when a snapshot has no such key."""
    knob, _, device = key.partition("/")
    return f"net/ipv4/conf/{device}/{knob}" if device and knob in OF_DEVICES else KNOBS[key]


def whole(key: str) -> str:
    """The same as sysctl(8) writes it: with dots, unless the device has one in its name. Raises KeyError."""
    found = path(key)
    return found if "." in found else found.replace("/", ".")


def held(sysctls: dict[str, str], key: str) -> str | None:
    """The value of a snapshot's key; of a device that is there it is as usual where the snapshot does not say. None when it is not there."""
    knob, _, device = key.partition("/")
    return sysctls.get(key, sysctls.get(OF_DEVICES[knob]) if device else None)


def written(sysctls: dict[str, str], key: str, value: str) -> dict[str, str]:
    """What a snapshot holds after a value was written. Who changes ``ip_forward`` writes that of every device (devinet_sysctl_forward())."""
    everywhere = key == "ip_forward" and sysctls.get(key) != value
    kept = {own: was for own, was in sysctls.items() if own != key and not (everywhere and own.startswith("forwarding/"))}
    return kept if "/" in key and held(kept, key) == value else {**kept, key: value}
