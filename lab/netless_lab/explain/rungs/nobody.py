"""A question for an address that nobody has: a wrong gateway, a lost address, or simply nobody there."""

from __future__ import annotations

from ...model.journey import Fact, Hop
from ...model.snapshot import Link, Node
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, at_link, of_node, owner_words
from ..near import clash, neighbours_of, prefix
from ..segment import way
from .sender import decoy_of, gateway_of


def nobody(case: Case) -> Cause | None:
    """Who should have it?"""
    spot = case.spot
    if spot.stage != "asking" or case.owners(spot.asked):
        return None
    asker = case.link(spot.node, spot.link)
    if asker is None:
        return None
    return (
        _rewritten(case)
        or _gateway(case, asker)
        or _lost(case, asker)
        or _too_wide(case, asker)
        or _on_both_sides(case, asker)
        or _plain(case)
    )


def vanished(case: Case) -> Cause | None:
    """The frame went to a MAC that nobody has any more, for an address that nobody has: its owner is gone, a table still remembers."""
    spot = case.spot
    if spot.stage not in ("bridging", "stray", "crossing") or spot.hop is None or not spot.dst:
        return None
    sent = next((hop for hop in reversed(case.hops[: spot.at + 1]) if hop.direction == "out" and _made(case, hop)), None)
    if sent is None:
        return None
    next_hop = case.route(sent.node, sent.dst).next_hop
    asker = case.link(sent.node, sent.link)
    if (
        not next_hop
        or asker is None
        or case.owners(next_hop)
        or any(link.mac == sent.mac_dst for node in case.before.nodes for link in node.links)
    ):
        return None
    whose = case.expected.get(next_hop)
    if whose is not None and (cause := _of(case, case.node(whose), asker, "", next_hop)) is not None:
        return cause
    who = owner_words(sent.node)
    text = f"{who} still remembers {next_hop} at {sent.mac_dst}, and nobody has that address or that MAC any more"
    fact = Fact(f"the frame left by {sent.link} for {sent.mac_dst}", case.ip(sent.node, f"neighbour show {next_hop}"))
    return Cause("neighbour-unanswered", at_gate(sent.node, "neighbour"), text, (fact,))


def _made(case: Case, hop: Hop) -> bool:
    """Whether the node itself gave the frame its addresses."""
    return any(link.mac == hop.mac_src for link in case.node(hop.node).links)


def no_gateway(case: Case) -> Cause | None:
    """A route that leads out by a link and names no gateway: everybody out there is taken for a neighbour."""
    spot = case.spot
    link = case.link(spot.node, spot.link)
    if spot.stage != "asking" or link is None or routes.on_link(link, spot.asked) or spot.asked != spot.dst:
        return None
    node = case.node(spot.node)
    route = routes.best(node, spot.asked, routes.MAIN)
    if route is None or route.via is not None or route.type != "unicast" or not link.v4:
        return None
    if any(
        routes.within(spot.asked, own.cidr) for owner, far in case.owners(spot.asked) for own in far.v4 if own.prefix < 32
    ) and (way(case.before, (spot.node, spot.link), _place_of(case)) is not None):
        return None
    text = (
        f"{of_node(node.name)} route to {route.dst} leads out by {link.name} without a gateway, so it takes {spot.asked} for a neighbour "
        f"on {link.name}, where nobody has that address"
    )
    via = gateway_of(case, node)
    fact = Fact(f"the route reads: {route.dst} dev {route.dev}", case.ip(node.name, f"route get {spot.asked}"))
    fix = case.ip(node.name, f"route replace {route.dst} via {via}") if via else ""
    return Cause("gateway-missing", at_gate(node.name, "routing"), text, (fact,), not case.blind, fix)


def _place_of(case: Case) -> tuple[str, str]:
    node, link = case.owners(case.spot.asked)[0]
    return node.name, link.name


def _rewritten(case: Case) -> Cause | None:
    """The address was put there by translation: a source that nobody has, so answers go nowhere, or a destination that nobody has."""
    spot = case.spot
    for change in case.evidence.journey.rewrites:
        after = change.after.rpartition(":")[0] or change.after
        if after != spot.asked:
            continue
        place = at_gate(change.node, "NAT")
        fact = Fact(
            f"{change.what} {change.before} became {change.after} in {owner_words(change.node)}",
            case.run(change.node, "nft list ruleset"),
        )
        if change.what == "source":
            text = f"{of_node(change.node)} NAT lets the packet go out as {after}, an address that nobody has: answers to it find no one"
            return Cause("snat-wrong", place, text, (fact,), True)
        text = f"{of_node(change.node)} NAT sends the packet on to {after}, an address that nobody has"
        return Cause("dnat-wrong", place, text, (fact,), True)
    for flow in case.evidence.flows:
        if flow.node == spot.node and flow.destination_nat and flow.reply.src == spot.asked:
            fact = Fact(
                f"the connection table of {owner_words(spot.node)} expects the answer from {spot.asked}",
                case.run(spot.node, "conntrack -L"),
            )
            text = f"{of_node(spot.node)} NAT sends the packet on to {spot.asked}, an address that nobody has"
            return Cause("dnat-wrong", at_gate(spot.node, "NAT"), text, (fact,), True)
    return _redirected(case)


