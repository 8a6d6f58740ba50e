"""Cables: an interface that is up and dead, because its other end is not."""

from __future__ import annotations

from typing import Final

from ...model.journey import Fact
from ...model.snapshot import Link, Node
from ..case import Case
from ..cause import Cause, at_link, owner_words
from ..segment import way


def no_carrier(case: Case) -> Cause | None:
    """The link out is up, and its cable is dead: nothing is ever put on it."""
    spot = case.spot
    if spot.stage not in ("unsent", "asking", "routing", "delivered"):
        return None
    dst = spot.dst if spot.stage != "delivered" else spot.src
    found = (
        case.route(spot.node, dst, spot.src if spot.iif else None, spot.iif if spot.stage != "delivered" else None)
        if dst
        else None
    )
    link = case.link(spot.node, found.dev) if found is not None and found.dev else None
    return dead_cable(case, case.node(spot.node), link) if link is not None else None


_HARMLESS: Final = frozenset({"", "noqueue", "pfifo_fast", "fq_codel", "fq", "mq", "noop", "pfifo", "bfifo", "sfq"})
"""Queueing disciplines that drop nothing at the pace of a ping."""


def held_back(case: Case) -> Cause | None:
    """The packet should have left by a link whose queue was given rules of its own (tc(8))."""
    spot = case.spot
    dst = spot.src if spot.stage == "delivered" and spot.leg == "forward" else spot.dst
    found = case.route(spot.node, dst) if dst else None
    link = found.dev if found is not None and found.dev else ""
    kind = case.knob(spot.node, f"qdisc/{link}")
    if spot.stage not in ("unsent", "routing", "delivered", "bridging") or kind in _HARMLESS:
        return None
    text = f"{link} of {owner_words(spot.node)} has a queue of its own ({kind}), and the packet that should have left by it never did"
    fact = Fact(f"{link} has the queueing discipline {kind}", case.run(spot.node, f"tc -s qdisc show dev {link}"))
    return Cause(
        "queue-drop", at_link(spot.node, link), text, (fact,), False, case.run(spot.node, f"tc qdisc del dev {link} root")
    )


def dead_cable(case: Case, node: Node, link: Link) -> Cause | None:
    """Why ``link`` cannot carry a frame out; None when it can."""
    if link.kind == "loopback":
        return None
    if not link.up:
        text = f"{link.name} of {owner_words(node.name)} is down"
        fact = Fact(f"{link.name} is down", case.ip(node.name, f"link show {link.name}"))
        code = "bridge-down" if link.kind == "bridge" else "link-down"
        return Cause(code, at_link(node.name, link.name), text, (fact,), True, case.ip(node.name, f"link set {link.name} up"))
    if link.carrier:
        return None
    return _bridge_without_ports(case, node, link) if link.kind == "bridge" else _far_end_down(case, node, link)


def _far_end_down(case: Case, node: Node, link: Link) -> Cause | None:
    fact = Fact(f"{link.name} of {owner_words(node.name)} is up and has no carrier", case.ip(node.name, f"link show {link.name}"))
    far = case.link(link.peer.node, link.peer.name) if link.peer is not None and link.peer.node else None
    if link.peer is None or far is None:
        text = f"the other end of {link.name} is in no namespace of this lab, so the cable is dead"
        return Cause("link-down", at_link(node.name, link.name), text, (fact,), False)
    if far.up:
        return None
    code = "port-down" if far.master and far.port else "link-down"
    text = (
        f"{far.name} of {owner_words(link.peer.node)}, the other end of the cable, is down, so nothing can leave by {link.name}"
    )
    facts = (fact, Fact(f"{far.name} is down", case.ip(link.peer.node, f"link show {far.name}")))
    return Cause(code, at_link(link.peer.node, far.name), text, facts, True, case.ip(link.peer.node, f"link set {far.name} up"))


def _bridge_without_ports(case: Case, node: Node, bridge: Link) -> Cause | None:
    """A bridge none of whose ports is alive; which of them should be is asked of the way to whom the packet is for."""
    fact = Fact(f"no port of {bridge.name} has a carrier", case.ip(node.name, f"link show master {bridge.name}"))
    target = next_hop_owner(case)
    there = way(case.before, (node.name, bridge.name), target) if target is not None else None
    stop = there.stops[0] if there is not None and there.stops else None
    if stop is None:
        return None
    facts = (fact, Fact(stop.text, case.run(stop.node, stop.look)))
    return Cause(
        stop.code, at_link(stop.node, stop.link), stop.text, facts, False, case.run(stop.node, stop.fix) if stop.fix else ""
    )


def next_hop_owner(case: Case) -> tuple[str, str] | None:
    """Who has the address that the packet is to be handed to next."""
    spot = case.spot
    hop = spot.asked or case.route(spot.node, spot.dst).next_hop
    owners = case.owners(hop) if hop else ()
    return (owners[0][0].name, owners[0][1].name) if owners else None
