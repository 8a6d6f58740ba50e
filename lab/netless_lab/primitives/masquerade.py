"""Masquerade: packets of private addresses leave under the address of the way out, and answers find back (RFC 3022)."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from ..model.gates import beyond, networks, ways_out
from ..model.netfilter.conditions import words
from ..model.netfilter.packet import ICMP, TCP, UDP, Packet, common, first, members, network, shown, spans, without
from ..model.netfilter.rules import Accept, Condition, Names, Numbers, Return, Rewrite
from ..model.netfilter.run import FAMILIES, Way, always, base_chains, missed, reached
from ..model.netfilter.translation import translated
from ..model.snapshot import Chain, Node, Rule, Snapshot
from .base import Action, CannotTell, Dialect, Expectation, Finding, Met, NotMet, Where, as_python, in_host, nft_word, word
from .lab_table import BORN, TABLE, add_rule, delete_rule, drop_chain, free_name, make_chain
from .look import adrift, inside, listed, no_node, of_kind, undecided, which
from .outline import with_chain, with_rule, without_rule
from .roles import LinkName, Net, NodeName

_NONE = "?"
"""In place of the device that packets leave by, where a node has none."""


class Masquerade(Action, frozen=True, rename={"net": "masquerade", "bridge": "except", "node": "in"}):
    """``{ masquerade = "10.0.0.0/24", except = "br0" }``: what goes out by anything but br0 is rewritten.

    ``chain`` is how its chain of table ``ip lab`` is called: otherwise than ``postrouting`` only where something else is called so.
    """

    net: Net
    bridge: LinkName
    node: NodeName = "host"
    chain: str = BORN["postrouting"].name

    def sentence(self) -> str:
        way = f"leave{in_host(self.node)} by anything but {self.bridge}"
        return f"Packets from {self.net} that {way} get the sender address of the way out."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A table, a chain and a rule of nft(8), or one line of iptables(8)."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -t nat -A {_iptables(self.net, self.bridge)}"),)
        rule = add_rule(where, self.node, f"{TABLE} {self.chain}", f"{_match(self.net, self.bridge)} counter masquerade")
        lines = (*make_chain(where, self.node, "postrouting", name=self.chain), rule)
        return as_python(*lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        return (Unmasquerade(net=self.net, bridge=self.bridge, node=self.node, chain=self.chain),)

    def placed(self, snapshot: Snapshot) -> Masquerade:
        """Under a name that is free for the chain."""
        return replace(self, chain=free_name(snapshot, self.node, "postrouting"))

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate named NAT."""
        chain = replace(BORN["postrouting"], name=self.chain)
        parts = (of_network(self.net), Condition("oifname", Names((self.bridge,)), negated=True), Rewrite("masquerade"))
        rule = Rule(0, f"{_match(self.net, self.bridge)} counter masquerade", parts=parts)
        return with_rule(with_chain(snapshot, self.node, chain), self.node, f"{TABLE} {self.chain}", rule)


