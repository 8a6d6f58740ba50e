"""Masquerade: packets of private addresses leave under the address of the way out, and answers find back (RFC 3022)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import ClassVar

from ..model.snapshot import Chain, Node, Rule, Snapshot
from .base import Action, Dialect, Expectation, Finding, Where, in_host
from .firewall import Packet, base_chains, walk
from .lab_table import add_rule, as_python, delete_rule, drop_chain, make_chain
from .look import inside, listed, no_node
from .outline import with_chain, with_rule, without_rule
from .quoting import nft_word, word
from .roles import LinkName, Net, NodeName

SRCNAT = 100
"""Where source NAT stands in the postrouting hook (NF_IP_PRI_NAT_SRC, <linux/netfilter_ipv4.h>)."""


class Masquerade(Action, frozen=True, rename={"net": "masquerade", "bridge": "except", "node": "in"}):
    """``{ masquerade = "10.0.0.0/24", except = "br0" }``: what goes out by anything but br0 is rewritten."""

    verb: ClassVar[str] = "masquerade"
    net: Net
    bridge: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        way = f"leave{in_host(self.node)} by anything but {self.bridge}"
        return f"Packets from {self.net} that {way} get the sender address of the way out."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A table, a chain and a rule of nft(8), or one line of iptables(8)."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -t nat -A {self._iptables()}"),)
        rule = add_rule(where, self.node, "postrouting", f"{self._match()} counter masquerade")
        lines = (*make_chain(where, self.node, "postrouting"), rule)
        return as_python(lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        """Delete the rule."""
        return (Unmasquerade(net=self.net, bridge=self.bridge, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate named NAT."""
        chain = Chain("ip", "lab", "postrouting", "nat", "postrouting", SRCNAT, "accept")
        conditions = (("ip saddr", "==", self.net), ("oifname", "!=", self.bridge))
        rule = Rule(0, f"{self._match()} counter masquerade", conditions, "masquerade")
        return with_rule(with_chain(snapshot, self.node, chain), self.node, "postrouting", rule)

    def _match(self) -> str:
        return f"ip saddr {self.net} oifname != {nft_word(self.bridge)}"

    def _iptables(self) -> str:
        return f"POSTROUTING -s {self.net} ! -o {word(self.bridge)} -j MASQUERADE"


