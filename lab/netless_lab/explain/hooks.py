"""Which firewall hooks lie between the last sighting of the packet and the next that never came, in the order it meets them. Pure.

Taps hear a frame before ingress and prerouting on the way in, and after postrouting and egress on the way out (picture of nft(8), hooks).
At each the one interpreter of rules is asked (``model.netfilter.run``), and what it has made of the packet goes on to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from ..model.netfilter import packet as known
from ..model.netfilter.packet import UDP, Packet, address, only, spans
from ..model.netfilter.run import FAMILIES, Doubt, Way, agreed, always, doubt, run
from . import routes
from .case import Case
from .last_seen import NEIGHBOUR_KINDS, LastSeen
from .packets import first, framed, packet, question

_BRIDGE: Final = frozenset({"bridge"})
_NETDEV: Final = frozenset({"netdev", "inet"})
_ARP: Final = frozenset({"arp"})


class Passage(NamedTuple):
    """Whose packet it is, and how it passes."""

    node: str
    returning: bool = False
    bridged: bool = False


class Check(msgspec.Struct, frozen=True):
    """One hook of one node, the packet as it comes there, and every way that it may go on."""

    at: Passage
    families: Collection[str]
    hook: str
    packet: Packet
    ways: tuple[Way, ...]
    asks: bool = False
    """It is a question for a neighbour, or the answer to it: the packet itself waits meanwhile, and its trace says nothing of this."""

    @property
    def stop(self) -> Way | None:
        """The way on which it is thrown away, when it is on every one."""
        return self.ways[0] if always(self.ways, lambda way: way.end == "drop") else None

    @property
    def unclear(self) -> Doubt | None:
        """On what it hangs whether it is thrown away, when that cannot be told."""
        return doubt(self.ways) if self.stop is None and any(way.end != "accept" for way in self.ways) else None


def passed(case: Case) -> Iterator[Check]:
    """The hooks to ask."""
    last = case.last
    yield from _carried(case, last)
    at = Passage(last.node, last.leg == "return")
    match last.stage:
        case "unsent":
            yield from _sent(case, at, last.kind, last.src, last.dst)
            yield from map(_asking, _along(case, at, _ARP if case.family == 4 else FAMILIES[6], ("output",), _question(case, last)[0]))
        case "asking":
            yield from map(_asking, _asked(case, last, at))
        case "bridging":
            yield from _bridged(case, last, at)
        case "routing":
            inner = yield from _arriving(case, last, at)
            out = case.route(last.node, last.dst, last.src, last.iif).dev if last.iif else None
            leaving = _by(inner, last.iif, out)
            leaving = yield from _along(case, at, FAMILIES[case.family], ("forward", "postrouting"), leaving)
            yield from _along(case, at, _NETDEV, ("egress",), leaving, out)
        case "delivered" | "home":
            inner = yield from _arriving(case, last, at)
            yield from _along(case, at, FAMILIES[case.family], ("input",), inner)
            if last.stage == "delivered" and last.leg == "forward":
                kind = "echo-reply" if last.kind == "echo-request" else last.kind
                yield from _sent(case, at._replace(returning=True), kind, last.dst, last.src)


def _asking(check: Check) -> Check:
    return replace(check, asks=True)


def _along(
    case: Case, at: Passage, families: Collection[str], hooks: Sequence[str], found: Packet, device: str | None = None
) -> Generator[Check, None, Packet]:
    """The hooks of a node one after the other; what the packet is after them. One that is dropped there is asked on as it was."""
    for hook in hooks:
        ways = run(case.node(at.node), hook, found, families, device)
        yield Check(at, families, hook, found, ways)
        found = agreed(ways) or found
    return found


def _by(found: Packet, iif: str | None, oif: str | None) -> Packet:
    """Between two devices, of which one may not be known."""
    return replace(found, names={name: link for name, link in (("iifname", iif), ("oifname", oif)) if link is not None})


def _carried(case: Case, last: LastSeen) -> Iterator[Check]:
    """A packet inside a tunnel's packet has come in: the outer one passes the node's hooks first."""
    hop = last.hop
    if hop is not None and hop.tunnel is not None and hop.direction != "out":
        around, family = hop.tunnel, routes.family_of(hop.tunnel.src)
        outer = known.first(family, source=only(address(around.src)), destination=only(address(around.dst)), protocol=UDP)
        outer = outer.listing("th dport", only(around.port))
        yield from _along(case, Passage(hop.node, last.leg == "return"), FAMILIES[family], ("prerouting", "input"), outer.between(hop.link, ""))


def _sent(case: Case, at: Passage, kind: str, src: str, dst: str) -> Iterator[Check]:
    """What a node's own packet passes before it is on a wire."""
    way = case.route(at.node, dst) if dst else None
    out = way.dev if way is not None else None
    source = src or (way.prefsrc or "" if way is not None else "")
    own = packet(case, at.node, "return" if at.returning else "forward", kind, source, dst, "", out, fresh=True)
    after = yield from _along(case, at, FAMILIES[case.family], ("output",), own)
    if after.possible(own.destination) != own.possible(own.destination):  # it is routed anew
        after = _by(after, "", None)
    yield from _along(case, at, FAMILIES[case.family], ("postrouting",), after)
    yield from _along(case, at, _BRIDGE, ("output", "postrouting"), _by(after, "", None))
    yield from _along(case, at, _NETDEV, ("egress",), after, out)


