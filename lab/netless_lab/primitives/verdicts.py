"""What the interpreter of rules says (``model/netfilter``), in the words of an expectation: who stops which packets, and why it cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..model.netfilter.packet import ICMP, TCP, UDP, Packet
from ..model.netfilter.run import Way, doubt, reached
from ..model.netfilter.spans import Spans, members, network, shown, single, spans, without
from ..model.snapshot import Chain, Link, Node, Rule
from ..model.telling import PROGRAMS

KINDS = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP"}
"""What people call protocols."""
_WHY = {
    "unfollowed": "netless cannot follow what the rule `{}` does",
    "unread": "netless cannot read the rule `{}`",
    "varies": "the rule `{}` decides by more than the packet",
    "unlisted": "the rule `{}` asks for what some of these packets have and others have not",
}


def hosts(link: Link) -> Spans:
    """The IPv4 addresses that others in the networks of a device can have."""
    return without(spans(pair for own in link.v4 for pair in members(own.cidr)), spans(pair for own in link.v4 for pair in network(own.address)))


def place_of(chain: Chain) -> str:
    """``ip lab forward``, or the old iptables' ``filter FORWARD (iptables-legacy)``."""
    return f"{chain.table} {chain.name} (iptables-legacy)" if chain.engine == "legacy" else f"{chain.family} {chain.table} {chain.name}"


def stopped(way: Way, asked: Packet) -> str:
    """``ip lab forward drops them by its policy``; of a part of what was asked for, which."""
    assert way.chain is not None
    by = f"its rule `{way.rule.text}`" if way.rule is not None else "its policy"
    return f"{place_of(way.chain)} drops {which(way, asked)} by {by}"


def which(way: Way, asked: Packet) -> str:
    """Those of the packets asked for that went this way: ``them``, ``those from 10.0.0.3-10.0.0.254``, ``those of TCP``."""
    kind = KINDS.get(single(asked.possible("meta l4proto") or ()) or 0, "")
    for field, word in ((asked.source, "from "), (asked.destination, "to "), ("th sport", f"from {kind} ports "), ("th dport", f"to {kind} ports ")):
        before, now = asked.possible(field), way.packet.possible(field)
        if now is not None and before != now and not way.rewrites:
            return f"those {word}{shown(now, asked.family) if field.startswith('ip') else ', '.join(_ports(now))}"
    return "them"


def _ports(found: Spans) -> tuple[str, ...]:
    return tuple(str(first) if first == last else f"{first}-{last}" for first, last in found)


def of_kind(way: Way, asked: Packet) -> str:
    """`` when they are TCP`` for any protocol but that of the first packet people send, a ping; "" where the ports say so."""
    kind = KINDS.get(single(asked.possible("meta l4proto") or ()) or 0, "")
    if f" {kind} ports " in which(way, asked):
        return ""
    return f" when they are {kind}" if kind not in ("", "ICMP") else ""


def adrift(node: Node, does: Callable[[Rule], bool]) -> str:
    """Why a chain that has the right rule is not asked: it hangs on no hook and no rule leads to it, or its table is switched off; "" when none is so."""
    asked = {id(chain) for base in node.chains if base.hook is not None for chain, _ in reached(node, base)}
    for chain in node.chains:
        if not any(does(rule) for rule in chain.rules):
            continue
        if chain.dormant:
            return f"There is such a rule in {place_of(chain)}, but its table is dormant: the kernel asks none of its chains."
        if chain.hook is None and id(chain) not in asked:
            return (
                f"There is such a rule in {place_of(chain)}, but that chain hangs on no hook and no rule jumps to it: packets never come by, "
                "whatever it is called."
            )
    return ""


def undecided(ways: Iterable[Way]) -> str:
    """Why it cannot be told, as a clause."""
    found = tuple(ways)
    taken = next((way.taken for way in found if way.taken is not None), None)
    if taken is not None:
        return f"on {taken[0]} {PROGRAMS[taken[1]]} decides over such packets, and netless cannot read it"
    guessed = doubt(found)
    return _WHY[guessed.why].format(guessed.rule.text) if guessed is not None else "there are too many rules to follow them all"
