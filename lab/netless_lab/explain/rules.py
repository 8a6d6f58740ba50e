"""What this room looks for among a node's rules. What they do with a packet is asked of ``model.netfilter``, as everybody does. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import ip_address
from typing import Final

from ..model.evidence import TraceStep
from ..model.netfilter.packet import Packet, address, single
from ..model.netfilter.rules import Drop, Rewrite, Untrack, Zone
from ..model.netfilter.run import FAMILIES, at_chain, base_chains, missed, reached, through
from ..model.snapshot import Chain, Node, Rule

_ANY: Final = frozenset({"ip", "ip6", "inet"})


def base_of(node: Node, chain: Chain) -> Chain | None:
    """The chain on a hook that a chain is reached from, itself when it is on one."""
    if chain.hook is not None:
        return chain
    bases = (own for own in (*node.chains, *node.legacy) if own.hook is not None)
    return next((base for base in bases if any(own is chain for own, _ in reached(node, base))), None)


def rules_at(node: Node, hook: str, families: Collection[str] = _ANY) -> Iterator[tuple[Chain, Chain, Rule]]:
    """Every rule that a packet may come to at a hook: (the chain on the hook, its own chain, the rule)."""
    for base in base_chains(node, hook, families):
        for chain, rule in reached(node, base):
            yield base, chain, rule


def rewrites(rule: Rule, *, source: bool) -> tuple[Rewrite, ...]:
    """What a rule writes in as the sender (``source``) or as the receiver."""
    return tuple(part for part in rule.parts if isinstance(part, Rewrite) and part.source == source)


def rejects(rule: Rule) -> bool:
    """Whether it tells the sender of what it throws away."""
    return any(isinstance(part, Drop) and part.answer for part in rule.parts)


def drops(rule: Rule) -> bool:
    """Whether it throws away whatever it has counted. A map of verdicts may as well let it pass."""
    return any(isinstance(part, Drop) for part in rule.parts)


def puts_in(rewrite: Rewrite, text: str) -> bool:
    """Whether an address is among those that a rule is known to write in."""
    first, last = rewrite.address or (1, 0)
    return first <= address(text) <= last


def target_of(rule: Rule) -> str:
    """The one address that a rule sends packets to; "" when there are several, or none is known."""
    found = next((single((part.address,)) for part in rewrites(rule, source=False) if part.address is not None), None)
    return str(ip_address(found)) if found is not None else ""


def rule_of(node: Node | None, step: TraceStep) -> Rule | None:
    """The rule that a step of a trace tells of."""
    chains = node.chains if node is not None and step.kind == "rule" else ()
    own = (chain for chain in chains if (chain.family, chain.table, chain.name) == (step.family, step.table, step.chain))
    return next((rule for chain in own for rule in chain.rules if rule.handle == step.handle), None)


def untracking(node: Node, hook: str, packet: Packet) -> tuple[Chain, Rule] | None:
    """A rule that may keep such a packet from connection tracking, so that no translation ever sees it."""
    for base, chain, rule in rules_at(node, hook, FAMILIES[packet.family]):
        kept = any(isinstance(part, Untrack) for part in rule.parts) and not missed(node, base, chain, rule, packet)
        if kept and any(not way.packet.tracked for way in at_chain(node, base, hook, packet)):
            return chain, rule
    return None


def zoning(node: Node, hook: str, packet: Packet) -> tuple[Chain, Rule] | None:
    """The last rule that may put the connection of such a packet into a zone."""
    found = rules_at(node, hook, FAMILIES[packet.family])
    zones = [(chain, rule) for base, chain, rule in found if any(isinstance(part, Zone) for part in rule.parts) and not missed(node, base, chain, rule, packet)]
    return zones[-1] if zones else None


def answers_zone(node: Node, hook: str, packet: Packet) -> int | None:
    """The zone in which conntrack looks for the answers of a connection that such a packet begins, or is itself such an answer; None: not known."""
    ways = through(node, (hook,), packet.in_zone(0, ""))
    zones = {single(way.packet.possible("ct reply zone") or ()) for way in ways if way.end == "accept"}
    return zones.pop() if len(zones) == 1 and all(way.end == "accept" for way in ways) else None
