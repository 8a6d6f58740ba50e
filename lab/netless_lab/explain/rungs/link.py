"""Links: an interface that is down or dead, too narrow, or whose queue gives nothing out; and a cable end that should be a port and is none."""

from __future__ import annotations

from typing import Final

from ...model import routes
from ...model.evidence import IcmpError
from ...model.journey import Fact
from ...model.probe import Ping, Udp
from ...model.snapshot import PLAIN_QUEUES, Link, Node
from ...model.telling import PROGRAMS
from ...primitives.base import device
from ..case import Case
from ..cause import Cause, at_link, blame, inferred, is_here, of_node, owner_words, said, state, unheard, with_link
from ..near import of_stop, up_again, way_there
from ..policy import route_fact
from ..segment import could_be_port, way

_ETHERNET: Final = 14
_USUAL: Final = 1500
_HEADERS: Final = {4: 28, 6: 48}
"""An IP header and that of an echo request."""
_SLACK: Final = 4
"""is_skb_forwardable() of the kernel lets a VLAN tag's worth pass."""
_TOO_BIG: Final = {4: (3, 4), 6: (2, 0)}
"""(type, code) of the error that says so: RFC 1191, RFC 4443."""


def unplugged(case: Case) -> Cause | None:
    """The packet came in by a cable end that is in no bridge, although whom it was handed to is the address of a bridge there.

    A bridge borrows a port's MAC, so a frame for the bridge is taken in by that very port when it is a port no more: the node then routes
    what came in by the wrong link, and its rules, which speak of the bridge, drop it.
    """
    last = case.last
    link = case.link(last.node, last.iif or "")
    if link is None or link.master or not could_be_port(link) or last.hop is None:
        return None
    sent = next((hop for hop in reversed(case.hops[: last.at]) if hop.direction == "out" and hop.mac_dst == last.hop.mac_dst), None)
    if sent is None or sent.node == last.node:
        return None
    next_hop = case.route(sent.node, sent.dst).next_hop
    bridge = next((far for node, far in case.owners(next_hop) if node.name == last.node and far.kind == "bridge"), None)
    if bridge is None:
        return None
    facts = (state(f"{link.name} has no master", case.ip(last.node, f"link show {device(link.name)}")),
             inferred(f"{owner_words(sent.node)} sent it to {next_hop}, which is {bridge.name}'s; it came in by {link.name}"))
    return blame(case, "port-unplugged", last.node, link.name, facts=facts, how="taken",
                 mended=with_link(last.node, link.name, master=bridge.name), bridge=bridge.name)


def no_carrier(case: Case) -> Cause | None:
    """The link out is up, and its cable is dead: nothing is ever put on it."""
    last = case.last
    home = last.stage == "delivered"
    dst = last.src if home else last.dst
    if not dst:
        return None
    found = case.route(last.node, dst, last.src if last.iif else None, None if home else last.iif)
    link = case.link(last.node, found.dev) if found.dev else None
    if link is None:
        return None
    node = case.node(last.node)
    return (None if home else _leads_elsewhere(case, node, link, found.next_hop)) or _dead_cable(case, node, link, dst)


def _leads_elsewhere(case: Case, node: Node, link: Link, address: str) -> Cause | None:
    """The dead link is not to blame: it only has a subnet that covers the address of somebody to whom no cable leads from it."""
    owners = case.owners(address, node.name)
    mine = next((own.cidr for own in case.own(link) if routes.within(address, own.cidr)), "")
    if link.carrier or not link.up or not mine or not owners:
        return None
    if any(way(case.before, (node.name, link.name), owner.place) is not None for owner in owners):
        return None
    facts = (inferred(f"{link.name} holds {mine}", case.ip(node.name, f"address show {device(link.name)}")), route_fact(case, node, address))
    return blame(case, "subnet-clash", node.name, facts=facts, how="covers", dst=address, out=link.name, mine=mine, owner=owner_words(owners[0].node.name))


def _dead_cable(case: Case, node: Node, link: Link, dst: str) -> Cause | None:
    """Why ``link`` cannot carry a frame out; None when it can."""
    if link.kind == "loopback":
        return None
    if not link.up:
        fact = state(f"{link.name} is down", case.ip(node.name, f"link show {device(link.name)}"))
        code = "bridge-down" if link.kind == "bridge" else "link-down"
        return blame(case, code, node.name, link.name, facts=(fact,), fix=up_again(case, node, link))
    if link.carrier:
        return None
    return _bridge_without_ports(case, node, link, dst) if link.kind == "bridge" else _far_end_down(case, node, link)


