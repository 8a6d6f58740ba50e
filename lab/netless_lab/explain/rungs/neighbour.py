"""Neighbours: a node asks who has the next hop's address (ARP, RFC 826; neighbour discovery, RFC 4861) and nobody answers, or a wrong answer is remembered."""

from __future__ import annotations

from ipaddress import IPv6Address

from ...model import routes
from ...model.journey import Hop
from ...model.snapshot import Link, Neighbour, Node
from ...primitives.base import device
from ..case import Case, of_link
from ..cause import Cause, blame, inferred, of_node, owner_words, seen, state
from ..last_seen import answers_for
from ..near import clash, ends, given, neighbours_of, not_ready, of_stop, one_mac, too_wide
from ..policy import disbelieved, filtered, route_fact, straightened
from ..segment import End, way

_ETHERNET = frozenset({"veth", "bridge", "physical", "macvlan", "vlan", "vxlan", "device", "tap"})
"""Kinds of links whose neighbours have to be found; a tun, WireGuard or PPP device has none, and is NOARP from birth."""


def address_on_port(case: Case) -> Cause | None:
    """A node asks by a link that is a port of a bridge: what comes in there belongs to the bridge, so no answer is ever its own."""
    for hop in case.hops:
        link = case.link(hop.node, hop.link)
        if hop.neighbour != "question" or hop.direction != "out" or link is None or link.port is None or not link.master:
            continue
        own = next((own for own in case.own(link) if own.address == hop.src), None)
        if own is not None and hop.mac_src == link.mac and not _reached_by(case, hop):
            return _misplaced(case, hop.node, link, own.cidr)
    return None


def _reached_by(case: Case, hop: Hop) -> bool:
    """Whether the asker knows the asked one all the same."""
    entries = case.after(hop.node).neighbours
    return any(entry.address == hop.dst and entry.dev == hop.link and entry.mac and entry.state != "failed" for entry in entries)


def _misplaced(case: Case, name: str, link: Link, cidr: str) -> Cause:
    """The address moves to the bridge, unless that has it already, and the routes that go with it follow."""
    fact = state(f"{link.name} holds {cidr} and has the master {link.master}", case.ip(name, f"address show {device(link.name)}"))
    lost = [route for route in case.node(name).routes if route.dev == link.name and route.via and routes.within(route.via, routes.subnet(cidr))]
    bridge = case.node(name).link(link.master or "")
    there = bridge is not None and any(own.cidr == cidr for own in case.own(bridge))
    steps = [f"address del {cidr} dev {link.name}", *(() if there else (f"address add {cidr} dev {link.master}",))]
    steps += [f"route replace {route.dst} via {route.via}" for route in lost]
    fix = "; ".join(case.ip(name, step) for step in steps)
    return blame(case, "address-on-port", name, link.name, facts=(fact,), fix=fix, cidr=cidr, bridge=link.master)


def wrong_memory(case: Case) -> Cause | None:
    """The frame itself went to a MAC that is not the next hop's: somebody's neighbour table is wrong."""
    for number, hop in enumerate(case.hops):
        if hop.direction != "out" or hop.neighbour or hop.kind == "ipv6-nd" or not hop.mac_dst:
            continue
        link = case.link(hop.node, hop.link)
        routed = link is not None and link.kind != "loopback" and case.at_end(hop) and case.made(hop)
        if link is not None and routed and (cause := _misled(case, number, hop, link)) is not None:
            return cause
    return None


def _misled(case: Case, number: int, hop: Hop, link: Link) -> Cause | None:
    if not link.arp and hop.mac_dst == hop.mac_src:
        return arp_off(case, hop.node, link)
    found = case.route(hop.node, hop.dst)
    next_hop = found.next_hop if found.dev == link.name else ""
    owners = case.owners(next_hop, hop.node)
    if next_hop and not owners:
        return _bereft(case, hop, next_hop)
    if not owners or any(_accepts(case, number, hop, own) for own in owners) or _taken_in(case, number, hop, {own.name for own, _ in owners}):
        return None
    near = neighbours_of(case, hop.node, hop.link)
    owner = next((own for own in owners if own in near), owners[0])
    entry = next((own for own in case.neighbours(hop.node) if (own.address, own.dev) == (next_hop, link.name)), None)
    proxy = next((end for end in near if end.link.mac == hop.mac_dst and _proxies(case, end.node, end.link)), None)
    if proxy is not None:
        return _proxied(case, hop, proxy, next_hop, owner.node)
    # whoever forgets the old MAC learns one that two have
    return one_mac(case, hop.node, hop.link, {owner.link.mac}) or _wrong_entry(case, hop, entry, next_hop, owner)


