"""Routers: a packet came in, was not for this node, and never went on."""

from __future__ import annotations

from typing import Final

from ...model.journey import Fact
from ...model.snapshot import Node
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, at_link, of_node, owner_words
from ..near import estranged, neighbours_of, policy
from .neighbour import _filtered
from .sender import no_route, special_route

_FEW: Final = 16
"""A TTL below this was never meant for the internet; Linux gives 64."""


def ran_out(case: Case) -> Cause | None:
    """Its TTL reached 0 here (RFC 791): too small from the beginning, or eaten up by going in circles."""
    spot = case.spot
    exceeded = case.outcome.reason == "ttl-exceeded" or any(error.type == 11 for error in case.evidence.errors)
    low = spot.stage == "routing" and spot.hop is not None and spot.hop.ttl is not None and spot.hop.ttl <= 1
    if not exceeded and not low:
        return None
    visits = [hop for hop in case.hops if hop.kind == (spot.kind or hop.kind) and hop.direction == "in" and hop.leg == spot.leg]
    nodes = [hop.node for hop in visits if case.node(hop.node).owner(hop.dst) is None]
    again = next((name for name in nodes if nodes.count(name) >= 3), None)
    if again is not None:
        others = list(dict.fromkeys(name for name in nodes if name != again))
        text = f"{owner_words(again)} and {owner_words(others[0]) if others else 'itself'} send the packet to each other until its TTL is used up: a routing loop"
        fact = Fact(f"the packet came into {again} {nodes.count(again)} times", case.ip(again, f"route get {spot.dst}"))
        return Cause("routing-loop", at_gate(again, "routing"), text, (fact,), True)
    where = spot.node if low else (case.evidence.errors[0].made_by if case.evidence.errors else spot.node)
    first = next((hop.ttl for hop in case.hops if hop.ttl is not None and hop.leg == spot.leg and hop.kind != "icmp-error"), None)
    text = f"the packet's TTL ran out in {owner_words(where)}: it was sent with {first}, and every router takes one off"
    source = case.probe.node if spot.leg == "forward" else spot.node
    facts = (Fact(f"it came into {owner_words(where)} with TTL {spot.hop.ttl if spot.hop else 1}"),
             Fact(f"{owner_words(source)} gives its packets a TTL of net.ipv4.ip_default_ttl", case.run(source, "sysctl net.ipv4.ip_default_ttl")))  # fmt: skip
    usual = case.knob(source, "net/ipv4/ip_default_ttl")
    if usual.isdecimal() and int(usual) < _FEW and first == int(usual):
        text = f"{owner_words(source)} sends its packets with a TTL of only {usual} (net.ipv4.ip_default_ttl), and it ran out in {owner_words(where)}"
        return Cause("ttl-exceeded", source, text, facts, True, case.run(source, "sysctl -w net.ipv4.ip_default_ttl=64"))
    return Cause("ttl-exceeded", where, text, facts, True)


def filtered_by_path(case: Case) -> Cause | None:
    """The reverse path filter: an answer would not go back by the link the packet came by."""
    spot = case.spot
    if spot.stage not in ("routing", "delivered", "home") or not spot.iif:
        return None
    if not case.rose(spot.node, "TcpExtIPReversePathFilter") and not _unbelieved(case):
        return None
    link = case.link(spot.node, spot.iif)
    return _filtered(case, case.node(spot.node), link, spot.src) if link is not None else None


def _unbelieved(case: Case) -> bool:
    """Whether routing refuses the packet for its source, and the filter is on: EXDEV, from Linux 6.13 on EINVAL."""
    spot = case.spot
    error = case.route(spot.node, spot.dst, spot.src, spot.iif).error
    filters = {case.knob(spot.node, f"net/ipv4/conf/{link}/rp_filter") for link in ("all", spot.iif)} | {
        case.setting(spot.node, "rp_filter")
    }
    return error == "EXDEV" or (error == "EINVAL" and bool(filters & {"1", "2"}) and case.node(spot.node).owner(spot.src) is None)


def martian(case: Case) -> Cause | None:
    """A source that cannot come from outside: this node's own address, or one of 127.0.0.0/8."""
    spot = case.spot
    if (
        spot.stage not in ("routing", "delivered", "home")
        or not spot.src
        or (spot.node == case.probe.node and spot.leg == "forward")
    ):
        return None
    node = case.node(spot.node)
    own = node.owner(spot.src)
    if own is not None:
        text = f"{owner_words(node.name)} has the packet's source address {spot.src} itself, on {own.name}, and drops what claims to come from it"
        fact = Fact(f"{own.name} holds {spot.src}", case.ip(node.name, f"address show {own.name}"))
        if spot.dst == spot.src or any(change.after.startswith(spot.src) for change in case.redirects):
            text = f"the packet came back to {owner_words(node.name)} from its own address {spot.src}: NAT changed where it goes, and not where it comes from"
            return Cause("no-hairpin", at_gate(_rewriter(case) or node.name, "NAT"), text, (fact,))
        return Cause(
            "duplicate-address",
            at_link(node.name, own.name),
            text,
            (fact,),
            case.route(node.name, spot.dst, spot.src, spot.iif).error == "EINVAL",
        )
    if routes.within(spot.src, "127.0.0.0/8") or routes.within(spot.dst, "127.0.0.0/8"):
        key = f"net.ipv4.conf.{spot.iif}.route_localnet"
        if "1" in (
            case.knob(node.name, f"net/ipv4/conf/{spot.iif}/route_localnet"),
            case.knob(node.name, "net/ipv4/conf/all/route_localnet"),
        ):
            return None
        text = f"addresses of 127.0.0.0/8 are valid inside one node only: {owner_words(node.name)} drops the packet from {spot.src} to {spot.dst}"
        return Cause(
            "route-localnet",
            at_gate(node.name, "routing"),
            text,
            (Fact("127.0.0.0/8 may not be routed", case.run(node.name, f"sysctl {key}")),),
        )
    return None


