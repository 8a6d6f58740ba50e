"""A snapshot as boxes and edges, for printers that lay out by themselves (Mermaid, dot)."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...harmless import harmless
from ..gates import Family, gates_of, networks, uplinks
from ..scene.labels import addresses, is_cable_end, is_lo, kind_tag, sits_on_lower
from ..snapshot import Link, Node, Snapshot

State = Literal["up", "waiting", "down"]


class Vertex(msgspec.Struct, frozen=True):
    """One link, or the mark of a node that has none. ``id`` is plain letters and digits."""

    id: str
    lines: tuple[str, ...]
    bridge: bool = False
    state: State = "up"


class Cluster(msgspec.Struct, frozen=True):
    """One node and its links."""

    id: str
    title: str
    role: str
    members: tuple[Vertex, ...]


class Edge(msgspec.Struct, frozen=True):
    """A cable, a port in its bridge, a link on its lower device, or the way out through the gates."""

    one: str
    other: str
    kind: Literal["cable", "port", "lower", "way"]
    text: str = ""
    live: bool = True


class Graph(msgspec.Struct, frozen=True):
    """The whole snapshot."""

    clusters: tuple[Cluster, ...]
    edges: tuple[Edge, ...]


def graph_of(snapshot: Snapshot) -> Graph:
    """Every node, every link but plain loopbacks, and everything that joins them."""
    ids = {
        (node.name, link.name): f"n{n}l{k}"
        for n, node in enumerate(snapshot.nodes)
        for k, link in enumerate(node.links)
        if not is_lo(link) or addresses(link)
    }
    clusters = []
    edges: list[Edge] = []
    for n, node in enumerate(snapshot.nodes):
        members = [_vertex(ids[(node.name, link.name)], link) for link in node.links if (node.name, link.name) in ids]
        clusters.append(Cluster(f"n{n}", _title(node), node.role, tuple(members) or (_lonely(f"n{n}lo", node),)))
        for link in node.links:
            edges += _edges(node, link, ids)
        edges += _way_out(node, ids)
    return Graph(tuple(clusters), tuple(edges))


def _title(node: Node) -> str:
    others = [name for name in node.names if name != node.name]
    return harmless(node.name + (f" ({', '.join(others)})" if others else ""))


def _vertex(name: str, link: Link) -> Vertex:
    tag = kind_tag(link) or ("bridge" if link.kind == "bridge" else "")
    state: State = "up" if link.up and link.carrier else "waiting" if link.up else "down"
    words = harmless(link.name + (f" ({tag})" if tag else "")) + ("" if state == "up" else " no carrier" if state == "waiting" else " down")
    return Vertex(name, (words, *addresses(link)), link.kind == "bridge", state)


def _lonely(name: str, node: Node) -> Vertex:
    lo = next((link for link in node.links if is_lo(link)), None)
    text = "no links" if lo is None else f"only lo, {'up' if lo.up else 'down'}"
    return Vertex(name, (text,), state="up" if lo is not None and lo.up else "down")


def _edges(node: Node, link: Link, ids: dict[tuple[str, str], str]) -> list[Edge]:
    me = ids.get((node.name, link.name))
    if me is None:
        return []
    found = []
    far = ids.get((link.peer.node, link.peer.name)) if link.peer is not None else None
    if far is not None and is_cable_end(link) and me < far:
        found.append(Edge(me, far, "cable", live=link.up and link.carrier))
    if far is not None and sits_on_lower(link) and me != far:
        found.append(Edge(me, far, "lower", link.kind, link.up))
    bridge = ids.get((node.name, link.master)) if link.master is not None else None
    if bridge is not None:
        found.append(Edge(me, bridge, "port", live=link.up))
    return found


def _way_out(node: Node, ids: dict[tuple[str, str], str]) -> list[Edge]:
    """From each addressed bridge through the gates to where the default route leaves."""
    found = []
    families: tuple[Family, ...] = (4, 6)
    for link, family in ((link, family) for link in node.links for family in families):
        for device in uplinks(node, family):
            out = ids.get((node.name, device))
            if out is not None and link.kind == "bridge" and networks(link, family) and device != link.name:
                gates = gates_of(node, family)
                words = "IPv6: " * (family == 6) + ", ".join(f"{gate.name} {gate.state}" for gate in gates if gate.state != "absent")
                shut = any(gate.state == "closed" for gate in gates)
                found.append(Edge(ids[(node.name, link.name)], out, "way", words, not shut))
    return found
