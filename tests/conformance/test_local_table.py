"""Which addresses are a node's own: a rule that asks for the type of an address, and routing, say what the kernel says."""

from __future__ import annotations

import json
import subprocess

import pytest

from conformance.cases import POST
from helpers.lab import Lab, lab
from helpers.sandboxed import answers, sandboxed_once, sh
from netless_lab.model import routes
from netless_lab.model.netfilter.packet import ICMP, address, first, only
from netless_lab.model.netfilter.run import missed

KINDS = ("local", "broadcast", "unicast")
DARK = "ip link add dark type bridge; ip address add 10.5.0.1/24 dev dark; ip -6 address add fd05::1/64 dev dark; ip -6 address add fd00::1/64 dev br0 nodad"
"""A link that is down and has addresses."""


def counted(own: Lab, target: str) -> set[str]:
    """Of which types the kernel's rules find an address, by a ping from c1."""
    rules = "; ".join(f"add rule ip types pre iifname br0 fib daddr type {kind} counter" for kind in KINDS)
    sh(f"nft 'add table ip types; delete table ip types; add table ip types; add chain ip types pre {{ type filter hook prerouting priority 0; }}; {rules}'")
    own.shell("c1", f"ping -b -c1 -W0.1 {target} >/dev/null || true")
    listed = [entry["rule"] for entry in json.loads(sh("nft -j list chain ip types pre"))["nftables"] if "rule" in entry]
    return {kind for kind, rule in zip(KINDS, listed, strict=True) if any(part.get("counter", {}).get("packets") for part in rule["expr"])}


@pytest.mark.parametrize("target", ["10.0.0.1", "203.0.113.2", "10.5.0.1", "10.0.0.255", "10.5.0.255", "198.51.100.10"])
@sandboxed_once
def test_a_rule_that_asks_for_the_type_of_an_address_knows_the_nodes_own(target: str) -> None:
    """Addresses of a link that is down are the node's own as well; the last of a network is everybody's only while its link is up."""
    with lab() as own:
        own.do(*POST, {"route": "default", "via": "10.0.0.1", "in": "c1"})
        sh(DARK)
        assert answers("10.0.0.1", own.refs()["c1"].pid)
        told = counted(own, target)
        host = own.snapshot().node("host")
        assert host is not None and len(told) == 1
        chain = next(one for one in host.chains if one.table == "types")
        packet = first(source=only(address("10.0.0.2")), destination=only(address(target)), protocol=ICMP).between("br0", "")
        said = {kind for kind, rule in zip(KINDS, chain.rules, strict=True) if not missed(host, chain, chain, rule, packet)}
        assert said == told


@pytest.mark.parametrize("target", ["10.0.0.1", "10.5.0.1", "127.0.0.1", "127.8.0.1", "::1", "fd00::1", "fd05::1", "198.51.100.10", "10.6.0.1"])
@pytest.mark.parametrize("node", ["host", "c1"])
@sandboxed_once
def test_routing_knows_the_nodes_own_addresses(node: str, target: str) -> None:
    """Of a link that is down IPv4 stays at home, and IPv6 does not; 127.0.0.0/8 is there once lo was up, and in c1 it never was."""
    with lab() as own:
        own.do(*POST, {"route": "default", "via": "10.0.0.1", "in": "c1"})
        sh(f"{DARK}; ip route add local 10.6.0.0/24 dev lo table main")
        enter = [] if node == "host" else ["nsenter", "-t", str(own.refs()[node].pid), "-n"]
        kernel = subprocess.run([*enter, "ip", "route", "get", target], capture_output=True, text=True, check=False).stdout
        found = own.snapshot().node(node)
        assert found is not None
        assert (routes.worked_out(found, target).type == "local") == kernel.startswith("local")