def _rewriter(case: Case) -> str:
    return next((change.node for change in case.redirects), "")


def not_forwarding(case: Case) -> Cause | None:
    """ip_forward is off, or the switch of the interface the packet came in by."""
    spot = case.spot
    node = case.node(spot.node)
    if spot.stage != "routing" or not spot.iif or routes.forwards(node, spot.iif):
        return None
    wrong = _wrong_gateway(case, node)
    if wrong is not None:
        return wrong
    device = routes.forwards(node, "")
    key = f"net.ipv4.conf.{spot.iif}.forwarding" if device else "net.ipv4.ip_forward"
    text = f"{owner_words(node.name)} received a packet that is for {spot.dst}, not for itself, and does not forward: {key} is 0"
    facts = (
        Fact(f"{key} is 0 in {owner_words(node.name)}", case.run(node.name, f"sysctl {key}")),
        Fact(f"the packet came in by {spot.iif} and left by no interface"),
    )
    code = "forwarding-off-device" if device else "forwarding-off"
    meant = node.role in ("host", "router") or device
    return Cause(
        code, at_gate(node.name, "fwd"), text, facts, meant and not case.blind, case.run(node.name, f"sysctl -w {key}=1")
    )


def _wrong_gateway(case: Case, node: Node) -> Cause | None:
    """A container that was never meant to route, used as a gateway while a router stands on the same segment."""
    spot = case.spot
    if node.role not in ("container", "internet") or spot.iif is None:
        return None
    mac = spot.hop.mac_src if spot.hop is not None else ""
    sent = next((hop for hop in reversed(case.hops[: spot.at]) if hop.direction == "out" and _has_mac(case, hop.node, mac)), None)
    came_from = sent.node if sent is not None else ""
    if not came_from or came_from == node.name:
        return None
    astray = estranged(case, came_from, spot.dst, case.route(came_from, spot.dst).dev)
    if astray is not None:
        return astray
    if node.role == "internet":
        return _unknown_outside(case, node)
    for other, far in neighbours_of(case, node.name, spot.iif):
        if (
            other.name in (came_from, node.name)
            or not far.v4
            or not (other.role in ("host", "router") or routes.forwards(other, ""))
        ):
            continue
        via = case.route(came_from, spot.dst).via or next(
            (own.address for link in node.links for own in link.v4 if link.kind != "loopback"), node.name
        )
        text = f"{owner_words(came_from)} sends it via {via}, which is {owner_words(node.name)}, no router: the router here is {far.v4[0].address}"
        facts = (Fact(f"{of_node(came_from)} route leads via {via}", case.ip(came_from, f"route get {spot.dst}")),
                 Fact(f"{owner_words(node.name)} does not forward", case.run(node.name, "sysctl net.ipv4.ip_forward")))  # fmt: skip
        fix = case.ip(came_from, f"route replace default via {far.v4[0].address}")
        return Cause("gateway-wrong", at_gate(came_from, "routing"), text, facts, False, fix)
    return None


def _has_mac(case: Case, node: str, mac: str) -> bool:
    return bool(mac) and any(link.mac == mac for link in case.node(node).links)


def _unknown_outside(case: Case, node: Node) -> Cause | None:
    """The packet came out to the internet: nobody there has its address, or it should never have come there."""
    spot = case.spot
    fact = Fact(f"{owner_words(node.name)} has no route to {spot.dst}", case.ip(node.name, f"route get {spot.dst}"))
    if not case.owners(spot.dst):
        text = f"the packet came out to the internet, and nobody there has the address {spot.dst}"
        return Cause("no-such-host", at_gate(node.name, "routing"), text, (fact,))
    before = next((hop for hop in reversed(case.hops[: spot.at]) if hop.direction == "out" and hop.node != node.name), None)
    if before is None:
        return None
    text = f"{owner_words(before.node)} knows no way to {spot.dst} and followed its default route: the packet went out to the internet"
    facts = (
        Fact(f"{of_node(before.node)} routing sends it by {before.link}", case.ip(before.node, f"route get {spot.dst}")),
        fact,
    )
    return Cause("no-route", at_gate(before.node, "routing"), text, facts)