class Unmasquerade(Action, frozen=True, rename={"net": "unmasquerade", "bridge": "except", "node": "in"}):
    """``{ unmasquerade = "10.0.0.0/24", except = "br0" }``: the rule goes, and the chain and the table when they are empty then."""

    net: Net
    bridge: LinkName
    node: NodeName = "host"
    chain: str = BORN["postrouting"].name

    def sentence(self) -> str:
        return f"Packets from {self.net} keep their own sender address when they leave{in_host(self.node)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """nft deletes by handle; iptables by the same words."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -t nat -D {_iptables(self.net, self.bridge)}"),)
        rule = delete_rule(where, self.node, f"{TABLE} {self.chain}", _match(self.net, self.bridge))
        lines = (rule, *drop_chain(where, self.node, self.chain))
        return as_python(*lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        return (Masquerade(net=self.net, bridge=self.bridge, node=self.node, chain=self.chain),)

    def needs(self) -> tuple[Expectation, ...]:
        return (Masquerades(net=self.net, bridge=self.bridge, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate named NAT vanishes with its last rule."""
        return without_rule(snapshot, self.node, f"{TABLE} {self.chain}", of_network(self.net), tidy=True)


class Masquerades(Expectation, frozen=True, rename={"net": "masquerade", "bridge": "except", "uplink": "out", "node": "in"}):
    """``{ masquerade = "10.0.0.0/24", except = "br0" }``, however it is written.

    Every packet of the network that leaves by the uplink (the way of the node's default route, or ``out``) is rewritten, whoever sent it and
    of whatever protocol; none that stays on ``except`` is.
    """

    passing: ClassVar[bool] = True
    net: Net
    bridge: LinkName | None = None
    uplink: LinkName | None = None
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """All packets of the network, of each protocol, on the way out; and one that stays."""
        claim = f"packets from {self.net} leave{inside(self.node)} under the address of the way out"
        expected = f"a postrouting rule that masquerades {self.net}" + (f" except towards {self.bridge}" if self.bridge else "")
        look = where.run(self.node, "nft list ruleset")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        out = self.uplink or next(iter(ways_out(node, self.bridge or "")), _NONE)
        leaving = self._leaving(node, out)
        for asked in leaving:
            ways = _rewriting(node, asked)
            held = always(ways, lambda way: _as_way_out(node, out, way))
            why = _hangs_on(node, out, asked, ways) if held is not None else undecided(ways)
            if why:
                return CannotTell(claim, expected, why, look)
            if not held:
                failing = next(way for way in ways if way.sure and not _as_way_out(node, out, way))
                rules = tuple(rule.text for _, rule in _nat_rules(node))
                near = self._near(node, out, failing) or self._elsewhere(snapshot)
                others = any(way.sure and _as_way_out(node, out, way) for own in leaving if own is not asked for way in _rewriting(node, own))
                return NotMet(claim, expected, f"{_seen(node, failing, asked, out, others=others)}; NAT rules: {listed(rules, 'none')}", look, near)
        if self.bridge is not None:
            inside_net = first(source=network(self.net), destination=network(self.net)).between(self.bridge, self.bridge)
            staying = _rewriting(node, inside_net)
            if not always(staying, lambda way: not way.source_rewritten) and any(way.sure and way.source_rewritten for way in staying):
                near = f'The rule is too wide: add `oifname != "{self.bridge}"`, or neighbours will see the host as the sender.'
                return NotMet(claim, expected, f"packets that stay on {self.bridge} are rewritten too", look, near)
        return Met(claim)

    def _leaving(self, node: Node, out: str) -> tuple[Packet, ...]:
        """The first packets of conversations of all that may live in the network, of each protocol, with somebody beyond."""
        source = members(self.net)
        own = spans(pair for link in node.links for address in link.v4 for pair in network(address.address))
        far = without(beyond(node), network(self.net))
        inner = self.bridge or next((link.name for link in node.links if link.name != out and common(networks(link), source)), "")
        return tuple(first(source=without(source, own) or source, destination=far, protocol=protocol).between(inner, out) for protocol in (ICMP, TCP, UDP))

    def _near(self, node: Node, out: str, failing: Way) -> str:
        if any(done.source for done, _, _ in failing.rewrites):
            own = tuple(address.address for link in node.links if link.name == out for address in link.v4)
            return f"Answers go to that address; only to those of {out} ({', '.join(own)}) do they come back here." if own else ""
        if (before := _in_the_way(node, failing)) is not None:
            return f"The rule `{before.text}` stands before it and lets them by as they are: rules are tried from the top."
        for _, rule in _nat_rules(node):
            if not _translates(rule):
                continue
            for part in rule.parts:
                if not isinstance(part, Condition):
                    continue
                if part.field == "ip saddr" and isinstance(part.values, Numbers) and not part.negated and without(network(self.net), part.values.spans):
                    whose = words(part).removeprefix("ip saddr ")
                    if common(network(self.net), part.values.spans):
                        return f"There is a rule for {whose}, a part of {self.net}: whoever else lives there leaves under an address of its own."
                    return f"There is a rule for {whose}, but the containers are in {self.net}: none of their packets meets it."
                if part.field == "ip daddr" and not part.negated and words(part) == f"ip daddr {self.net}":
                    return f"There is a rule for packets that go to {self.net} (ip daddr); these come from there (ip saddr)."
                if part.field == "oifname" and isinstance(part.values, Names):
                    if not part.negated and not part.values.hold(out):
                        named = " ".join((*part.values.names, *(f"{begin}*" for begin in part.values.begins)))
                        return f"There is a rule for packets that leave by {named}, but the way out is {out}: its counter stays at 0."
                    if part.negated and part.values.hold(out):
                        return f"The rule leaves out {out}, and that is just the way out."
        if unasked := adrift(node, _translates):
            return unasked
        for chain in node.chains:
            misplaced = chain.hook not in (None, "postrouting") or chain.type not in (None, "nat")
            if misplaced and any(_masquerades(rule) for rule in chain.rules):
                return f"The rule is in a chain at the hook {chain.hook}; the sender is rewritten last of all, at postrouting."
        return ""

    def _elsewhere(self, snapshot: Snapshot) -> str:
        """The rule in another namespace: near, for every namespace has a firewall of its own."""
        for other in snapshot.nodes:
            if other.name != self.node and any(_masquerades(rule) for _, rule in _nat_rules(other)):
                return f"There is a masquerade rule{inside(other.name)}; it has to be{inside(self.node)}, for that is where packets leave."
        return ""


def of_network(net: str) -> Condition:
    """The condition of a masquerade rule by which it is known: the network it is for."""
    return Condition("ip saddr", Numbers(network(net)))


def _match(net: str, bridge: str) -> str:
    return f"ip saddr {net} oifname != {nft_word(bridge)}"


def _iptables(net: str, bridge: str) -> str:
    return f"POSTROUTING -s {net} ! -o {word(bridge)} -j MASQUERADE"


def _rewriting(node: Node, asked: Packet) -> tuple[Way, ...]:
    """What NAT makes of a packet. Whether it gets through at all is for others to say."""
    return tuple(way for way in translated(node, asked) if way.end != "drop")


def _translates(rule: Rule) -> bool:
    return any(isinstance(part, Rewrite) and part.source for part in rule.parts)


def _in_the_way(node: Node, failing: Way) -> Rule | None:
    """The rule before the first that translates that ends its chain for such a packet; None when none does."""
    for base in base_chains(node, "postrouting", FAMILIES[4]):
        if base.type != "nat":
            continue
        for number, rule in enumerate(base.rules):
            if _translates(rule):
                before = (own for own in base.rules[:number] if Accept() in own.parts or Return() in own.parts)
                return next((own for own in before if not missed(node, base, base, own, failing.packet)), None)
    return None


def _hangs_on(node: Node, out: str, asked: Packet, ways: tuple[Way, ...]) -> str:
    """What it hangs on whether they leave as they should, where that is more than who sends them; "" when all is known."""
    rewritten = [(done, rule) for way in ways for done, _, rule in way.rewrites if done.source]
    mapped = next((rule for done, rule in rewritten if done.chosen), None)
    if mapped is not None:
        return f"the rule `{mapped.text}` takes the address from a map, and netless does not follow that"
    good = next((way for way in ways if _as_way_out(node, out, way)), None)
    if good is None or good.rule is None or always(ways, lambda way: _as_way_out(node, out, way)):
        return ""
    anywhere = always(_rewriting(node, asked.forgetting(asked.destination)), lambda way: _as_way_out(node, out, way))
    return f"the rule `{good.rule.text}` rewrites them on the way to some addresses and not to others" if anywhere is None else ""


def _as_way_out(node: Node, out: str, way: Way) -> bool:
    """Whether it leaves under an address that answers find back to."""
    link, own = node.link(out), way.packet.possible(way.packet.source)
    written = next((done for done, _, _ in way.rewrites if done.source), None)
    if written is None:
        return False
    if written.address is None or link is None or own is None:
        return True
    return not without(own, spans(pair for address in link.v4 for pair in network(address.address)))


def _seen(node: Node, failing: Way, asked: Packet, out: str, *, others: bool) -> str:
    written = next((done.address for done, _, _ in failing.rewrites if done.source and done.address is not None), None)
    if written is not None:
        link = node.link(out)
        strange = without((written,), spans(pair for own in (link.v4 if link is not None else ()) for pair in network(own.address)))
        which_one = "which" if strange == (written,) else f"and {shown(strange, 4)}"
        return f"they leave as {shown((written,), 4)}, {which_one} is no address of " + ("the way out" if out == _NONE else out)
    if not failing.packet.tracked:
        return f"they pass conntrack by (notrack), and what is not tracked is not rewritten {_on_the_way_out(out)}"
    return f"no rule rewrites {which(failing, asked)} {_on_the_way_out(out)}{of_kind(failing, asked, others=others)}"


def _on_the_way_out(out: str) -> str:
    return "on the way out" if out == _NONE else f"on the way out of {out}"


def _nat_rules(node: Node) -> tuple[tuple[Chain, Rule], ...]:
    bases = (chain for chain in base_chains(node, "postrouting", FAMILIES[4]) if chain.type == "nat")
    return tuple(pair for chain in bases for pair in reached(node, chain))


def _masquerades(rule: Rule) -> bool:
    return any(isinstance(part, Rewrite) and part.kind == "masquerade" for part in rule.parts)
