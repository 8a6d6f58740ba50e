"""Routing: a node sent the packet where it cannot arrive, or a packet came in, was not for this node, and never went on."""

from __future__ import annotations

from typing import Final

from ...model import routes
from ...model.addresses import is_address
from ...model.journey import Hop
from ...model.netfilter.rules import Write
from ...model.netfilter.run import FAMILIES, missed
from ...model.snapshot import Node, Route
from ..case import Case, of_link
from ..cause import Cause, blame, heals, inferred, of_node, owner_words, said, seen, state, with_route, with_setting, without_route
from ..near import estranged, gateway_of, neighbours_of, no_route
from ..packets import entering
from ..policy import disbelieved, filtered, policy, refusing, route_words, selected
from ..policy import marked as marked_at
from ..rules import rules_at
from ..segment import way

_FEW: Final = 16
"""A TTL below this was never meant for the internet; Linux gives 64."""
_TTL: Final = ("ip ttl", "ip6 hoplimit")
_EXCEEDED: Final = {4: 11, 6: 3}
"""The type of the error that says so: RFC 792, RFC 4443."""


def ran_out(case: Case) -> Cause | None:
    """Its TTL reached 0 here (RFC 791): too small from the beginning, or eaten up by going in circles."""
    last = case.last
    exceeded = case.outcome.reason == "ttl-exceeded" or any(error.type == _EXCEEDED[case.family] for error in case.evidence.errors)
    low = last.stage == "routing" and last.hop is not None and last.hop.ttl is not None and last.hop.ttl <= 1
    if not exceeded and not low:
        return None
    visits = [hop for hop in case.hops if hop.kind == (last.kind or hop.kind) and hop.direction == "in" and hop.leg == last.leg]
    nodes = [hop.node for hop in visits if case.node(hop.node).owner(hop.dst) is None]
    again = next((name for name in nodes if nodes.count(name) >= 3), None)
    if again is not None:
        others = [name for name in dict.fromkeys(nodes) if name != again]
        fact = seen(f"the packet came into {again} {nodes.count(again)} times", case.ip(again, f"route get {last.dst}"))
        return blame(case, "routing-loop", again, facts=(fact,), other=owner_words(others[0]) if others else "itself")
    return _too_small(case, low)


def _too_small(case: Case, low: bool) -> Cause:
    last = case.last
    where = last.node if low else (case.evidence.errors[0].made_by if case.evidence.errors else last.node)
    first = next((hop.ttl for hop in case.hops if hop.ttl is not None and hop.leg == last.leg and hop.kind != "icmp-error"), None)
    source = next((hop.node for hop in case.hops if hop.leg == last.leg and hop.direction == "out"), last.node)
    out = next((hop.link for hop in case.hops if hop.node == source and hop.direction == "out"), "all")
    name, key = ("TTL", "net.ipv4.ip_default_ttl") if case.family == 4 else ("hop limit", of_link(6, out, "hop_limit"))
    came = seen(f"it came into {owner_words(where)} with {name} {last.hop.ttl if last.hop else 1}")
    facts = (came, inferred(f"{owner_words(source)} gives its packets a {name} of {key}", case.run(source, f"sysctl {key}")))
    if not low and last.hop is not None and (last.hop.ttl or 0) > 1 and (cut := _cut(case, name)) is not None:
        return cut
    usual = case.knob(source, key)
    if usual.isdecimal() and int(usual) < _FEW and first == int(usual):
        fix = case.run(source, f"sysctl -w {key}=64")
        return blame(case, "ttl-exceeded", source, facts=facts, how="small", fix=fix, ttl=name, key=key, first=usual, where=owner_words(where))
    return blame(case, "ttl-exceeded", where, facts=facts, ttl=name, first=first)