def _bereft(case: Case, hop: Hop, next_hop: str) -> Cause | None:
    """The frame went to who used to have the address: a neighbour table remembers, the interface does not."""
    for node in case.before.nodes:
        for link in node.links:
            bridge = node.link(link.master) if link.master and link.port else None
            if link.mac == hop.mac_dst and link.kind != "loopback" and node.name != hop.node and not _proxies(case, node, link):
                return _lost_address(case, node, bridge or link, next_hop, hop)
    return None


def _lost_address(case: Case, node: Node, link: Link, address: str, hop: Hop) -> Cause:
    """``link`` was known by ``address`` and does not hold it."""
    asker = case.link(hop.node, hop.link)
    usual = 24 if case.family == 4 else 64
    length = next((own.prefix for own in asker.addresses if routes.within(address, own.cidr)), usual) if asker is not None else usual
    held = ", ".join(own.cidr for own in case.own(link))
    code = "address-wrong" if held else "bridge-without-address" if link.kind == "bridge" else "address-missing"
    facts = (state(f"{link.name} holds {held or f'no {case.protocol} address'}", case.ip(node.name, f"address show {device(link.name)}")),
             seen(f"the frame for {address} went to {hop.mac_dst}, the MAC of {link.name}", case.ip(hop.node, f"neighbour show {address}")))
    return blame(case, code, node.name, link.name, facts=facts, how="remembered", address=address, cidr=held, asker=owner_words(hop.node),
                 fix=given(case, node, link, f"{address}/{length}"))


def _taken_in(case: Case, number: int, hop: Hop, owners: set[str]) -> bool:
    """Whether this frame came to its next hop all the same, by another of that node's interfaces."""
    later = (own for own in case.hops[number + 1 :] if own.kind == hop.kind and own.direction == "in" and own.node in owners)
    return any(own.mac_dst == hop.mac_dst and own.mac_src == hop.mac_src and case.at_end(own) for own in later)


def _accepts(case: Case, number: int, hop: Hop, owner: End) -> bool:
    """Whether the owner takes in what is for the frame's MAC.

    A bridge takes frames for its own MAC, and for that of the port they come in by; those for another port's MAC come to it as somebody
    else's, and IP throws them away (PACKET_OTHERHOST; br_handle_frame() and eth_type_trans() of the kernel).
    """
    node, link = owner
    bridge = link.name if link.kind == "bridge" else link.master if link.port is not None else None
    by = {own.name for own in node.links if bridge and own.master == bridge and own.mac == hop.mac_dst}
    passed = any(own.node == node.name and own.link in by and own.direction == "in" and own.mac_dst == hop.mac_dst for own in case.hops[number + 1 :])
    return passed or hop.mac_dst in {own.mac for own in node.links if own is link or own.name == bridge}


def _proxies(case: Case, node: Node, link: Link) -> bool:
    return case.family == 4 and "1" in (node.sysctls.get("proxy_arp"), node.sysctls.get(f"proxy_arp/{link.name}"))


def _proxied(case: Case, hop: Hop, proxy: End, next_hop: str, owner: Node) -> Cause:
    node, link = proxy
    scope = link.name if node.sysctls.get(f"proxy_arp/{link.name}") == "1" else "all"
    facts = (seen(f"the frame went to {hop.mac_dst}, an interface of {owner_words(node.name)}", case.ip(hop.node, f"neighbour show {next_hop}")),
             state(f"proxy_arp is on in {owner_words(node.name)}", case.run(node.name, "sysctl -a --pattern proxy_arp$")))
    key = of_link(4, scope, "proxy_arp")
    return blame(case, "proxy-arp", node.name, facts=facts, address=next_hop, owner=owner_words(owner.name), key=key)


