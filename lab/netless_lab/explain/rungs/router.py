"""Routers: a packet came in, was not for this node, and never went on."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.snapshot import Node
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, at_link, of_node, owner_words
from ..near import estranged, neighbours_of, policy
from .neighbour import _filtered
from .sender import no_route, special_route


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
        or spot.node == case.probe.node
        and spot.leg == "forward"
    ):
        return None
    node = case.node(spot.node)
    own = node.owner(spot.src)
    if own is not None:
        text = f"{owner_words(node.name)} has the packet's source address {spot.src} itself, on {own.name}, and drops what claims to come from it"
        fact = Fact(f"{own.name} holds {spot.src}", case.ip(node.name, f"address show {own.name}"))
        if spot.dst == spot.src or any(
            change.what == "destination" and change.after.startswith(spot.src) for change in case.evidence.journey.rewrites
        ):
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
        text = f"addresses of 127.0.0.0/8 are valid inside one node only: {owner_words(node.name)} drops the packet from {spot.src} to {spot.dst}"
        return Cause(
            "route-localnet",
            at_gate(node.name, "routing"),
            text,
            (Fact("127.0.0.0/8 may not be routed", case.run(node.name, f"sysctl {key}")),),
        )
    return None


def _rewriter(case: Case) -> str:
    return next((change.node for change in case.evidence.journey.rewrites if change.what == "destination"), "")


def not_forwarding(case: Case) -> Cause | None:
    """ip_forward is off, or the switch of the interface the packet came in by."""
    spot = case.spot
    node = case.node(spot.node)
    if spot.stage != "routing" or not spot.iif or routes.forwards(node, spot.iif):
        return None
    wrong = _wrong_gateway(case, node)
    if wrong is not None:
        return wrong
    device = node.sysctls.get("ip_forward") == "1"
    key = f"net.ipv4.conf.{spot.iif}.forwarding" if device else "net.ipv4.ip_forward"
    text = f"{owner_words(node.name)} received a packet that is for {spot.dst}, not for itself, and does not forward: {key} is 0"
    facts = (
        Fact(f"{key} is 0 in {owner_words(node.name)}", case.run(node.name, f"sysctl {key}")),
        Fact(f"the packet came in by {spot.iif} and left by no interface"),
    )
    code = "forwarding-off-device" if device else "forwarding-off"
    return Cause(code, at_gate(node.name, "fwd"), text, facts, not case.blind, case.run(node.name, f"sysctl -w {key}=1"))


def _wrong_gateway(case: Case, node: Node) -> Cause | None:
    """A container that was never meant to route, used as a gateway while a router stands on the same segment."""
    spot = case.spot
    if node.role not in ("container", "internet") or spot.iif is None:
        return None
    sent = next(
        (
            hop
            for hop in reversed(case.hops[: spot.at])
            if hop.direction == "out" and hop.mac_src == (spot.hop.mac_src if spot.hop else "")
        ),
        None,
    )
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
            or not (other.role in ("host", "router") or other.sysctls.get("ip_forward") == "1")
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


def _unknown_outside(case: Case, node: Node) -> Cause | None:
    """The packet came as far as the internet, where nobody has its address."""
    spot = case.spot
    if case.owners(spot.dst):
        return None
    text = f"the packet came out to the internet, and nobody there has the address {spot.dst}"
    return Cause(
        "no-such-host",
        at_gate(node.name, "routing"),
        text,
        (Fact(f"{owner_words(node.name)} has no route to {spot.dst}", case.ip(node.name, f"route get {spot.dst}")),),
    )


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
    astray = estranged(case, spot.node, spot.dst, None)
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
    if found.type == "unicast" and found.table not in (0, routes.MAIN, routes.DEFAULT, routes.LOCAL):
        return policy(case, node, dst)
    return estranged(case, node, dst, out)