def _far_end_down(case: Case, node: Node, link: Link) -> Cause | None:
    fact = inferred(f"{link.name} of {owner_words(node.name)} is up and has no carrier", case.ip(node.name, f"link show {device(link.name)}"))
    far = case.link(link.peer.node, link.peer.name) if link.peer is not None and link.peer.node else None
    if link.kind == "tun":
        dead = state(fact.text, fact.look)
        return blame(case, "link-down", node.name, link.name, facts=(dead,), how="program", fix="", kind=link.mode or link.kind)
    if link.peer is None or far is None:
        return blame(case, "link-down", node.name, link.name, facts=(fact,), how="unseen", fix="")
    if far.up:
        return None
    code = "port-down" if far.master and far.port else "link-down"
    down = state(f"{far.name} is down", case.ip(link.peer.node, f"link show {device(far.name)}"))
    fix = up_again(case, case.node(link.peer.node), far)
    return blame(case, code, link.peer.node, far.name, facts=(down, fact), how="far", fix=fix, near=link.name)


def _bridge_without_ports(case: Case, node: Node, bridge: Link, dst: str) -> Cause | None:
    """A bridge none of whose ports is alive; which of them should be is asked of the way to whom the packet, or its answer, is for."""
    hop = case.last.asked or case.route(node.name, dst).next_hop
    owners = case.owners(hop, node.name)
    there = way(case.before, (node.name, bridge.name), owners[0].place) if owners else None
    if there is None or not there.stops:
        return None
    cause = of_stop(case, there.stops[0], f"no port of {bridge.name} has a carrier")
    asker = case.route(case.probe.node, case.last.dst)
    if case.last.stage != "delivered" or not cause.fix or not asker.dev:
        return cause
    # the node answered for its address by another device, and that one's MAC is remembered
    return Cause(cause.code, cause.place, cause.text, cause.facts, f"{cause.fix}; {case.ip(case.probe.node, f'neighbour del {asker.next_hop} dev {asker.dev}')}")


def held_back(case: Case) -> Cause | None:
    """The packet should have left by a link whose queue was given rules of its own (tc(8))."""
    last = case.last
    dst = last.src if last.stage == "delivered" and last.leg == "forward" else last.dst
    found = case.route(last.node, dst) if dst else None
    link = found.dev if found is not None and found.dev else ""
    kind = case.knob(last.node, f"qdisc/{link}")
    if kind in PLAIN_QUEUES:
        return None
    fact = inferred(f"{link} has the queueing discipline {kind}", case.run(last.node, f"tc -s qdisc show dev {link}"))
    return blame(case, "queue-drop", last.node, link, facts=(fact,), kind=kind)


def by_policy_of_ipsec(case: Case) -> Cause | None:
    """IPsec decides in the node before a packet may leave, pass or come in (ip-xfrm(8)): what, cannot be read here."""
    node = case.last.node
    there = case.knob(node, "ipsec")
    if not there:
        return None
    return blame(case, "ipsec", node, facts=(inferred(f"{owner_words(node)} has {there}", case.run(node, "ip xfrm policy")),), there=there)


def unread(case: Case) -> tuple[Fact, ...]:
    """Filters of tc and XDP programs of the node where the packet was last seen, or at the other end of its cable: whether they took it, nobody
    can read, nor where they sent it.
    """
    last, facts = case.last, list[Fact]()
    held = {last.node, last.hop.node if last.hop is not None else last.node}
    for node in case.before.nodes:
        for link in node.links:
            for program in link.programs:
                if program != "queue" and (node.name in held or is_here(case, at_link(node.name, link.name))):
                    filters = f"tc filter show dev {link.name} {program.removeprefix('tc-')}"
                    look = case.run(node.name, f"ip -d link show dev {link.name}" if program == "xdp" else filters)
                    text = f"{PROGRAMS[program]} decides over packets of {link.name} in {owner_words(node.name)}; whether over this one cannot be read"
                    facts.append(state(text, look))
    return tuple(facts)


def too_big(case: Case) -> Cause | None:
    """The sender, or a router on the way, said that the packet is too big and may not be cut."""
    if case.outcome.reason != "too-big":
        return None
    carried = case.probe.size if isinstance(case.probe, Ping | Udp) else 0
    size = (carried or 0) + _HEADERS[case.family]
    if case.outcome.by is None or not case.evidence.errors:
        found = case.route(case.probe.node, case.last.dst) if case.last.dst else None
        return _local(case, case.link(case.probe.node, found.dev) if found is not None and found.dev else None, size)
    node = case.node(case.evidence.errors[0].made_by)
    found = case.route(node.name, case.last.dst) if case.last.dst else None
    link = node.link(found.dev) if found is not None and found.dev else None
    narrowest = min((own for own in node.links if own.kind != "loopback"), key=lambda own: own.mtu, default=None)
    link = link if link is not None else narrowest
    return _narrow(case, node, link) if link is not None and link.mtu < size else _set(case, node, size, said(case.outcome.text))