def _wrong_entry(case: Case, hop: Hop, entry: Neighbour | None, next_hop: str, owner: End) -> Cause:
    """What is remembered is forgotten; and a bridge that only borrows its MAC keeps the one it has, so that it does not happen again."""
    node, link = owner
    forget = case.ip(hop.node, f"neighbour del {next_hop} dev {hop.link}")
    moved = link.kind == "bridge" and (entry is None or entry.state != "permanent")
    borrowed = moved and any(own.master == link.name and own.mac == link.mac for own in node.links)
    pin = f"{case.ip(node.name, f'link set {device(link.name)} address {link.mac}')}; " if borrowed else ""
    facts = (seen(f"the frame left {hop.node} by {hop.link} for {hop.mac_dst}", case.ip(hop.node, f"neighbour show {next_hop}")),
             state(f"{link.name} of {owner_words(node.name)} has the MAC {link.mac}", case.ip(node.name, f"link show {device(link.name)}")))
    return blame(case, "neighbour-wrong", hop.node, facts=facts, how="bridge" if borrowed else "", fix=f"{pin}{forget}", address=next_hop,
                 mac=hop.mac_dst, owner=owner_words(node.name), far=link.name, right=link.mac,
                 known=f" ({entry.state})" if entry is not None else "")


def arp_off(case: Case, node: str, link: Link) -> Cause | None:
    """An interface that takes no part in ARP, although its neighbours have to be found."""
    if link.kind not in _ETHERNET or link.mode == "tun":
        return None
    fact = state(f"{link.name} has the flag NOARP", case.ip(node, f"link show {device(link.name)}"))
    return blame(case, "arp-off", node, link.name, facts=(fact,))


def no_link_local(case: Case) -> Cause | None:
    """For a packet that has its source elsewhere IPv6 asks for a neighbour from the link's own address of fe80::/10 (RFC 4861, section 7.2.2; ndisc_solicit(),
    net/ipv6/ndisc.c); without one it does not even ask.
    """
    last = case.last
    found = case.route(last.node, last.dst, last.src if last.iif else None, last.iif) if case.family == 6 and last.dst else None
    link = case.link(last.node, found.dev) if found is not None and found.dev and found.type == "unicast" else None
    if found is None or link is None or link.kind not in _ETHERNET or not link.up:
        return None
    source = last.src or routes.source_of(case.node(last.node), found)
    asks = not last.iif and any(own.address == source and not (own.tentative or own.duplicate) for own in link.addresses)
    if asks or any(entry.address == found.next_hop and entry.mac for entry in case.neighbours(last.node)):
        return None
    checked = [own for own in link.addresses if own.scope == "link" and own.family == 6]
    if any(not (own.tentative or own.duplicate) for own in checked):
        return None
    if checked:
        return not_ready(case, last.node, link, checked[0], asked=found.next_hop)
    fact = state(f"{link.name} has no address of fe80::/10", case.ip(last.node, f"address show {device(link.name)}"))
    fix = given(case, case.node(last.node), link, f"{_link_local(link.mac)}/64") if link.mac else ""
    return blame(case, "link-local-missing", last.node, link.name, facts=(fact,), fix=fix, address=found.next_hop)


def _link_local(mac: str) -> str:
    """The address that the kernel itself makes of a MAC (RFC 4291, appendix A)."""
    own = bytes.fromhex(mac.replace(":", ""))
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + bytes((own[0] ^ 2,)) + own[1:3] + b"\xff\xfe" + own[3:]))


def unanswered(case: Case) -> Cause | None:
    """Somebody has the address, and the question did not come to him, or he kept silent, or his answer was lost."""
    last = case.last
    owners, near = case.owners(last.asked, last.node), neighbours_of(case, last.node, last.link)
    asker = case.link(last.node, last.link)
    if not owners or asker is None:
        return None
    owner = next((own for own in owners if own in near), owners[0])
    return (_wrong_side(case, asker, owner) or _behind(case, owner.node) or too_wide(case, asker, owner)
            or _own_subnet(case, asker, owner) or _on_its_way_there(case, owner)
            or _on_its_way_back(case, owner) or _deaf(case, owner.node, owner.link, asker))


