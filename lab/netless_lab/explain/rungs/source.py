"""The sender: packets that never were on a wire, or that carry an address that is not the sender's alone."""

from __future__ import annotations

from ...model import routes
from ...model.journey import Fact
from ...model.probe import Connect, Fetch
from ...model.snapshot import Link, Node
from ...primitives.base import device
from ..case import Case, of_link
from ..cause import Cause, beside, blame, inferred, of_node, owner_words, said, seen, state
from ..near import cableless, ends, estranged, gateway_of, given, may_route, neighbours_of, no_address_beside, no_route, not_ready, switched_off, way_again, wrong_subnet
from ..packets import redirections
from ..policy import policy, refusing, route_fact
from ..rules import puts_in
from ..segment import End
from .back import turning_round, whose_source


def no_way_out(case: Case) -> Cause | None:
    """ENETUNREACH and its kin: the sender's own routing has no way."""
    reason, dst = case.outcome.reason, case.last.dst
    if case.outcome.by is not None or reason not in ("no-route", "no-address") or not dst:
        return None
    node = case.sender
    return (_loopback(case, node, dst)
            or (None if any(link.kind != "loopback" for link in node.links) else cableless(case, node))
            or _all_down(case, node, dst) or policy(case, node.name, dst) or _not_ready(case, node)
            or estranged(case, node.name, dst, None) or _no_address(case, node) or _alien(case, node)
            or _no_port(case, node, dst) or no_route(case, node.name, dst))


def _no_port(case: Case, node: Node, dst: str) -> Cause | None:
    """There is a way and an address: what a connection had none of is a port to be sent from (ip_local_port_range, tcp(7))."""
    if case.outcome.reason != "no-address" or not isinstance(case.probe, Connect | Fetch) or case.route(node.name, dst).error:
        return None
    key = "net.ipv4.ip_local_port_range"
    told = said(f"connect(2) said EADDRNOTAVAIL: {case.outcome.text}", case.run(node.name, f"ss -tan dst {dst}"))
    allowed = inferred(f"{key} says which ports a connection may be sent from", case.run(node.name, f"sysctl {key}"))
    return blame(case, "no-free-port", node.name, facts=(told, allowed), key=key)


def refused_by_route(case: Case) -> Cause | None:
    """A blackhole, unreachable or prohibit route or policy rule of the sender itself."""
    errno = {"blackhole": "EINVAL", "unreachable": "EHOSTUNREACH", "filtered": "EACCES"}.get(case.outcome.reason)
    if case.outcome.by is not None or errno is None or not case.last.dst:
        return None
    return _broadcast(case) or refusing(case, case.probe.node, case.last.dst, None, None)


def own_address(case: Case) -> Cause | None:
    """A packet to one's own address that never came out of lo."""
    return _loopback(case, case.sender, case.last.dst) if case.last.node == case.probe.node else None


def _loopback(case: Case, node: Node, dst: str) -> Cause | None:
    """To oneself, and lo is down."""
    lo = next((link for link in node.links if link.kind == "loopback"), None)
    own = node.owner(dst) is not None or routes.within(dst, "127.0.0.0/8") or dst == "::1"
    if lo is None or lo.up or not own:
        return None
    return blame(case, "lo-down", node.name, lo.name, facts=(state("lo is down", case.ip(node.name, "link show lo")),))


def _all_down(case: Case, node: Node, dst: str) -> Cause | None:
    """Every interface is down."""
    links = [link for link in node.links if link.kind != "loopback"]
    if any(link.up for link in links):
        return None
    link = next((own for own in links if routes.on_link(own, dst)), next((own for own in links if case.own(own)), links[0]))
    fact = state(f"{link.name} is down", case.ip(node.name, f"link show {device(link.name)}"))
    return blame(case, "link-down", node.name, link.name, facts=(fact,), how="routes", fix=way_again(case, node, link))


def _not_ready(case: Case, node: Node) -> Cause | None:
    """An IPv6 address that nobody may use yet, or that somebody else has (RFC 4862)."""
    for link in node.links:
        for own in link.addresses:
            if own.family == case.family and own.scope != "link" and (own.duplicate or (own.tentative and link.up)):
                return not_ready(case, node.name, link, own)
    return None