def _redirected(case: Case) -> Cause | None:
    """The same, while the connection is not in the table yet: a rule names the address."""
    spot = case.spot
    node = case.node(spot.node)
    for chain in node.chains:
        for rule in chain.rules:
            if rule.verdict.startswith("dnat") and f" {spot.asked}" in rule.verdict.replace(":", " "):
                look = case.run(node.name, f"nft -a list chain {chain.family} {chain.table} {chain.name}")
                text = f"{of_node(node.name)} NAT sends the packet on to {spot.asked}, an address that nobody has"
                return Cause("dnat-wrong", at_gate(node.name, "NAT"), text, (Fact(f"its rule says {rule.text}", look),))
    return None


def _gateway(case: Case, asker: Link) -> Cause | None:
    """The asked one is a gateway."""
    spot = case.spot
    if spot.dst == spot.asked:
        return None
    node = case.node(spot.node)
    beside = neighbours_of(case, spot.node, spot.link)
    for far_node, far in beside:
        if _may_route(far_node) and not far.v4 and far.kind in ("bridge", "veth"):
            return _empty(case, far_node, far)
    routers = [(far_node, far, own) for far_node, far in beside if _may_route(far_node) for own in far.v4]
    fact = Fact(
        f"{of_node(node.name)} route goes via {spot.asked}, which nobody has", case.ip(node.name, f"route get {spot.dst}")
    )
    for far_node, far, own in routers:
        mine = any(routes.within(own.address, each.cidr) for each in asker.v4)
        if case.expected.get(spot.asked) == far_node.name or not mine:
            text = f"{far.name} of {owner_words(far_node.name)} has {own.cidr}, and not the address {spot.asked} that {owner_words(node.name)} uses as its gateway"
            look = case.ip(far_node.name, f"address show {far.name}")
            if not mine and not any(_shares(other, own.cidr) for _, other in beside if other is not far):
                return Cause(
                    "address-wrong", at_link(far_node.name, far.name), text, (fact, Fact(f"{far.name} holds {own.cidr}", look))
                )
            if case.expected.get(spot.asked) == far_node.name:
                return Cause("gateway-missing", at_link(far_node.name, far.name), text, (fact, Fact(f"{far.name} holds {own.cidr}", look)),
                             False, case.ip(far_node.name, f"address add {spot.asked}/{own.prefix} dev {far.name}"))  # fmt: skip
        text = f"{owner_words(node.name)} sends it via {spot.asked}, and nobody has that address: the router on this segment is {own.address}"
        return Cause(
            "gateway-wrong",
            at_gate(node.name, "routing"),
            text,
            (fact,),
            False,
            case.ip(node.name, f"route replace default via {own.address}"),
        )
    return _hidden(case, fact) or Cause(
        "gateway-missing",
        at_gate(node.name, "routing"),
        f"{owner_words(node.name)} sends it via {spot.asked}, and nobody has that address",
        (fact,),
    )


def _hidden(case: Case, fact: Fact) -> Cause | None:
    """No router on the segment: perhaps its bridge is there, but this cable is not in it."""
    from .neighbour import of_stop

    spot = case.spot
    for node in case.before.nodes:
        if not _may_route(node) or node.name == spot.node:
            continue
        for link in node.links:
            if link.kind != "bridge":
                continue
            there = way(case.before, (spot.node, spot.link), (node.name, link.name))
            if there is not None and there.stops:
                return of_stop(case, there.stops[0], fact.text)
    return None


def _shares(link: Link, cidr: str) -> bool:
    return any(routes.within(own.address, cidr) for own in link.v4)


def _may_route(node: Node) -> bool:
    return node.role in ("host", "router", "internet") or routes.forwards(node, "")


def _empty(case: Case, node: Node, link: Link) -> Cause:
    """The router's own interface is there, without an address."""
    spot = case.spot
    mine = case.link(spot.node, spot.link)
    length = next((own.prefix for own in mine.v4), 24) if mine is not None else 24
    code = "bridge-without-address" if link.kind == "bridge" else "address-missing"
    what = f"the bridge {link.name}" if link.kind == "bridge" else link.name
    text = f"{what} of {owner_words(node.name)} has no address, so nobody answers for {spot.asked}"
    facts = (
        Fact(f"{link.name} has no IPv4 address", case.ip(node.name, f"address show {link.name}")),
        Fact(
            f"{owner_words(spot.node)} asked for {spot.asked}, and nobody has it",
            case.ip(spot.node, f"neighbour show {spot.asked}"),
        ),
    )
    return Cause(
        code,
        at_link(node.name, link.name),
        text,
        facts,
        False,
        case.ip(node.name, f"address add {spot.asked}/{length} dev {link.name}"),
    )