def _wrong_side(case: Case, asker: Link, owner: End) -> Cause | None:
    """The address is a neighbour on another link of the asker than the one it asked on."""
    last = case.last
    node = case.node(last.node)
    for other in (own for own in ends(node) if own.name != asker.name and own.up):
        there = way(case.before, (node.name, other.name), owner.place)
        if there is None or there.stops:
            continue
        if routes.on_link(other, last.asked) and routes.on_link(asker, last.asked):
            return clash(case, node, asker, other, last.asked)
        if way(case.before, (node.name, asker.name), owner.place) is None:
            found = case.route(node.name, last.asked)
            fact = inferred(f"{of_node(node.name)} routing says: by {found.dev or asker.name}", case.ip(node.name, f"route get {last.asked}"))
            return blame(case, "route-wrong", node.name, facts=(fact,), how="side", fix="", dst=last.asked, out=asker.name, right=other.name)
    return None


def _behind(case: Case, owner: Node) -> Cause | None:
    """The address was routed on to somebody behind a router of the segment, which stands in for him only when told to (proxy ARP, RFC 4389)."""
    last, four = case.last, case.family == 4
    alone = f"{last.asked}/{routes.bits(case.family)}"
    for node, near in neighbours_of(case, last.node, last.link):
        found = routes.best(node, last.asked, routes.MAIN)
        if node.name == owner.name or found is None or found.dst != alone or found.dev == near.name or not case.forwards(node, near.name):
            continue
        knob = "proxy_arp" if four else "proxy_ndp"
        key = of_link(case.family, near.name, knob)
        switches = [case.knob(node.name, of_link(case.family, link, knob)) for link in ("all", near.name)]
        on = f"sysctl -w {key}=1"
        shown = state(f"{key} is 0 in {owner_words(node.name)}", case.run(node.name, f"sysctl {key}"))
        if "1" in switches and four:
            return None
        if "1" in switches:
            shown = inferred(f"{owner_words(node.name)} may answer for others, and has to be told for whom", case.ip(node.name, "neighbour show proxy"))
        told = "" if four else case.ip(node.name, f"neighbour add proxy {last.asked} dev {near.name}")
        at_once = case.run(node.name, f"sysctl -w {of_link(6, near.name, 'proxy_delay', of='neigh')}=0")  # or it lets up to 0.8 s pass, longer than some ask
        steps = [case.run(node.name, on)] * ("1" not in switches) + [told, at_once] * (not four)
        reads = inferred(f"{owner_words(node.name)} routes {found.dst} by {found.dev}", case.ip(node.name, f"route get {last.asked}"))
        return blame(case, "proxy-arp-off", node.name, near.name, facts=(shown, reads), how="behind", fix="; ".join(steps),
                     address=last.asked, asker=owner_words(last.node), owner=owner_words(owner.name), asking=case.asking)
    return None


def _own_subnet(case: Case, asker: Link, owner: End) -> Cause | None:
    """A subnet of the asker's own covers the address of somebody who lives elsewhere."""
    last = case.last
    full = routes.bits(case.family)
    mine = next((own for own in case.own(asker) if own.prefix < full and routes.within(last.asked, own.cidr)), None)
    if mine is None or way(case.before, (last.node, last.link), owner.place) is not None:
        return None
    if any(node.name == owner.node.name for node, _ in neighbours_of(case, last.node, last.link)):  # he hears the question by another interface
        return None
    facts = (inferred(f"{asker.name} holds {mine.cidr}", case.ip(last.node, f"address show {device(asker.name)}")),
             inferred(f"{of_node(last.node)} routing sends {last.asked} by {asker.name}", case.ip(last.node, f"route get {last.asked}")))
    return blame(case, "subnet-clash", last.node, facts=facts, how="covers", dst=last.asked, out=asker.name, mine=mine.cidr,
                 owner=owner_words(owner.node.name))


def _on_its_way_there(case: Case, owner: End) -> Cause | None:
    """An obstacle between the asker and the owner."""
    there = way(case.before, (case.last.node, case.last.link), owner.place)
    stop = next((stop for stop in there.stops if stop.how != "unicast"), None) if there is not None else None  # a question is for everybody
    return of_stop(case, stop, f"the question who has {case.last.asked} was heard last at {_heard(case)}") if stop is not None else None


