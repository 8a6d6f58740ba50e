"""What a machine lacks is found by trying it: the same is found as by ip, nft and their kin."""

from __future__ import annotations

import os
import shutil
import subprocess

from helpers.sandboxed import sandboxed_once
from netless_lab.ground.means import Means
from netless_lab.model.needs import NEEDS
from netless_lab.sandbox.trial import TRIALS

CHAIN = "nft 'add table {0} w; add chain {0} w c {{ type {1} priority 0; }}; add rule {0} w c {2}'"
WAYS = {
    "veth": "ip link add w0 type veth",
    "bridge": "ip link add w0 type bridge",
    "macvlan": "ip link add w0 type veth && ip link add w2 link w0 type macvlan",
    "vxlan": "ip link add w0 type vxlan id 9 dstport 4789",
    "vlan": "ip link add w0 type veth && ip link add w2 link w0 type vlan id 7",
    "ipvlan": "ip link add w0 type veth && ip link add w2 link w0 type ipvlan",
    "dummy": "ip link add w0 type dummy",
    "tun": "ip tuntap add w0 mode tun",
    "nft-nat": CHAIN.format("ip", "nat hook postrouting", "masquerade"),
    "nft-filter": CHAIN.format("ip", "filter hook forward", "counter"),
    "conntrack": CHAIN.format("ip", "filter hook forward", "ct state established"),
    "nft-trace": CHAIN.format("ip", "filter hook forward", "meta nftrace set 1"),
    "nft-bridge": CHAIN.format("bridge", "filter hook forward", "counter"),
    "nft-netdev": CHAIN.format("netdev", "filter hook ingress device lo", "counter"),
    "nft-arp": CHAIN.format("arp", "filter hook input", "counter"),
    "bridge-nf": "sysctl net.bridge.bridge-nf-call-iptables",
    "proc-forwarding": "sysctl -w net.ipv4.ip_forward=1",
    "netlink-forwarding": "true",
    "raw-icmp": "ip link set lo up && ping -qc1 127.0.0.1",
    "packet-socket": """python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'""",
    "iptables-nat": "iptables -t nat -A POSTROUTING -j MASQUERADE",
}
"""How anybody would try each of them. Nobody but a program of ours speaks of forwarding by netlink; every kernel since 3.8 can."""


def works(way: str) -> bool:
    """Whether it does, in a network namespace of its own."""
    return subprocess.run(["unshare", "-n", "sh", "-c", way], capture_output=True, check=False).returncode == 0


@sandboxed_once
def test_what_is_lacking_is_what_others_cannot_do_either() -> None:
    """Each need of the kernel, by the program that people use for it; why, and what to do, are told where anything is known of it."""
    assert set(WAYS) == set(TRIALS)
    lacks = {lack.need: lack for lack in Means().lacking(NEEDS)}
    for need, way in WAYS.items():
        assert (need in lacks) == (not works(way)), need
    for need, lack in lacks.items():
        assert lack.title in str(lack)
        assert (not NEEDS[need].module and not NEEDS[need].option) or (lack.why and lack.do)


@sandboxed_once
def test_trying_leaves_nothing_behind() -> None:
    """No link, no rule, no setting where the caller is."""
    look = "ip -o link; nft list ruleset; sysctl net.ipv4.ip_forward; ls /run/netns 2>/dev/null || :"
    before = subprocess.run(["sh", "-c", look], capture_output=True, text=True, check=True).stdout
    Means().lacking(NEEDS)
    assert subprocess.run(["sh", "-c", look], capture_output=True, text=True, check=True).stdout == before


@sandboxed_once
def test_what_was_lacking_is_asked_for_again() -> None:
    """A program that is installed meanwhile is found."""
    means = Means()
    os.environ["PATH"] += ":/tmp/own"
    os.mkdir("/tmp/own")
    assert shutil.which("brctl") is None or not os.environ.update(PATH="/tmp/own")
    (lack,) = means.lacking(["brctl"])
    assert (lack.title, lack.do) == ("the program brctl", "sudo apt-get install bridge-utils")
    with open("/tmp/own/brctl", "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
        file.write("#!/bin/sh\n")
    assert means.lacking(["brctl"]) == ()
