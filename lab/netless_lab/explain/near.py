"""Why a node does not treat an address as its neighbour, although it lies on one of its own segments; and who else is on a segment. Pure.

The way of a packet goes wrong long before it is lost: a link that is down takes its routes along, and the packet follows the default
route into the wide world. So every node that had the packet is asked whether it should have known better; and where no route covers the address,
why the tables lack one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from ..model import routes
from ..model.addresses import is_address
from ..model.journey import Fact
from ..model.snapshot import Address, Link, Node, Route
from ..primitives.base import device, word
from .case import Case, of_link
from .cause import Cause, beside, blame, inferred, of_node, owner_words, state, with_address, with_route, without_route
from .policy import policy, route_fact, route_words, throwing
from .segment import End, Stop, hearers, way

_LEAST_MTU: Final = 1280
"""The MTU that IPv6 needs (RFC 8200, section 5)."""
_FAR: Final = 16
"""Nodes a packet passes at most."""


def neighbours_of(case: Case, node: str, link: str) -> tuple[End, ...]:
    """Who hears a question asked there."""
    return hearers(case.before, (node, link))


def one_mac(case: Case, node: str, link: str, macs: Collection[str]) -> Cause | None:
    """Two nodes on the segment of an interface, itself included, that have one of ``macs``: a bridge sends everything for it to whom it heard last."""
    own = case.link(node, link)
    by_mac: dict[str, list[End]] = {}
    for end in (*neighbours_of(case, node, link), *([End(case.node(node), own)] if own is not None else [])):
        by_mac.setdefault(end.link.mac, []).append(end)
    for mac, twins in by_mac.items():
        if mac and mac in macs and len({one.name for one, _ in twins}) > 1:
            (one, first), (two, second) = twins[0], twins[1]
            facts = [inferred(f"{twin.name} has {mac}", case.ip(whose.name, f"link show {device(twin.name)}")) for whose, twin in twins[:2]]
            return blame(case, "duplicate-mac", two.name, second.name, facts=facts, first=f"{first.name} of {owner_words(one.name)}", mac=mac)
    return None


def may_route(case: Case, node: Node) -> bool:
    """Whether a node is one that others may use as their gateway."""
    return node.role in ("host", "router", "internet") or case.forwards(node, "")


def gateway_of(case: Case, node: Node, by: str = "") -> str:
    """An address on one of the node's segments (of the link ``by`` only) that belongs to somebody who routes."""
    for link in node.links:
        for own in case.own(link) if by in ("", link.name) else ():
            for other in case.before.nodes:
                for far in other.links if other.name != node.name and may_route(case, other) else ():
                    full = routes.bits(case.family)
                    found = next((their.address for their in case.own(far) if own.prefix < full and routes.within(their.address, own.cidr)), None)
                    if found and way(case.before, (node.name, link.name), (other.name, far.name)) is not None:
                        return found
    return ""


def decoy_of(case: Case, node: Node) -> Node | None:
    """A namespace that no container lives in, and that holds an interface; one with the node's name first."""
    strangers = [other for other in case.before.nodes if other.role == "unknown" and any(link.kind != "loopback" for link in other.links)]
    strangers.sort(key=lambda other: not (node.name in other.names or other.name.startswith(node.name)))
    return strangers[0] if strangers else None


def cableless(case: Case, node: Node, *facts: Fact, address: str = "") -> Cause:
    """A node with nothing but lo: no cable was plugged in, or it went into a namespace that only has the right name."""
    links = state(f"{owner_words(node.name)} has no interface but lo", case.ip(node.name, "link"))
    decoy = decoy_of(case, node)
    if decoy is None:
        return blame(case, "cable-missing", node.name, facts=(links, *facts), how="whose" if address else "", address=address)
    inside = ", ".join(link.name for link in decoy.links if link.kind != "loopback")
    name = decoy.names[0] if decoy.names else decoy.name
    inode = state(f"the namespace {name} has inode {decoy.netns}, {of_node(node.name)} has {node.netns}",
                  f"ls -Li /run/netns/{word(name)} /proc/{case.where.pid(node.name)}/ns/net")
    return blame(case, "decoy-namespace", node.name, facts=(links, inode, *facts), name=name, inside=inside)