def _on_its_way_back(case: Case, owner: End) -> Cause | None:
    """An obstacle between the owner, who has answered, and the asker."""
    last = case.last
    told = next((hop for hop in reversed(case.hops) if hop.neighbour == "answer" and answers_for(hop) == last.asked), None)
    there = way(case.before, owner.place, (last.node, last.link)) if told is not None else None
    stops = [stop for stop in there.stops if stop.how == "unicast" or stop.code != "port-flood"] if there is not None else []
    seen_at = f"{told.link} of {owner_words(told.node)}" if told is not None else ""
    return of_stop(case, stops[0], f"the answer of {owner_words(owner.node.name)} was last seen at {seen_at}") if seen_at and stops else None


def _heard(case: Case) -> str:
    hop = case.last.hop
    return f"{hop.link} of {owner_words(hop.node)}" if hop is not None else owner_words(case.last.node)


def _deaf(case: Case, node: Node, link: Link, asker: Link) -> Cause | None:
    """The owner heard the question, or should have, and did not answer."""
    last = case.last
    if case.family == 4 and not (link.arp and asker.arp):
        return arp_off(case, node.name, link) if not link.arp else arp_off(case, last.node, asker)
    heard = [hop for hop in case.hops
             if hop.node == node.name and hop.neighbour == "question" and hop.dst == last.asked and hop.direction != "out"]
    answered = any(hop.node == node.name and hop.neighbour == "answer" and answers_for(hop) == last.asked for hop in case.hops)
    if not heard or answered:
        return None
    source = heard[-1].src
    if node.owner(source) is not None:
        return _same_address(case, node, source)
    if case.family == 6:
        return None
    came = case.link(node.name, heard[-1].link) or link
    if disbelieved(case, node, last.asked, source, came.name):
        return filtered(case, node, came, source)
    return _ignored(case, node, came, source)


def _same_address(case: Case, node: Node, source: str) -> Cause:
    place = node.owner(source)
    name = place.name if place is not None else ""
    facts = (inferred(f"{name} of {owner_words(node.name)} holds {source}", case.ip(node.name, f"address show {device(name)}")),
             inferred(f"{owner_words(case.last.node)} asks from {source}", case.ip(case.last.node, f"address show {device(case.last.link)}")))
    return blame(case, "duplicate-address", node.name, name, facts=facts, how="asked", address=source)


def _ignored(case: Case, node: Node, link: Link, source: str) -> Cause | None:
    """A setting that keeps the kernel from answering questions it hears: arp_ignore, of which the larger value counts, or arp_filter where the way back
    to who asks is another link.
    """
    elsewhere = case.route(node.name, source).dev not in (None, link.name)
    values = {(knob, scope): case.knob(node.name, of_link(4, scope, knob)) for knob in ("arp_ignore", "arp_filter") for scope in (link.name, "all")}
    most = max((value for (knob, _), value in values.items() if knob == "arp_ignore"), default="")
    for (knob, scope), value in values.items():
        keeps = elsewhere if knob == "arp_filter" else value == most and ignores(value, node, link, case.last.asked, source)
        if value not in ("", "0") and keeps:
            key = of_link(4, scope, knob)
            facts = (*((route_fact(case, node, source),) if knob == "arp_filter" else ()),
                     state(f"{key} is {value}", case.run(node.name, f"sysctl {key}")),
                     seen(f"the question was heard at {_heard(case)}, and no answer left"))
            straight = straightened(case, node, link, source) if knob == "arp_filter" else ""
            return blame(case, "arp-ignored", node.name, facts=facts, key=key, value=value, fix=straight or None)
    return None


def ignores(value: str, node: Node, link: Link, asked: str, asker: str) -> bool:
    """Whether ``arp_ignore`` of this value keeps a node from answering who asks it for an address of its own by ``link`` (arp_ignore(), net/ipv4/arp.c)."""
    match value:
        case "1":
            return all(own.address != asked for own in link.v4)
        case "2":
            beside = any(routes.within(asked, own.cidr) and routes.within(asker, own.cidr) for own in link.v4)
            return not beside or all(own.address != asked for own in link.v4)
        case "3":
            return all(own.address != asked or own.scope == "host" for each in node.links for own in each.v4)
    return value == "8"
