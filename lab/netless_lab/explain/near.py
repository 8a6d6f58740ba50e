"""Why a node does not treat an address as its neighbour, although it lies on one of its own segments. Pure.

The way of a packet goes wrong long before it is lost: a link that is down takes its routes along, and the packet follows the default
route into the wide world. So every node that had the packet is asked whether it should have known better.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..model.journey import Fact
from ..model.snapshot import Link, Node
from . import routes
from .case import Case
from .cause import Cause, at_gate, at_link, of_node, owner_words
from .segment import hearers, way

_FAR: Final = 16
"""Nodes a packet passes at most."""


def estranged(case: Case, name: str, dst: str, out: str | None) -> Cause | None:
    """The cause when ``name`` should reach ``dst`` directly by a link other than ``out`` (None: it found no way at all)."""
    node = case.node(name)
    if not dst or not routes.is_address(dst) or routes.is_local(node, dst):
        return None
    for link in routes.connected(node, dst):
        if link.name != out:
            return _dead(case, node, link, dst, out) or _overruled(case, node, link, dst, out)
    chosen = node.link(out) if out else None
    return None if chosen is not None and routes.on_link(chosen, dst) else _lost_address(case, node, dst, out)


def _dead(case: Case, node: Node, link: Link, dst: str, out: str | None) -> Cause | None:
    """The link that leads there is down, and its routes have gone with it."""
    if link.up:
        return None
    cidr = next(own.cidr for own in link.v4 if routes.within(dst, own.cidr))
    code = "bridge-down" if link.kind == "bridge" else "link-down"
    what = f"the bridge {link.name}" if link.kind == "bridge" else link.name
    instead = f", so packets for {dst} leave by {out}" if out else ", so it knows no way to it"
    return Cause(
        code,
        at_link(node.name, link.name),
        f"{what} of {owner_words(node.name)} is down and took its route to {routes.subnet(cidr)} along{instead}",
        (
            Fact(f"{link.name} holds {cidr} and is down", case.ip(node.name, f"address show {link.name}")),
            _route_fact(case, node, dst),
        ),
        out is None and case.outcome.reason == "no-route",
        case.ip(node.name, f"link set {link.name} up"),
    )


def _overruled(case: Case, node: Node, link: Link, dst: str, out: str | None) -> Cause | None:
    """The link is up and its subnet holds the address, yet something else decides."""
    found = case.route(node.name, dst)
    cidr = next(own.cidr for own in link.v4 if routes.within(dst, own.cidr))
    network = routes.subnet(cidr)
    kept = [route for route in node.routes if route.family == 4 and route.dst == network and route.dev == link.name]
    if not kept:
        rest = f"packets for it leave by {out}" if out else "it knows no way there"
        text = (
            f"{owner_words(node.name)} has {cidr} on {link.name}, but the route to {network} that belongs to it is gone: {rest}"
        )
        fix = case.ip(node.name, f"route add {network} dev {link.name}")
        return Cause("no-route", at_gate(node.name, "routing"), text, (_route_fact(case, node, dst),), out is None, fix)
    if found.table not in (0, routes.MAIN, routes.LOCAL, routes.DEFAULT) or found.error:
        return policy(case, node.name, dst)
    chosen = routes.best(node, dst, routes.MAIN)
    if chosen is None or chosen.dev == link.name:
        return None
    twin = node.link(chosen.dev or "")
    if twin is not None and routes.on_link(twin, dst) and chosen.via is None:
        return clash(case, node, twin, link, dst)
    text = f"{of_node(node.name)} route to {chosen.dst} leads by {chosen.dev}, although {dst} lies in the subnet of its own {link.name}"
    fix = case.ip(node.name, f"route del {chosen.dst} dev {chosen.dev}")
    return Cause("route-wrong", at_gate(node.name, "routing"), text, (_route_fact(case, node, dst),), False, fix)


def clash(case: Case, node: Node, chosen: Link, other: Link, dst: str) -> Cause | None:
    """Two links with the same subnet: only one of the two routes can win."""
    mine = next((own.cidr for own in chosen.v4 if routes.within(dst, own.cidr)), "")
    theirs = next((own.cidr for own in other.v4 if routes.within(dst, own.cidr)), "")
    text = (
        f"{owner_words(node.name)} has {dst} on two sides: {mine} on {chosen.name} and {theirs} on {other.name} overlap, and packets "
        f"for it go out by {chosen.name}"
    )
    facts = (
        _route_fact(case, node, dst),
        Fact(f"both {chosen.name} and {other.name} hold addresses of that subnet", case.ip(node.name, "-4 address")),
    )
    return Cause("subnet-clash", at_gate(node.name, "routing"), text, facts)


def policy(case: Case, name: str, dst: str, src: str | None = None, iif: str | None = None) -> Cause | None:
    """A policy rule that sends the packet to another table than the usual ones, or refuses it."""
    node = case.node(name)
    found = case.route(name, dst, src, iif)
    tables = {rule.table for rule in node.policy if rule.family == 4}
    if found.error and tables and routes.MAIN not in tables and routes.best(node, dst, routes.MAIN):
        text = f"{owner_words(name)} has a route to {dst} in its main table, but no policy rule leads there any more"
        facts = (Fact("ip rule shows no line for the table main", case.ip(name, "rule")), _route_fact(case, node, dst))
        return Cause(
            "policy-rule", at_gate(name, "routing"), text, facts, True, case.ip(name, "rule add priority 32766 lookup main")
        )
    for rule in routes.rules_for(node, dst, src or found.prefsrc, iif):
        if rule.action == "lookup" and rule.table in (routes.LOCAL, routes.MAIN, routes.DEFAULT):
            if rule.table != routes.LOCAL and routes.best(node, dst, rule.table) is not None:
                return None
            continue
        if rule.action == "lookup" and rule.table != found.table:
            continue
        what = f"sends it to table {rule.table}" if rule.action == "lookup" else f"says {rule.action}"
        where = f", which leads by {found.dev}" if rule.action == "lookup" and found.dev else ""
        text = f"a policy rule of {owner_words(name)} (priority {rule.priority}) takes the packet for {dst} out of the usual routing: it {what}{where}"
        facts = (Fact(f"rule {rule.priority}: from {rule.src} to {rule.dst} {rule.action} {rule.table or ''}".rstrip(), case.ip(name, "rule")),
                 _route_fact(case, node, dst))  # fmt: skip
        return Cause(
            "policy-rule", at_gate(name, "routing"), text, facts, False, case.ip(name, f"rule del priority {rule.priority}")
        )
    return None


def _lost_address(case: Case, node: Node, dst: str, out: str | None) -> Cause | None:
    """No subnet of the node holds the address, but who has it lives on one of its segments."""
    for owner, far in case.owners(dst):
        for link in _ends(node):
            if owner.name == node.name or link.name == out:
                continue
            there = way(case.before, (node.name, link.name), (owner.name, far.name))
            if there is None or any(stop.code == "port-wrong-bridge" for stop in there.stops):
                continue
            cidr = next(own.cidr for own in far.v4 if own.address == dst)
            return _misfit(case, node, link, (owner, far), cidr, dst)
    return None


def _ends(node: Node) -> Iterator[Link]:
    """Interfaces that could have an address: no loopback, no bridge port."""
    return (link for link in node.links if link.kind != "loopback" and not (link.master and link.port))


def _misfit(case: Case, node: Node, link: Link, owner: tuple[Node, Link], cidr: str, dst: str) -> Cause | None:
    """``link`` and the owner of ``dst`` are on one cable or bridge: what is wrong with the addresses."""
    place, look = at_link(node.name, link.name), case.ip(node.name, f"address show {link.name}")
    network = routes.subnet(cidr)
    if not link.v4:
        if link.kind == "bridge":
            text = f"the bridge {link.name} of {owner_words(node.name)} has no address, so {owner_words(node.name)} itself is not on {network}"
            return Cause("bridge-without-address", place, text, (Fact(f"{link.name} has no IPv4 address", look), _route_fact(case, node, dst)),
                         False, _give(case, node, link, network, owner[0]))  # fmt: skip
        text = f"{link.name} of {owner_words(node.name)} has no address, so nothing leads to {network}"
        return Cause("address-missing", place, text, (Fact(f"{link.name} has no IPv4 address", look), _route_fact(case, node, dst)),
                     case.outcome.reason == "no-route", _give(case, node, link, network, owner[0]))  # fmt: skip
    narrow = next((own for own in link.v4 if routes.within(own.address, network)), None)
    if narrow is not None:
        if any(own.prefix < 32 and routes.within(narrow.address, own.cidr) for own in owner[1].v4) and narrow.prefix > int(
            cidr.split("/")[1]
        ):
            return prefix(case, node, link, narrow.cidr, f"{dst} is not in {routes.subnet(narrow.cidr)}", cidr)
        return None
    text = (
        f"{link.name} of {owner_words(node.name)} has {link.v4[0].cidr}, which is another subnet than {network}, the one of "
        f"{owner_words(owner[0].name)} on the same segment"
    )
    return Cause("address-wrong", place, text, (Fact(f"{link.name} holds {link.v4[0].cidr}", look), _route_fact(case, node, dst)))


def prefix(case: Case, node: Node, link: Link, cidr: str, why: str, right: str) -> Cause:
    """The address is fine, its prefix length is not."""
    length = right.split("/")[1]
    address = cidr.split("/")[0]
    return Cause(
        "prefix-wrong",
        at_link(node.name, link.name),
        f"{link.name} of {owner_words(node.name)} has {cidr}, so {why}; the others on its segment use /{length}",
        (
            Fact(f"{link.name} holds {cidr}", case.ip(node.name, f"address show {link.name}")),
            Fact(f"somebody on the same segment holds {right}"),
        ),
        False,
        case.ip(node.name, f"address replace {address}/{length} dev {link.name}") if link.name else "",
    )


def _give(case: Case, node: Node, link: Link, network: str, beside: Node) -> str:
    """The command that gives the link the address it should have, when somebody says which: a lesson, or a neighbour's gateway."""
    length = network.split("/")[1]
    for address, whose in case.expected.items():
        if whose == node.name and routes.within(address, network) and not case.owners(address):
            return case.ip(node.name, f"address add {address}/{length} dev {link.name}")
    for route in beside.routes:
        if route.dst == "default" and route.via and routes.within(route.via, network) and not case.owners(route.via):
            return case.ip(node.name, f"address add {route.via}/{length} dev {link.name}")
    return ""


def _route_fact(case: Case, node: Node, dst: str) -> Fact:
    found = case.route(node.name, dst)
    says = (
        f"no way ({found.words or found.error})"
        if found.error
        else f"by {found.dev}" + (f" via {found.via}" if found.via else "")
    )
    return Fact(f"{of_node(node.name)} routing says for {dst}: {says}", case.run(node.name, found.look or f"ip route get {dst}"))


def way_there(case: Case) -> Iterator[tuple[Node, Link]]:
    """The links by which routing sends the probe out, node by node, as far as the tables tell."""
    node, dst = case.sender, case.spot.dst
    for _ in range(_FAR):
        found = case.route(node.name, dst)
        link = node.link(found.dev) if found.dev and found.type == "unicast" else None
        if link is None:
            return
        yield node, link
        owners = [owner for owner, _ in case.owners(found.next_hop) if owner.name != node.name]
        if not owners:
            return
        node = owners[0]


def neighbours_of(case: Case, node: str, link: str) -> tuple[tuple[Node, Link], ...]:
    """Who hears a question asked there."""
    return hearers(case.before, (node, link))