def _lost(case: Case, asker: Link) -> Cause | None:
    """The address should be somebody's: a lesson says so, or there is a node on the segment without a fitting address."""
    spot = case.spot
    whose = case.expected.get(spot.asked)
    cidr = next((own.cidr for own in asker.v4 if routes.within(spot.asked, own.cidr)), "")
    if whose is not None and case.before.node(whose) is not None:
        return _of(case, case.node(whose), asker, cidr, spot.asked)
    beside = neighbours_of(case, spot.node, spot.link)
    bare = [(node, link) for node, link in beside if not link.v4 and node.name != spot.node]
    if len(bare) == 1:
        return _empty(case, *bare[0])
    alien = [
        (node, link) for node, link in beside if link.v4 and cidr and not any(routes.within(own.address, cidr) for own in link.v4)
    ]
    if len(alien) == 1:
        return _alien(case, *alien[0], cidr)
    return None


def _of(case: Case, node: Node, asker: Link, cidr: str, address: str) -> Cause | None:
    """Why ``node``, whose ``address`` should be, does not have it."""
    spot = case.spot
    links = [link for link in node.links if link.kind != "loopback" and not (link.master and link.port)]
    beside = {far.name for other, far in neighbours_of(case, spot.node, spot.link) if other.name == node.name}
    links = [link for link in links if link.name in beside] or links
    if not links:
        look = Fact(f"{owner_words(node.name)} has no interface but lo", case.ip(node.name, "link"))
        decoy = decoy_of(case, node)
        if decoy is not None:
            name = decoy.names[0] if decoy.names else decoy.name
            text = f"the namespace called {name} is not {of_node(node.name)}: the cable went in there, and {owner_words(node.name)} has nothing but lo"
            return Cause("decoy-namespace", node.name, text, (look,))
        return Cause("cable-missing", node.name, f"{owner_words(node.name)}, whose {address} should be, has no cable", (look,))
    bare = next((link for link in links if not link.v4), None)
    if bare is not None and not any(link.v4 for link in links):
        return _empty(case, node, bare)
    for link in links:
        if link.v4:
            return _alien(case, node, link, cidr)
    return None


def _alien(case: Case, node: Node, link: Link, cidr: str) -> Cause:
    own = link.v4[0]
    text = f"{link.name} of {owner_words(node.name)} has {own.cidr}, and nobody has {case.spot.asked}"
    facts = (
        Fact(f"{link.name} holds {own.cidr}", case.ip(node.name, f"address show {link.name}")),
        Fact(
            f"{owner_words(case.spot.node)} asked for {case.spot.asked}, and nobody has it",
            case.ip(case.spot.node, f"neighbour show {case.spot.asked}"),
        ),
    )
    fix = ""
    if case.expected.get(case.spot.asked) == node.name:
        fix = case.ip(node.name, f"address add {case.spot.asked}/{(cidr or own.cidr).split('/')[1]} dev {link.name}")
    return Cause("address-wrong", at_link(node.name, link.name), text, facts, False, fix)


def _too_wide(case: Case, asker: Link) -> Cause | None:
    """The asker takes a far address for a neighbour."""
    spot = case.spot
    mine = next((own for own in asker.v4 if routes.within(spot.asked, own.cidr)), None)
    if mine is None:
        return None
    for _, far in neighbours_of(case, spot.node, spot.link):
        for own in far.v4:
            if (
                mine.prefix < own.prefix < 32
                and routes.within(mine.address, own.cidr)
                and not routes.within(spot.asked, own.cidr)
            ):
                why = f"it takes {spot.asked} for a neighbour and asks for it on {asker.name} in vain"
                return prefix(case, case.node(spot.node), asker, mine.cidr, why, own.cidr)
    return None


def _on_both_sides(case: Case, asker: Link) -> Cause | None:
    """Two links with the same subnet: perhaps it lives on the other side."""
    spot = case.spot
    node = case.node(spot.node)
    for other in routes.connected(node, spot.asked):
        if other.name != asker.name and other.up and routes.on_link(asker, spot.asked):
            return clash(case, node, asker, other, spot.asked)
    return None


def _plain(case: Case) -> Cause:
    spot = case.spot
    who = owner_words(spot.node)
    facts = (Fact(f"{who} asked who has {spot.asked} on {spot.link}; nobody answered, and no node of this lab has that address",
                  case.ip(spot.node, f"neighbour show {spot.asked}")),)  # fmt: skip
    text = f"nobody on {who}'s {spot.link} has the address {spot.asked}"
    return Cause("neighbour-unanswered", at_gate(spot.node, "neighbour"), text, facts)