def not_ready(case: Case, node: str, link: Link, own: Address, *, asked: str = "") -> Cause:
    """An IPv6 address that may not be used (RFC 4862, 5.4); ``asked`` is the neighbour that only from it can be asked for."""
    why = "somebody else on the segment has it (dadfailed)" if own.duplicate else "the kernel still asks whether somebody has it (tentative)"
    fact = state(f"{own.cidr} on {link.name} is {'dadfailed' if own.duplicate else 'tentative'}", case.ip(node, f"address show {device(link.name)}"))
    return blame(case, "address-not-ready", node, link.name, facts=(fact,), how="asking" if asked else "", address=own.address, why=why, asked=asked)


def up_again(case: Case, node: Node, link: Link) -> str:
    """The command that raises a link, and gives back the default route that a link takes along when it goes down."""
    up = case.ip(node.name, f"link set {device(link.name)} up")
    via = "" if routes.on_link(link, case.last.dst) else _lost_gateway(case, node, link)
    return f"{up}; {case.ip(node.name, f'route add default via {via}')}" if via else up


def _lost_gateway(case: Case, node: Node, link: Link) -> str:
    """By whom the default route may have led that a link took along when it went down."""
    return gateway_of(case, node, link.name) if case.own(link) and not case.has_default(node) and not link.up else ""


def way_again(case: Case, node: Node, link: Link) -> str:
    """``up_again``, where the packet then has a way: up again a link has the networks of its addresses and no other route."""
    leads = routes.on_link(link, case.last.dst) or bool(_lost_gateway(case, node, link))
    return up_again(case, node, link) if leads else ""


def of_stop(case: Case, stop: Stop, fact: str) -> Cause:
    """An obstacle of the segment as a cause, with a fact about where the packet, or the question, was heard last."""
    link = case.link(stop.node, stop.link)
    how = "way" if stop.code in ("link-down", "bridge-down") else stop.how
    fix = "; ".join(case.run(stop.node, step) for step in stop.fix.split("; ")) if stop.fix else stop.fix
    if link is not None and stop.code == "link-down":
        fix = up_again(case, case.node(stop.node), link)
    made = blame(case, stop.code, stop.node, stop.link, facts=(), how=how, fix=fix, more=dict(stop.words))
    where = owner_words(stop.node)
    shown = (state if stop.proves else inferred)(f"{made.text} (in {where})", case.run(stop.node, stop.look))
    return Cause(made.code, made.place, f"on {where}: {made.text}", (shown, inferred(fact)), made.fix)


def switched_off(case: Case, node: Node, link: Link, *facts: Fact) -> Cause | None:
    """IPv6 is switched off on an interface, which then has no address of it."""
    key = of_link(6, link.name, "disable_ipv6")
    if case.family == 6 and link.mtu < _LEAST_MTU and not any(own.family == 6 for own in link.addresses):
        narrow = state(f"{link.name} has the MTU {link.mtu}", case.ip(node.name, f"link show {device(link.name)}"))
        return blame(case, "ipv6-disabled", node.name, link.name, facts=(narrow, *facts), how="narrow", mtu=link.mtu, least=_LEAST_MTU)
    if case.family == 4 or case.knob(node.name, key) != "1":
        return None
    fact = state(f"{key} is 1 in {owner_words(node.name)}", case.run(node.name, f"sysctl {key}"))
    return blame(case, "ipv6-disabled", node.name, link.name, facts=(fact, *facts), key=key)


def estranged(case: Case, name: str, dst: str, out: str | None) -> Cause | None:
    """The cause when ``name`` should reach ``dst`` directly by a link other than ``out`` (None: it found no way at all)."""
    node = case.node(name)
    if not dst or not is_address(dst) or routes.is_local(node, dst):
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
    cidr = next(own.cidr for own in link.addresses if routes.within(dst, own.cidr))
    code = "bridge-down" if link.kind == "bridge" else "link-down"
    instead = f", so packets for {dst} leave by {out}" if out else ", so it knows no way to it"
    down = state(f"{link.name} holds {cidr} and is down", case.ip(node.name, f"address show {device(link.name)}"))
    return blame(case, code, node.name, link.name, facts=(down, route_fact(case, node, dst)), how="took", fix=up_again(case, node, link),
                 network=routes.subnet(cidr), instead=instead)


