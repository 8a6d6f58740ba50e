"""The packet of a case, as it is at one place, for ``model.netfilter``: what is not known there is left open; and which firewall hooks lie between
its last sighting and the next that never came, in the order it meets them. Pure.

Taps hear a frame before ingress and prerouting on the way in, and after postrouting and egress on the way out (picture of nft(8), hooks).
At each the one interpreter of rules is asked (``model.netfilter.run``), and what it has made of the packet goes on to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from ..model import icmp, routes
from ..model.addresses import is_address
from ..model.journeys.flow import Flow
from ..model.netfilter import packet as known
from ..model.netfilter.packet import CONFIRMED, DNAT, ICMP, ICMPV6, SEEN_REPLY, SNAT, STATES, TCP, UDP, Packet, Spans, address, only, spans
from ..model.netfilter.rules import Rewrite
from ..model.netfilter.run import FAMILIES, Doubt, Way, agreed, always, doubt, run
from ..model.snapshot import Chain, Rule
from .case import Case
from .last_seen import NEIGHBOUR_KINDS, LastSeen

Leg = Literal["forward", "return"]
_ASSURED: Final = 0x4
"""IPS_ASSURED, a bit of ``ct status``."""
_ARP, _IPV4 = 0x0806, 0x0800
_ETHERNET = 1
"""ARPHRD_ETHER, what nft asks for before it asks for a MAC (``meta iiftype``)."""
_REQUEST, _REPLY, _BROADCAST = 1, 2, 1
"""Operations of ARP (RFC 826), and the kind of a packet for everybody (PACKET_BROADCAST)."""
_TYPES: Final = {
    4: {"echo-request": only(icmp.ECHO_REQUEST), "echo-reply": only(icmp.ECHO_REPLY), "icmp-error": only(*icmp.ERRORS)},
    6: {
        "echo-request": only(icmp.ECHO_REQUEST6), "echo-reply": only(icmp.ECHO_REPLY6), "icmp-error": only(*icmp.ERRORS6),
        "solicitation": only(icmp.SOLICITATION), "advertisement": only(icmp.ADVERTISEMENT),
    },
}  # fmt: skip


def first(case: Case, kind: str, src: str, dst: str, iif: str | None = None, oif: str | None = None, *, port: int | None = None) -> Packet:
    """The first of the conversation. ``kind`` is as in ``Hop.kind``; a device of "" is none, None one that is not known."""
    types = _TYPES[case.family]
    protocol = {"tcp": TCP, "udp": UDP}.get(kind) or ((ICMP if case.family == 4 else ICMPV6) if kind in types or kind == "icmp" else None)
    found = known.first(case.family, source=_one(src), destination=_one(dst), protocol=protocol)
    word = "icmp" if case.family == 4 else "icmpv6"
    found = found.forgetting(f"{word} type", f"{word} code") if kind not in ("echo-request", "echo-reply") else found
    found = found.listing(f"{word} type", types[kind]) if kind in types else found
    if kind in ("solicitation", "advertisement"):  # conntrack leaves neighbour discovery alone (nf_conntrack_icmpv6_error)
        found = found.listing("ct state", only(STATES["untracked"]))
    found = found.listing("th dport", only(port)) if protocol in (TCP, UDP) and port is not None else found
    return replace(found, names={name: link for name, link in (("iifname", iif), ("oifname", oif)) if link is not None})


def packet(case: Case, node: str, leg: Leg, kind: str, src: str, dst: str, iif: str | None = None, oif: str | None = None, *,
           fresh: bool = False) -> Packet:
    """The one that was lost: the first of its conversation, or one of those after it, of which ``node`` knows that it answers or goes on.

    ``fresh``: the node has not translated it yet.
    """
    if leg == "forward":
        begun = first(case, kind, src, dst, iif, oif, port=case.port_at(dst, node if fresh else ""))
        return _later(begun, case.flow(node), "original") if case.talking else begun
    found = first(case, kind, src, dst, iif, oif).forgetting("th dport")
    port = case.port_at(src)
    found = found.listing("th sport", only(port)) if kind in ("tcp", "udp") and port is not None else found
    return _later(found, case.flow(node), "reply", related=kind == "icmp-error")


def _later(found: Packet, flow: Flow | None, direction: Literal["original", "reply"], *, related: bool = False) -> Packet:
    """Not the first: what it was translated by is told by the connection table only, and what its mark is by nothing."""
    found = found.forgetting("ct mark", "ct status").listing("ct direction", only(direction == "reply"))
    found = found.listing("ct state", only(STATES["related" if related else "established"]))
    if flow is None:
        return found
    status = SEEN_REPLY | CONFIRMED | _ASSURED * flow.assured | SNAT * flow.source_nat | DNAT * flow.destination_nat
    return found.listing("ct status", only(status))


def entering(case: Case, node: str, out: str | None = None) -> tuple[str, Packet]:
    """The hook at which the conversation's first packet begins in a node, and the packet there: it came in by a link, or is the node's own."""
    came = [hop for hop in case.seen(node, None, "in") if hop.leg == "forward"]
    if came and node != case.probe.node:
        hop = came[-1]
        return "prerouting", first(case, hop.kind, hop.src, hop.dst, hop.link, out, port=case.port_at(hop.dst, node))
    return "output", first(case, case.last.kind, case.last.src, case.last.dst, "", out, port=case.port)


def led_in(case: Case, node: str) -> tuple[Chain, Rule] | None:
    """The rule by which the conversation, which was for somebody else, came to a port of the node's own (``redirect``, and ``dnat`` to itself)."""
    asked = {flow.original.dst for flow in case.evidence.flows if flow.node == node and flow.destination_nat and case.node(node).owner(flow.reply.src)}
    if not asked or any(case.node(node).owner(own) is not None for own in asked):
        return None
    return next(((chain, rule) for _, chain, rule in redirections(case, node)), None)


