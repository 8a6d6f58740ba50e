"""The way of a frame over cables and bridges, and what stands in it, from the state alone. Pure.

``way`` looks for the way with the fewest obstacles between two interfaces. Also ways that do not exist but were surely meant are
looked at (a cable end that is in no bridge): such a step is an obstacle itself, and the obstacles of the best way are the causes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from ..model.routes import is_group
from ..model.snapshot import Link, Node, Snapshot
from ..primitives.base import device


class Stop(msgspec.Struct, frozen=True):
    """One obstacle. ``code`` is the cause it would be and ``how`` and ``words`` fill in its sentence; ``look`` is a command inside ``node``.

    ``fix`` is "" when the catalogue's mend would not do here. ``unlikely``: a way that would need this to be otherwise was probably not meant.
    """

    code: str
    node: str
    link: str
    look: str = ""
    words: tuple[tuple[str, object], ...] = ()
    how: str = ""
    fix: str | None = None
    unlikely: bool = False

    @property
    def proves(self) -> bool:
        """Whether nothing passes here as long as it is so, whatever the frame."""
        return self.code in _DEAD


_DEAD: Final = frozenset({"port-down", "link-down", "bridge-down", "isolated-ports", "port-state", "port-unplugged"})


_ANYBODY: Final = "00:00:00:00:00:00"
"""The entry of a vxlan's forwarding database for whom it does not know, and for everybody (bridge(8))."""


class End(NamedTuple):
    """An interface of a node."""

    node: Node
    link: Link

    @property
    def place(self) -> tuple[str, str]:
        """(node, link), by their names."""
        return self.node.name, self.link.name


class Way(NamedTuple):
    """The interfaces on the way, start and goal included, and the obstacles in the order they are met."""

    places: tuple[tuple[str, str], ...]
    stops: tuple[Stop, ...]


class _Vertex(NamedTuple):
    """Where a frame is: leaving by a link, having come in by one, or inside a bridge (``isolated``: it came in by an isolated port)."""

    kind: str
    node: str
    link: str
    isolated: bool = False


_Step = tuple[_Vertex, tuple[Stop, ...]]


def way(snapshot: Snapshot, start: tuple[str, str], goal: tuple[str, str]) -> Way | None:
    """The way with the fewest obstacles from one interface to another; None when no cable leads there at all."""
    first = _vertex(snapshot, *start)
    if first is None:
        return None
    queue: list[tuple[float, int, _Vertex, tuple[tuple[str, str], ...], tuple[Stop, ...]]] = [(0, 0, first, (start,), _at_start(snapshot, *start))]
    seen: set[_Vertex] = set()
    count = 0
    while queue:
        _, _, here, places, stops = heapq.heappop(queue)
        if here in seen:
            continue
        seen.add(here)
        if here.kind != "out" and (here.node, here.link) == goal:
            return Way(places, stops)
        for after, met in _steps(snapshot, here):
            if after not in seen:
                count += 1
                place = (after.node, after.link)
                along = places if places[-1] == place else (*places, place)
                every = tuple(dict.fromkeys((*stops, *met)))
                cost = sum(1.5 if stop.unlikely else 1.0 for stop in every)  # what is unlikely to be meant costs a little more
                heapq.heappush(queue, (cost, count, after, along, every))
    return None


def hearers(snapshot: Snapshot, start: tuple[str, str]) -> tuple[End, ...]:
    """Every interface that is no bridge port and hears a broadcast from ``start``, as nothing stands in between."""
    first = _vertex(snapshot, *start)
    waiting = [first] if first is not None and not _at_start(snapshot, *start) else []
    seen = set(waiting)
    found: list[End] = []
    while waiting:
        here = waiting.pop(0)
        node = snapshot.node(here.node)
        link = node.link(here.link) if node is not None else None
        if node is not None and link is not None and here.kind != "out" and (here.node, here.link) != start and not link.master:
            found.append(End(node, link))
        for after, met in _steps(snapshot, here):
            if not met and after not in seen:
                seen.add(after)
                waiting.append(after)
    return tuple(found)


def _vertex(snapshot: Snapshot, node: str, name: str) -> _Vertex | None:
    link = _link(snapshot, node, name)
    if link is None:
        return None
    return _Vertex("bridge" if link.kind == "bridge" else "out", node, name)


def _at_start(snapshot: Snapshot, node: str, name: str) -> tuple[Stop, ...]:
    link = _link(snapshot, node, name)
    return () if link is None or link.up else (_down(node, link),)