class Unmasquerade(Action, frozen=True, rename={"net": "unmasquerade", "bridge": "except", "node": "in"}):
    """``{ unmasquerade = "10.0.0.0/24", except = "br0" }``: the rule goes, and the chain and the table when they are empty then."""

    verb: ClassVar[str] = "unmasquerade"
    net: Net
    bridge: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        return f"Packets from {self.net} keep their own sender address when they leave{in_host(self.node)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """nft deletes by handle; iptables by the same words."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -t nat -D POSTROUTING -s {self.net} ! -o {word(self.bridge)} -j MASQUERADE"),)
        match = f"ip saddr {self.net} oifname != {nft_word(self.bridge)}"
        lines = (delete_rule(where, self.node, "postrouting", match), *drop_chain(where, self.node, "postrouting"))
        return as_python(lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        """The rule again."""
        return (Masquerade(net=self.net, bridge=self.bridge, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        """It must be there."""
        return (Masquerades(net=self.net, bridge=self.bridge, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate named NAT vanishes with its last rule."""
        return without_rule(snapshot, self.node, "postrouting", ("ip saddr", "==", self.net), tidy=True)


class Masquerades(Expectation, frozen=True, rename={"net": "masquerade", "bridge": "except", "uplink": "out", "node": "in"}):
    """``{ masquerade = "10.0.0.0/24", except = "br0" }``, however it is written.

    Some NAT rule rewrites a packet of the network that leaves by the uplink (the way of the node's default route, or ``out``), and
    none rewrites one that stays on ``except``.
    """

    verb: ClassVar[str] = "masquerade"
    net: Net
    bridge: LinkName | None = None
    uplink: LinkName | None = None
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Two packets through the postrouting chains: one that leaves, one that stays."""
        claim = f"packets from {self.net} leave{inside(self.node)} under the address of the way out"
        expected = f"a postrouting rule that masquerades {self.net}" + (f" except towards {self.bridge}" if self.bridge else "")
        look = where.run(self.node, "nft list ruleset")
        node = snapshot.node(self.node)
        if node is None:
            return no_node(self.node, claim, expected)
        out = self.uplink or _uplink(node)
        if not _rewritten(node, Packet(saddr=self._member(0), daddr="198.51.100.10", oifname=out)):
            rules = tuple(rule.text for rule in _nat_rules(node))
            seen = f"no rule rewrites them on the way out of {out}; NAT rules: {listed(rules, 'none')}"
            return Finding(False, claim, expected, seen, look, self._near(node, out) or self._elsewhere(snapshot))
        if self.bridge is not None:
            stays = Packet(saddr=self._member(0), daddr=self._member(1), iifname=self.bridge, oifname=self.bridge)
            if _rewritten(node, stays):
                near = f'The rule is too wide: add `oifname != "{self.bridge}"`, or neighbours will see the host as the sender.'
                return Finding(False, claim, expected, f"packets that stay on {self.bridge} are rewritten too", look, near)
        return Finding(True, claim)

    def _member(self, number: int) -> str:
        """An address a container of the network may have; the first is left to the bridge."""
        network = ip_network(self.net, strict=False)
        return str(network.network_address + min(2 + number, network.num_addresses - 1))

    def _near(self, node: Node, out: str) -> str:
        for rule in _nat_rules(node):
            if rule.verdict.partition(" ")[0] not in ("masquerade", "snat"):
                continue
            for key, operator, value in rule.matches:
                if key == "ip saddr" and operator == "==" and not _covers(value, self.net):
                    return f"There is a rule for {value}, but the containers are in {self.net}: its counter stays at 0."
                if key in ("oifname", "oif") and operator == "==" and value.strip('"') != out:
                    return f"There is a rule for packets that leave by {value}, but the way out is {out}: its counter stays at 0."
                if key in ("oifname", "oif") and operator == "!=" and value.strip('"') == out:
                    return f"The rule leaves out {value}, and that is just the way out."
        for chain in node.chains:
            misplaced = chain.hook not in (None, "postrouting") or chain.type not in (None, "nat")
            if misplaced and any(rule.verdict.startswith("masquerade") for rule in chain.rules):
                return f"The rule is in a chain at the hook {chain.hook}; the sender is rewritten last of all, at postrouting."
        if "nat" in node.xtables:
            return "The old iptables (iptables-legacy) holds a nat table here, which netless cannot read: use iptables or nft."
        return ""

    def _elsewhere(self, snapshot: Snapshot) -> str:
        """The rule in another namespace: near, for every namespace has a firewall of its own."""
        for other in snapshot.nodes:
            if other.name != self.node and any(rule.verdict.startswith("masquerade") for rule in _nat_rules(other)):
                return f"There is a masquerade rule{inside(other.name)}; it has to be{inside(self.node)}, for that is where packets leave."
        return ""


def _rewritten(node: Node, packet: Packet) -> bool:
    passages = walk(node, "postrouting", "nat", packet)
    return bool(passages) and passages[-1].fate in ("masquerade", "snat")


def _nat_rules(node: Node) -> tuple[Rule, ...]:
    return tuple(rule for chain in base_chains(node, "postrouting", "nat") for rule in chain.rules)


def _uplink(node: Node) -> str:
    """The way out: the device of the default route with the lowest metric; eth0 when there is none."""
    routes = sorted((route for route in node.routes if route.dst == "default" and route.family == 4), key=lambda own: own.metric)
    return next((route.dev for route in routes if route.dev), "eth0")


def _covers(value: str, net: str) -> bool:
    try:
        inner, outer = ip_network(net, strict=False), ip_network(value, strict=False)
    except ValueError:
        return True
    return inner.version == outer.version and inner.network_address in outer and inner.prefixlen >= outer.prefixlen
