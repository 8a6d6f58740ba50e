"""Bridges and cables: a frame was seen at one interface and not at the next, although only a cable or a bridge lies between."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.snapshot import FdbEntry, Link, Node
from ..case import Case
from ..cause import Cause, at_link, owner_words
from ..near import neighbours_of
from ..segment import way
from .neighbour import of_stop


def between(case: Case) -> Cause | None:
    """What stands between the last sighting and the interface the frame was for."""
    spot = case.spot
    if spot.stage not in ("bridging", "crossing", "stray") or spot.hop is None:
        return None
    goal = _goal(case)
    if goal is None:
        return None
    start = _start(case)
    there = way(case.before, start, goal)
    if there is None or not there.stops:
        return None
    stop = there.stops[0]
    return of_stop(case, stop, f"the packet was last seen at {spot.link} of {owner_words(spot.node)}")


def _start(case: Case) -> tuple[str, str]:
    """The interface that the frame set out from on this segment: the last one that is no bridge port."""
    spot = case.spot
    for hop in reversed(case.hops[: spot.at + 1]):
        link = case.link(hop.node, hop.link)
        if (
            hop.direction == "out"
            and link is not None
            and not (link.master and link.port)
            and hop.mac_src == (spot.hop.mac_src if spot.hop else "")
        ):
            return hop.node, hop.link
    return spot.node, spot.link


def _goal(case: Case) -> tuple[str, str] | None:
    """The interface with the MAC that the frame is for."""
    hop = case.spot.hop
    if hop is None:
        return None
    found = [
        (node.name, link)
        for node in case.before.nodes
        for link in node.links
        if link.mac == hop.mac_dst and link.kind != "loopback"
    ]
    own = [(name, link) for name, link in found if not (link.master and link.port)] or found
    return (own[0][0], own[0][1].name) if own else None


def wrong_port(case: Case) -> Cause | None:
    """The bridge has a fixed entry that sends this MAC out of another port than the one it lives behind."""
    spot = case.spot
    if spot.hop is None or spot.stage not in ("bridging", "crossing", "stray", "asking"):
        return None
    targets = {spot.hop.mac_dst, *(hop.mac_dst for hop in case.hops[max(0, spot.at - 3) : spot.at + 1])}
    for node in case.before.nodes:
        for entry in node.fdb:
            if entry.local or entry.mac not in targets or entry.state not in ("permanent", "noarp", "static") or not entry.master:
                continue
            right = _lives_behind(case, node, entry)
            if right and right != entry.dev:
                return _fixed(case, node, entry, right)
    return None


def _lives_behind(case: Case, node: Node, entry: FdbEntry) -> str:
    """The port of the bridge that really leads to the MAC, "" when none does."""
    for far_node in case.before.nodes:
        for far in far_node.links:
            if far.mac != entry.mac or far_node.name == node.name:
                continue
            for port in node.links:
                if (
                    port.master == entry.master
                    and port.peer is not None
                    and (port.peer.node, port.peer.name) == (far_node.name, far.name)
                ):
                    return port.name
    return ""


def _fixed(case: Case, node: Node, entry: FdbEntry, right: str) -> Cause:
    text = (
        f"the forwarding database of {entry.master} on {owner_words(node.name)} sends {entry.mac} out of {entry.dev} for good, "
        f"although it lives behind {right}"
    )
    fact = Fact(
        f"{entry.mac} dev {entry.dev} is a {entry.state} entry", case.run(node.name, f"bridge fdb show br {entry.master}")
    )
    fix = case.run(node.name, f"bridge fdb del {entry.mac} dev {entry.dev} master")
    return Cause("fdb-wrong", at_link(node.name, entry.dev), text, (fact,), False, fix)


def twin_mac(case: Case) -> Cause | None:
    """Two interfaces on one segment with one MAC: the bridge sends everything to whom it heard last."""
    spot = case.spot
    if spot.hop is None or spot.stage in ("answered", "unsent", "refused"):
        return None
    start = _start(case)
    ends = [*neighbours_of(case, *start)]
    own = case.link(*start)
    if own is not None:
        ends.append((case.node(start[0]), own))
    by_mac: dict[str, list[tuple[Node, Link]]] = {}
    for node, link in ends:
        by_mac.setdefault(link.mac, []).append((node, link))
    for mac, twins in by_mac.items():
        if mac and len({node.name for node, _ in twins}) > 1 and mac in (spot.hop.mac_dst, spot.hop.mac_src, *_asked_macs(case)):
            (one, first), (two, second) = twins[0], twins[1]
            text = f"{first.name} of {owner_words(one.name)} and {second.name} of {owner_words(two.name)} have the same MAC {mac} on one segment"
            facts = tuple(
                Fact(f"{link.name} has {mac}", case.ip(node.name, f"link show {link.name}")) for node, link in twins[:2]
            )
            return Cause("duplicate-mac", at_link(two.name, second.name), text, facts)
    return None


def _asked_macs(case: Case) -> tuple[str, ...]:
    return tuple(link.mac for _, link in case.owners(case.spot.asked)) if case.spot.asked else ()


def no_hairpin(case: Case) -> Cause | None:
    """The frame would have to leave by the port it came in by, which a bridge does not do unless told (bridge(8), hairpin)."""
    spot = case.spot
    if spot.stage != "bridging" or spot.hop is None or spot.hop.direction != "out":
        return None
    goal = _goal(case)
    bridge = case.link(spot.node, spot.link)
    if goal is None or bridge is None or bridge.kind != "bridge" or goal[0] != case.probe.node:
        return None
    port = next(
        (
            link
            for link in case.node(spot.node).links
            if link.master == bridge.name and link.peer and (link.peer.node, link.peer.name) == goal
        ),
        None,
    )
    if port is None or port.port is None or port.port.hairpin or not case.redirects:
        return None
    text = (
        f"the packet would have to go back out of {port.name}, by which it came in: a bridge does that only with hairpin mode on"
    )
    fact = Fact(f"{port.name} has hairpin off", case.run(spot.node, f"bridge -d link show dev {port.name}"))
    return Cause(
        "no-hairpin",
        at_link(spot.node, port.name),
        text,
        (fact,),
        False,
        case.run(spot.node, f"bridge link set dev {port.name} hairpin on"),
    )