def strange_source(case: Case) -> Cause | None:
    """The sender used an address that does not belong to the link it sent by, and the answer cannot find it."""
    spot = case.spot
    first = next(iter(case.seen(case.probe.node, None, "out")), None)
    link = case.link(case.probe.node, first.link) if first is not None else None
    if first is None or link is None or spot.stage in ("unsent", "answered", "refused", "home") or not link.v4:
        return None
    if any(own.address == first.src for own in link.v4) or (link.master and link.port):
        return None
    holder = case.sender.owner(first.src)
    lost = spot.leg == "return" or (spot.stage == "delivered" and case.route(spot.node, spot.src).error)
    if holder is None or not lost:
        return None
    who = owner_words(case.probe.node)
    text = f"{who} sent the packet by {link.name} with the source {first.src}, which is an address of {holder.name}: answers to it lead nowhere"
    found = case.route(case.probe.node, first.dst)
    facts = (
        Fact(
            f"{of_node(case.probe.node)} routing chooses the source {found.prefsrc or first.src}",
            case.ip(case.probe.node, f"route get {first.dst}"),
        ),
        Fact(
            f"{link.name} holds {', '.join(own.cidr for own in link.v4)}", case.ip(case.probe.node, f"address show {link.name}")
        ),
    )
    return Cause("source-wrong", at_gate(case.probe.node, "routing"), text, facts)


def marked(case: Case) -> Cause | None:
    """A policy rule for marked packets took it out of the usual routing: no question to the routing shows that."""
    spot = case.spot
    if spot.stage not in ("routing", "unsent"):
        return None
    return _marked_at(case, spot.node)


def _marked_at(case: Case, name: str) -> Cause | None:
    rule = next(
        (
            rule
            for rule in case.node(name).policy
            if rule.family == 4 and rule.mark and rule.table not in (routes.MAIN, routes.LOCAL)
        ),
        None,
    )
    if rule is None:
        return None
    text = f"{owner_words(name)} has a policy rule for packets marked {rule.mark}, which sends them to table {rule.table or rule.action}"
    marks = any(" mark set " in f" {own.text} " for chain in case.node(name).chains for own in chain.rules)
    facts = [Fact(f"rule {rule.priority}: fwmark {rule.mark} {rule.action} {rule.table or ''}".rstrip(), case.ip(name, "rule"))]
    facts += [Fact("its firewall marks packets", case.run(name, "nft list ruleset"))] if marks else []
    fix = case.ip(name, f"rule del priority {rule.priority}")
    return Cause("policy-rule", at_gate(name, "routing"), text, tuple(facts), False, fix)


def no_way_on(case: Case) -> Cause | None:
    """This node's routing refuses the packet, or sends it where it cannot arrive."""
    spot = case.spot
    if spot.stage != "routing" or not spot.iif:
        return None
    found = case.route(spot.node, spot.dst, spot.src, spot.iif)
    if found.error == "EXDEV" or found.type == "local":
        return None
    if not found.error:
        return _strange_table(case, found.table)
    special = special_route(case, spot.node, spot.dst, spot.src, spot.iif, certain=True)
    if special is not None:
        return special
    astray = policy(case, spot.node, spot.dst, spot.src, spot.iif) or estranged(case, spot.node, spot.dst, None)
    return astray or no_route(case, spot.node, spot.dst, certain=not case.blind, leg=spot.leg)


def _strange_table(case: Case, table: int) -> Cause | None:
    spot = case.spot
    if table in (0, routes.MAIN, routes.DEFAULT, routes.LOCAL):
        return None
    return policy(case, spot.node, spot.dst, spot.src, spot.iif)


def astray(case: Case) -> Cause | None:
    """Some node on the way sent the packet out by a link that does not lead to its target, although another of its links does."""
    spot = case.spot
    if spot.stage in ("answered", "refused", "unsent", "home") or (
        spot.stage == "delivered" and spot.leg == "forward" and case.owners(spot.dst)
    ):
        return None
    asked: set[str] = set()
    for hop in case.hops[: spot.at + 1]:
        if (
            hop.direction != "out"
            or hop.leg != spot.leg
            or hop.node in asked
            or hop.mac_src not in {link.mac for link in case.node(hop.node).links}
        ):
            continue
        asked.add(hop.node)
        cause = _strayed(case, hop.node, hop.dst, hop.link)
        if cause is not None:
            return cause
    if spot.stage == "asking" and spot.node not in asked and spot.dst:
        return _strayed(case, spot.node, spot.dst, spot.link)
    return None


def _strayed(case: Case, node: str, dst: str, out: str) -> Cause | None:
    link = case.link(node, out)
    if link is not None and link.master and link.port:
        out = link.master
    found = case.route(node, dst)
    if found.type == "unicast" and found.dev != out and (marked := _marked_at(case, node)) is not None:
        return marked
    if found.type == "unicast" and found.table not in (0, routes.MAIN, routes.DEFAULT, routes.LOCAL):
        return policy(case, node, dst)
    return estranged(case, node, dst, out)
