"""Packets that are too big for a link (RFC 1191): said so, or lost without a word."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.probe import Ping
from ...model.snapshot import Link, Node
from ..case import Case
from ..cause import Cause, at_link, owner_words
from ..near import way_there

_ETHERNET = 14
_USUAL = 1500
_HEADERS = 28
_SLACK = 4
"""is_skb_forwardable() of the kernel lets a VLAN tag's worth pass."""


def too_big(case: Case) -> Cause | None:
    """The sender, or a router on the way, said that the packet is too big and may not be cut."""
    if case.outcome.reason != "too-big":
        return None
    if case.outcome.by is None or not case.evidence.errors:
        found = case.route(case.probe.node, case.spot.dst) if case.spot.dst else None
        link = case.link(case.probe.node, found.dev) if found is not None and found.dev else None
        return _local(case, link)
    error = case.evidence.errors[0]
    node = case.node(error.made_by)
    found = case.route(node.name, case.spot.dst) if case.spot.dst else None
    link = node.link(found.dev) if found is not None and found.dev else None
    link = (
        link
        if link is not None
        else min((own for own in node.links if own.kind != "loopback"), key=lambda own: own.mtu, default=None)
    )
    return _narrow(case, node, link) if link is not None else None


def _local(case: Case, link: Link | None) -> Cause | None:
    """The sender itself says no: its own link is too narrow, or a router has told it before that one further on is."""
    size = case.probe.size + _HEADERS if isinstance(case.probe, Ping) else 0
    if link is not None and link.mtu < size:
        return _narrow(case, case.sender, link)
    for node, out in way_there(case):
        if out.mtu < size:
            return _narrow(case, node, out)
    return None


def _narrow(case: Case, node: Node, link: Link) -> Cause:
    text = f"{link.name} of {owner_words(node.name)} carries at most {link.mtu} bytes; the packet is bigger and may not be cut into pieces"
    facts = (Fact(f"{link.name} has the MTU {link.mtu}", case.ip(node.name, f"link show {link.name}")), Fact(case.outcome.text))
    return Cause("mtu-wrong", at_link(node.name, link.name), text, facts, True, _wider(case, node, link))


def _wider(case: Case, node: Node, link: Link) -> str:
    far = case.link(link.peer.node, link.peer.name) if link.peer is not None and link.peer.node else None
    usual = max(far.mtu if far is not None else 1500, 1500)
    return case.ip(node.name, f"link set {link.name} mtu {usual}") if link.mtu < usual else ""


def swallowed(case: Case) -> Cause | None:
    """A big packet was lost right before a link that is too narrow for it."""
    spot = case.spot
    if spot.hop is None or spot.stage in ("answered", "refused", "unsent", "asking"):
        return None
    size = spot.hop.length - _ETHERNET
    if spot.stage == "crossing":
        return _beyond_cable(case, size)
    if spot.stage == "bridging":
        return _beyond_port(case, size)
    if spot.stage in ("routing",) and spot.iif:
        found = case.route(spot.node, spot.dst, spot.src, spot.iif)
        link = case.link(spot.node, found.dev) if found.dev else None
        if link is not None and size > link.mtu and link.mtu < _narrowest(case):
            return _black_hole(case, case.node(spot.node), link, size)
    return None


def _narrowest(case: Case) -> int:
    """The smallest MTU of the links the packet has passed. Inside one kernel a frame may be longer: it is cut only at a real wire (GSO)."""
    own = next((run.hops for run in case.evidence.runs if case.spot.at in run.hops), (case.spot.at,))
    passed = [case.hops[number] for number in own if number <= case.spot.at]
    found = [link.mtu for hop in passed if (link := case.link(hop.node, hop.link)) is not None and link.kind != "loopback"]
    return min(found, default=_USUAL)


def _beyond_cable(case: Case, size: int) -> Cause | None:
    spot = case.spot
    link = case.link(spot.node, spot.link)
    far = case.link(link.peer.node, link.peer.name) if link is not None and link.peer is not None and link.peer.node else None
    if link is None or link.peer is None or far is None or size <= far.mtu + _SLACK or far.mtu >= link.mtu:
        return None
    if far.mtu >= _USUAL < link.mtu:
        return _uneven(case, case.node(spot.node), link, size, far)
    return _uneven(case, case.node(link.peer.node), far, size)


def _beyond_port(case: Case, size: int) -> Cause | None:
    """A port, or its bridge, that is narrower than the frame."""
    spot = case.spot
    node = case.node(spot.node)
    target = next(
        (link for owner in case.before.nodes for link in owner.links if spot.hop and link.mac == spot.hop.mac_dst), None
    )
    for link in node.links:
        leads = target is not None and link.peer is not None and link.peer.name == target.name
        if link.master == _bridge_of(case) and leads and size > link.mtu + _SLACK:
            return _uneven(case, node, link, size)
    return None


def _bridge_of(case: Case) -> str:
    link = case.link(case.spot.node, case.spot.link)
    return (link.master or link.name) if link is not None else ""


def _uneven(case: Case, node: Node, link: Link, size: int, far: Link | None = None) -> Cause:
    """Two ends of one way with two sizes. ``far``: the other end is the usual one, and ``link`` lets too much out."""
    if far is not None:
        text = f"{link.name} of {owner_words(node.name)} sends packets of up to {link.mtu} bytes, its other end {far.name} takes {far.mtu} at most"
        facts = (
            Fact(f"{link.name} has the MTU {link.mtu}", case.ip(node.name, f"link show {link.name}")),
            Fact(f"the packet has {size} bytes"),
        )
        return Cause(
            "mtu-wrong",
            at_link(node.name, link.name),
            text,
            facts,
            False,
            case.ip(node.name, f"link set {link.name} mtu {far.mtu}"),
        )
    text = f"{link.name} of {owner_words(node.name)} takes at most {link.mtu} bytes and throws the packet of {size} away without a word"
    facts = (
        Fact(f"{link.name} has the MTU {link.mtu}", case.ip(node.name, f"link show {link.name}")),
        Fact(f"the packet has {size} bytes"),
    )
    return Cause("mtu-wrong", at_link(node.name, link.name), text, facts, False, _wider(case, node, link))


def _black_hole(case: Case, node: Node, link: Link, size: int) -> Cause:
    told = [error for error in case.evidence.errors if error.type == 3 and error.code == 4]
    fate = "its ICMP message that says so did not come home" if told else "nobody was told so"
    text = f"a packet of {size} bytes does not fit through {link.name} of {owner_words(node.name)} (MTU {link.mtu}), and {fate}: small packets pass, big ones vanish"
    facts = [
        Fact(f"{link.name} has the MTU {link.mtu}", case.ip(node.name, f"link show {link.name}")),
        Fact(f"the packet of {size} bytes was last seen coming into {owner_words(node.name)}"),
    ]
    facts += [Fact(f"{owner_words(error.made_by)} sent: {error.text} (mtu {error.mtu})") for error in told]
    return Cause("mtu-black-hole", at_link(node.name, link.name), text, tuple(facts), bool(told), _wider(case, node, link))