def _overruled(case: Case, node: Node, link: Link, dst: str, out: str | None) -> Cause | None:
    """The link is up and its subnet holds the address, yet something else decides."""
    found = case.route(node.name, dst)
    cidr = next(own.cidr for own in link.addresses if routes.within(dst, own.cidr))
    network = routes.subnet(cidr)
    kept = [route for route in node.routes if route.dst == network and route.dev == link.name]
    fact = route_fact(case, node, dst)
    if not kept:
        rest = f"packets for it leave by {out}" if out else "it knows no way there"
        fix = case.ip(node.name, f"route add {network} dev {link.name}")
        return blame(case, "no-route", node.name, facts=(fact,), how="connected", fix=fix, cidr=cidr, out=link.name, network=network, rest=rest)
    if found.table not in routes.USUAL or found.error:
        return policy(case, node.name, dst)
    chosen = routes.best(node, dst, routes.MAIN)
    if chosen is None or chosen.dev == link.name:
        return None
    twin = node.link(chosen.dev or "")
    if twin is not None and routes.on_link(twin, dst) and chosen.via is None:
        return clash(case, node, twin, link, dst)
    return blame(case, "route-wrong", node.name, facts=(fact,), mended=without_route(node.name, chosen), network=chosen.dst,
                 out=chosen.dev, dst=dst, right=link.name, route=route_words(chosen))


def clash(case: Case, node: Node, chosen: Link, other: Link, dst: str) -> Cause:
    """Two links with the same subnet: only one of the two routes can win."""
    mine = next((own.cidr for own in chosen.addresses if routes.within(dst, own.cidr)), "")
    theirs = next((own.cidr for own in other.addresses if routes.within(dst, own.cidr)), "")
    both = inferred(f"both {chosen.name} and {other.name} hold addresses of that subnet", case.ip(node.name, f"-{case.family} address"))
    facts = (route_fact(case, node, dst), both)
    return blame(case, "subnet-clash", node.name, facts=facts, dst=dst, mine=mine, theirs=theirs, out=chosen.name, other=other.name)


def _lost_address(case: Case, node: Node, dst: str, out: str | None) -> Cause | None:
    """No subnet of the node holds the address, but who has it lives on one of its segments."""
    for owner in case.owners(dst, node.name):
        for link in (own for own in ends(node) if own.name != out):
            there = way(case.before, (node.name, link.name), owner.place)
            if there is not None and not any(stop.code == "port-wrong-bridge" for stop in there.stops):
                theirs = next(own for own in owner.link.addresses if own.address == dst)
                return _misfit(case, node, link, owner, theirs)
    return None


def ends(node: Node) -> list[Link]:
    """Interfaces that could have an address: no loopback, no bridge port."""
    return [link for link in node.links if link.kind != "loopback" and not (link.master and link.port)]


def _misfit(case: Case, node: Node, link: Link, owner: End, theirs: Address) -> Cause | None:
    """``link`` and the owner of an address are on one cable or bridge: what is wrong with the addresses."""
    look, network, own = case.ip(node.name, f"address show {device(link.name)}"), routes.subnet(theirs.cidr), case.own(link)
    full, dst = routes.bits(case.family), theirs.address
    if not own:
        if (off := switched_off(case, node, link, route_fact(case, node, dst))) is not None:
            return off
        empty = state(f"{link.name} has no {case.protocol} address", look)
        bridge = link.kind == "bridge"
        return blame(case, "bridge-without-address" if bridge else "address-missing", node.name, link.name,
                     facts=(empty, route_fact(case, node, dst)), how="apart" if bridge else "nowhere", network=network,
                     fix=_give(case, node, link, network, owner.node))
    narrow = next((one for one in own if routes.within(one.address, network)), None)
    if narrow is not None:
        shared = any(one.prefix < full and routes.within(narrow.address, one.cidr) for one in owner.link.addresses)
        if shared and narrow.prefix > theirs.prefix:
            return _prefix(case, node, link, narrow, f"{dst} is not in {routes.subnet(narrow.cidr)}", owner, theirs)
        return None
    held = inferred(f"{link.name} holds {own[0].cidr}", look)
    return blame(case, "address-wrong", node.name, link.name, facts=(held, beside(route_fact(case, node, dst))), how="apart", fix="",
                 cidr=own[0].cidr, network=network, owner=owner_words(owner.node.name))


