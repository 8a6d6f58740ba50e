"""Neighbours: a node asks who has the next hop's address (ARP, RFC 826) and nobody answers, or the wrong one was remembered."""

from __future__ import annotations

from ...model.journey import Fact, Hop
from ...model.snapshot import Link, Neighbour, Node
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, at_link, of_node, owner_words
from ..near import clash, neighbours_of, prefix
from ..segment import Stop, way


def address_on_port(case: Case) -> Cause | None:
    """A node asks by a link that is a port of a bridge: what comes in there belongs to the bridge, so no answer is ever its own."""
    for hop in case.hops:
        link = case.link(hop.node, hop.link)
        if hop.kind != "arp-request" or hop.direction != "out" or link is None or link.port is None or not link.master:
            continue
        own = next((own for own in link.v4 if own.address == hop.src), None)
        if own is not None and hop.mac_src == link.mac and not _reached_by(case, hop):
            return _misplaced(case, hop.node, link, own.cidr)
    return None


def _reached_by(case: Case, hop: Hop) -> bool:
    """Whether the asker knows the asked one all the same."""
    entries = case.after(hop.node).neighbours
    return any(entry.address == hop.dst and entry.dev == hop.link and entry.mac and entry.state != "failed" for entry in entries)


def _misplaced(case: Case, node: str, link: Link, cidr: str) -> Cause:
    text = (
        f"{owner_words(node)} has {cidr} on {link.name}, which is a port of {link.master}: frames that come in there go to the bridge, "
        f"so no answer ever reaches {link.name}"
    )
    facts = (Fact(f"{link.name} holds {cidr} and has the master {link.master}", case.ip(node, f"address show {link.name}")),)
    fix = f"{case.ip(node, f'address del {cidr} dev {link.name}')}; {case.ip(node, f'address add {cidr} dev {link.master}')}"
    return Cause("address-on-port", at_link(node, link.name), text, facts, True, fix)


def wrong_memory(case: Case) -> Cause | None:
    """The frame itself went to a MAC that is not the next hop's: somebody's neighbour table is wrong."""
    if case.spot.stage in ("answered", "unsent", "refused"):
        return None
    for hop in case.hops:
        if hop.direction != "out" or hop.kind.startswith(("arp", "ipv6")) or not hop.mac_dst:
            continue
        link = case.link(hop.node, hop.link)
        if link is None or link.kind == "loopback" or (link.master and link.port) or _already_bridged(case, hop):
            continue
        cause = _misled(case, hop, link)
        if cause is not None:
            return cause
    return None


def _already_bridged(case: Case, hop: Hop) -> bool:
    """Whether the node only switches this frame: it did not choose its destination."""
    return hop.mac_src not in {link.mac for link in case.node(hop.node).links}


def _misled(case: Case, hop: Hop, link: Link) -> Cause | None:
    if not link.arp and hop.mac_dst == hop.mac_src:
        return arp_off(case, hop.node, link)
    found = case.route(hop.node, hop.dst)
    next_hop = found.next_hop if found.dev == link.name else ""
    owners = case.owners(next_hop) if next_hop else ()
    if next_hop and not owners:
        return _bereft(case, hop, next_hop)
    if not owners or hop.mac_dst in _macs(owners) or _taken_in(case, hop, owners[0][0].name):
        return None
    entry = next((own for own in case.node(hop.node).neighbours if (own.address, own.dev) == (next_hop, link.name)), None)
    proxy = next(
        (node for node, far in neighbours_of(case, hop.node, hop.link) if far.mac == hop.mac_dst and _proxies(node, far)), None
    )
    if proxy is not None:
        return _proxied(case, hop, proxy, next_hop, owners[0][0])
    return _wrong_entry(case, hop, entry, next_hop, owners[0])


def _bereft(case: Case, hop: Hop, next_hop: str) -> Cause | None:
    """The frame went to who used to have the address: a neighbour table remembers, the interface does not."""
    for node in case.before.nodes:
        for link in node.links:
            bridge = node.link(link.master) if link.master and link.port else None
            if link.mac == hop.mac_dst and link.kind != "loopback" and node.name != hop.node:
                return lost_address(case, node, bridge or link, next_hop, hop)
    return None