def _local(case: Case, link: Link | None, size: int) -> Cause | None:
    """The sender itself says no: its own link is too narrow, or a router has told it before that one further on is."""
    if link is not None and link.mtu < size:
        return _narrow(case, case.sender, link)
    if (own := _set(case, case.sender, size, said(case.outcome.text))) is not None:
        return own
    further = ((node, out) for node, out in way_there(case) if node.name != case.probe.node)
    found = (_narrow(case, node, out) if out.mtu < size else _set(case, node, size, *_learned(case)) for node, out in further)
    return next(filter(None, found), None) or _path(case, size)


def _set(case: Case, node: Node, size: int, *facts: Fact, how: str = "", fate: str = "") -> Cause | None:
    """The node's route says that its path carries less than the packet has, as somebody has set it, however wide the links are."""
    dst = case.last.dst
    answers = (case.route(node.name, dst), routes.worked_out(node, dst)) if dst else ()
    mtu = next((found.mtu for found in answers if found.mtu and not found.mtu_learned), 0)  # what it has learned it uses for its own packets only
    if not 0 < mtu < size:
        return None
    reads = inferred(f"{of_node(node.name)} routing says for {dst}: mtu {mtu}, set with the route", case.ip(node.name, f"route get {dst}"))
    return blame(case, "route-mtu", node.name, facts=(reads, *facts), how=how, dst=dst, mtu=mtu, size=size, fate=fate)


def _learned(case: Case) -> tuple[Fact, ...]:
    """What the sender remembers of the path, when a router has said it."""
    found, node = case.route(case.probe.node, case.last.dst), case.probe.node
    learned = said(f"{of_node(node)} routing says for {case.last.dst}: mtu {found.mtu}, a router said so", case.ip(node, f"route get {case.last.dst}"))
    return (learned,) if found.mtu_learned else ()


def _path(case: Case, size: int) -> Cause | None:
    """No link is too narrow, and no route says so of its path: the sender remembers that a router told it."""
    found, learned = case.route(case.probe.node, case.last.dst), _learned(case)
    if not learned or found.mtu >= size:
        return None
    link, node = case.link(case.probe.node, found.dev or ""), case.probe.node
    if link is not None and link.vxlan is not None and not found.via:
        # the tunnel itself told its sender: what it carries travels inside packets of its own, and they have to fit the link below
        facts = (_mtu(case, case.sender, link), *learned)
        return blame(case, "mtu-wrong", node, link.name, facts=facts, how="tunnel", fix="", mtu=link.mtu, right=found.mtu, size=size)
    facts = (*learned, said(case.outcome.text))
    return blame(case, "path-mtu-remembered", node, facts=facts, fix=case.ip(node, "route flush cache"), dst=case.last.dst, mtu=found.mtu)


def _mtu(case: Case, node: Node, link: Link) -> Fact:
    return inferred(f"{link.name} has the MTU {link.mtu}", case.ip(node.name, f"link show {device(link.name)}"))


def _narrow(case: Case, node: Node, link: Link) -> Cause:
    right = _wider(case, link)
    facts = (_mtu(case, node, link), said(case.outcome.text))
    wide = case.ip(node.name, f"link set {device(link.name)} mtu {right}") if link.mtu < right else ""
    told = wide and node.name != case.probe.node  # the sender keeps what a router told it for ten minutes (ip-sysctl, mtu_expires)
    fix = f"{wide}; {case.ip(case.probe.node, 'route flush cache')}" if told else wide
    return blame(case, "mtu-wrong", node.name, link.name, facts=facts, mtu=link.mtu, right=right, fix=fix)


def _wider(case: Case, link: Link) -> int:
    """The MTU that the link should have, at least its own."""
    far = case.link(link.peer.node, link.peer.name) if link.peer is not None and link.peer.node else None
    usual = max(far.mtu if far is not None else _USUAL, _USUAL)
    return max(usual, link.mtu)


def swallowed(case: Case) -> Cause | None:
    """A big packet was lost right before a link that is too narrow for it."""
    last = case.last
    if last.hop is None:
        return None
    size = last.hop.length - _ETHERNET
    if last.stage == "crossing":
        return _beyond_cable(case, size)
    if last.stage == "bridging":
        return _beyond_port(case, size)
    if last.stage == "routing" and last.iif:
        found = case.route(last.node, last.dst, last.src, last.iif)
        link = case.link(last.node, found.dev) if found.dev else None
        if link is not None and size > link.mtu and link.mtu < _narrowest(case):
            return _black_hole(case, case.node(last.node), link, size)
        whole = case.family == 6 or last.kind == "tcp" or (last.leg == "forward" and isinstance(case.probe, Ping | Udp) and case.probe.dont_fragment)
        return _set(case, case.node(last.node), size, *_told(case), how="silent", fate=_fate(case)) if whole else None
    return None


