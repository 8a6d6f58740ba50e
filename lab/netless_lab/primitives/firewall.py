"""What the rules of a node do with one packet: the chains of a hook walked as the kernel walks them (nft(8)).

The base chains of a hook run in the order of their priority. ``accept`` ends only the base chain it stands in; ``drop`` is
final. A chain whose end is reached applies its policy. NAT chains are walked alike; what counts there is the first rule that
rewrites. A rule the snapshot could not read wholly is not guessed at: the walk goes on and says that it is ``unsure``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from ..model.snapshot import Chain, Node, Rule

Fate = Literal["pass", "drop", "masquerade", "snat", "dnat"]
FAMILIES = ("ip", "inet")
"""Tables that see IPv4 packets on their way through a router."""
MAX_DEPTH = 16
"""Jumps followed; the kernel refuses more (NFT_JUMP_STACK_SIZE)."""


@dataclass(frozen=True)
class Packet:
    """What a rule may ask of a packet. An empty string means: not known, so no rule about it is decided."""

    saddr: str = ""
    daddr: str = ""
    iifname: str = ""
    oifname: str = ""
    ct_state: str = "new"
    protocol: str = ""
    dport: str = ""
    ct_status: str = ""


@dataclass(frozen=True)
class Passage:
    """What became of the packet in one base chain: its fate, the rule that decided (None: the policy), and doubt."""

    chain: Chain
    fate: Fate
    rule: Rule | None = None
    unsure: bool = False


def base_chains(node: Node, hook: str, kind: str) -> tuple[Chain, ...]:
    """The node's base chains for IPv4 at a hook, in the order the kernel runs them."""
    found = (chain for chain in node.chains if chain.hook == hook and chain.type == kind and chain.family in FAMILIES)
    return tuple(sorted(found, key=lambda chain: chain.priority))


def walk(node: Node, hook: str, kind: str, packet: Packet) -> tuple[Passage, ...]:
    """The packet through every base chain of a hook, until one drops or rewrites it."""
    passages: list[Passage] = []
    for chain in base_chains(node, hook, kind):
        passages.append(_through(node, chain, packet))
        if passages[-1].fate != "pass":
            break
    return tuple(passages)


def through_each(node: Node, hook: str, kind: str, packet: Packet) -> tuple[Passage, ...]:
    """The packet through each base chain of a hook as if it were the only one: shows every chain that would stop it."""
    return tuple(_through(node, chain, packet) for chain in base_chains(node, hook, kind))


def _through(node: Node, chain: Chain, packet: Packet) -> Passage:
    fate, rule, unsure = _walk_chain(node, chain, packet, 0)
    if fate is not None:
        return Passage(chain, fate, rule, unsure)
    return Passage(chain, "drop" if chain.policy == "drop" else "pass", None, unsure)


def _walk_chain(node: Node, chain: Chain, packet: Packet, depth: int) -> tuple[Fate | None, Rule | None, bool]:
    """(fate, deciding rule, doubt); fate None when the end was reached or a rule returned."""
    unsure = False
    for rule in chain.rules:
        hit = matches(rule, packet)
        if hit is False:
            continue
        verdict, known = _verdict(rule, packet)
        unsure = unsure or not known
        word, _, rest = verdict.partition(" ")
        if hit is None:
            unsure = unsure or bool(word)
            continue
        if word == "accept":
            return "pass", rule, unsure
        if word in ("drop", "reject"):
            return "drop", rule, unsure
        if word == "masquerade":
            return "masquerade", rule, unsure
        if word in ("snat", "dnat"):
            return "snat" if word == "snat" else "dnat", rule, unsure
        if word == "return":
            return None, None, unsure
        if word in ("jump", "goto") and depth < MAX_DEPTH:
            target = next((own for own in node.chains if _same_table(own, chain) and own.name == rest), None)
            if target is None:
                unsure = True
                continue
            fate, decided, doubt = _walk_chain(node, target, packet, depth + 1)
            unsure = unsure or doubt
            if fate is not None or word == "goto":
                return fate, decided, unsure
        elif word and word not in ("continue", "counter"):
            unsure = True
    return None, None, unsure


def _verdict(rule: Rule, packet: Packet) -> tuple[str, bool]:
    """The rule's verdict for this packet, also out of a verdict map (``ct state vmap { established : accept }``); whether it is known."""
    found = next((entries for _, operator, entries in rule.matches if operator == "vmap"), None)
    if rule.verdict or found is None:
        return rule.verdict, True
    key = next(key for key, operator, _ in rule.matches if operator == "vmap")
    if _field(key, packet) is None:
        return "", False
    for entry in found.split(","):
        value, _, verdict = entry.partition(" : ")
        if _holds(key, "==", value, packet):
            return verdict.strip(), True
    return "", True


def _same_table(one: Chain, other: Chain) -> bool:
    return (one.family, one.table) == (other.family, other.table)


def matches(rule: Rule, packet: Packet) -> bool | None:
    """Whether every condition of the rule holds for the packet; None when one of them cannot be decided."""
    answers = tuple(_holds(key, operator, value, packet) for key, operator, value in rule.matches if operator != "vmap")
    if False in answers:
        return False
    return None if None in answers or rule.opaque else True


def _holds(key: str, operator: str, value: str, packet: Packet) -> bool | None:
    wanted = tuple(part.strip() for part in value.strip("{} ").split(","))
    own = _field(key, packet)
    if own is None or operator not in ("==", "!=", "in", "not in"):
        return None
    if key in ("ip saddr", "ip daddr"):
        found = _in_any(own, wanted)
    elif key in ("iifname", "oifname", "iif", "oif"):
        found = any(_named(own, name.strip('"')) for name in wanted)
    else:
        found = own in wanted
    return found if found is None or operator in ("==", "in") else not found


def _field(key: str, packet: Packet) -> str | None:
    fields = {
        "ip saddr": packet.saddr,
        "ip daddr": packet.daddr,
        "iifname": packet.iifname,
        "iif": packet.iifname,
        "oifname": packet.oifname,
        "oif": packet.oifname,
        "ct state": packet.ct_state,
        "ct status": packet.ct_status,
        "ip protocol": packet.protocol,
        "meta l4proto": packet.protocol,
        "tcp dport": packet.dport if packet.protocol == "tcp" else "",
        "udp dport": packet.dport if packet.protocol == "udp" else "",
        "meta nfproto": "ipv4",
    }
    return fields.get(key) or None


def _in_any(ip: str, networks: Iterable[str]) -> bool | None:
    try:
        return any(ip_address(ip) in ip_network(network, strict=False) for network in networks)
    except ValueError:
        return None


def _named(own: str, pattern: str) -> bool:
    return own.startswith(pattern[:-1]) if pattern.endswith("*") else own == pattern