def lost_address(case: Case, node: Node, link: Link, address: str, hop: Hop) -> Cause:
    """``link`` was known by ``address`` and does not hold it."""
    asker = case.link(hop.node, hop.link)
    length = next((own.prefix for own in asker.v4 if routes.within(address, own.cidr)), 24) if asker is not None else 24
    held = ", ".join(own.cidr for own in link.v4)
    what = f"the bridge {link.name}" if link.kind == "bridge" else link.name
    code = "address-wrong" if held else "bridge-without-address" if link.kind == "bridge" else "address-missing"
    text = f"{what} of {owner_words(node.name)} has {held or 'no address'}, and {owner_words(hop.node)} still sends it packets for {address}"
    facts = (
        Fact(f"{link.name} holds {held or 'no IPv4 address'}", case.ip(node.name, f"address show {link.name}")),
        Fact(
            f"the frame for {address} went to {hop.mac_dst}, the MAC of {link.name}",
            case.ip(hop.node, f"neighbour show {address}"),
        ),
    )
    return Cause(
        code,
        at_link(node.name, link.name),
        text,
        facts,
        True,
        case.ip(node.name, f"address add {address}/{length} dev {link.name}"),
    )


def _taken_in(case: Case, hop: Hop, owner: str) -> bool:
    """Whether the frame came to its next hop all the same, by another of that node's interfaces."""
    return any(own.direction == "in" and own.mac_dst == hop.mac_dst and own.kind == hop.kind for own in case.seen(owner))


def _macs(owners: tuple[tuple[Node, Link], ...]) -> set[str]:
    """Every MAC under which the owners take frames in: their own, and those of the ports when it is a bridge."""
    return {own.mac for node, link in owners for own in node.links if own is link or own.master == link.name} | {
        own.mac for node, link in owners for own in node.links if own.kind == "bridge"
    }


def _proxies(node: Node, link: Link) -> bool:
    return "1" in (node.sysctls.get("proxy_arp"), node.sysctls.get(f"proxy_arp/{link.name}"))


def _proxied(case: Case, hop: Hop, proxy: Node, next_hop: str, owner: Node) -> Cause:
    text = f"{owner_words(proxy.name)} answers for {next_hop} in place of {owner_words(owner.name)} (proxy_arp=1), and takes its packets"
    facts = (
        Fact(
            f"the frame went to {hop.mac_dst}, an interface of {owner_words(proxy.name)}",
            case.ip(hop.node, f"neighbour show {next_hop}"),
        ),
        Fact(f"proxy_arp is on in {owner_words(proxy.name)}", case.run(proxy.name, "sysctl -a --pattern proxy_arp$")),
    )
    return Cause("proxy-arp", at_gate(proxy.name, "neighbour"), text, facts, True)


def _wrong_entry(case: Case, hop: Hop, entry: Neighbour | None, next_hop: str, owner: tuple[Node, Link]) -> Cause:
    node, link = owner
    how = f" ({entry.state})" if entry is not None else ""
    text = (
        f"{owner_words(hop.node)} sends packets for {next_hop} to the MAC {hop.mac_dst}, but {next_hop} is {owner_words(node.name)}'s "
        f"{link.name} with {link.mac}: its neighbour table is wrong{how}"
    )
    facts = (
        Fact(f"the frame left {hop.node} by {hop.link} for {hop.mac_dst}", case.ip(hop.node, f"neighbour show {next_hop}")),
        Fact(f"{link.name} of {owner_words(node.name)} has the MAC {link.mac}", case.ip(node.name, f"link show {link.name}")),
    )
    fix = case.ip(hop.node, f"neighbour del {next_hop} dev {hop.link}")
    return Cause("neighbour-wrong", at_gate(hop.node, "neighbour"), text, facts, True, fix)


def arp_off(case: Case, node: str, link: Link) -> Cause:
    """An interface that takes no part in ARP."""
    text = f"ARP is switched off on {link.name} of {owner_words(node)}: it neither asks nor answers who has an address"
    fact = Fact(f"{link.name} has the flag NOARP", case.ip(node, f"link show {link.name}"))
    return Cause("arp-off", at_link(node, link.name), text, (fact,), True, case.ip(node, f"link set {link.name} arp on"))


