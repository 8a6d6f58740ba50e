"""A scene in the making: the canvas, and what is noted down while drawing on it.

The sheet a scene is drawn on: cells that hold text or lines, and a style.

Lines are kept as direction bits, so that a wire meeting a border or a bar becomes the right junction by itself. Text covers lines.
Drawing outside the sheet is allowed and does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from .figure import Actor, Cable, Figure
from .labels import DASHED, DOUBLE_D, DOUBLE_U, LINES, TO_BE, UNICODE, D, Glyphs, L, Piece, R, U, dot, in_brackets, wire_style
from .values import Cell, Level, Place, Rect, Region, Run, Scene, Station


class Canvas:
    """A sheet of ``width`` x ``height`` cells."""

    __slots__ = ("_bits", "_chars", "_styles", "height", "width")

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._bits = bytearray(width * height)
        self._chars = [""] * (width * height)
        self._styles = [""] * (width * height)

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write text from a cell to the right, over whatever is there."""
        if not 0 <= y < self.height:
            return
        if x < 0:
            text, x = text[-x:], 0
        text = text[: max(0, self.width - x)]
        if not text:
            return
        start = y * self.width + x
        end = start + len(text)
        self._chars[start:end] = text
        self._styles[start:end] = [style] * len(text)

    def across(self, x0: int, x1: int, y: int, style: str) -> None:
        """A level line between two cell centres. It passes over upright lines in between and joins at its two ends.

        Draw bars first: a wire that ends at a bar leaves it its style.
        """
        if x0 > x1:
            x0, x1 = x1, x0
        if not 0 <= y < self.height or x1 < 0 or x0 >= self.width or x0 == x1:
            return
        base = y * self.width
        for x, bit in ((x0, R), (x1, L)):
            if 0 <= x < self.width:
                if not self._bits[base + x] & (DOUBLE_U | DOUBLE_D):
                    self._styles[base + x] = style
                self._bits[base + x] |= bit
        start, end = base + max(x0 + 1, 0), base + min(x1, self.width)
        if end > start:
            self._bits[start:end] = bytes((L | R,)) * (end - start)
            self._styles[start:end] = [style] * (end - start)

    def join(self, x: int, y: int, bits: int) -> None:
        """Add directions to one cell, whatever its style."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._bits[y * self.width + x] |= bits

    def down(self, x: int, y0: int, y1: int, style: str) -> None:
        """An upright line between two cell centres. It passes under level lines in between and joins at its two ends."""
        if y0 > y1:
            y0, y1 = y1, y0
        if not 0 <= x < self.width or y0 == y1:
            return
        for y in range(max(y0, 0), min(y1, self.height - 1) + 1):
            at = y * self.width + x
            if y0 < y < y1 and self._bits[at] & (L | R) == L | R:
                continue
            self._bits[at] |= (U if y > y0 else 0) | (D if y < y1 else 0)
            self._styles[at] = style

    def bar(self, x: int, y0: int, y1: int, style: str) -> None:
        """A bridge: an upright double line."""
        for y in range(max(y0, 0), min(y1, self.height - 1) + 1):
            if 0 <= x < self.width:
                at = y * self.width + x
                self._bits[at] |= (DOUBLE_U if y > y0 or y0 == y1 else 0) | (DOUBLE_D if y < y1 or y0 == y1 else 0)
                self._styles[at] = style

    def box(self, x: int, y: int, width: int, height: int, style: str) -> None:
        """A frame."""
        right, bottom = x + width - 1, y + height - 1
        self.across(x, right, y, style)
        self.across(x, right, bottom, style)
        for side in (x, right):
            if 0 <= side < self.width:
                for row in range(max(y, 0), min(bottom, self.height - 1) + 1):
                    at = row * self.width + side
                    self._bits[at] |= (U if row > y else 0) | (D if row < bottom else 0)
                    self._styles[at] = style

    def rows(self, glyphs: Glyphs) -> tuple[tuple[Run, ...], ...]:
        """Every row as runs of one style, each row exactly ``width`` cells."""
        return tuple(self._row(y * self.width, glyphs) for y in range(self.height))

    def _row(self, start: int, glyphs: Glyphs) -> tuple[Run, ...]:
        end = start + self.width
        styles = self._styles[start:end]
        written = self._chars[start:end]
        lines = map(LINES.__getitem__, self._bits[start:end])
        cells = [char or line for char, line in zip(written, lines, strict=True)]
        if "ghost" in styles:
            for x, style in enumerate(styles):
                if style == "ghost" and not written[x]:
                    cells[x] = DASHED.get(cells[x], cells[x])
            in_brackets(cells, "".join(" " if cell == " " else "g" if style == "ghost" and char and char != TO_BE else "x"
                                       for cell, style, char in zip(cells, styles, written, strict=True)))  # fmt: skip
        text = glyphs.show("".join(cells))
        runs = []
        start, style = 0, styles[0]
        for x, here in enumerate(styles):
            if here is not style and here != style:
                runs.append(Run(text[start:x], style))
                start, style = x, here
        runs.append(Run(text[start:], style))
        return tuple(runs)


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
        """Write pieces one after the other; returns the column after the last."""
        for text, style in pieces:
            self.canvas.put(x, y, text, style)
            x += len(text)
        return x

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
            self.canvas.put(x, y, TO_BE, "ghost")

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
            width=self.canvas.width, height=self.canvas.height, level=level, rows=self.canvas.rows(glyphs), anchors=self.anchors, wires=self.wires,
            stations=self.stations, regions=tuple(self.regions), hidden=tuple(self.hidden),
        )  # fmt: skip


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
