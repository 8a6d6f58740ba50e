"""What a scene is: the drawn picture as plain integers and strings, ready to paint, to point at and to animate on.

Cells count from 0 at the top left; every character takes one cell. Styles are words for meaning, never colours: each printer
has its own palette (``STYLES`` lists them all).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from ..gates import GateState

Place = tuple[str, str]
"""(node, link): one interface. A gate is a place too: (node, gate name)."""

Level = Literal["detail", "full", "compact", "mini", "outline", "roster"]
"""How much is shown: lanes with every address, 4, 3 or 1 rows a container; then one column of rows; then a plain list of nodes."""

HUES = 3
"""Containers take the hues of the post in turn: orange, green, blue."""

STYLES = (
    "", "node-host", "node-host-title", "node-internet", "node-internet-title", "node-router", "node-router-title",
    "node-unknown", "node-unknown-title", "container-0", "container-0-title", "container-1", "container-1-title",
    "container-2", "container-2-title", "chip", "address", "dim", "ghost", "more", "bridge", "bridge-wait", "bridge-down",
    "port-up", "port-wait", "port-down", "dead", "wire-up", "wire-wait", "wire-down", "route", "gate-open", "gate-narrow",
    "gate-closed", "gate-absent", "gate-unknown",
)  # fmt: skip
"""Every style name a run can carry. "" is the plain background; ``ghost`` is a part of the goal that is not built yet."""


class Cell(NamedTuple):
    """One character cell."""

    x: int
    y: int


class Run(NamedTuple):
    """Neighbouring cells of one row that share a style."""

    text: str
    style: str


class Rect(msgspec.Struct, frozen=True):
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether the cell lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Region(msgspec.Struct, frozen=True):
    """Where something is drawn, for hover and click. ``name`` is the link's or the gate's; "" for a node."""

    kind: Literal["node", "link", "gate"]
    node: str
    name: str
    rect: Rect


class Station(msgspec.Struct, frozen=True):
    """A gate on the way out, and the cells it takes. Absent gates have a place as well, so that a packet can die there."""

    node: str
    gate: str
    state: GateState
    cell: Cell
    rect: Rect


class Scene(msgspec.Struct, frozen=True):
    """One drawing of ``width`` x ``height`` cells.

    ``rows``: every row, exactly ``width`` cells. ``anchors``: the port dot of each link drawn (for a bridge, its bar). ``wires``:
    the ordered cells of each cable, of port to bridge, and of bridge to uplink through the gates. ``hidden``: what found no room;
    the drawing says how many.
    """

    width: int
    height: int
    level: Level
    rows: tuple[tuple[Run, ...], ...]
    anchors: dict[Place, Cell]
    wires: dict[tuple[Place, Place], tuple[Cell, ...]]
    stations: dict[str, Station]
    regions: tuple[Region, ...]
    hidden: tuple[Place, ...] = ()

    def at(self, x: int, y: int) -> Region | None:
        """What is drawn at a cell: the smallest region that holds it, or None."""
        found = [region for region in self.regions if region.rect.holds(x, y)]
        return min(found, key=lambda region: region.rect.width * region.rect.height, default=None)

    def gate_at(self, cell: Cell) -> Station | None:
        """The gate whose letters take this cell. A moving packet lights the gate and does not cover it."""
        return next((own for own in self.stations.values() if own.state != "absent" and own.rect.holds(cell.x, cell.y)), None)

    def wire(self, start: Place, end: Place) -> tuple[Cell, ...]:
        """The cells from one place to the next when a single wire joins them, in that direction; else ()."""
        if (forth := self.wires.get((start, end))) is not None:
            return forth
        return self.wires.get((end, start), ())[::-1]

    def path(self, places: Sequence[Place]) -> tuple[Cell, ...]:
        """The cells a packet passes on its way over ``places``, in order.

        Places that are not joined by one wire are joined over the fewest wires between them; places that are not drawn are
        left out; where no wire leads on, the packet jumps. A stop passed only on the way is not visited: a frame from port to
        port turns off at the bar and does not run to the middle of the bridge first.
        """
        stops = [place for place in places if place in self.anchors]
        if not stops:
            return ()
        cells = [self.anchors[stops[0]]]
        for start, end in pairwise(stops):
            floor = len(cells) - 1
            for leg in self._legs(start, end) or ((self.anchors[end],),):
                for cell in leg:
                    if len(cells) - 2 >= floor and cells[-2] == cell:
                        cells.pop()
                    elif cells[-1] != cell:
                        cells.append(cell)
        return tuple(cells)

    def _legs(self, start: Place, end: Place) -> tuple[tuple[Cell, ...], ...]:
        if start == end:
            return ((self.anchors[end],),)
        if straight := self.wire(start, end):
            return (straight,)
        near: dict[Place, list[Place]] = {}
        for one, other in self.wires:
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
        came: dict[Place, Place] = {start: start}
        queue = deque([start])
        while queue and end not in came:
            here = queue.popleft()
            for there in near.get(here, ()):
                if there not in came:
                    came[there] = here
                    queue.append(there)
        if end not in came:
            return ()
        trail = [end]
        while trail[-1] != start:
            trail.append(came[trail[-1]])
        trail.reverse()
        return tuple(self.wire(one, other) for one, other in pairwise(trail))