def of_one_link(case: Case) -> Cause | None:
    """The sender used an address of fe80::/10, or ::1, for a packet that has to leave its link, for want of one that may travel (RFC 6724, RFC 4291)."""
    last, node = case.last, case.sender
    reach = "one link" if routes.is_link_local(last.src) else "its own node" if routes.is_loopback(last.src) else ""
    if case.family == 4 or last.leg != "forward" or not last.iif or not reach or routes.is_link_local(last.dst):
        return None
    made = _not_ready(case, node) or _no_address(case, node)
    if made is None:
        return None
    fact = seen(f"the packet set out from {last.src}, an address that is valid on {reach} only", case.ip(node.name, f"route get {last.dst}"))
    return Cause(made.code, made.place, made.text, (*made.facts, fact), made.fix)


def without_source(case: Case) -> Cause | None:
    """Of the sender's IPv6 addresses none may be used yet, not even to ask who its next hop is (RFC 4862, 5.4), so nothing left; and without one of
    IPv4 nobody is asked either, and a packet to a known neighbour leaves from 0.0.0.0.
    """
    node, last = case.sender, case.last
    if case.family == 4:
        found = case.route(node.name, last.dst) if last.dst and (last.stage == "unsent" or last.src == "0.0.0.0") else None
        out = node.link(found.dev) if found is not None and found.type == "unicast" and found.dev else None
        return _no_address(case, node, out) if out is not None and out.up and out in ends(node) else None
    if last.stage != "unsent":
        return None
    addresses = [own for link in node.links if link.kind != "loopback" for own in link.addresses if own.family == 6]
    if any(not (own.duplicate or own.tentative) for own in addresses):
        return None
    return _not_ready(case, node)


def _no_address(case: Case, node: Node, out: Link | None = None) -> Cause | None:
    """No interface has an address; ``out`` is the one by which a route leads all the same."""
    links = ends(node)
    if not links or any(case.own(link) for link in links):
        return None
    link = out or next((own for own in links if own.up), links[0])
    if (off := switched_off(case, node, link)) is not None:
        return off
    wanted = next((address for address, whose in case.expected.items() if whose == node.name and not case.owners(address)), "")
    fits = bool(wanted) and routes.family_of(wanted) == case.family
    fact = state(f"{link.name} has no {case.protocol} address", case.ip(node.name, f"address show {device(link.name)}"))
    length = 24 if case.family == 4 else 64
    via = gateway_of(case, node, link.name)
    fix = given(case, node, link, f"{wanted}/{length}" if fits else "")
    if fix and not routes.within(case.last.dst, routes.subnet(f"{wanted}/{length}")):
        via = via or _gateway_within(case, node, link, f"{wanted}/{length}")
        verb = "replace" if out else "add"
        fix += f"; {case.ip(node.name, f'route {verb} default via {via}')}" if via else ""
    return blame(case, "address-missing", node.name, link.name, facts=(fact,), how="source" if out else "", fix=fix)


def _gateway_within(case: Case, node: Node, link: Link, cidr: str) -> str:
    """The host's or a router's address in a subnet, on the link's segment."""
    near = (own for other, far in neighbours_of(case, node.name, link.name) if other.role in ("host", "router") for own in case.own(far))
    return next((own.address for own in near if routes.within(own.address, cidr)), "")


def _alien(case: Case, node: Node) -> Cause | None:
    """An address of another subnet than everybody's on the segment; the default route could never be set, or went with the right one."""
    if case.has_default(node):
        return None
    for link in node.links:
        if link.kind == "loopback" or not case.own(link) or not link.up:
            continue
        others = no_address_beside(case, node, link)
        if others and not any(routes.within(mine.address, own.cidr) for mine in case.own(link) for own in others):
            return wrong_subnet(case, node, link, others[0].cidr)
    return None


def from_broadcast(case: Case) -> Cause | None:
    """The answer is for the sender's address, and the node it came to knows that as a broadcast address of its own (RFC 1812, section 5.3.5)."""
    last = case.last
    link = case.sender.owner(last.dst) if last.leg == "return" and last.iif and case.family == 4 else None
    held = next((own for own in link.addresses if own.address == last.dst), None) if link is not None else None
    there = [(far, own) for far in case.node(last.node).links for own in case.own(far) if own.prefix < 31 and routes.last_of(routes.subnet(own.cidr)) == last.dst]
    if link is None or held is None or not there:
        return None
    far, own = there[0]
    holds = inferred(f"{link.name} of {owner_words(case.probe.node)} holds {held.cidr}", case.ip(case.probe.node, f"address show {device(link.name)}"))
    takes = f"{far.name} of {owner_words(last.node)} holds {own.cidr}, whose last address is {last.dst}"
    says = (seen if case.last.stage == "routing" else inferred)(f"the answer for {last.dst} came into {owner_words(last.node)}, and {takes}",
                                                                 case.ip(last.node, f"route get {last.dst}"))
    network = routes.subnet(held.cidr)
    return blame(case, "broadcast-address", case.probe.node, link.name, facts=(holds, says), how="sender", dst=last.dst, network=network,
                 far=owner_words(last.node))


