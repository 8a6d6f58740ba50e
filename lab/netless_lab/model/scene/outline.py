"""The pictures for narrow places. The outline: one column of rows, still with every bar, cable and gate.

    host [fwd]─[NAT]
    ║ br0 10.0.0.1/24
    ╟● veth2 ──● c1 veth1 10.0.0.2/24
    ╙● veth4 ──● c2 veth3 10.0.0.3/24
    ● eth0 203.0.113.2/24 ──● internet isp0

The roster, for tiny places: one row a node with the names of its links, as many as fit, and how many do not.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .figure import Actor, Figure, Part, lower_of
from .labels import DEAD, GATE_TEXT, TO, Glyphs, bridge_style, clip, dot, first_address, is_lo, kind_tag, safe, wire_style
from .sheet import Sheet
from .values import Cell, Place, Rect, Region, Scene, Station

LEAST_WIDTH, LEAST_HEIGHT = 24, 3


class Token(msgspec.Struct, frozen=True):
    """A word of a row. ``spare`` ones go first when the row is too long; ``place`` is the link, node or gate it stands for."""

    text: str
    style: str
    what: Literal["word", "dot", "link", "bar", "node", "gate", "wire"] = "word"
    place: Place = ("", "")
    spare: bool = False


Row = tuple[Token, ...]


def paint_outline(figure: Figure, width: int, height: int, glyphs: Glyphs) -> Scene | None:
    """The outline, or None when the place is too small for one."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return None
    rows = _rows(figure)
    if len(rows) > 2 * height:
        return None
    sheet = Sheet(figure, width, height, ghosts=False)
    shown = rows if len(rows) <= height else rows[: height - 1]
    cut: list[Place] = []
    top = (height - len(shown)) // 2 if len(rows) <= height else 0
    for y, row in enumerate(shown, top):
        cut += _paint(sheet, row, y, width)
    for row in rows[len(shown) :]:
        cut += _places(row)
    sheet.hidden += cut
    if len(rows) > height:
        sheet.canvas.put(0, height - 1, f"+{len(cut)} more", "more")
    elif cut:
        text = f"+{len(cut)} more"
        sheet.canvas.put(width - len(text), min(top + len(shown), height - 1), text, "more")
    _wires(sheet)
    _nodes(sheet, figure)
    return sheet.finish("outline", glyphs)


def _rows(figure: Figure) -> list[Row]:
    rows: list[Row] = []
    shown: set[Place] = set()
    if figure.host is not None and figure.host.real:
        rows.append(_head(figure, figure.host))
        _links(figure, figure.host, rows, shown, "")
    for actor in (*figure.left, *figure.right):
        if not actor.real:
            continue
        parts = [part for part in actor.parts if part.real]
        if actor.node.role == "internet" and len(parts) > 1:
            parts = [part for part in parts if not is_lo(part.link)]
        if not parts:
            state = (Token("only lo ", "dim"), Token(*dot(actor.lo))) if actor.lo is not None else (Token("no links", "dim"),)
            rows.append((_node(actor), Token(" ", ""), *state))
        elif any(part.place not in shown for part in parts):
            _links(figure, actor, rows, shown, actor.label)
    for name in figure.dangling:
        rows.append((Token(DEAD, "dead"), Token(f" netns {name} {TO} gone", "dim", "node", ("", name))))
    return rows


def _head(figure: Figure, host: Actor) -> Row:
    tokens = [_node(host)]
    for gate in figure.gates:
        if gate.name == "fwd" or gate.state != "absent":
            tokens.append(Token(" " if len(tokens) == 1 else "─", "route"))
            tokens.append(Token(GATE_TEXT[gate.state].format(gate.name), f"gate-{gate.state}", "gate", (host.name, gate.name)))
    return tuple(tokens)


def _node(actor: Actor) -> Token:
    return Token(actor.label, actor.frame + "-title", "node", (actor.name, ""))


