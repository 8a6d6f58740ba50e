"""A scene in the making: the canvas, and what is noted down while drawing on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from .canvas import Canvas
from .figure import Actor, Cable, Figure
from .glyphs import UNICODE, Glyphs
from .labels import Piece, dot, wire_style
from .values import Cell, Level, Place, Rect, Region, Scene, Station


class Sheet:
    """Canvas plus anchors, wires, stations and regions. One is made for each scene and thrown away with it."""

    __slots__ = ("anchors", "canvas", "figure", "ghosts", "hidden", "regions", "stations", "wires")

    def __init__(self, figure: Figure, width: int, height: int, ghosts: bool) -> None:
        self.figure = figure
        self.canvas = Canvas(width, height)
        self.ghosts = ghosts
        self.anchors: dict[Place, Cell] = {}
        self.wires: dict[tuple[Place, Place], tuple[Cell, ...]] = {}
        self.stations: dict[str, Station] = {}
        self.regions: list[Region] = []
        self.hidden: list[Place] = []

    def shows(self, real: bool) -> bool:
        """Whether something is drawn: all that is real, and with ghosts what the goal alone has."""
        return real or self.ghosts

    def write(self, x: int, y: int, pieces: Iterable[Piece]) -> int:
        """Write pieces; returns the column after the last."""
        return self.canvas.write(x, y, pieces)

    def node(self, actor: Actor, rect: Rect) -> None:
        """Note where a node is."""
        if actor.real:
            self.regions.append(Region("node", actor.name, "", rect))

    def link(self, place: Place, rect: Rect) -> None:
        """Note where a link is."""
        self.regions.append(Region("link", place[0], place[1], rect))

    def port(self, place: Place, x: int, y: int) -> None:
        """Draw a link's state and make it the link's anchor."""
        part = self.figure.parts[place]
        if part.real:
            text, style = dot(part.link)
            self.canvas.put(x, y, text, style)
            self.anchors[place] = Cell(x, y)
        elif self.ghosts:
            self.canvas.put(x, y, "○", "ghost")

    def cable_style(self, cable: Cable) -> str:
        """How a cable looks by the state of its ends."""
        if not cable.real:
            return "ghost"
        return wire_style(self.figure.parts[cable.one].link, self.figure.parts[cable.other].link)

    def strand(self, points: Sequence[tuple[int, int]], style: str) -> tuple[Cell, ...]:
        """Draw a line through corner points; returns its cells in order."""
        for (x0, y0), (x1, y1) in pairwise(points):
            if y0 == y1:
                self.canvas.across(x0, x1, y0, style)
        for (x0, y0), (_, y1) in pairwise(points):
            if y0 != y1:
                self.canvas.down(x0, y0, y1, style)
        return cells(points)

    def finish(self, level: Level, glyphs: Glyphs = UNICODE) -> Scene:
        """The scene as a value."""
        return Scene(
            width=self.canvas.width,
            height=self.canvas.height,
            level=level,
            rows=self.canvas.rows(glyphs),
            anchors=self.anchors,
            wires=self.wires,
            stations=self.stations,
            regions=tuple(self.regions),
            hidden=tuple(self.hidden),
        )


def cells(points: Sequence[tuple[int, int]]) -> tuple[Cell, ...]:
    """Every cell of a line through corner points, the first and the last included."""
    found = [Cell(*points[0])]
    for x1, y1 in points[1:]:
        x, y = found[-1]
        if y == y1:
            step = 1 if x1 > x else -1
            found += [Cell(at, y) for at in range(x + step, x1 + step, step)] if x1 != x else []
        else:
            step = 1 if y1 > y else -1
            found += [Cell(x, at) for at in range(y + step, y1 + step, step)]
    return tuple(found)

