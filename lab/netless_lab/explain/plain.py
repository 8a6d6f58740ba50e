"""No route covers the address: why the tables lack one, when a link or an address that should have brought it is to blame. Pure."""

from __future__ import annotations

from ..model.journey import Fact
from ..model.snapshot import Address, Link, Node, Route
from . import routes
from .blame import blame
from .case import Case
from .cause import Cause, beside, inferred, state
from .mends import with_route
from .near import gateway_of, given, neighbours_of, route_fact, up_again


def no_route(case: Case, name: str, dst: str, *, leg: str = "") -> Cause:
    """The plain case: nothing in the tables covers the address."""
    node = case.node(name)
    last = case.last
    passing = last.stage == "routing" and last.node == name and last.dst == dst
    fact = route_fact(case, node, dst, last.src, last.iif) if passing else route_fact(case, node, dst)
    back = " for the answer" if leg == "return" else ""
    dead = _gone_with_its_link(case, node, dst)
    if dead is not None:
        down = inferred(f"{dead.name} is down", case.ip(name, f"link show {dead.name}"))
        fix = up_again(case, node, dead)
        return blame(case, "link-down", name, dead.name, facts=(down, beside(fact)), how="gone", fix=fix, dst=dst, back=back)
    bare = None if case.has_default(node) else _bare(case, node, fact)
    if bare is not None:
        return bare
    if case.has_default(node) or routes.connected(node, dst) or node.role == "internet":  # a provider sends nobody's packets back to a customer
        return blame(case, "no-route", name, facts=(fact,), dst=dst, back=back)
    via = gateway_of(case, node)
    out = next((link.name for link in node.links if via and routes.on_link(link, via)), None)
    route = Route("default", via or None, out, family=case.family)
    mended = with_route(name, route) if via else None
    return blame(case, "no-default-route", name, facts=(fact,), fix=None if via else "", mended=mended, dst=dst, back=back, via=via)


def _gone_with_its_link(case: Case, node: Node, dst: str) -> Link | None:
    """A link with an address that is down, and behind which the target's node lies; any such link when there is but one."""
    dead = [link for link in node.links if not link.up and case.own(link) and link.kind != "loopback"]
    homes = {owner.name for owner, _ in case.owners(dst)}
    towards = [link for link in dead if link.peer is not None and link.peer.node in homes]
    return (towards or dead)[0] if towards or len(dead) == 1 else None


def no_address_beside(case: Case, node: Node, link: Link) -> list[Address]:
    """The addresses of everybody else on a segment that are part of a subnet."""
    full = routes.bits(case.family)
    return [own for _, far in neighbours_of(case, node.name, link.name) for own in case.own(far) if own.prefix < full]


def _bare(case: Case, node: Node, fact: Fact) -> Cause | None:
    """A live link without the address it should have: the routes by it went with the address."""
    for link in node.links:
        if not link.up or not link.carrier or link.kind in ("loopback", "bridge") or (link.master and link.port):
            continue
        others = no_address_beside(case, node, link)
        if not others:
            continue
        if not case.own(link):
            wanted = next((address for address, whose in case.expected.items() if whose == node.name and not case.owners(address)), "")
            cidr = f"{wanted}/{others[0].prefix}" if wanted and routes.within(wanted, others[0].cidr) else ""
            empty = state(f"{link.name} has no {case.protocol} address", case.ip(node.name, f"address show {link.name}"))
            fix = given(case, node, link, cidr)
            via = next((own.address for own in others if cidr and own.address != wanted and routes.within(own.address, cidr)), "")
            if via and not routes.within(case.last.dst, routes.subnet(cidr)):
                fix += f"; {case.ip(node.name, f'route add default via {via}')}"
            return blame(case, "address-missing", node.name, link.name, facts=(empty, beside(fact)), how="out", fix=fix)
        if not any(routes.within(mine.address, own.cidr) for mine in case.own(link) for own in others):
            return wrong_subnet(case, node, link, others[0].cidr)
    return None


def wrong_subnet(case: Case, node: Node, link: Link, theirs: str) -> Cause:
    """An address of another subnet than everybody else's on the segment."""
    mine = case.own(link)[0].cidr
    fact = inferred(f"{link.name} holds {mine}", case.ip(node.name, f"address show {link.name}"))
    return blame(case, "address-wrong", node.name, link.name, facts=(fact,), fix="", cidr=mine, network=routes.subnet(theirs))