class LedOn(NamedTuple):
    """A rule of another node by which a conversation goes to another address than the one it was for."""

    node: str
    chain: Chain
    rule: Rule
    asked: str
    address: str


def led_on(case: Case, to: str) -> LedOn | None:
    """The rule of another node that sends the conversation on to an address of ``to`` that was not asked (``dnat``)."""
    flows = [(flow.node, flow.original.dst, flow.reply.src) for flow in case.evidence.flows if flow.destination_nat]
    changes = [(change.node, routes.host_of(change.before), routes.host_of(change.after)) for change in case.redirects]
    for node, asked, target in (*flows, *changes):
        if node != to and asked != target and case.node(to).owner(target) is not None:
            found = next(((chain, rule) for _, chain, rule in redirections(case, node)), None)
            return LedOn(node, *found, asked, target) if found is not None else None
    return None


def redirections(case: Case, node: str) -> Iterator[tuple[Rewrite, Chain, Rule]]:
    """What rules of a node write in as the destination of the conversation's first packet, on any way that it may go there."""
    hook, found = entering(case, node)
    return (rewrite for way in run(case.node(node), hook, found) for rewrite in way.rewrites if not rewrite[0].source)


def question(last: LastSeen, *, reply: bool = False) -> Packet:
    """An ARP question for what the node waits for, or the answer to it."""
    hop = last.hop
    asker = _one(hop.src) if hop is not None else None
    asked = _one(last.asked)
    numbers: dict[str, Spans | None] = {
        "ether type": only(_ARP), "meta protocol": only(_ARP), "arp ptype": only(_IPV4), "arp operation": only(_REPLY if reply else _REQUEST),
        "arp saddr ip": asked if reply else asker, "arp daddr ip": asker if reply else asked, "meta iiftype": only(_ETHERNET),
    }  # fmt: skip
    if not reply:
        numbers |= {"meta pkttype": only(_BROADCAST)}
        if hop is not None:
            mac = _mac(hop.mac_src)
            numbers |= {"arp saddr ether": mac, "ether saddr": mac, "ether daddr": _mac(hop.mac_dst)}
    return Packet(4, {field: values for field, values in numbers.items() if values is not None})


def framed(found: Packet, last: LastSeen) -> Packet:
    """With the MACs it was last seen with, which say that the link is an Ethernet."""
    found = found.listing("meta iiftype", only(_ETHERNET)) if last.hop is not None and last.hop.mac_src else found
    for field, mac in (("ether saddr", _mac(last.hop.mac_src)), ("ether daddr", _mac(last.hop.mac_dst))) if last.hop is not None else ():
        found = found.listing(field, mac) if mac is not None else found
    return found


def _mac(text: str) -> Spans | None:
    return only(int(text.replace(":", ""), 16)) if text else None


def _one(text: str) -> Spans | None:
    return only(address(text)) if is_address(text) else None


