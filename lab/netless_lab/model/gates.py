"""The gates on a node's way out: forwarding, firewall, NAT. Each is decided from facts in the snapshot, simply and honestly.

* ``fwd``: the sysctl net.ipv4.ip_forward (kernel doc ip-sysctl): does this node pass on what is not addressed to itself.
* ``fw``: base chains on the forward hook (nft(8)): closed when one drops everything, narrow when it drops by default and accepts some.
* ``NAT``: a masquerade or snat rule reached from a postrouting hook.

Whether a rule matches one particular packet is not decided here; that is for the journey and for ``explain``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .snapshot import Chain, Node, Rule

GateState = Literal["open", "narrow", "closed", "absent", "unknown"]
"""``narrow``: a firewall that drops by default and accepts some. ``absent``: there is no such rule. ``unknown``: not in the snapshot."""

FORWARDING_KEYS = ("ip_forward", "net/ipv4/ip_forward", "net.ipv4.ip_forward")
"""How the switch may be spelt in ``Node.sysctls``."""

ORDER = ("fwd", "fw", "NAT")
"""The order a packet meets them in: routing, then the forward hook, then postrouting."""

_IPV4 = ("ip", "inet")


class Gate(msgspec.Struct, frozen=True):
    """One gate and its state."""

    name: str
    state: GateState


def gates_of(node: Node) -> tuple[Gate, ...]:
    """The three gates of a node, in the order a packet meets them."""
    return (Gate("fwd", forwarding(node)), Gate("fw", firewall(node)), Gate("NAT", nat(node)))


def forwarding(node: Node) -> GateState:
    """Open when the node forwards IPv4, closed when not, unknown when the snapshot does not say."""
    for key in FORWARDING_KEYS:
        value = node.sysctls.get(key)
        if value is not None:
            return "open" if switched_on(value) else "closed"
    return "unknown"


def switched_on(value: str) -> bool:
    """Whether the kernel takes this value of a switch that is a number, ``ip_forward`` or a device's ``forwarding``, for on.

    It asks only whether it is 0 (IN_DEV_FORWARD in <linux/inetdevice.h>): 2 forwards like 1.
    """
    return value.strip() not in ("", "0")


def firewall(node: Node) -> GateState:
    """What the forward hook does: the strictest of its chains counts, since a packet must pass them all."""
    bases = [chain for chain in node.chains if chain.hook == "forward" and chain.family in _IPV4]
    if not bases:
        return "absent"
    states = [_passage(node, chain) for chain in bases]
    if "closed" in states:
        return "closed"
    return "narrow" if "narrow" in states else "open"


def nat(node: Node) -> GateState:
    """Open when a rule rewrites the source address of what leaves, else absent."""
    for chain in node.chains:
        if chain.hook == "postrouting" and chain.family in _IPV4 and any(map(_rewrites_source, _reached(node, chain))):
            return "open"
    return "absent"


def _passage(node: Node, base: Chain) -> GateState:
    rules = _reached(node, base)
    if base.policy == "drop":
        return "narrow" if any(_accepts(rule) for rule in rules) else "closed"
    blocks = [rule for rule in rules if rule.verdict == "drop" or rule.verdict.startswith("reject")]
    if any(not rule.matches and not rule.opaque for rule in blocks) and not any(_accepts(rule) for rule in rules):
        return "closed"
    return "narrow" if blocks else "open"


def _accepts(rule: Rule) -> bool:
    return rule.verdict == "accept" or (rule.opaque and not rule.verdict)


def _rewrites_source(rule: Rule) -> bool:
    if rule.verdict.startswith(("masquerade", "snat")):
        return True
    return rule.opaque and any(word in rule.text.lower() for word in ("masquerade", "snat"))


def _reached(node: Node, base: Chain) -> list[Rule]:
    """The rules of a chain and of every chain it leads to by jump or goto."""
    same = {chain.name: chain for chain in node.chains if (chain.family, chain.table) == (base.family, base.table)}
    found: list[Rule] = []
    waiting, seen = [base], {base.name}
    while waiting:
        for rule in waiting.pop().rules:
            found.append(rule)
            word, _, target = rule.verdict.partition(" ")
            if word in ("jump", "goto") and target in same and target not in seen:
                seen.add(target)
                waiting.append(same[target])
    return found
