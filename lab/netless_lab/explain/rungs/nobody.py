"""Neighbours that nobody is: a wrong gateway, one that only proxy ARP answers for, a lost address, or simply nobody there."""

from __future__ import annotations

from ...model import routes
from ...model.journey import Fact
from ...model.snapshot import Link, Node
from ...primitives.base import device
from ..case import Case, of_link
from ..cause import Cause, blame, inferred, of_node, owner_words, seen, state
from ..near import cableless, clash, ends, gateway_of, given, may_route, neighbours_of, of_stop, switched_off, too_wide
from ..packets import redirections
from ..rules import puts_in
from ..segment import could_be_port, way


def nobody(case: Case) -> Cause | None:
    """Who should have it?"""
    last = case.last
    asker = case.link(last.node, last.link)
    if asker is None or case.owners(last.asked):
        return None
    text = f"{owner_words(last.node)} asked who has {last.asked} on {last.link}; nobody answered, and no node of this lab has that address"
    look = case.ip(last.node, f"neighbour show {last.asked}")
    return (_rewritten(case) or _for_another(case, asker) or _switched_off(case) or _gateway(case, asker) or _lost(case, asker)
            or too_wide(case, asker) or _on_both_sides(case, asker)
            or blame(case, "neighbour-unanswered", last.node, facts=(inferred(text, look),), out=last.link, address=last.asked))


def vanished(case: Case) -> Cause | None:
    """The frame went to a MAC that nobody has any more, for an address that nobody has: its owner is gone, a table still remembers."""
    last = case.last
    if last.hop is None or not last.dst:
        return None
    sent = next((hop for hop in reversed(case.hops[: last.at + 1]) if hop.direction == "out" and case.made(hop)), None)
    if sent is None:
        return None
    next_hop = case.route(sent.node, sent.dst).next_hop
    asker = case.link(sent.node, sent.link)
    known = any(link.mac == sent.mac_dst for node in case.before.nodes for link in node.links)
    if not next_hop or asker is None or case.owners(next_hop) or known:
        return None
    whose = case.expected.get(next_hop)
    if whose is not None and (cause := _of(case, case.node(whose), asker, "", next_hop)) is not None:
        return cause
    fact = inferred(f"the frame left by {sent.link} for {sent.mac_dst}", case.ip(sent.node, f"neighbour show {next_hop}"))
    return blame(case, "neighbour-unanswered", sent.node, facts=(fact,), how="remembered", address=next_hop, mac=sent.mac_dst)


def sent_on(case: Case) -> Cause | None:
    """A router knows no way to where translation sends the packet, and nobody has that address."""
    last = case.last
    return _written(case, last.dst) if last.dst and not case.owners(last.dst) else None


def _written(case: Case, address: str) -> Cause | None:
    """The rewriting, seen on the way, that put an address there: a source that nobody has, so answers go nowhere, or a destination."""
    for change in case.evidence.journey.rewrites:
        if routes.host_of(change.after) != address:
            continue
        look = case.run(change.node, "nft list ruleset")
        fact = seen(f"{change.what} {change.before} became {change.after} in {owner_words(change.node)}", look)
        code = "snat-wrong" if change.what == "source" else "dnat-wrong"
        return blame(case, code, change.node, facts=(fact,), address=address)
    return None


def _rewritten(case: Case) -> Cause | None:
    """The address was put there by translation."""
    last = case.last
    if (written := _written(case, last.asked)) is not None:
        return written
    for flow in case.evidence.flows:
        if flow.node == last.node and flow.destination_nat and flow.reply.src == last.asked:
            fact = seen(f"the connection table of {owner_words(last.node)} expects the answer from {last.asked}", case.run(last.node, "conntrack -L"))
            return blame(case, "dnat-wrong", last.node, facts=(fact,), address=last.asked)
    for _, chain, rule in (found for found in redirections(case, last.node) if puts_in(found[0], last.asked)):
        fact = inferred(f"its rule says {rule.text}", case.listing(last.node, chain))
        return blame(case, "dnat-wrong", last.node, facts=(fact,), address=last.asked)
    return None