def too_wide(case: Case, asker: Link, owner: End | None = None) -> Cause | None:
    """The asker takes for a neighbour who is in another subnet: its prefix is too short. ``owner`` has the asked address, if anybody does."""
    last, full = case.last, routes.bits(case.family)
    mine = next((own for own in case.own(asker) if routes.within(last.asked, own.cidr)), None)
    there = way(case.before, (last.node, last.link), owner.place) if owner is not None else None
    if mine is None or (there is not None and all(stop.code != "port-wrong-bridge" for stop in there.stops)):
        return None  # who is on this segment, and only out of reach, is a neighbour
    ends = [*neighbours_of(case, last.node, last.link), *([owner] if owner is not None else [])]
    narrower = [(end, own) for end in ends for own in case.own(end.link) if mine.prefix < own.prefix < full]
    beside = [(end, own) for end, own in narrower if routes.within(mine.address, own.cidr)]
    beyond = [(end, own) for end, own in narrower if end is owner and own.address == last.asked]
    if not (beside or beyond) or any(routes.within(last.asked, own.cidr) for _, own in beside):
        return None
    why = f"it takes {last.asked} for a neighbour and asks for it on {asker.name} in vain"
    return _prefix(case, case.node(last.node), asker, mine, why, *(beside or beyond)[0], how="" if beside else "beyond")


def _prefix(case: Case, node: Node, link: Link, mine: Address, why: str, other: End, theirs: Address, how: str = "", via: str = "") -> Cause:
    """The address is fine, its prefix length is not; ``via`` is the gateway to which a default route is missing with it."""
    right = f"{mine.address}/{theirs.prefix}"
    facts = [inferred(f"{one.name} of {owner_words(whose.name)} holds {own.cidr}", case.ip(whose.name, f"address show {device(one.name)}"))
             for whose, one, own in ((node, link, mine), (*other, theirs))]
    steps = [f"address add {right} dev {link.name}", f"address del {mine.cidr} dev {link.name}"]
    steps = steps if case.family == 4 else steps[::-1]  # IPv6 has an address once only, whatever its prefix
    given = with_address(node.name, link.name, right, instead=mine.cidr)
    led = with_route(node.name, Route("default", via, link.name, family=case.family))
    steps += [f"route add default via {via}"] if via else []
    return blame(case, "prefix-wrong", node.name, link.name, facts=facts, how=how, cidr=mine.cidr, why=why, length=theirs.prefix,
                 owner=owner_words(other.node.name), fix="; ".join(case.ip(node.name, step) for step in steps),
                 mended=(lambda snapshot: led(given(snapshot))) if via else given)


def _give(case: Case, node: Node, link: Link, network: str, beside: Node) -> str:
    """The command that gives the link the address it should have, when somebody says which: a lesson, or a neighbour's gateway."""
    length = network.split("/")[1]
    for address, whose in case.expected.items():
        if whose == node.name and routes.within(address, network) and not case.owners(address):
            return given(case, node, link, f"{address}/{length}")
    for route in beside.routes:
        if route.dst == "default" and route.via and routes.within(route.via, network) and not case.owners(route.via):
            return given(case, node, link, f"{route.via}/{length}")
    return ""


def given(case: Case, node: Node, link: Link, cidr: str) -> str:
    """The command that gives a link an address; "" when there is none to give."""
    return case.ip(node.name, f"address add {cidr} dev {link.name}") if cidr else ""


def way_there(case: Case) -> Iterator[End]:
    """The links by which routing sends the probe out, node by node, as far as the tables tell."""
    node, dst = case.sender, case.last.dst
    for _ in range(_FAR):
        found = case.route(node.name, dst)
        link = node.link(found.dev) if found.dev and found.type == "unicast" else None
        if link is None:
            return
        yield End(node, link)
        owners = case.owners(found.next_hop, node.name)
        if not owners:
            return
        node = owners[0].node


