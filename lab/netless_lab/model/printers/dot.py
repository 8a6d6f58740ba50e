"""A snapshot as Graphviz dot (graphviz.org/doc/info/lang.html), one cluster a node."""

from __future__ import annotations

from ..snapshot import Snapshot
from .graph import Edge, Vertex, graph_of
from .svg import DARK, LIGHT

_STYLE = {"cable": "solid", "port": "bold", "lower": "dotted", "way": "dashed"}


def dot(snapshot: Snapshot) -> str:
    """The graph's source, from left to right."""
    graph = graph_of(snapshot)
    lines = [
        "graph netless {",
        '  graph [rankdir=LR, fontname="monospace"];',
        '  node [shape=box, style="rounded,filled", fontname="monospace"];',
        '  edge [fontname="monospace"];',
    ]
    hue = 0
    for cluster in graph.clusters:
        colour = LIGHT.colour(f"container-{hue % 3}" if cluster.role == "container" else "node-host")
        hue += cluster.role == "container"
        lines.append(f"  subgraph cluster_{cluster.id} {{")
        lines.append(f'    label="{_quoted(cluster.title)}"; color="{colour}"; style=rounded;')
        lines += [f"    {_vertex(vertex)}" for vertex in cluster.members]
        lines.append("  }")
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _vertex(vertex: Vertex) -> str:
    fill = "#e6e6e6" if vertex.state == "down" else DARK.colour("bridge" if vertex.bridge else "chip")
    text = "\\n".join(_quoted(line) for line in vertex.lines)
    return f'{vertex.id} [label="{text}", fillcolor="{fill}"];'


def _edge(edge: Edge) -> str:
    colour = LIGHT.colour("wire-up") if edge.live else LIGHT.colour("gate-closed" if edge.kind == "way" else "ghost")
    label = f', label="{_quoted(edge.text)}"' if edge.text else ""
    return f'{edge.one} -- {edge.other} [style={_STYLE[edge.kind]}, color="{colour}"{label}];'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