def _for_another(case: Case, asker: Link) -> Cause | None:
    """A gateway that was never meant to be anybody's address: a route for it alone leads out by the link, and who stands behind it is to
    answer in its place (proxy ARP; 169.254.1.1 is how Calico does it).
    """
    last = case.last
    alone = f"{last.asked}/{routes.bits(case.family)}"
    route = next((own for own in case.node(last.node).routes if own.dst == alone and own.dev == asker.name and not own.via), None)
    far = asker.peer
    node = case.before.node(far.node) if far is not None and far.node else None
    link = node.link(far.name) if node is not None and far is not None else None
    if case.family == 6 or route is None or node is None or link is None or link.master or case.own(link):
        return None
    leads = inferred(f"{owner_words(last.node)} looks for {last.asked} on {asker.name}: {route.dst} dev {asker.name}", case.ip(last.node, "route show"))
    asked = case.route(node.name, last.asked, last.hop.src if last.hop is not None else None, link.name)
    if "1" not in (case.setting(node.name, "proxy_arp"), case.setting(node.name, f"proxy_arp/{link.name}")):
        key = of_link(4, link.name, "proxy_arp")
        off = state(f"{key} is 0 in {owner_words(node.name)}", case.run(node.name, f"sysctl {key}"))
        return blame(case, "proxy-arp-off", node.name, link.name, facts=(off, leads), address=last.asked, asker=owner_words(last.node), key=key)
    plain = routes.worked_out(node, last.asked)
    if not plain.error and plain.dev != link.name:
        return None
    via = gateway_of(case, node)
    without = inferred(f"{of_node(node.name)} routing says for {last.asked}: {asked.words or plain.words or 'by ' + (plain.dev or '')}",
                       case.ip(node.name, f"route get {last.asked}"))  # fmt: skip
    fix = None if via and not case.has_default(node) else ""
    return blame(case, "proxy-arp-route", node.name, link.name, facts=(without, leads), fix=fix, address=last.asked, via=via)


def _in_vain(case: Case) -> Fact:
    last = case.last
    return inferred(f"{owner_words(last.node)} asked for {last.asked}, and nobody has it", case.ip(last.node, f"neighbour show {last.asked}"))


def _switched_off(case: Case) -> Cause | None:
    """The one on the segment who has no IPv6 at all, because it is switched off there."""
    last = case.last
    near = neighbours_of(case, last.node, last.link)
    found = [off for node, far in near if (off := switched_off(case, node, far, _in_vain(case))) is not None]
    return found[0] if len(found) == 1 else None


def _gateway(case: Case, asker: Link) -> Cause | None:
    """The asked one is a gateway."""
    last = case.last
    if last.dst == last.asked:
        return None
    node = case.node(last.node)
    beside = [(far_node, far) for far_node, far in neighbours_of(case, last.node, last.link) if far_node.name != last.node]
    for far_node, far in beside:
        if may_route(case, far_node) and not case.own(far) and far.kind in ("bridge", "veth"):
            return _empty(case, far_node, far)
    routers = [(far_node, far, own) for far_node, far in beside if may_route(case, far_node) for own in case.own(far)]
    fact = inferred(f"{of_node(node.name)} route goes via {last.asked}, which nobody has", case.ip(node.name, f"route get {last.dst}"))
    route = routes.best(node, last.dst, routes.MAIN)
    network = route.dst if route is not None and route.via == last.asked else "default"
    for far_node, far, own in routers:
        mine = any(routes.within(own.address, each.cidr) for each in case.own(asker))
        meant = case.expected.get(last.asked) == far_node.name
        holds = inferred(f"{far.name} holds {own.cidr}", case.ip(far_node.name, f"address show {device(far.name)}"))
        fix = given(case, far_node, far, f"{last.asked}/{own.prefix}" if meant else "")
        if not mine and not any(_shares(case, other, own.cidr) for _, other in beside if other is not far):
            return blame(case, "address-wrong", far_node.name, far.name, facts=(fact, holds), how="gateway", fix=fix, address=last.asked,
                         cidr=own.cidr, asker=owner_words(node.name))
        if meant:
            return blame(case, "gateway-missing", far_node.name, far.name, facts=(fact, holds), how="lost", site="link", fix=fix,
                         via=last.asked, cidr=own.cidr, asker=owner_words(node.name))
        return blame(case, "gateway-wrong", node.name, facts=(fact,), via=last.asked, right=own.address, network=network,
                     metric=routes.metric_words(route))
    return _hidden(case, fact) or blame(case, "gateway-missing", node.name, facts=(fact,), fix="", via=last.asked)


def _hidden(case: Case, fact: Fact) -> Cause | None:
    """No router on the segment: perhaps its bridge is there, but this cable is not in it."""
    last = case.last
    for node in case.before.nodes:
        if not may_route(case, node) or node.name == last.node:
            continue
        for link in node.links:
            there = way(case.before, (last.node, last.link), (node.name, link.name)) if link.kind == "bridge" else None
            if there is not None and there.stops:
                return of_stop(case, there.stops[0], fact.text)
    return None