def _broadcast(case: Case) -> Cause | None:
    """EACCES because the address is the last one of a subnet of the sender's. IPv6 has no broadcast."""
    node, dst = case.sender, case.last.dst
    for link in node.links:
        for own in link.v4:
            network = routes.subnet(own.cidr)
            if own.prefix >= 31 or routes.last_of(network) != dst:
                continue
            owners = case.owners(dst)
            fact = said(f"{link.name} holds {own.cidr}, whose last address is {dst}", case.ip(node.name, f"address show {device(link.name)}"))
            if owners:
                length = next(theirs.prefix for theirs in owners[0].link.addresses if theirs.address == dst)
                fix = case.ip(node.name, f"address replace {own.address}/{length} dev {link.name}")
                fix += "; " + case.ip(node.name, f"address del {own.cidr} dev {link.name}")
                return blame(case, "prefix-wrong", node.name, link.name, facts=(fact,), how="broadcast", fix=fix, cidr=own.cidr, dst=dst,
                             owner=owner_words(owners[0].node.name))
            return blame(case, "broadcast-address", node.name, link.name, facts=(fact,), dst=dst, network=network)
    return None


def claimed_twice(case: Case) -> Cause | None:
    """The asked address is in more than one node on one segment, and one of them has no business with it."""
    dst = case.last.dst or next((hop.dst for hop in case.hops if hop.leg == "forward"), "")
    owners = _rivals(case, dst)
    if len({node.name for node, _ in owners}) < 2:
        return None
    rightful = case.expected.get(dst)
    suspects = [pair for pair in owners if rightful is not None and pair.node.name != rightful]
    suspects += [pair for pair in owners if rightful is None and pair.node.name == case.last.node]
    wrong = suspects[0] if suspects else owners[-1]
    right = next((pair for pair in owners if pair.node.name != wrong.node.name), owners[0])
    facts = [inferred(f"{link.name} of {owner_words(node.name)} holds {dst}", case.ip(node.name, f"address show {device(link.name)}"))
             for node, link in (right, wrong)]
    answers = {hop.mac_src for hop in case.hops if hop.neighbour == "answer" and dst in (hop.src, hop.dst)}
    if len(answers) > 1:
        facts.append(seen(f"two machines answered the question who has {dst}: {' and '.join(sorted(answers))}"))
    cidr = next(own.cidr for own in wrong.link.addresses if own.address == dst)
    fix = case.ip(wrong.node.name, f"address del {cidr} dev {wrong.link.name}") if rightful is not None else ""
    return blame(case, "duplicate-address", wrong.node.name, wrong.link.name, facts=facts, fix=fix, address=dst,
                 right=owner_words(right.node.name))


def gateway_twice(case: Case) -> Cause | None:
    """Somebody who does not route has the gateway's address as well, and took the packet."""
    last = case.last
    used = routes.best(case.sender, last.dst, routes.MAIN) if last.dst and last.leg == "forward" else None
    via = used.via if used is not None else None
    rivals = _rivals(case, via) if via else []
    wrong = next((pair for pair in rivals if pair.node.name == last.node and not may_route(case, pair.node)), None)
    right = next((pair for pair in rivals if pair.node.name != last.node and may_route(case, pair.node)), None)
    if used is None or via is None or wrong is None or right is None:
        return None
    facts = [inferred(f"{link.name} of {owner_words(node.name)} holds {via}", case.ip(node.name, f"address show {device(link.name)}"))
             for node, link in (right, wrong)]
    facts.append(seen(f"the packet for {last.dst} came to {wrong.link.name} of {owner_words(wrong.node.name)}, which does not forward"))
    cidr = next(own.cidr for own in wrong.link.addresses if own.address == via)
    steps = (case.ip(wrong.node.name, f"address del {cidr} dev {wrong.link.name}"), case.ip(case.probe.node, f"neighbour del {via} dev {used.dev}"))
    return blame(case, "duplicate-address", wrong.node.name, wrong.link.name, facts=facts, fix="; ".join(steps), address=via, right=owner_words(right.node.name))


