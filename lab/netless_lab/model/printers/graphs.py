"""A snapshot as boxes and edges, for those that lay out by themselves: Graphviz dot (graphviz.org/doc/info/lang.html), one cluster a node, and a
Mermaid flowchart (mermaid.js.org/syntax/flowchart), for Markdown pages that draw it themselves.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ...harmless import harmless
from ..gates import Family, gates_of, networks, uplinks
from ..scene.labels import addresses, is_cable_end, is_lo, kind_tag, sits_on_lower
from ..scene.values import HUES
from ..snapshot import Link, Node, Snapshot
from .drawings import DARK, LIGHT

State = Literal["up", "waiting", "down"]
_STYLE = {"cable": "solid", "port": "bold", "lower": "dotted", "way": "dashed"}
_LINE = {"cable": "---", "port": "===", "lower": "-.-", "way": "-.->"}


class Vertex(msgspec.Struct, frozen=True):
    """One link, or the mark of a node that has none. ``id`` is plain letters and digits."""

    id: str
    lines: tuple[str, ...]
    bridge: bool = False
    state: State = "up"


class Cluster(msgspec.Struct, frozen=True):
    """One node and its links, in the ``colour`` of its frame."""

    id: str
    title: str
    colour: str
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
    clusters: list[Cluster] = []
    edges: list[Edge] = []
    hue = 0
    for n, node in enumerate(snapshot.nodes):
        colour = LIGHT.colour(f"container-{hue % HUES}" if node.role == "container" else "node-host")
        hue += node.role == "container"
        members = [_vertex(ids[(node.name, link.name)], link) for link in node.links if (node.name, link.name) in ids]
        clusters.append(Cluster(f"n{n}", _title(node), colour, tuple(members) or (_lonely(f"n{n}lo", node),)))
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
    if (me := ids.get((node.name, link.name))) is None:
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


def dot(snapshot: Snapshot) -> str:
    """The source of a graph in dot, from left to right."""
    graph = graph_of(snapshot)
    lines = [
        "graph netless {",
        '  graph [rankdir=LR, fontname="monospace"];',
        '  node [shape=box, style="rounded,filled", fontname="monospace"];',
        '  edge [fontname="monospace"];',
    ]
    for cluster in graph.clusters:
        lines.append(f"  subgraph cluster_{cluster.id} {{")
        lines.append(f'    label="{_in_quotes(cluster.title)}"; color="{cluster.colour}"; style=rounded;')
        lines += [f"    {_dot_vertex(vertex)}" for vertex in cluster.members]
        lines.append("  }")
    lines += [f"  {_dot_edge(edge)}" for edge in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_vertex(vertex: Vertex) -> str:
    fill = "#e6e6e6" if vertex.state == "down" else DARK.colour("bridge" if vertex.bridge else "chip")
    text = "\\n".join(_in_quotes(line) for line in vertex.lines)
    return f'{vertex.id} [label="{text}", fillcolor="{fill}"];'


def _dot_edge(edge: Edge) -> str:
    colour = LIGHT.colour("wire-up") if edge.live else LIGHT.colour("gate-closed" if edge.kind == "way" else "ghost")
    label = f', label="{_in_quotes(edge.text)}"' if edge.text else ""
    return f'{edge.one} -- {edge.other} [style={_STYLE[edge.kind]}, color="{colour}"{label}];'


def _in_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def mermaid(snapshot: Snapshot) -> str:
    """The source of a flowchart, from left to right, one subgraph a node."""
    graph = graph_of(snapshot)
    lines = ["flowchart LR"]
    styles: list[str] = []
    for cluster in graph.clusters:
        lines.append(f'  subgraph {cluster.id}["{_as_entities(cluster.title)}"]')
        lines += [f"    {_mermaid_vertex(vertex)}" for vertex in cluster.members]
        lines.append("  end")
        styles.append(f"  style {cluster.id} fill:none,stroke:{cluster.colour},stroke-width:2px")
    lines += [f"  {_mermaid_edge(edge)}" for edge in graph.edges]
    chip, bridge = DARK.colour("chip"), DARK.colour("bridge")
    lines += [f"  classDef link fill:{chip},stroke:{LIGHT.colour('chip')},color:#1f2530"]
    lines += [f"  classDef bridge fill:{bridge},stroke:{LIGHT.colour('bridge')},color:#1f2530"]
    lines += ["  classDef down fill:#e6e6e6,stroke:#8a94a6,color:#1f2530,stroke-dasharray:4 3"]
    return "\n".join(lines + styles) + "\n"


def _mermaid_vertex(vertex: Vertex) -> str:
    text = "<br/>".join(_as_entities(line) for line in vertex.lines)
    shape = f'[["{text}"]]' if vertex.bridge else f'["{text}"]'
    kind = "down" if vertex.state == "down" else "bridge" if vertex.bridge else "link"
    return f"{vertex.id}{shape}:::{kind}"


def _mermaid_edge(edge: Edge) -> str:
    line = _LINE[edge.kind] if edge.live or edge.kind in ("lower", "way") else "-.-"
    return f'{edge.one} {line}|"{_as_entities(edge.text)}"| {edge.other}' if edge.text else f"{edge.one} {line} {edge.other}"


def _as_entities(text: str) -> str:
    """Text inside double quotes, where Mermaid reads entities written with # and HTML."""
    for char, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;"), ("\n", " ")):
        text = text.replace(char, "\0" + entity[1:] if char == "#" else entity)
    return text.replace("\0", "#")
