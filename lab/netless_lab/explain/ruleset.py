"""What a node's nftables would do with one packet at one hook, as far as its rules can be read. Pure.

The order is the kernel's (nft(8)): base chains of a hook by priority, a packet must pass them all; in a chain the first rule with a
final verdict decides, and the policy when there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from ..model.snapshot import Chain, Node, Rule
from .matching import Packet, chosen, matches

IP_FAMILIES: Final = frozenset({"ip", "inet"})
_BLOCKS: Final = ("drop", "reject")
_DEEP: Final = 16
"""Jumps that nftables itself allows (NFT_JUMP_STACK_SIZE)."""


class Decision(msgspec.Struct, frozen=True):
    """What became of the packet at a chain. ``rule`` is None when the chain's policy decided. ``sure``: every rule before could be read."""

    verdict: str
    chain: Chain
    base: Chain
    rule: Rule | None = None
    sure: bool = True

    @property
    def blocks(self) -> bool:
        """Whether the packet ends here."""
        return self.verdict.startswith(_BLOCKS)


def at_hook(node: Node, families: Collection[str], hook: str, device: str | None = None) -> list[Chain]:
    """The base chains a packet meets at a hook, in order; ``device`` for the hooks that belong to one interface."""
    found = [
        chain
        for chain in node.chains
        if chain.family in families
        and chain.hook == hook
        and (chain.device is None or device is None or device in chain.device.split(", "))
    ]
    return sorted(found, key=lambda chain: chain.priority)


def blocked(node: Node, families: Collection[str], hook: str, packet: Packet, device: str | None = None) -> Decision | None:
    """The first chain of a hook that drops or rejects the packet; None when none does for all that can be read."""
    for base in at_hook(node, families, hook, device):
        decision = decide(node, base, packet)
        if decision.blocks:
            return decision
    return None


def decide(node: Node, base: Chain, packet: Packet) -> Decision:
    """What one base chain does. Rules that may or may not match are passed over, and the decision is then not ``sure``."""
    found = _walk(node, base, base, packet, 0)
    if found is not None and found.verdict != "return":
        return found
    sure = found.sure if found is not None else _readable(node, base, packet)
    return Decision(base.policy or "accept", base, base, None, sure)


def _walk(node: Node, chain: Chain, base: Chain, packet: Packet, depth: int) -> Decision | None:
    """The first final verdict, None when the chain ends without one."""
    sure = True
    for rule in chain.rules:
        fits = matches(rule, packet)
        if fits is False:
            continue
        mapped = chosen(rule, packet)
        verdict = rule.verdict if mapped is None else mapped
        if fits is None or (mapped is None and _has_map(rule)):
            sure = sure and not verdict and not _has_map(rule)
            continue
        word, _, target = verdict.partition(" ")
        if word in ("jump", "goto") and depth < _DEEP:
            inner = _chain(node, chain, target)
            found = _walk(node, inner, base, packet, depth + 1) if inner is not None else None
            if found is not None and found.verdict != "return":
                return msgspec.structs.replace(found, sure=found.sure and sure)
            if word == "goto":
                return Decision("return", chain, base, rule, sure)
        elif verdict and word not in ("continue",):
            return Decision(verdict, chain, base, rule, sure)
    return None


def _has_map(rule: Rule) -> bool:
    return any(operator == "vmap" for _, operator, _ in rule.matches)


def _readable(node: Node, base: Chain, packet: Packet) -> bool:
    """Whether no rule that decides something was passed over for want of knowledge."""
    return not any(matches(rule, packet) is None and (rule.verdict or rule.opaque) for rule in reached(node, base))


def reached(node: Node, base: Chain) -> Iterator[Rule]:
    """Every rule of a chain and of the chains it leads to."""
    waiting, seen = [base], {base.name}
    while waiting:
        chain = waiting.pop(0)
        for rule in chain.rules:
            yield rule
            word, _, target = rule.verdict.partition(" ")
            inner = _chain(node, chain, target) if word in ("jump", "goto") else None
            if inner is not None and inner.name not in seen:
                seen.add(inner.name)
                waiting.append(inner)


def _chain(node: Node, near: Chain, name: str) -> Chain | None:
    return next(
        (chain for chain in node.chains if (chain.family, chain.table, chain.name) == (near.family, near.table, name)), None
    )


def redirection(node: Node, hook: str, packet: Packet) -> tuple[str, int | None, Rule] | None:
    """(address, port or None, rule) of the first dnat or redirect that certainly matches at ``prerouting`` or ``output``."""
    for base in at_hook(node, IP_FAMILIES, hook):
        if base.type != "nat":
            continue
        decision = decide(node, base, packet)
        if decision.rule is not None and decision.verdict.startswith(("dnat", "redirect")):
            address, port = target_of(decision.verdict)
            return address, port, decision.rule
    return None


def target_of(verdict: str) -> tuple[str, int | None]:
    """``dnat to 10.0.0.3:80`` -> ("10.0.0.3", 80); an address of "" is the node's own."""
    words = verdict.split(" to ", 1)
    if len(words) == 1:
        return "", None
    address, _, port = words[1].split(" ")[0].rpartition(":") if ":" in words[1] else (words[1].split(" ")[0], "", "")
    return address, int(port) if port.isdecimal() else None


def source_rules(node: Node) -> tuple[tuple[Chain, Rule], ...]:
    """Every rule that rewrites sources, with the base chain it is reached from."""
    return tuple(
        (base, rule)
        for base in at_hook(node, IP_FAMILIES, "postrouting")
        for rule in reached(node, base)
        if rule.verdict.startswith(("masquerade", "snat"))
    )