def _shares(case: Case, link: Link, cidr: str) -> bool:
    return any(routes.within(own.address, cidr) for own in case.own(link))


def _empty(case: Case, node: Node, link: Link) -> Cause:
    """An interface of who should have the asked address has none; or it is a cable end beside the bridge that has the asker's subnet."""
    last = case.last
    mine = case.link(last.node, last.link)
    usual = 24 if case.family == 4 else 64
    length = next((own.prefix for own in case.own(mine)), usual) if mine is not None else usual
    facts = (inferred(f"{link.name} has no {case.protocol} address", case.ip(node.name, f"address show {device(link.name)}")), _in_vain(case))
    cable = link.kind != "bridge" and could_be_port(link) and node.role in ("host", "router") and case.expected.get(last.asked) != node.name
    theirs = [own.cidr for own in case.own(mine)] if mine is not None else []
    bridge = next((own for own in node.links if own.kind == "bridge" and any(_shares(case, own, cidr) for cidr in theirs)), None) if cable else None
    if bridge is not None:
        made = blame(case, "port-unplugged", node.name, link.name, facts=facts, bridge=bridge.name)
        return Cause(made.code, made.place, f"on {owner_words(node.name)}: {made.text}", made.facts, made.fix)
    code, how = ("bridge-without-address", "") if link.kind == "bridge" else ("address-missing", "nobody")
    fix = given(case, node, link, f"{last.asked}/{length}")
    return blame(case, code, node.name, link.name, facts=facts, how=how, fix=fix, address=last.asked)


def _lost(case: Case, asker: Link) -> Cause | None:
    """The address should be somebody's: a lesson says so, or there is a node on the segment without a fitting address."""
    last = case.last
    whose = case.expected.get(last.asked)
    cidr = next((own.cidr for own in case.own(asker) if routes.within(last.asked, own.cidr)), "")
    if whose is not None:
        return _of(case, case.node(whose), asker, cidr, last.asked)
    beside = neighbours_of(case, last.node, last.link)
    bare = [(node, link) for node, link in beside if not case.own(link) and node.name != last.node]
    if case.family == 4 and len(bare) == 1:
        return _empty(case, *bare[0])
    alien = [(node, link) for node, link in beside
             if case.own(link) and cidr and not any(routes.within(own.address, cidr) for own in case.own(link))]
    return _alien(case, *alien[0], cidr) if len(alien) == 1 else None


def _of(case: Case, node: Node, asker: Link, cidr: str, address: str) -> Cause | None:
    """Why ``node``, whose ``address`` should be, does not have it."""
    last = case.last
    if case.before.node(node.name) is None:
        fact = state(f"no namespace of this lab is {of_node(node.name)}", case.run("host", "lsns -t net"))
        return blame(case, "container-gone", node.name, facts=(fact,), address=address)
    links = ends(node)
    beside = {far.name for other, far in neighbours_of(case, last.node, last.link) if other.name == node.name}
    links = [link for link in links if link.name in beside] or links
    if not links:
        return cableless(case, node, address=address)
    bare = next((link for link in links if not case.own(link)), None)
    if bare is not None and not any(case.own(link) for link in links):
        return _empty(case, node, bare)
    return next((_alien(case, node, link, cidr) for link in links if case.own(link)), None)


def _alien(case: Case, node: Node, link: Link, cidr: str) -> Cause:
    own, asked = case.own(link)[0], case.last.asked
    facts = (inferred(f"{link.name} holds {own.cidr}", case.ip(node.name, f"address show {device(link.name)}")), _in_vain(case))
    right = f"{asked}/{(cidr or own.cidr).split('/')[1]}" if case.expected.get(asked) == node.name else ""
    return blame(case, "address-wrong", node.name, link.name, facts=facts, how="nobody", cidr=own.cidr, address=asked,
                 fix=given(case, node, link, right))


def _on_both_sides(case: Case, asker: Link) -> Cause | None:
    """Two links with the same subnet: perhaps it lives on the other side."""
    node, asked = case.node(case.last.node), case.last.asked
    others = (other for other in routes.connected(node, asked) if other.name != asker.name and other.up and routes.on_link(asker, asked))
    return next((clash(case, node, asker, other, asked) for other in others), None)