def _steps(snapshot: Snapshot, here: _Vertex) -> Iterator[_Step]:
    node = snapshot.node(here.node)
    link = node.link(here.link) if node is not None else None
    if node is None or link is None:
        return
    if here.kind == "out":
        yield from _across(snapshot, node, link)
    elif here.kind == "in":
        yield from _into_bridges(node, link)
        yield from _on_top(snapshot, node, link)
    else:
        yield from _out_of_bridge(node, link, here.isolated)


def _across(snapshot: Snapshot, node: Node, link: Link) -> Iterator[_Step]:
    """From a link to the other end of its cable, to the device below it, or through its tunnel."""
    yield from _on_top(snapshot, node, link, sent=True)
    if link.vxlan is not None:
        yield from _through_tunnel(snapshot, node, link)
        return
    if link.peer is None or not link.peer.node:
        return
    far, below = _link(snapshot, link.peer.node, link.peer.name), link.kind in ("macvlan", "ipvlan")
    if far is None:
        return
    yield _Vertex("out" if below else "in", link.peer.node, far.name), _not_up(link.peer.node, far)
    if below:
        yield from _siblings(snapshot, node, link)


def _on_top(snapshot: Snapshot, node: Node, link: Link, *, sent: bool = False) -> Iterator[_Step]:
    """The macvlan devices that sit on a link hear what comes in by it, and never what the device's own node has ``sent`` by it."""
    for other in snapshot.nodes:
        for found in other.links:
            if found.kind in ("macvlan", "ipvlan") and found.peer and (found.peer.node, found.peer.name) == (node.name, link.name):
                words = (("below", link.name), ("kind", found.kind))
                stop = Stop("macvlan-host", other.name, found.name, f"ip -d link show {device(found.name)}", words)
                yield _Vertex("in", other.name, found.name), (*([stop] if sent else []), *_not_up(other.name, found))


def _siblings(snapshot: Snapshot, node: Node, link: Link) -> Iterator[_Step]:
    """A macvlan reaches others on the same device when both are in bridge mode, and never the device's own node (ip-link(8))."""
    assert link.peer is not None
    own = (link.peer.node, link.peer.name)
    for other in snapshot.nodes:
        for found in other.links:
            if found.kind == link.kind and found.peer and (found.peer.node, found.peer.name) == own and found != link:
                bridged = {found.mode, link.mode} <= {"bridge", None, "l2", "l3"}
                stop = Stop("macvlan-mode", node.name, link.name, f"ip -d link show {device(link.name)}", (("other", found.name),))
                yield _Vertex("in", other.name, found.name), () if bridged else (stop,)
    words = (("below", own[1]), ("kind", link.kind))
    yield _Vertex("in", *own), (Stop("macvlan-host", node.name, link.name, f"ip -d link show {device(link.name)}", words),)


def _through_tunnel(snapshot: Snapshot, node: Node, link: Link) -> Iterator[_Step]:
    """Another vxlan device whose address is this one's remote: whether both speak of the same network is looked at."""
    own = link.vxlan
    assert own is not None
    for other in snapshot.nodes:
        for found in other.links:
            if found.vxlan is None or other.name == node.name:
                continue
            stops: list[Stop] = []
            look, whose = f"ip -d link show {device(found.name)}", ("other", f"{link.name} in {node.name}")
            if own.remote and not is_group(own.remote) and other.owner(own.remote) is None:
                words = (("address", own.remote), ("far", other.name))
                stops.append(Stop("vxlan-remote", node.name, link.name, f"ip -d link show {device(link.name)}", words, "other"))
            if not own.remote and not any(entry.dev == link.name and entry.dst and entry.mac == _ANYBODY for entry in node.fdb):
                stops.append(Stop("vxlan-remote", node.name, link.name, f"bridge fdb show dev {link.name}", (("far", other.name),), "none"))
            if found.vxlan.vni != own.vni:
                stops.append(Stop("vni-mismatch", other.name, found.name, look, (whose, ("vni", own.vni), ("own", found.vxlan.vni)), "way"))
            if found.vxlan.port != own.port:
                stops.append(Stop("vxlan-port", other.name, found.name, look, (whose, ("sent", own.port), ("port", found.vxlan.port))))
            yield _Vertex("in", other.name, found.name), (*stops, *_not_up(other.name, found))


def _into_bridges(node: Node, link: Link) -> Iterator[_Step]:
    """From a cable end into its bridge, or into one that it is not in but may be meant for."""
    for bridge in node.links:
        if bridge.kind != "bridge" or link is bridge or not (link.master == bridge.name or link.master or could_be_port(link)):
            continue
        vertex = _Vertex("bridge", node.name, bridge.name, bool(link.port and link.port.isolated))
        yield vertex, (*_membership(node, bridge, link), *_port(node, link), *_locked(node, link), *_not_up(node.name, bridge))