def _links(figure: Figure, actor: Actor, rows: list[Row], shown: set[Place], name: str) -> None:
    """Rows for a node's links: each bridge with its ports, then the rest; links shown as a far end already are left out."""
    parts = [part for part in actor.parts if part.real]
    bridges = [part for part in parts if part.link.kind == "bridge"]
    names = {part.link.name for part in bridges}
    plugged: dict[str | None, list[Part]] = {}
    for part in parts:
        plugged.setdefault(part.link.master, []).append(part)
    first = True

    def lead() -> Row:
        nonlocal first
        if not name:
            return ()
        token = _node(actor) if first else Token(" " * len(name), "")
        first = False
        return token, Token(" ", "")

    for bridge in bridges:
        style = bridge_style(bridge.link)
        ports = [part for part in plugged.get(bridge.link.name, ()) if part.place != bridge.place]
        state = (Token(" ", ""), Token(*dot(bridge.link))) if not (bridge.link.up and bridge.link.carrier) else ()
        word = Token(f" {safe(bridge.link.name)}", style, "link", bridge.place)
        rows.append((*lead(), Token("║", style, "bar", bridge.place), word, *state, *_address(bridge)))
        shown.add(bridge.place)
        for port in ports:
            if port.place not in shown and port.link.kind != "bridge":
                knot = Token("╙" if port is ports[-1] else "╟", style)
                rows.append((*lead(), knot, *_link(figure, port, shown)))
    for part in parts:
        if part.place not in shown and part.link.kind != "bridge" and part.link.master not in names:
            rows.append((*lead(), *_link(figure, part, shown)))
    for part in parts:
        if part.place not in shown:
            rows.append((*lead(), *_link(figure, part, shown)))


def _link(figure: Figure, part: Part, shown: set[Place]) -> Row:
    shown.add(part.place)
    tokens = [Token(*dot(part.link), "dot", part.place), Token(f" {safe(part.link.name)}", "chip", "link", part.place)]
    tag = kind_tag(part.link)
    if (lower := lower_of(part)) is not None:
        tag = f"{tag} {TO} {safe(lower[1] if lower[0] == part.place[0] else ' '.join(lower))}"
    tokens += [Token(f" {tag}", "dim", spare=True)] if tag else []
    tokens += _address(part)
    cable = figure.cables.get(part.place)
    far = figure.parts[cable.far(part.place)] if cable is not None and cable.real else None
    if cable is None or far is None or far.place in shown:
        return tuple(tokens)
    shown.add(far.place)
    style = next(actor.frame for actor in figure.actors if actor.name == far.place[0]) + "-title"
    tokens += [Token(" ", ""), Token("──", wire_style(part.link, far.link), "wire", part.place), Token(*dot(far.link), "dot", far.place)]
    if far.place[0] != part.place[0]:
        tokens.append(Token(f" {safe(far.place[0])}", style, "node", (far.place[0], "")))
    tokens.append(Token(f" {safe(far.link.name)}", "chip", "link", far.place))
    tokens += _address(far)
    return tuple(tokens)


def _address(part: Part) -> tuple[Token, ...]:
    text = first_address(part.link)
    return (Token(f" {text}", "address", spare=True),) if text else ()


def _places(row: Row) -> list[Place]:
    """What a row shows: its links, or its node when it has none."""
    links = [token.place for token in row if token.what == "link"]
    return links or [token.place for token in row if token.what == "node"]


