"""What the interpreter of rules says (``model/netfilter``), in the words of an expectation: who stops which packets, and why it cannot be told."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.netfilter.packet import Packet
from ..model.netfilter.run import Way, doubt
from ..model.netfilter.spans import Spans, members, network, shown, spans, without
from ..model.snapshot import Chain, Link
from ..model.telling import PROGRAMS

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
    """Those of the packets asked for that went this way: ``them``, ``those from 10.0.0.3-10.0.0.254``."""
    for field, word in ((asked.source, "from"), (asked.destination, "to")):
        before, now = asked.possible(field), way.packet.possible(field)
        if now is not None and before != now and not way.rewrites:
            return f"those {word} {shown(now, asked.family)}"
    return "them"


def undecided(ways: Iterable[Way]) -> str:
    """Why it cannot be told, as a clause."""
    found = tuple(ways)
    taken = next((way.taken for way in found if way.taken is not None), None)
    if taken is not None:
        return f"on {taken[0]} {PROGRAMS[taken[1]]} decides over such packets, and netless cannot read it"
    guessed = doubt(found)
    return _WHY[guessed.why].format(guessed.rule.text) if guessed is not None else "there are too many rules to follow them all"