def _cut(case: Case, name: str) -> Cause | None:
    """It came in with enough left: a rule of the node itself writes it anew (nft's ``ip ttl set``, iptables' TTL and HL)."""
    last = case.last
    node = case.node(last.node)
    _, packet = entering(case, node.name)
    for hook in ("prerouting", "forward"):
        for base, chain, rule in rules_at(node, hook, FAMILIES[case.family]):
            writes = any(isinstance(part, Write) and part.field in _TTL for part in rule.parts)
            if writes and not missed(node, base, chain, rule, packet):
                left = last.hop.ttl if last.hop is not None else None
                came = seen(f"it came into {owner_words(node.name)} with {name} {left}")
                facts = (inferred(f"the rule reads: {rule.text}", case.listing(node.name, chain)), came)
                where = f"{chain.family} {chain.table} {chain.name}"
                fix = case.run(node.name, f"nft delete rule {where} handle {rule.handle}") if chain.engine == "nft" else ""
                return blame(case, "ttl-exceeded", node.name, facts=facts, how="cut", fix=fix, ttl=name, left=left, rule=rule.text)
    return None


def filtered_by_path(case: Case) -> Cause | None:
    """The reverse path filter: an answer would not go back by the link the packet came by. IPv6 has none."""
    last = case.last
    if not last.iif or case.family == 6:
        return None
    link, node = case.link(last.node, last.iif), case.node(last.node)
    dropped = link is not None and disbelieved(case, node, last.dst, last.src, last.iif)
    return filtered(case, node, link, last.src) if link is not None and dropped else None


def not_forwarding(case: Case) -> Cause | None:
    """The node does not forward, or not what comes in by this interface."""
    last = case.last
    node = case.node(last.node)
    if not last.iif or case.forwards(node, last.iif):
        return None
    if (wrong := _wrong_gateway(case, node)) is not None:
        return wrong
    device = case.family == 4 and routes.forwards(node, "", 4)
    key = case.forwarding_key(node, last.iif)
    meant = node.role in ("host", "router") or device
    switch = (state if meant else inferred)(f"{key} is 0 in {owner_words(node.name)}", case.run(node.name, f"sysctl {key}"))
    came = inferred(f"the packet came in by {last.iif} and left by no interface")
    short = f"forwarding/{last.iif}" if device else "v6.forwarding" if case.family == 6 else "ip_forward"
    return blame(case, "forwarding-off-device" if device else "forwarding-off", node.name, facts=(switch, came),
                 mended=with_setting(node.name, short, "1"), dst=last.dst, key=key, iif=last.iif)


def _wrong_gateway(case: Case, node: Node) -> Cause | None:
    """A container that was never meant to route, used as a gateway while a router stands on the same segment."""
    last = case.last
    if node.role not in ("container", "internet") or last.iif is None:
        return None
    mac = last.hop.mac_src if last.hop is not None else ""
    sent = (hop.node for hop in reversed(case.hops[: last.at]) if hop.direction == "out")
    came_from = next((name for name in sent if mac and any(link.mac == mac for link in case.node(name).links)), node.name)
    if came_from == node.name:
        return None
    if (astray := estranged(case, came_from, last.dst, case.route(came_from, last.dst).dev)) is not None:
        return astray
    if node.role == "internet":
        return _unknown_outside(case, node)
    for other, far in neighbours_of(case, node.name, last.iif):
        if other.name in (came_from, node.name) or not case.own(far) or not (other.role in ("host", "router") or case.forwards(other, "")):
            continue
        used = routes.best(case.node(came_from), last.dst, routes.MAIN)
        via, network = (used.via, used.dst) if used is not None and used.via else (node.name, "default")
        right = next((own.address for own in case.own(far) if own.address != via), "")
        if not right:
            continue
        facts = (inferred(f"{of_node(came_from)} route leads via {via}", case.ip(came_from, f"route get {last.dst}")),
                 inferred(f"{owner_words(node.name)} does not forward", case.run(node.name, f"sysctl {case.forwarding_key(node, last.iif)}")))
        return blame(case, "gateway-wrong", came_from, facts=facts, how="host", via=via, owner=owner_words(node.name), right=right,
                     network=network, metric=routes.metric_words(used))
    return _by_a_host(case, case.node(came_from), node)