def _narrowest(case: Case) -> int:
    """The smallest MTU of the links the packet has passed. Inside one kernel a frame may be longer: it is cut only at a real wire (GSO)."""
    own = next((run.hops for run in case.evidence.runs if case.last.at in run.hops), (case.last.at,))
    passed = [case.hops[number] for number in own if number <= case.last.at]
    found = [link.mtu for hop in passed if (link := case.link(hop.node, hop.link)) is not None and link.kind != "loopback"]
    return min(found, default=_USUAL)


def _beyond_cable(case: Case, size: int) -> Cause | None:
    last = case.last
    link = case.link(last.node, last.link)
    far = case.link(link.peer.node, link.peer.name) if link is not None and link.peer is not None and link.peer.node else None
    if link is None or link.peer is None or far is None or size <= far.mtu + _SLACK or far.mtu >= link.mtu:
        return None
    if far.mtu < _USUAL or link.mtu <= _USUAL:
        return _uneven(case, case.node(link.peer.node), far, size)
    node = case.node(last.node)
    facts = (_mtu(case, node, link), inferred(f"the packet has {size} bytes"))
    return blame(case, "mtu-wrong", node.name, link.name, facts=facts, how="wide", mtu=link.mtu, far=far.name, right=far.mtu)


def _beyond_port(case: Case, size: int) -> Cause | None:
    """A port, or its bridge, that is narrower than the frame."""
    last = case.last
    here = case.link(last.node, last.link)
    bridge = (here.master or here.name) if here is not None else ""
    target = next((link for owner in case.before.nodes for link in owner.links if last.hop and link.mac == last.hop.mac_dst), None)
    for link in case.node(last.node).links:
        leads = target is not None and link.peer is not None and link.peer.name == target.name
        if link.master == bridge and leads and size > link.mtu + _SLACK:
            return _uneven(case, case.node(last.node), link, size)
        if link.master == bridge and link.vxlan is not None and link.name != last.link and size > link.mtu + _SLACK:
            return _beyond_tunnel(case, case.node(last.node), link, size)
    return None


def _beyond_tunnel(case: Case, node: Node, link: Link, size: int) -> Cause | None:
    """The frame is for whom only the tunnel leads to, and a tunnel carries less than the wire it runs on: who sends has to send less."""
    sent = next((hop for hop in case.hops if hop.direction == "out" and case.last.hop and hop.mac_src == case.last.hop.mac_src), None)
    mac = case.last.hop.mac_dst if case.last.hop is not None else None
    goal = next(((own.name, far.name) for own in case.before.nodes for far in own.links if far.mac == mac and far.vxlan), None)
    there = way(case.before, (sent.node, sent.link), goal) if sent is not None and goal is not None else None
    if sent is None or there is None or there.stops or (node.name, link.name) not in there.places:
        return None
    facts = (_mtu(case, node, link), inferred(f"the frame of {size} bytes was last seen at {case.last.link} of {owner_words(node.name)}"))
    fix = case.ip(sent.node, f"link set {device(sent.link)} mtu {link.mtu}")
    return blame(case, "mtu-black-hole", node.name, link.name, facts=facts, how="tunnel", fix=fix, mtu=link.mtu, size=size)


def _uneven(case: Case, node: Node, link: Link, size: int) -> Cause:
    """One end of a way takes less than the other sends."""
    right = _wider(case, link)
    facts = (_mtu(case, node, link), inferred(f"the packet has {size} bytes"))
    return blame(case, "mtu-wrong", node.name, link.name, facts=facts, how="uneven", mtu=link.mtu, size=size, right=right, fix=None if link.mtu < right else "")


def _black_hole(case: Case, node: Node, link: Link, size: int) -> Cause:
    right = _wider(case, link)
    facts = (_mtu(case, node, link), inferred(f"the packet of {size} bytes was last seen coming into {owner_words(node.name)}"), *_told(case))
    fix = None if link.mtu < right else ""
    return blame(case, "mtu-black-hole", node.name, link.name, facts=facts, mtu=link.mtu, size=size, fate=_fate(case), right=right, fix=fix)


def _told(case: Case) -> tuple[Fact, ...]:
    """What was said of the packet's size on the way."""
    sent = (said(f"{owner_words(error.made_by)} sent: {error.text} (mtu {error.mtu})") for error in _too_big(case))
    return *sent, *unheard(case, _too_big(case))[1]


def _too_big(case: Case) -> list[IcmpError]:
    return [error for error in case.evidence.errors if (error.type, error.code) == _TOO_BIG[case.family]]


def _fate(case: Case) -> str:
    return unheard(case, _too_big(case))[0] if _too_big(case) else "nobody was told so"