def no_route(case: Case, name: str, dst: str, *, leg: str = "") -> Cause:
    """The plain case: nothing in the tables covers the address."""
    node = case.node(name)
    last = case.last
    passing = last.stage == "routing" and last.node == name and last.dst == dst
    fact = route_fact(case, node, dst, last.src, last.iif) if passing else route_fact(case, node, dst)
    back = " for the answer" if leg == "return" else ""
    dead = _gone_with_its_link(case, node, dst)
    if dead is not None:
        down = inferred(f"{dead.name} is down", case.ip(name, f"link show {device(dead.name)}"))
        return blame(case, "link-down", name, dead.name, facts=(down, beside(fact)), how="gone", fix=way_again(case, node, dead), dst=dst, back=back)
    if (thrown := throwing(case, name, dst, fact)) is not None:
        return thrown
    if not case.has_default(node) and (bare := _bare(case, node, fact)) is not None:
        return bare
    if case.has_default(node) or routes.connected(node, dst) or node.role == "internet":  # a provider sends nobody's packets back to a customer
        return blame(case, "no-route", name, facts=(fact,), dst=dst, back=back)
    if (unheeded := _advertised(case, node)) is not None:
        link, settings, heard = unheeded
        return blame(case, "no-default-route", name, facts=(fact, *heard), how="deaf", fix="", dst=dst, back=back, link=link, settings=settings)
    via = gateway_of(case, node)
    out = next((link.name for link in node.links if via and routes.on_link(link, via)), None)
    route = Route("default", via or None, out, family=case.family)
    mended = with_route(name, route) if via else None
    return blame(case, "no-default-route", name, facts=(fact,), fix=None if via else "", mended=mended, dst=dst, back=back, via=via)


def _advertised(case: Case, node: Node) -> tuple[str, str, tuple[Fact, ...]] | None:
    """A link that hears of a router and takes no default route from it, by which settings, and what shows both (ip-sysctl.rst, accept_ra)."""
    for link in node.links if case.family == 6 else ():
        heard, key = case.knob(node.name, f"advertised/{link.name}"), f"net/ipv6/conf/{link.name}"
        accept, forwards = case.knob(node.name, f"{key}/accept_ra"), case.knob(node.name, f"{key}/forwarding")
        if heard and (accept == "0" or (accept == "1" and forwards not in ("", "0"))):
            told = [f"{key}/accept_ra is {accept}", *([f"{key}/forwarding is {forwards}"] if accept == "1" else [])]
            count = inferred(f"{link.name} has heard {heard} router advertisements", case.run(node.name, f"cat /proc/net/dev_snmp6/{word(link.name)}"))
            return link.name, " and ".join(told), (count, *(inferred(own, case.run(node.name, f"sysctl {word(own.split()[0])}")) for own in told))
    return None


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
    for link in (own for own in ends(node) if own.up and own.carrier and own.kind != "bridge"):
        if (alone := _alone(case, node, link)) is not None:
            return alone
        others = no_address_beside(case, node, link)
        if others and not case.own(link):
            wanted = next((address for address, whose in case.expected.items() if whose == node.name and not case.owners(address)), "")
            cidr = f"{wanted}/{others[0].prefix}" if wanted and routes.within(wanted, others[0].cidr) else ""
            empty = state(f"{link.name} has no {case.protocol} address", case.ip(node.name, f"address show {device(link.name)}"))
            fix = given(case, node, link, cidr)
            via = next((own.address for own in others if cidr and own.address != wanted and routes.within(own.address, cidr)), "")
            if via and not routes.within(case.last.dst, routes.subnet(cidr)):
                fix += f"; {case.ip(node.name, f'route add default via {via}')}"
            return blame(case, "address-missing", node.name, link.name, facts=(empty, beside(fact)), how="out", fix=fix)
        if others and not any(routes.within(mine.address, own.cidr) for mine in case.own(link) for own in others):
            return wrong_subnet(case, node, link, others[0].cidr)
    return None


def _alone(case: Case, node: Node, link: Link) -> Cause | None:
    """An address that is a subnet of its own, in the midst of everybody else's on the segment: no gateway is a neighbour, so no route leads there."""
    mine, dst = next(iter(case.own(link)), None), case.last.dst
    if mine is None or any(own.prefix < routes.bits(case.family) for own in case.own(link)) or any(own.dev == link.name and own.via for own in node.routes):
        return None
    for end in neighbours_of(case, node.name, link.name):
        for own in case.own(end.link) if may_route(case, end.node) else ():
            if own.address != mine.address and routes.within(mine.address, own.cidr) and not routes.within(dst, own.cidr):
                return _prefix(case, node, link, mine, f"it has no neighbour that could take its packets for {dst} on", end, own, via=own.address)
    return None


def wrong_subnet(case: Case, node: Node, link: Link, theirs: str) -> Cause:
    """An address of another subnet than everybody else's on the segment."""
    mine = case.own(link)[0].cidr
    fact = inferred(f"{link.name} holds {mine}", case.ip(node.name, f"address show {device(link.name)}"))
    return blame(case, "address-wrong", node.name, link.name, facts=(fact,), fix="", cidr=mine, network=routes.subnet(theirs))