def _by_a_host(case: Case, sender: Node, node: Node) -> Cause | None:
    """A route of its own leads via a container, and without it another would."""
    used = routes.best(sender, case.last.dst, routes.MAIN)
    if used is None or not used.via or node.owner(used.via) is None or used.dst == "default":
        return None
    facts = (inferred(f"{of_node(sender.name)} route reads: {route_words(used)}", case.ip(sender.name, f"route get {case.last.dst}")),
             inferred(f"{owner_words(node.name)} does not forward", case.run(node.name, f"sysctl {case.forwarding_key(node, case.last.iif or '')}")))
    fix = case.ip(sender.name, f"route del {route_words(used)}")
    return blame(case, "gateway-wrong", sender.name, facts=facts, how="silent", fix=fix, mended=without_route(sender.name, used),
                 via=used.via, owner=owner_words(node.name), network=used.dst)


def _unknown_outside(case: Case, node: Node) -> Cause | None:
    """The packet came out to the internet: nobody there has its address, or it should never have come there."""
    last = case.last
    fact = inferred(f"{owner_words(node.name)} has no route to {last.dst}", case.ip(node.name, f"route get {last.dst}"))
    if not case.owners(last.dst):
        return blame(case, "no-such-host", node.name, facts=(fact,), dst=last.dst)
    before = next((hop for hop in reversed(case.hops[: last.at]) if hop.direction == "out" and hop.node != node.name), None)
    if before is None:
        return None
    sends = inferred(f"{of_node(before.node)} routing sends it by {before.link}", case.ip(before.node, f"route get {last.dst}"))
    return blame(case, "no-route", before.node, facts=(sends, fact), how="outside", dst=last.dst)


def no_way_on(case: Case) -> Cause | None:
    """This node's routing refuses the packet, or sends it where it cannot arrive."""
    last = case.last
    if not last.iif:
        return None
    found = case.route(last.node, last.dst, last.src, last.iif)
    if found.error == "EXDEV" or found.type == "local":
        return None
    if not found.error:
        return None if found.table in routes.USUAL else policy(case, last.node, last.dst, last.src, last.iif)
    return (refusing(case, last.node, last.dst, last.src, last.iif) or policy(case, last.node, last.dst, last.src, last.iif)
            or estranged(case, last.node, last.dst, None) or no_route(case, last.node, last.dst, leg=last.leg))


def marked(case: Case) -> Cause | None:
    """A policy rule for marked packets, or for some protocol or port, took it out of the usual routing: no question to the routing shows that."""
    return marked_at(case, case.last.node) or selected(case, case.last.node)


def astray(case: Case) -> Cause | None:
    """Some node on the way sent the packet out by a link that does not lead to its target, although another of its links does."""
    last = case.last
    if last.stage == "delivered" and last.leg == "forward" and case.owners(last.dst):
        return None
    asked: set[str] = set()
    for number, hop in enumerate(case.hops[: last.at + 1]):
        if hop.direction != "out" or hop.leg != last.leg or hop.node in asked or not case.made(hop):
            continue
        asked.add(hop.node)
        if (cause := _strayed(case, hop.node, hop.dst, hop.link, _entered(case, number, hop))) is not None:
            return cause
    if last.stage == "asking" and last.node not in asked and last.dst:
        return _strayed(case, last.node, last.dst, last.link, None)
    return None


def _entered(case: Case, number: int, out: Hop) -> Hop | None:
    """The packet as it came into the node that it left by ``out``."""
    earlier = (hop for hop in reversed(case.hops[:number]) if hop.node == out.node and hop.direction == "in" and hop.leg == out.leg)
    return next(filter(case.at_end, earlier), None)


def _strayed(case: Case, node: str, dst: str, out: str, entered: Hop | None) -> Cause | None:
    link = case.link(node, out)
    if link is not None and link.master and link.port:
        out = link.master
    src, iif = (entered.src, entered.link) if entered is not None else (None, None)
    found = case.route(node, dst, src, iif)
    if found.type == "unicast" and found.dev != out and (by_mark := marked_at(case, node)) is not None:
        return by_mark
    return estranged(case, node, dst, out)