def _arriving(case: Case, last: LastSeen, at: Passage) -> Generator[Check, None, Packet]:
    """What came in, up to where it is routed: from then on it has the addresses that its translation is known to have given it.

    A translation that goes on is done in the midst of prerouting, so there either address is asked for.
    """
    src, dst = (last.hop.src, last.hop.dst) if last.hop is not None else (last.src, last.dst)
    came = packet(case, last.node, last.leg, last.kind, src, dst, last.iif, "", fresh=True)
    inner = packet(case, last.node, last.leg, last.kind, last.src, last.dst, last.iif, "")
    if at.returning or case.talking:
        both = (*(came.possible(came.destination) or ()), *(inner.possible(inner.destination) or ()))
        came = came.listing(came.destination, spans(both)) if both else came
    yield from _along(case, at, _NETDEV, ("ingress",), framed(came, last), last.link)
    after = yield from _along(case, at, FAMILIES[case.family], ("prerouting",), came)
    known_of = [after.source, after.destination, *(["th dport"] if case.port_at(last.dst) != case.port else [])]
    return replace(after, numbers=after.numbers | {field: inner.numbers[field] for field in known_of if field in inner.numbers})


def _bridged(case: Case, last: LastSeen, at: Passage) -> Iterator[Check]:
    """Inside a bridge: its own hooks, and those of IP when br_netfilter is on for this node."""
    bridge = case.node(last.node).ip_device(last.link)
    found = framed(packet(case, last.node, last.leg, last.kind, last.src, last.dst), last)
    found = replace(found, names={"meta ibrname": bridge, "meta obrname": bridge})
    if last.hop is not None and last.hop.direction == "out":
        yield from _along(case, at, _BRIDGE, ("output", "postrouting"), found)
        return
    found = replace(found, names=found.names | {"iifname": last.link})
    yield from _along(case, at, _NETDEV, ("ingress",), found, last.link)
    found = yield from _along(case, at, _BRIDGE, ("prerouting",), found)
    if case.bridge_netfilter(last.node)[1] == "1":
        through = found.between(bridge, bridge)
        yield from _along(case, at._replace(bridged=True), FAMILIES[case.family], ("prerouting", "forward", "postrouting"), through)
    yield from _along(case, at, _BRIDGE, ("forward", "input", "postrouting"), found)


def _asked(case: Case, last: LastSeen, at: Passage) -> Iterator[Check]:
    """A question for a neighbour: the bridges it crosses, the node that should answer, and the one that waits. IPv6 asks by IPv6 packets."""
    own = _ARP if case.family == 4 else FAMILIES[6]
    ask, tell = _question(case, last)
    owners = {owner.name for owner, _ in case.owners(last.asked)}
    hops = [hop for hop in case.hops if hop.kind in NEIGHBOUR_KINDS and last.asked in (hop.dst, hop.src)]
    for node, name in dict.fromkeys((hop.node, hop.link) for hop in hops if hop.direction != "out"):
        link, heard, there = case.link(node, name), replace(ask, names={"iifname": name}), at._replace(node=node)
        yield from _along(case, there, _NETDEV, ("ingress",), heard, name)
        if link is not None and link.master:
            if case.family == 6 and case.bridge_netfilter(node)[1] == "1":  # ARP has a switch of its own, and no IP firewall sees it
                through = heard.between(link.master, link.master)
                yield from _along(case, there._replace(bridged=True), FAMILIES[6], ("prerouting", "forward", "postrouting"), through)
            yield from _along(case, there, _BRIDGE, ("prerouting", "input") if node in owners else ("prerouting", "forward", "postrouting"), heard)
        elif node in owners:
            yield from _along(case, there, own, ("input",), heard)
            yield from _along(case, there, own, ("output",), tell)
    asker = case.link(last.node, last.link)
    if asker is not None and asker.kind == "bridge":
        yield from _along(case, at, _BRIDGE, ("output",), ask)
    yield from _along(case, at, own, ("input",), tell)
    yield from _along(case, at, _NETDEV, ("egress",), ask, last.link)


def _question(case: Case, last: LastSeen) -> tuple[Packet, Packet]:
    """(the question, the answer that would come)."""
    if case.family == 4:
        return question(last), question(last, reply=True)
    asker = last.hop.src if last.hop is not None else ""
    return first(case, "solicitation", asker, ""), first(case, "advertisement", last.asked, asker)