def unanswered(case: Case) -> Cause | None:
    """Somebody has the address, and the question did not come to him, or he kept silent, or his answer was lost."""
    spot = case.spot
    owners = case.owners(spot.asked) if spot.stage == "asking" else ()
    if not owners:
        return None
    node, link = owners[0]
    asker = case.link(spot.node, spot.link)
    if asker is None:
        return None
    return (
        _wrong_side(case, asker, owners[0])
        or _too_wide(case, asker, owners[0])
        or _own_subnet(case, asker, owners[0])
        or _in_the_way(case, (spot.node, spot.link), (node.name, link.name))
        or _deaf(case, node, link, asker)
    )


def _wrong_side(case: Case, asker: Link, owner: tuple[Node, Link]) -> Cause | None:
    """The address is a neighbour on another link of the asker than the one it asked on."""
    spot = case.spot
    node = case.node(spot.node)
    for other in node.links:
        if other.name == asker.name or other.kind == "loopback" or (other.master and other.port) or not other.up:
            continue
        there = way(case.before, (node.name, other.name), (owner[0].name, owner[1].name))
        if there is None or there.stops:
            continue
        if routes.on_link(other, spot.asked) and routes.on_link(asker, spot.asked):
            return clash(case, node, asker, other, spot.asked)
        if way(case.before, (node.name, asker.name), (owner[0].name, owner[1].name)) is None:
            found = case.route(node.name, spot.asked)
            text = f"{owner_words(node.name)} looks for {spot.asked} on {asker.name}, but it lives behind {other.name}"
            fact = Fact(
                f"{of_node(node.name)} routing says: by {found.dev or asker.name}", case.ip(node.name, f"route get {spot.asked}")
            )
            return Cause("route-wrong", at_gate(node.name, "routing"), text, (fact,))
    return None


def _too_wide(case: Case, asker: Link, owner: tuple[Node, Link]) -> Cause | None:
    """The asker takes for a neighbour who is in another subnet: its prefix is too short."""
    spot = case.spot
    mine = next((own for own in asker.v4 if routes.within(spot.asked, own.cidr)), None)
    there = way(case.before, (spot.node, spot.link), (owner[0].name, owner[1].name))
    if mine is None or (there is not None and not there.stops):
        return None
    node = case.node(spot.node)
    others = [own for _, far in neighbours_of(case, spot.node, spot.link) for own in far.v4] + list(owner[1].v4)
    right = next((own for own in others if mine.prefix < own.prefix < 32 and routes.within(mine.address, own.cidr)), None)
    apart = next((own for own in owner[1].v4 if own.address == spot.asked and mine.prefix < own.prefix < 32), None)
    if right is None and apart is None:
        return None
    if right is not None and routes.within(spot.asked, right.cidr):
        return None
    length = (right or apart or mine).prefix
    why = f"it takes {spot.asked} for a neighbour and asks for it on {asker.name} in vain"
    return prefix(case, node, asker, mine.cidr, why, f"{mine.address}/{length}" if right is None else right.cidr)


def _own_subnet(case: Case, asker: Link, owner: tuple[Node, Link]) -> Cause | None:
    """A subnet of the asker's own covers the address of somebody who lives elsewhere."""
    spot = case.spot
    mine = next((own for own in asker.v4 if own.prefix < 32 and routes.within(spot.asked, own.cidr)), None)
    if mine is None or way(case.before, (spot.node, spot.link), (owner[0].name, owner[1].name)) is not None:
        return None
    who = owner_words(spot.node)
    text = (
        f"{who} takes {spot.asked} for a neighbour, because {asker.name} has {mine.cidr}: that subnet covers the true one, "
        f"which lies beyond {owner_words(owner[0].name)}"
    )
    facts = (
        Fact(f"{asker.name} holds {mine.cidr}", case.ip(spot.node, f"address show {asker.name}")),
        Fact(f"{of_node(spot.node)} routing sends {spot.asked} by {asker.name}", case.ip(spot.node, f"route get {spot.asked}")),
    )
    return Cause("subnet-clash", at_gate(spot.node, "routing"), text, facts)


def _in_the_way(case: Case, start: tuple[str, str], goal: tuple[str, str]) -> Cause | None:
    """An obstacle between asker and owner."""
    there = way(case.before, start, goal)
    if there is None or not there.stops:
        return None
    return of_stop(case, there.stops[0], f"the question who has {case.spot.asked} was heard last at {_heard(case)}")


