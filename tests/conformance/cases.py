"""Every action once (some twice): what must be there before, what must be true after, and a witness that is not ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpers.lab import Lab, Table, told

Witness = Callable[[Lab], bool]

CABLE: tuple[Table, ...] = ({"veth": "veth1", "peer": "veth2"},)
PLUGGED: tuple[Table, ...] = (*CABLE, {"move": "veth1", "to": "c1"})
ADDRESSED: tuple[Table, ...] = (*PLUGGED, {"address": "10.0.0.2/24", "dev": "veth1", "in": "c1"})
BRIDGE: tuple[Table, ...] = ({"bridge": "br0"},)
POST: tuple[Table, ...] = (
    *ADDRESSED,
    *BRIDGE,
    {"port": "veth2", "of": "br0"},
    {"address": "10.0.0.1/24", "dev": "br0"},
    {"up": "br0"},
    {"up": "veth2"},
    {"up": "veth1", "in": "c1"},
)
SHUT: tuple[Table, ...] = (*POST, {"forward-policy": "drop"})


@dataclass(frozen=True)
class Case:
    """``before`` is done by the Applier. ``expect`` must fail before the action and hold after it, on the real kernel."""

    name: str
    action: Table
    witness: Witness
    before: tuple[Table, ...] = ()
    expect: tuple[Table, ...] = ()


def link(own: Lab, node: str, name: str) -> dict[str, Any]:
    """One interface as ip(8) sees it; empty when there is none."""
    return next((entry for entry in told(own, node, "ip -d -j addr") if entry["ifname"] == name), {})


def has_address(own: Lab, node: str, name: str, cidr: str) -> bool:
    """Whether ip(8) sees the address there."""
    return any(f"{entry['local']}/{entry['prefixlen']}" == cidr for entry in link(own, node, name).get("addr_info", []))


def up(own: Lab, node: str, name: str) -> bool:
    """Whether ip(8) sees the flag."""
    return "UP" in link(own, node, name)["flags"]


def routes(own: Lab, node: str) -> list[dict[str, Any]]:
    """``ip route``."""
    return list(told(own, node, "ip -j route"))


def rules(own: Lab) -> str:
    """``nft list ruleset``, as text: it shows the rules of both nft and iptables in one language."""
    return own.shell("host", "nft list ruleset")


def setting(own: Lab, node: str, key: str) -> str:
    """``sysctl -n``."""
    return own.shell(node, f"sysctl -n {key}").strip()


def inode(path: str) -> int:
    """The inode behind a namespace file."""
    return os.stat(path).st_ino


def pid(own: Lab, node: str) -> int:
    """A process of the node, found in /proc."""
    found = own.refs()[node].pid
    assert found is not None
    return found


def lines_with(text: str, *words: str) -> int:
    """How many lines hold all the words."""
    return sum(all(word in line for word in words) for line in text.splitlines())


CASES: tuple[Case, ...] = (
    Case(
        "start",
        {"start": "c2"},
        lambda own: own.shell("c2", "hostname").strip() == "c2" and [entry["ifname"] for entry in told(own, "c2", "ip -j link")] == ["lo"],
        expect=({"container": "c2"}, {"only-lo": "c2"}),
    ),
    Case("stop", {"stop": "c2"}, lambda own: "c2" not in own.refs(), before=({"start": "c2"},)),
    Case(
        "name by symlink",
        {"name-symlink": "con1", "of": "c1"},
        lambda own: os.path.islink("/run/netns/con1") and inode("/run/netns/con1") == inode(f"/proc/{pid(own, 'c1')}/ns/net"),
        expect=({"named": "c1"},),
    ),
    Case(
        "name by attach",
        {"name-attach": "c1", "of": "c1"},
        lambda own: not os.path.islink("/run/netns/c1") and inode("/run/netns/c1") == inode(f"/proc/{pid(own, 'c1')}/ns/net"),
        expect=({"named": "c1"},),
    ),
    Case(
        "unname a symlink",
        {"unname": "c1"},
        lambda own: not os.path.lexists("/run/netns/c1") and "c1" in own.refs(),
        before=({"name-symlink": "c1", "of": "c1"},),
        expect=({"no-netns": "c1"},),
    ),
    Case(
        "unname a mount",
        {"unname": "c1"},
        lambda own: "c1" not in own.shell("host", "ip netns list; mount") and "c1" in own.refs(),
        before=({"name-attach": "c1", "of": "c1"},),
    ),
    Case(
        "add a namespace",
        {"netns": "decoy"},
        lambda own: own.shell("host", "ip netns pids decoy") == "" and inode("/run/netns/decoy") != inode(f"/proc/{pid(own, 'c1')}/ns/net"),
        expect=({"netns": "decoy"},),
    ),
    Case(
        "delete a namespace",
        {"delete-netns": "decoy"},
        lambda own: "decoy" not in own.shell("host", "ip netns list"),
        before=({"netns": "decoy"},),
        expect=({"no-netns": "decoy"},),
    ),
    Case(
        "veth",
        {"veth": "veth1", "peer": "veth2"},
        lambda own: link(own, "host", "veth1")["link"] == "veth2" and link(own, "host", "veth1")["linkinfo"]["info_kind"] == "veth",
        expect=({"pair": "veth1", "peer": "veth2"}, {"link": "veth1", "kind": "veth", "up": False}),
    ),
    Case(
        "veth across nodes",
        {"veth": "veth1", "peer": "veth2", "in": "c1", "peer-in": "host"},
        lambda own: bool(link(own, "c1", "veth1") and link(own, "host", "veth2")) and not link(own, "host", "veth1"),
        expect=({"pair": "veth1", "peer": "veth2", "in": "c1", "peer-in": "host"},),
    ),
    Case(
        "move",
        {"move": "veth1", "to": "c1"},
        lambda own: bool(link(own, "c1", "veth1")) and not link(own, "host", "veth1"),
        before=CABLE,
        expect=({"link": "veth1", "in": "c1"}, {"no-link": "veth1"}, {"pair": "veth1", "peer": "veth2", "in": "c1", "peer-in": "host"}),
    ),
    Case(
        "move back",
        {"move": "veth1", "to": "host", "from": "c1"},
        lambda own: bool(link(own, "host", "veth1")) and not link(own, "c1", "veth1"),
        before=PLUGGED,
        expect=({"link": "veth1", "in": "host"},),
    ),
    Case("lo up", {"up": "lo", "in": "c1"}, lambda own: has_address(own, "c1", "lo", "127.0.0.1/8"), expect=({"up": "lo", "in": "c1"},)),
    Case("up", {"up": "veth2"}, lambda own: up(own, "host", "veth2"), before=PLUGGED, expect=({"up": "veth2"},)),
    Case("down", {"down": "veth1", "in": "c1"}, lambda own: not up(own, "c1", "veth1"), (*PLUGGED, {"up": "veth1", "in": "c1"}),
         ({"link": "veth1", "in": "c1", "up": False},)),
    Case(
        "address",
        {"address": "10.0.0.2/24", "dev": "veth1", "in": "c1"},
        lambda own: has_address(own, "c1", "veth1", "10.0.0.2/24"),
        before=PLUGGED,
        expect=({"address": "10.0.0.2/24", "dev": "veth1", "in": "c1"}, {"address": "10.0.0.2/24", "in": "c1"}),
    ),
    Case(
        "address on a link that is up",
        {"address": "10.0.0.2/24", "dev": "veth1", "in": "c1"},
        lambda own: any(route["dst"] == "10.0.0.0/24" for route in routes(own, "c1")),
        before=(*PLUGGED, {"up": "veth1", "in": "c1"}),
        expect=({"route": "10.0.0.0/24", "dev": "veth1", "in": "c1"},),
    ),
    Case("address beside another", {"address": "10.9.0.2/24", "dev": "veth1", "in": "c1"},
         lambda own: all(has_address(own, "c1", "veth1", cidr) for cidr in ("10.0.0.2/24", "10.9.0.2/24")), ADDRESSED),
    Case(
        "IPv6 address on a link that is down",
        {"address": "fd00:10::2/64", "dev": "veth1", "in": "c1"},
        lambda own: has_address(own, "c1", "veth1", "fd00:10::2/64"),
        before=PLUGGED,
    ),
    Case(
        "IPv6 address",
        {"address": "fd00:10::2/64", "dev": "veth1", "in": "c1"},
        lambda own: has_address(own, "c1", "veth1", "fd00:10::2/64"),
        before=(*PLUGGED, {"up": "veth1", "in": "c1"}),
        expect=({"address": "fd00:10::2/64", "in": "c1"},),
    ),
    Case(
        "unaddress",
        {"unaddress": "10.0.0.2/24", "dev": "veth1", "in": "c1"},
        lambda own: not has_address(own, "c1", "veth1", "10.0.0.2/24"),
        before=ADDRESSED,
        expect=({"no-address": "10.0.0.2/24", "dev": "veth1", "in": "c1"},),
    ),
    Case(
        "unaddress the second of three",
        {"unaddress": "10.0.0.9/24", "dev": "veth1", "in": "c1"},
        lambda own: not has_address(own, "c1", "veth1", "10.0.0.9/24") and has_address(own, "c1", "veth1", "10.9.0.1/16"),
        before=(
            *ADDRESSED,
            {"up": "veth1", "in": "c1"},
            {"address": "10.0.0.9/24", "dev": "veth1", "in": "c1"},
            {"address": "10.9.0.1/16", "dev": "veth1", "in": "c1"},
        ),
        expect=({"no-address": "10.0.0.9/24", "dev": "veth1", "in": "c1"},),
    ),
    Case(
        "bridge",
        {"bridge": "br0"},
        lambda own: link(own, "host", "br0")["linkinfo"]["info_kind"] == "bridge",
        expect=({"bridge": "br0"}, {"link": "br0", "kind": "bridge"}),
    ),
    Case(
        "port",
        {"port": "veth2", "of": "br0"},
        lambda own: [entry["ifname"] for entry in told(own, "host", "bridge -j link show master br0")] == ["veth2"],
        before=(*PLUGGED, *BRIDGE),
        expect=({"port": "veth2", "of": "br0"},),
    ),
    Case(
        "unport",
        {"unport": "veth2", "of": "br0"},
        lambda own: "master" not in link(own, "host", "veth2"),
        before=(*PLUGGED, *BRIDGE, {"port": "veth2", "of": "br0"}),
    ),
    Case(
        "default route",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        lambda own: any(route["dst"] == "default" and route["gateway"] == "10.0.0.1" for route in routes(own, "c1")),
        before=POST,
        expect=({"route": "default", "via": "10.0.0.1", "in": "c1"},),
    ),
    Case(
        "route to a network",
        {"route": "10.62.0.0/24", "via": "203.0.113.1"},
        lambda own: any(route["dst"] == "10.62.0.0/24" for route in routes(own, "host")),
        expect=({"route": "10.62.0.0/24", "via": "203.0.113.1"},),
    ),
    Case(
        "route to one address out of a device",
        {"route": "10.1.1.2/32", "dev": "veth1", "in": "c1"},
        lambda own: any(route["dst"] == "10.1.1.2" and route["scope"] == "link" for route in routes(own, "c1")),
        before=(*PLUGGED, {"up": "veth1", "in": "c1"}, {"up": "veth2"}),
        expect=({"route": "10.1.1.2/32", "dev": "veth1", "in": "c1"},),
    ),
    Case(
        "unroute",
        {"unroute": "default", "via": "10.0.0.1", "in": "c1"},
        lambda own: not any(route["dst"] == "default" for route in routes(own, "c1")),
        before=(*POST, {"route": "default", "via": "10.0.0.1", "in": "c1"}),
        expect=({"no-route": "default", "in": "c1"},),
    ),
    Case(
        "forwarding",
        {"forwarding": True},
        lambda own: setting(own, "host", "net.ipv4.ip_forward") == "1",
        expect=({"forwarding": True}, {"sysctl": "net.ipv4.ip_forward", "value": "1"}),
    ),
    Case(
        "forwarding in a container",
        {"forwarding": True, "in": "c1"},
        lambda own: setting(own, "c1", "net.ipv4.ip_forward") == "1",
        expect=({"forwarding": True, "in": "c1"},),
    ),
    Case(
        "masquerade",
        {"masquerade": "10.0.0.0/24", "except": "br0"},
        lambda own: lines_with(rules(own), "10.0.0.0/24", 'oifname != "br0"', "counter", "masquerade") == 1,
        before=POST,
        expect=({"masquerade": "10.0.0.0/24", "except": "br0"}, {"masquerade": "10.0.0.0/24"}),
    ),
    Case(
        "masquerade of an odd prefix",
        {"masquerade": "10.0.16.0/20", "except": "br0"},
        lambda own: lines_with(rules(own), "10.0.16.0/20", "masquerade") == 1,
        expect=({"masquerade": "10.0.16.0/20", "except": "br0"},),
    ),
    Case(
        "unmasquerade",
        {"unmasquerade": "10.0.0.0/24", "except": "br0"},
        lambda own: "masquerade" not in rules(own),
        before=({"masquerade": "10.0.0.0/24", "except": "br0"},),
    ),
    Case(
        "unmasquerade one of two",
        {"unmasquerade": "10.0.0.0/24", "except": "br0"},
        lambda own: lines_with(rules(own), "masquerade") == 1 and lines_with(rules(own), "10.7.0.0/16", "masquerade") == 1,
        before=({"masquerade": "10.0.0.0/24", "except": "br0"}, {"masquerade": "10.7.0.0/16", "except": "br0"}),
    ),
    Case(
        "forward policy",
        {"forward-policy": "drop"},
        lambda own: lines_with(rules(own), "hook forward", "policy drop") == 1,
        before=POST,
        expect=({"forward-policy": "drop"},),
    ),
    Case(
        "another forward policy",
        {"forward-policy": "accept"},
        lambda own: lines_with(rules(own), "hook forward", "policy accept") == 1,
        before=SHUT,
        expect=({"forward-policy": "accept"},),
    ),
    Case("unforward policy", {"unforward-policy": "drop"}, lambda own: "policy drop" not in rules(own), before=SHUT),
    Case(
        "accept from the bridge",
        {"forward-accept": "br0"},
        lambda own: lines_with(rules(own), 'iifname "br0"', "accept") == 1,
        before=SHUT,
        expect=({"forward-accept": "br0"},),
    ),
    Case(
        "accept answers",
        {"forward-accept": "established"},
        lambda own: lines_with(rules(own), "ct state", "established", "related", "accept") == 1,
        before=SHUT,
        expect=({"forward-accept": "established"},),
    ),
    Case(
        "unaccept answers",
        {"unforward-accept": "established"},
        lambda own: "established" not in rules(own) and lines_with(rules(own), "br0", "accept") == 1,
        before=(*SHUT, {"forward-accept": "br0"}, {"forward-accept": "established"}),
    ),
    Case(
        "unaccept from the bridge",
        {"unforward-accept": "br0"},
        lambda own: "br0" not in rules(own) and "established" in rules(own),
        before=(*SHUT, {"forward-accept": "br0"}, {"forward-accept": "established"}),
    ),
    Case(
        "resolver",
        {"resolver": "198.51.100.53", "in": "c1"},
        lambda own: own.shell("c1", "cat /etc/resolv.conf").split() == ["nameserver", "198.51.100.53"],
        expect=({"resolver": "198.51.100.53", "in": "c1"},),
    ),
    Case(
        "unresolver",
        {"unresolver": "198.51.100.53", "in": "c1"},
        lambda own: "nameserver" not in own.shell("c1", "cat /etc/resolv.conf"),
        before=({"resolver": "198.51.100.53", "in": "c1"},),
    ),
    Case(
        "rename",
        {"rename": "veth1", "to": "eth0", "in": "c1"},
        lambda own: bool(link(own, "c1", "eth0")) and not link(own, "c1", "veth1"),
        before=PLUGGED,
        expect=({"link": "eth0", "in": "c1"}, {"no-link": "veth1", "in": "c1"}),
    ),
    Case(
        "delete a link",
        {"delete-link": "veth1", "in": "c1"},
        lambda own: not link(own, "c1", "veth1") and not link(own, "host", "veth2"),
        before=PLUGGED,
        expect=({"no-link": "veth1", "in": "c1"}, {"no-link": "veth2"}),
    ),
    Case(
        "mtu",
        {"mtu": 1400, "dev": "veth1", "in": "c1"},
        lambda own: link(own, "c1", "veth1")["mtu"] == 1400,
        before=PLUGGED,
        expect=({"link": "veth1", "in": "c1", "mtu": 1400},),
    ),
    Case(
        "neighbour",
        {"neighbour": "10.0.0.9", "mac": "02:00:00:00:00:09", "dev": "veth1", "in": "c1"},
        lambda own: (
            [entry["state"] for entry in told(own, "c1", "ip -j neigh") if entry.get("lladdr") == "02:00:00:00:00:09"] == [["PERMANENT"]]
        ),
        before=POST,
        expect=({"neighbour": "10.0.0.9", "in": "c1"},),
    ),
    Case(
        "unneighbour",
        {"unneighbour": "10.0.0.9", "dev": "veth1", "in": "c1"},
        lambda own: all(entry.get("lladdr") != "02:00:00:00:00:09" for entry in told(own, "c1", "ip -j neigh")),
        before=(*POST, {"neighbour": "10.0.0.9", "mac": "02:00:00:00:00:09", "dev": "veth1", "in": "c1"}),
    ),
    Case(
        "sysctl",
        {"sysctl": "net.ipv4.icmp_echo_ignore_all", "value": "1", "in": "c1", "was": "0"},
        lambda own: setting(own, "c1", "net.ipv4.icmp_echo_ignore_all") == "1",
        expect=({"sysctl": "net.ipv4.icmp_echo_ignore_all", "value": "1", "in": "c1"},),
    ),
    Case(
        "run",
        {"run": "for name in 'br-x' br0; do ip link add dev \"$name\" type bridge; done && ip link set br-x up", "in": "c1"},
        lambda own: up(own, "c1", "br-x") and not up(own, "c1", "br0"),
        expect=({"link": "br-x", "in": "c1", "up": True},),
    ),
)