def _rivals(case: Case, address: str) -> list[End]:
    """Owners that can hear each other's questions, or that took in this very packet although it is another's.

    An address that is in two places on purpose (a gateway on the bridges of two hosts, one on lo that many answer for) is nobody's mistake
    as long as no neighbour can be asked for it in vain or twice.
    """
    owners = [owner for owner in case.owners(address) if owner.link.kind != "loopback"] if address else []
    if len(owners) < 2 or routes.is_link_local(address):
        return owners[:1]
    took = {hop.node for hop in case.hops if hop.direction == "in" and hop.dst == address and not hop.neighbour}
    first = next((pair for pair in owners if pair.node.name == case.expected.get(address)), owners[0])
    heard = {end.place for owner in owners for end in neighbours_of(case, *owner.place)}
    beside = [owner for owner in owners if owner.place in heard]
    stolen = [pair for pair in owners if pair.node.name in took and case.expected.get(address) not in (None, pair.node.name)]
    return beside or [first, *stolen]


def sender_twice(case: Case) -> Cause | None:
    """The answer was sent to another node that has the sender's address as well."""
    last = case.last
    if last.leg != "return" and last.stage not in ("asking", "stray", "crossing", "delivered"):
        return None
    own = next((hop.src for hop in case.hops if hop.node == case.probe.node and hop.direction == "out" and hop.leg == "forward"), "")
    owners = _rivals(case, own)
    wrong = next((owner for owner in owners if owner.node.name != case.probe.node), None)
    if wrong is None or not any(node.name == case.probe.node for node, _ in owners):
        return None
    holds = inferred(f"{wrong.link.name} of {owner_words(wrong.node.name)} holds {own} too", case.ip(wrong.node.name, f"address show {device(wrong.link.name)}"))
    return blame(case, "duplicate-address", wrong.node.name, wrong.link.name, facts=(holds,), how="sender", address=own,
                 asker=owner_words(case.probe.node))


def strange_source(case: Case) -> Cause | None:
    """The sender used an address that does not belong to the link it sent by, and the answer cannot find it."""
    last, node = case.last, case.probe.node
    first = next(iter(case.seen(node, None, "out")), None)
    link = case.link(node, first.link) if first is not None else None
    if first is None or link is None or not case.own(link):
        return None
    if any(own.address == first.src for own in link.addresses) or (link.master and link.port):
        return None
    holder = case.sender.owner(first.src)
    lost = last.leg == "return" or (last.stage == "delivered" and case.route(last.node, last.src).error)
    if holder is None or not lost:
        return None
    found = case.route(node, first.dst)
    facts: tuple[Fact, ...] = (
        inferred(f"{of_node(node)} routing chooses the source {found.prefsrc or first.src}", case.ip(node, f"route get {first.dst}")),
        inferred(f"{link.name} holds {', '.join(own.cidr for own in case.own(link))}", case.ip(node, f"address show {device(link.name)}")),
    )
    return blame(case, "source-wrong", node, facts=facts, out=link.name, address=first.src, holder=holder.name)


def wrong_of_two(case: Case) -> Cause | None:
    """The target knows no way back to the address that the sender chose, and one to another address of the sender's (RFC 6724)."""
    last, node = case.last, case.node(case.last.node)
    sent = next((hop for hop in case.seen(case.probe.node, None, "out") if hop.leg == "forward"), None)
    if last.leg != "forward" or sent is None or sent.src != last.src or not case.route(node.name, last.src).error:
        return None
    others = [own.address for link in case.sender.links for own in case.own(link) if own.address != last.src and own.scope == "global"]
    known = next((other for other in others if not routes.worked_out(node, other).error), "")
    holder = case.sender.owner(last.src)
    if not known or holder is None:
        return None
    refuses = route_fact(case, node, last.src)
    chooses = inferred(f"{of_node(case.probe.node)} routing sends it from {last.src}", case.ip(case.probe.node, f"route get {last.dst}"))
    return blame(case, "source-wrong", case.probe.node, facts=(chooses, beside(refuses)), how="known", address=last.src,
                 far=owner_words(node.name), known=known)