def _out_of_bridge(node: Node, bridge: Link, isolated: bool) -> Iterator[_Step]:
    """From a bridge to its ports, and to cable ends that may be meant to be."""
    for link in node.links:
        if link.kind in ("bridge", "loopback") or (link.master != bridge.name and not could_be_port(link)):
            continue
        stops = [*_not_up(node.name, bridge), *_membership(node, bridge, link), *_not_up(node.name, link), *_port(node, link)]
        if link.port is not None and not link.port.broadcast:
            stops.append(Stop("port-flood", node.name, link.name, f"bridge -d link show dev {link.name}", (("bridge", link.master),)))
        if link.port is not None and not (link.port.flood or link.port.learning) and not _told(node, link):
            alike = [own.name for own in node.links if own.master == bridge.name and own.port is not None and not (own.port.flood or own.port.learning)]
            on = "; ".join(f"bridge link set dev {name} learning on flood on" for name in alike)
            stops.append(Stop("port-flood", node.name, link.name, f"bridge -d link show dev {link.name}", (("bridge", link.master),), "unicast", on))
        if isolated and link.port is not None and link.port.isolated:
            stops.append(Stop("isolated-ports", node.name, link.name, f"bridge -d link show dev {link.name}"))
        yield _Vertex("out", node.name, link.name), tuple(dict.fromkeys(stops))


def addressed(link: Link) -> bool:
    """Whether somebody gave it an address; every link that is up makes itself one of fe80::/10."""
    return any(own.scope != "link" for own in link.addresses)


def could_be_port(link: Link) -> bool:
    """A cable end without an address of its own, in another bridge or in none."""
    return link.kind in ("veth", "vxlan") and not addressed(link)


def _membership(node: Node, bridge: Link, link: Link) -> tuple[Stop, ...]:
    """Whether the link is in this bridge; a bridge without an address is less likely to be the one that was meant."""
    if link.master == bridge.name:
        return ()
    code = "port-wrong-bridge" if link.master else "port-unplugged"
    words: tuple[tuple[str, object], ...] = (("bridge", bridge.name), *([("other", link.master)] if link.master else []))
    return (Stop(code, node.name, link.name, f"ip link show {device(link.name)}", words, unlikely=not addressed(bridge)),)


def _port(node: Node, link: Link) -> tuple[Stop, ...]:
    """A port that does not forward. While its cable is dead the state says nothing of its own."""
    if link.port is None or link.port.state == "forwarding" or not (link.up and link.carrier):
        return ()
    bridge = node.link(link.master) if link.master else None
    if bridge is not None and not bridge.up:
        return ()
    look, words = f"bridge link show dev {link.name}", (("bridge", link.master), ("state", link.port.state))
    if bridge is None or not bridge.stp:
        return (Stop("port-state", node.name, link.name, look, words),)
    if link.port.state not in ("listening", "learning") or bridge.forward_delay_s is None:
        return (Stop("port-state", node.name, link.name, look, words, fix=""),)
    wait = (*words, ("wait", 2 * bridge.forward_delay_s))
    # a port that STP has made wait goes on waiting when STP is gone, until it is told to forward
    off = f"ip link set {device(bridge.name)} type bridge stp_state 0; bridge link set dev {link.name} state forwarding"
    return (Stop("port-state", node.name, link.name, look, wait, "stp", off),)


def _locked(node: Node, link: Link) -> tuple[Stop, ...]:
    """A port that takes frames only from MACs that somebody entered for it."""
    if link.port is None or not link.port.locked or _told(node, link):
        return ()
    alike = [own.name for own in node.links if own.master == link.master and own.port is not None and own.port.locked and not _told(node, own)]
    off = "; ".join(f"bridge link set dev {name} locked off" for name in alike)
    return (Stop("port-locked", node.name, link.name, f"bridge -d link show dev {link.name}", (("bridge", link.master),), "", off),)


def _told(node: Node, link: Link) -> bool:
    """Whether the bridge knows a MAC behind the port, learned or entered."""
    return any(entry.dev == link.name and not entry.local for entry in node.fdb)


def _not_up(node: str, link: Link) -> tuple[Stop, ...]:
    return () if link.up else (_down(node, link),)


def _down(node: str, link: Link) -> Stop:
    code = "bridge-down" if link.kind == "bridge" else "port-down" if link.master and link.port else "link-down"
    return Stop(code, node, link.name, f"ip link show {device(link.name)}")


def _link(snapshot: Snapshot, node: str, link: str) -> Link | None:
    found = snapshot.node(node)
    return found.link(link) if found is not None else None