def _paint(sheet: Sheet, row: Row, y: int, width: int) -> list[Place]:
    """Paint one row, leaving out spare words from the right until it fits; returns the links that still found no room."""
    tokens = list(row)
    for index in range(len(tokens) - 1, -1, -1):
        if sum(len(token.text) for token in tokens) <= width:
            break
        if tokens[index].spare:
            del tokens[index]
    x = 0
    cut: list[Place] = []
    wire: Place | None = None
    for token in tokens:
        if x + len(token.text) > width:
            if token.what == "link":
                cut.append(token.place)
                sheet.anchors.pop(token.place, None)
                for ends in [ends for ends in sheet.wires if token.place in ends]:
                    del sheet.wires[ends]
            if not cut:
                sheet.canvas.put(x, y, "…"[: width - x], "more")
            x = width
            continue
        sheet.canvas.put(x, y, token.text, token.style)
        cell = Cell(x, y)
        if token.what in ("dot", "bar"):
            sheet.anchors[token.place] = cell
            if wire is not None:
                sheet.wires[(wire, token.place)] = tuple(Cell(at, y) for at in range(sheet.anchors[wire].x, x + 1))
            wire = None
        elif token.what == "wire":
            wire = token.place
        elif token.what == "link":
            sheet.link(token.place, Rect(x, y, len(token.text), 1))
        elif token.what == "node":
            sheet.regions.append(Region("node", token.place[0], "", Rect(x, y, len(token.text), 1)))
        elif token.what == "gate":
            state = next(gate.state for gate in sheet.figure.gates if gate.name == token.place[1])
            rect = Rect(x, y, len(token.text), 1)
            sheet.stations[token.place[1]] = Station(*token.place, state, Cell(x + rect.width // 2, y), rect)
            sheet.regions.append(Region("gate", *token.place, rect))
        x += len(token.text)
    return cut


def _wires(sheet: Sheet) -> None:
    """From each port beside its bridge's bar to the bridge's own row. A port shown as a far end has no such wire."""
    for place, cell in sheet.anchors.items():
        part = sheet.figure.parts[place]
        bar = sheet.anchors.get((place[0], part.link.master or ""))
        if bar is not None and abs(bar.x - cell.x) == 1:
            step = 1 if bar.y > cell.y else -1
            sheet.wires[(place, (place[0], part.link.master or ""))] = (cell, *(Cell(bar.x, y) for y in range(cell.y, bar.y + step, step)))


def _nodes(sheet: Sheet, figure: Figure) -> None:
    """The host is the whole outline, behind everything else. Nodes of which no word is left are hidden."""
    seen = {region.node for region in sheet.regions}
    sheet.hidden += [(actor.name, "") for actor in figure.actors if actor.real and actor.name not in seen]
    if figure.host is not None and figure.host.real:
        sheet.node(figure.host, Rect(0, 0, sheet.canvas.width, sheet.canvas.height))


def paint_roster(figure: Figure, width: int, height: int, glyphs: Glyphs) -> Scene:
    """The list. It works at every size down to one cell."""
    sheet = Sheet(figure, width, height, ghosts=False)
    actors = [actor for actor in figure.actors if actor.real]
    fits = len(actors) <= height
    shown = actors if fits else actors[: height - 1]
    for y, actor in enumerate(shown):
        parts = [part for part in actor.parts if part.real]
        name = clip(actor.label, width - (len(_rest(len(parts), width)) if parts else 0))
        sheet.canvas.put(0, y, name, actor.frame + "-title")
        sheet.node(actor, Rect(0, y, width, 1))
        x = len(name)
        for index, part in enumerate(parts):
            left = len(parts) - index
            rest = _rest(left, width)
            text = f" {safe(part.link.name)}"
            needed = len(text) + 2 + (len(rest) if left > 1 else 0)
            if x + needed > width:
                sheet.canvas.put(x, y, clip(rest, width - x), "more")
                sheet.hidden += [part.place for part in parts[index:]]
                break
            sheet.canvas.put(x, y, " ", "")
            sheet.canvas.put(x + 1, y, *dot(part.link))
            sheet.canvas.put(x + 2, y, text, "chip")
            sheet.anchors[part.place] = Cell(x + 1, y)
            sheet.link(part.place, Rect(x + 1, y, len(text) + 1, 1))
            x += len(text) + 2
    if not fits:
        rest_actors = actors[len(shown) :]
        hidden: list[Place] = [(actor.name, "") for actor in rest_actors]
        hidden += [part.place for actor in rest_actors for part in actor.parts if part.real]
        sheet.hidden += hidden
        sheet.canvas.put(0, height - 1, clip(f"+{len(rest_actors)} more", width), "more")
    return sheet.finish("roster", glyphs)


def _rest(count: int, width: int) -> str:
    return f" +{count} more" if width >= 24 else f" +{count}"