def not_led_back(case: Case) -> Cause | None:
    """The route of the sender chose a source that the first router on the way does not lead back to, and another address of the sender's it does."""
    last, home = case.last, case.probe.node
    sent = next((hop for hop in case.seen(home, None, "out") if hop.leg == "forward"), None)
    lost = last.leg == "return" or (last.stage == "delivered" and case.route(last.node, last.src).error)
    route = routes.best(case.sender, sent.dst, routes.MAIN) if sent is not None and lost else None
    came = next((hop for hop in case.hops if hop.leg == "forward" and hop.direction == "in" and hop.node != home and case.at_end(hop)), None)
    if sent is None or route is None or came is None or came.dst != sent.dst or came.src != sent.src or case.route(home, sent.dst).prefsrc != sent.src:
        return None
    router, back = case.node(came.node), case.route(came.node, sent.src)
    others = [own.address for link in case.sender.links for own in case.own(link) if own.address != sent.src and own.scope == "global"]
    known = next((other for other in others if case.route(router.name, other).dev == came.link), "")
    if router.owner(sent.dst) is not None or not known or back.dev == came.link or back.type == "local":
        return None
    chooses = inferred(f"{of_node(home)} routing sends it from {sent.src}", case.ip(home, f"route get {sent.dst}"))
    leads = inferred(f"{of_node(router.name)} routing says for {sent.src}: {'by ' + back.dev if back.dev else back.words}",
                     case.ip(router.name, f"route get {sent.src}"))
    return blame(case, "source-wrong", home, facts=(chooses, leads), how="known", address=sent.src, far=owner_words(router.name), known=known)


def loopback_led_out(case: Case) -> Cause | None:
    """A packet to the node's own 127.0.0.0/8 that its translation leads out: its source is of there too, and does not travel."""
    last, node = case.last, case.node(case.last.node)
    if case.family == 6 or not routes.is_loopback(last.dst) or last.iif:
        return None
    if any(case.knob(node.name, of_link(4, name, "route_localnet")) == "1" for name in ("all", *(link.name for link in node.links))):
        return None
    for _, chain, rule in (found for found in redirections(case, node.name) if not puts_in(found[0], last.dst)):
        reads = inferred(f"the rule reads: {rule.text}", case.listing(node.name, chain))
        barred = inferred("127.0.0.0/8 may not be routed", case.run(node.name, "sysctl -a --pattern route_localnet"))
        return blame(case, "route-localnet", node.name, facts=(reads, barred), how="out", src=last.dst, rule=rule.text)
    return None


def martian(case: Case) -> Cause | None:
    """A source that cannot come from outside: this node's own address, unless it is told that it can (accept_local), or one of 127.0.0.0/8."""
    last = case.last
    if not last.src or not last.iif or (last.node == case.probe.node and last.leg == "forward") or case.bounced:
        return None
    node = case.node(last.node)
    own = node.owner(last.src)
    if own is not None and any(case.knob(node.name, of_link(4, link, "accept_local")) == "1" for link in ("all", last.iif)):
        return None
    if own is not None:
        holds = inferred(f"{own.name} holds {last.src}", case.ip(node.name, f"address show {device(own.name)}"))
        if last.dst == last.src or any(routes.host_of(change.after) == last.src for change in case.redirects):
            rewriter = next((change.node for change in case.redirects), node.name)
            return blame(case, "no-hairpin", rewriter, facts=(holds,), fix=turning_round(case, rewriter, last.src, last.src), how="martian",
                         asker=owner_words(node.name), address=last.src)
        written = next((one for one in case.evidence.journey.rewrites if one.what == "source" and routes.host_of(one.after) == last.src), None)
        if written is not None and written.node != node.name and last.leg == "forward":
            return whose_source(case, written, (holds,))
        if case.family == 6 and last.stage == "routing":  # IPv6 passes it on like any other, and only its answer goes astray
            return None
        found = case.route(node.name, last.dst, last.src, last.iif)
        refuses = (route_fact(case, node, last.dst, last.src, last.iif),) if found.error == "EINVAL" else ()
        return blame(case, "duplicate-address", node.name, own.name, facts=(holds, *refuses), how="source" if case.family == 4 else "itself", address=last.src)
    if not (routes.within(last.src, "127.0.0.0/8") or routes.within(last.dst, "127.0.0.0/8")):
        return None
    key = of_link(4, last.iif, "route_localnet")
    if "1" in (case.knob(node.name, key), case.knob(node.name, "net.ipv4.conf.all.route_localnet")):
        return None
    fact = inferred("127.0.0.0/8 may not be routed", case.run(node.name, f"sysctl {key}"))
    return blame(case, "route-localnet", node.name, facts=(fact,), src=last.src, dst=last.dst)