_BRIDGE_TABLES: Final = frozenset({"bridge"})
_NETDEV_TABLES: Final = frozenset({"netdev", "inet"})
_ARP_TABLES: Final = frozenset({"arp"})


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
            yield from map(_asking, _along(case, at, _ARP_TABLES if case.family == 4 else FAMILIES[6], ("output",), _question(case, last)[0]))
        case "asking":
            yield from map(_asking, _asked(case, last, at))
        case "bridging":
            yield from _bridged(case, last, at)
        case "routing":
            inner = yield from _arriving(case, last, at)
            out = case.route(last.node, last.dst, last.src, last.iif).dev if last.iif else None
            leaving = _by(inner, last.iif, out)
            leaving = yield from _along(case, at, FAMILIES[case.family], ("forward", "postrouting"), leaving)
            yield from _along(case, at, _NETDEV_TABLES, ("egress",), leaving, out)
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
    yield from _along(case, at, _BRIDGE_TABLES, ("output", "postrouting"), _by(after, "", None))
    yield from _along(case, at, _NETDEV_TABLES, ("egress",), after, out)


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
    yield from _along(case, at, _NETDEV_TABLES, ("ingress",), framed(came, last), last.link)
    after = yield from _along(case, at, FAMILIES[case.family], ("prerouting",), came)
    known_of = [after.source, after.destination, *(["th dport"] if case.port_at(last.dst) != case.port else [])]
    return replace(after, numbers=after.numbers | {field: inner.numbers[field] for field in known_of if field in inner.numbers})


def _bridged(case: Case, last: LastSeen, at: Passage) -> Iterator[Check]:
    """Inside a bridge: its own hooks, and those of IP when br_netfilter is on for this node."""
    bridge = case.node(last.node).ip_device(last.link)
    found = framed(packet(case, last.node, last.leg, last.kind, last.src, last.dst), last)
    found = replace(found, names={"meta ibrname": bridge, "meta obrname": bridge})
    if last.hop is not None and last.hop.direction == "out":
        yield from _along(case, at, _BRIDGE_TABLES, ("output", "postrouting"), found)
        return
    found = replace(found, names=found.names | {"iifname": last.link})
    yield from _along(case, at, _NETDEV_TABLES, ("ingress",), found, last.link)
    found = yield from _along(case, at, _BRIDGE_TABLES, ("prerouting",), found)
    if case.bridge_netfilter(last.node, bridge)[0]:
        through = found.between(bridge, bridge)
        yield from _along(case, at._replace(bridged=True), FAMILIES[case.family], ("prerouting", "forward", "postrouting"), through)
    yield from _along(case, at, _BRIDGE_TABLES, ("forward", "input", "postrouting"), found)


def _asked(case: Case, last: LastSeen, at: Passage) -> Iterator[Check]:
    """A question for a neighbour: the bridges it crosses, the node that should answer, and the one that waits. IPv6 asks by IPv6 packets."""
    own = _ARP_TABLES if case.family == 4 else FAMILIES[6]
    ask, tell = _question(case, last)
    owners = {owner.name for owner, _ in case.owners(last.asked)}
    hops = [hop for hop in case.hops if hop.kind in NEIGHBOUR_KINDS and last.asked in (hop.dst, hop.src)]
    for node, name in dict.fromkeys((hop.node, hop.link) for hop in hops if hop.direction != "out"):
        link, heard, there = case.link(node, name), replace(ask, names={"iifname": name}), at._replace(node=node)
        yield from _along(case, there, _NETDEV_TABLES, ("ingress",), heard, name)
        if link is not None and link.master:
            if case.family == 6 and case.bridge_netfilter(node, link.master)[0]:  # ARP has a switch of its own, and no IP firewall sees it
                through = heard.between(link.master, link.master)
                yield from _along(case, there._replace(bridged=True), FAMILIES[6], ("prerouting", "forward", "postrouting"), through)
            yield from _along(case, there, _BRIDGE_TABLES, ("prerouting", "input") if node in owners else ("prerouting", "forward", "postrouting"), heard)
        elif node in owners:
            yield from _along(case, there, own, ("input",), heard)
            yield from _along(case, there, own, ("output",), replace(tell, names={"oifname": name}))
    asker = case.link(last.node, last.link)
    if asker is not None and asker.kind == "bridge":
        yield from _along(case, at, _BRIDGE_TABLES, ("output",), ask)
    yield from _along(case, at, own, ("input",), replace(tell, names={"iifname": last.link}))
    yield from _along(case, at, _NETDEV_TABLES, ("egress",), ask, last.link)


def _question(case: Case, last: LastSeen) -> tuple[Packet, Packet]:
    """(the question, the answer that would come)."""
    if case.family == 4:
        return question(last), question(last, reply=True)
    asker = last.hop.src if last.hop is not None else ""
    return first(case, "solicitation", asker, ""), first(case, "advertisement", last.asked, asker)