def of_stop(case: Case, stop: Stop, seen: str) -> Cause:
    """An obstacle of the segment as a cause. It is certain when the packet was last seen right before it."""
    spot = case.spot
    link = case.link(stop.node, stop.link)
    dead = stop.code in ("port-down", "link-down", "bridge-down", "isolated-ports", "port-state", "port-unplugged")
    beside = spot.hop is not None and (spot.hop.node, spot.hop.link) in {
        (stop.node, stop.link),
        (link.peer.node, link.peer.name) if link is not None and link.peer is not None else (stop.node, stop.link),
    }
    facts = (Fact(f"{stop.text} (in {owner_words(stop.node)})", case.run(stop.node, stop.look)), Fact(seen))
    fix = case.run(stop.node, stop.fix) if stop.fix else ""
    return Cause(stop.code, at_link(stop.node, stop.link), _told(case, stop), facts, dead and beside, fix)


def _told(case: Case, stop: Stop) -> str:
    return f"on {owner_words(stop.node)}: {stop.text}"


def _heard(case: Case) -> str:
    hop = case.spot.hop
    return f"{hop.link} of {owner_words(hop.node)}" if hop is not None else owner_words(case.spot.node)


def _deaf(case: Case, node: Node, link: Link, asker: Link) -> Cause | None:
    """The owner heard the question, or should have, and did not answer."""
    spot = case.spot
    if not link.arp:
        return arp_off(case, node.name, link)
    if not asker.arp:
        return arp_off(case, spot.node, asker)
    heard = [
        hop
        for hop in case.hops
        if hop.node == node.name and hop.kind == "arp-request" and hop.dst == spot.asked and hop.direction != "out"
    ]
    answered = any(hop.node == node.name and hop.kind == "arp-reply" and hop.src == spot.asked for hop in case.hops)
    if not heard or answered:
        return None
    source = heard[-1].src
    if node.owner(source) is not None:
        return _same_address(case, node, source)
    if (
        case.rose(node.name, "TcpExtIPReversePathFilter")
        or case.route(node.name, spot.asked, source, heard[-1].link).error == "EXDEV"
    ):
        return _filtered(case, node, link, source)
    return _ignored(case, node, link)


def _same_address(case: Case, node: Node, source: str) -> Cause:
    place = node.owner(source)
    name = place.name if place is not None else ""
    text = (
        f"{owner_words(node.name)} has {source} as well, on {name}: it takes the question for one of its own and does not answer"
    )
    facts = (Fact(f"{name} of {owner_words(node.name)} holds {source}", case.ip(node.name, f"address show {name}")),
             Fact(f"{owner_words(case.spot.node)} asks from {source}", case.ip(case.spot.node, f"address show {case.spot.link}")))  # fmt: skip
    return Cause("duplicate-address", at_link(node.name, name), text, facts, False, "")


def _filtered(case: Case, node: Node, link: Link, source: str) -> Cause:
    back = case.route(node.name, source)
    text = (
        f"{owner_words(node.name)} drops what comes from {source} by {link.name}, because its own way to {source} leads "
        f"{'by ' + back.dev if back.dev else 'nowhere'} (rp_filter)"
    )
    facts = (Fact("the kernel's reverse path filter counted a packet", case.run(node.name, "nstat -az TcpExtIPReversePathFilter")),
             Fact(f"rp_filter is on in {owner_words(node.name)}", case.run(node.name, "sysctl -a --pattern rp_filter$")))  # fmt: skip
    return Cause("rp-filter", at_gate(node.name, "routing"), text, facts, case.rose(node.name, "TcpExtIPReversePathFilter") > 0,
                 case.run(node.name, f"sysctl -w net.ipv4.conf.{link.name}.rp_filter=0 net.ipv4.conf.all.rp_filter=0"))  # fmt: skip


def _ignored(case: Case, node: Node, link: Link) -> Cause | None:
    """A setting that keeps the kernel from answering questions it hears."""
    for scope in (link.name, "all"):
        value = case.knob(node.name, f"net/ipv4/conf/{scope}/arp_ignore")
        if value not in ("", "0"):
            key = f"net.ipv4.conf.{scope}.arp_ignore"
            text = f"{owner_words(node.name)} heard the question and may not answer it: {key} is {value}"
            facts = (
                Fact(f"{key} is {value}", case.run(node.name, f"sysctl {key}")),
                Fact(f"the question was heard at {_heard(case)}, and no answer left"),
            )
            return Cause(
                "arp-ignored", at_gate(node.name, "neighbour"), text, facts, True, case.run(node.name, f"sysctl -w {key}=0")
            )
    return None
