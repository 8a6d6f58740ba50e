"""A snapshot as a Mermaid flowchart (mermaid.js.org/syntax/flowchart), for Markdown pages that draw it themselves."""

from __future__ import annotations

from ..snapshot import Snapshot
from .graph import Edge, Vertex, graph_of
from .svg import DARK, LIGHT

_LINE = {"cable": "---", "port": "===", "lower": "-.-", "way": "-.->"}


def mermaid(snapshot: Snapshot) -> str:
    """The flowchart's source, from left to right, one subgraph a node."""
    graph = graph_of(snapshot)
    lines = ["flowchart LR"]
    styles: list[str] = []
    hue = 0
    for cluster in graph.clusters:
        lines.append(f'  subgraph {cluster.id}["{_quoted(cluster.title)}"]')
        lines += [f"    {_vertex(vertex)}" for vertex in cluster.members]
        lines.append("  end")
        colour = LIGHT.colour(f"container-{hue % 3}" if cluster.role == "container" else "node-host")
        hue += cluster.role == "container"
        styles.append(f"  style {cluster.id} fill:none,stroke:{colour},stroke-width:2px")
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    chip, bridge = DARK.colour("chip"), DARK.colour("bridge")
    lines += [f"  classDef link fill:{chip},stroke:{LIGHT.colour('chip')},color:#1f2530"]
    lines += [f"  classDef bridge fill:{bridge},stroke:{LIGHT.colour('bridge')},color:#1f2530"]
    lines += ["  classDef down fill:#e6e6e6,stroke:#8a94a6,color:#1f2530,stroke-dasharray:4 3"]
    return "\n".join(lines + styles) + "\n"


def _vertex(vertex: Vertex) -> str:
    text = "<br/>".join(_quoted(line) for line in vertex.lines)
    shape = f'[["{text}"]]' if vertex.bridge else f'["{text}"]'
    kind = "down" if vertex.state == "down" else "bridge" if vertex.bridge else "link"
    return f"{vertex.id}{shape}:::{kind}"


def _edge(edge: Edge) -> str:
    line = _LINE[edge.kind] if edge.live or edge.kind in ("lower", "way") else "-.-"
    return f'{edge.one} {line}|"{_quoted(edge.text)}"| {edge.other}' if edge.text else f"{edge.one} {line} {edge.other}"


def _quoted(text: str) -> str:
    """Text inside double quotes, where Mermaid reads entities written with # and HTML."""
    for char, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;"), ("\n", " ")):
        text = text.replace(char, "\0" + entity[1:] if char == "#" else entity)
    return text.replace("\0", "#")