def by_policy(case: Case) -> Cause | None:
    """The node that had the packet last sent it out by a table that only a policy rule leads to, and the main table knows another way."""
    last = case.last
    left = [(number, hop) for number, hop in enumerate(case.hops[: last.at + 1]) if hop.direction == "out" and hop.leg == last.leg and case.made(hop)]
    if not left or (last.stage == "routing" and last.iif and not case.bounced):
        return None
    number, hop = left[-1]
    entered = _entered(case, number, hop)
    src, iif = (entered.src, entered.link) if entered is not None else (hop.src, None)
    found = case.route(hop.node, hop.dst, src, iif)
    usual = routes.best(case.node(hop.node), hop.dst, routes.MAIN)
    chosen = found.type == "unicast" and found.table not in routes.USUAL and found.dev == hop.link
    if not chosen or usual is None or usual.dev == found.dev:
        return None
    return policy(case, hop.node, hop.dst, src, iif)


def own_gateway(case: Case) -> Cause | None:
    """A route whose gateway is the node itself."""
    last = case.last
    node = case.node(last.node)
    route = routes.best(node, last.dst, routes.MAIN) if last.dst else None
    if route is None or not route.via or node.owner(route.via) is None or last.asked not in ("", last.dst, route.via):
        return None
    right = gateway_of(case, node)
    reads = state(f"the route reads: {route.dst} via {route.via} dev {route.dev}", case.ip(node.name, f"route show {route.dst}"))
    holder = node.owner(route.via)
    own = inferred(f"{holder.name if holder else ''} of {owner_words(node.name)} holds {route.via}", case.ip(node.name, "address show"))
    fix, mended = (None, with_route(node.name, _via(route, right), instead=route)) if right else ("", None)
    return blame(case, "gateway-self", node.name, facts=(reads, own), network=route.dst, via=route.via, dst=last.dst,
                 out=last.link or route.dev, right=right, fix=fix, mended=mended, metric=routes.metric_words(route))


def _via(route: Route, gateway: str) -> Route:
    return Route(route.dst, gateway, route.dev, route.table, metric=route.metric, family=route.family)


def no_gateway(case: Case) -> Cause | None:
    """A route that leads out by a link and names no gateway: everybody out there is taken for a neighbour."""
    last = case.last
    link = case.link(last.node, last.link)
    if link is None or routes.on_link(link, last.asked) or last.asked != last.dst:
        return None
    node = case.node(last.node)
    route = routes.best(node, last.asked, routes.MAIN)
    if route is None or route.via is not None or route.type != "unicast" or not case.own(link):
        return None
    owners = case.owners(last.asked)
    subnets = [own for _, far in owners for own in far.addresses if own.prefix < routes.bits(case.family)]
    known = any(routes.within(last.asked, own.cidr) for own in subnets)
    if known and way(case.before, (last.node, last.link), owners[0].place) is not None:
        return None
    right = gateway_of(case, node)
    fact = state(f"the route reads: {route.dst} dev {route.dev}", case.ip(node.name, f"route get {last.asked}"))
    gone, fix = without_route(node.name, route), None if right else ""
    mended = with_route(node.name, _via(route, right), instead=route) if right else None
    if routes.best(gone(case.before).node(node.name) or node, last.asked, routes.MAIN) is not None and heals(case, node.name, gone(case.before)):
        fix, mended = case.ip(node.name, f"route del {route_words(route)}"), gone
    return blame(case, "gateway-missing", node.name, facts=(fact,), how="none", fix=fix, mended=mended, network=route.dst, out=link.name,
                 dst=last.asked, right=right, metric=routes.metric_words(route))


def told_unreachable(case: Case) -> Cause | None:
    """An ICMP error came home; what its sender's routing says is the cause."""
    by = case.outcome.by
    if by is None or case.outcome.reason not in ("unreachable", "filtered"):
        return None
    made_by = next((error.made_by for error in case.evidence.errors), "") or next((node.name for node, _ in case.owners(by)), "")
    dst = case.last.dst
    if not made_by or made_by == case.probe.node or not is_address(dst):
        return None
    cause = refusing(case, made_by, dst, None, None)
    if cause is None:
        if not case.route(made_by, dst).error:
            return None
        cause = estranged(case, made_by, dst, None) or no_route(case, made_by, dst)
    told = said(f"{owner_words(made_by)} said so: {case.outcome.text}")
    return Cause(cause.code, cause.place, cause.text, (*cause.facts, told), cause.fix)

