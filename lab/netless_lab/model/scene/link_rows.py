"""Which row of the host each of its links gets.

A port whose cable leads to the left lane sits on the border, on its peer's row, so that the cable is straight. Everything else sits
inside, on rows that are left over: ports of a bridge near that bridge, the two ends of a loose cable next to each other. A row that the
goal keeps for a link stays its row, so that nothing jumps when the other end is plugged in.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .figure import Figure, Part, lower_of, will_join
from .glyphs import TO
from .labels import Piece, first_address, kind_tag, safe
from .values import Place

Side = Literal["border", "inside", "loose"]
"""On the border with a cable to the left; inside without one; inside with the other end inside too."""

Tell = Literal["all", "kind", "name"]
"""What a label says besides the name."""

INDENT: dict[Side, int] = {"border": 0, "inside": 2, "loose": 4}
"""Where the port's dot is, counted from the host's border; its label starts two cells further right."""


class LinkRow(msgspec.Struct, frozen=True):
    """A link of the host on its row. Rows count from the host's top border."""

    part: Part
    row: int
    side: Side
    label: tuple[Piece, ...]

    @property
    def end(self) -> int:
        """The column after the label, counted from the host's border."""
        return INDENT[self.side] + 2 + sum(len(text) for text, _ in self.label)


class LinkRows(msgspec.Struct, frozen=True):
    """Everybody's row, and who found none. ``taps`` are rows where a macvlan of the left lane reaches its lower device."""

    links: tuple[LinkRow, ...]
    taps: tuple[LinkRow, ...]
    hidden: tuple[Place, ...]

    def rows_of(self, bridge: Part) -> list[int]:
        """The rows of a bridge's ports, in order, those included that the goal plugs into it."""
        return sorted(link_row.row for link_row in self.links if link_row.part.link.master == bridge.link.name or will_join(link_row.part, bridge))


def rows_wanted(figure: Figure, uplinks: frozenset[Place], left_rows: dict[Place, int]) -> int:
    """How many rows inside the host its links take, with three for the words beside a bridge when others need rows too."""
    if figure.host is None:
        return 0
    ports = [part for part in figure.host.parts if part.link.kind != "bridge" and part.place not in uplinks]
    enslaved = sum(part.link.master is not None for part in ports)
    bridges = len(ports) < len(figure.host.parts) - len(uplinks)
    words = max(0, 3 - enslaved) if bridges and enslaved < len(ports) else 0
    return len(ports) + words + sum(place in left_rows for place in _tapping(figure))


def give_rows(figure: Figure, left_rows: dict[Place, int], uplinks: frozenset[Place], inner: int, tell: Tell) -> LinkRows:
    """Give a row from 1 to ``inner`` to every link of the host that is neither a bridge nor an uplink."""
    assert figure.host is not None
    taken: dict[int, Place] = {left_rows[place]: place for place in _tapping(figure) if place in left_rows}
    taps = tuple(
        LinkRow(figure.parts[place], row, "border", ((f"{TO} {safe((lower_of(figure.parts[place]) or ('', ''))[1])}", "dim"),))
        for row, place in taken.items()
    )
    given: list[LinkRow] = []
    waiting: list[Part] = []
    for part in figure.host.parts:
        if part.link.kind == "bridge" or part.place in uplinks:
            continue
        cable = figure.cables.get(part.place)
        row = left_rows.get(cable.far(part.place)) if cable is not None else None
        if row is not None and 1 <= row <= inner and row not in taken:
            taken[row] = part.place
            given.append(LinkRow(part, row, "border", _label(figure, part, left_rows, tell)))
        else:
            waiting.append(part)
    hidden: list[Place] = []
    free = [row for row in range(1, inner + 1) if row not in taken]
    by_place = {part.place: part for part in waiting}
    if len(free) < len(waiting):
        hidden += [part.place for part in waiting if _to_unseen(figure, part)]
        for place in hidden:
            del by_place[place]
    for part in sorted(waiting, key=lambda part: _urgency(figure, part, left_rows)):
        if part.place not in by_place:
            continue
        cable = figure.cables.get(part.place)
        other = by_place.get(cable.far(part.place)) if cable is not None else None
        pair = [part] if other is None else [part, other]
        rows = _choose(figure, pair, free, left_rows, given, len(by_place))
        for one, row in zip(pair, rows, strict=False):
            free.remove(row)
            given.append(LinkRow(one, row, "loose" if len(pair) == 2 == len(rows) else "inside", _label(figure, one, left_rows, tell)))
        hidden += [one.place for one in pair[len(rows) :]]
        for one in pair:
            del by_place[one.place]
    return LinkRows(tuple(sorted(given, key=lambda link_row: link_row.row)), taps, tuple(place for place in hidden if figure.parts[place].real))


def _among_ports(row: int, given: list[LinkRow]) -> bool:
    """Whether the row lies between ports of one bridge, where its bar stands."""
    spans: dict[str, tuple[int, int]] = {}
    for link_row in given:
        if link_row.part.link.master is not None:
            low, high = spans.get(link_row.part.link.master, (link_row.row, link_row.row))
            spans[link_row.part.link.master] = (min(low, link_row.row), max(high, link_row.row))
    return any(low <= row <= high for low, high in spans.values())


def _to_unseen(figure: Figure, part: Part) -> bool:
    """Whether its cable leads to a node of the left lane (one without a row, or the port would sit on it)."""
    cable = figure.cables.get(part.place)
    return cable is not None and figure.side(cable.far(part.place)[0]) == "left"


def _tapping(figure: Figure) -> list[Place]:
    """Links of the left lane that sit on a device of the host."""
    host = figure.host
    found = []
    for actor in figure.left:
        for part in actor.parts:
            lower = lower_of(part)
            if host is not None and part.real and lower is not None and lower[0] == host.name:
                found.append(part.place)
    return found


def _urgency(figure: Figure, part: Part, left_rows: dict[Place, int]) -> int:
    """Ports whose row is reserved first, then ports of bridges, then cables with both ends here, then the rest."""
    if figure.wishes.get(part.place) in left_rows:
        return 0
    if part.link.master is not None:
        return 1
    return 2 if part.place in figure.cables else 3


def _choose(figure: Figure, pair: list[Part], free: list[int], left_rows: dict[Place, int], given: list[LinkRow], left: int) -> list[int]:
    if not free:
        return []
    wished = left_rows.get(figure.wishes.get(pair[0].place, ("", "")))
    friends = [link_row.row for link_row in given if pair[0].link.master is not None and link_row.part.link.master == pair[0].link.master]
    if wished in free:
        first = wished
    elif friends:
        middle = max(friends) + 1
        first = min(free, key=lambda row: abs(row - middle))
    elif len(pair) == 2:
        first = next((row for row in free if row + 1 in free), free[0])
    elif any(link_row.part.link.master is not None for link_row in given):
        clear = [row for row in free if not _among_ports(row, given)] or free
        first = clear[-min(left, len(clear))]
    else:
        first = free[0]
    if len(pair) == 1:
        return [first]
    rest = [row for row in free if row != first]
    return [first, min(rest, key=lambda row: abs(row - first - 0.4))] if rest else [first]


def _label(figure: Figure, part: Part, left_rows: dict[Place, int], tell: Tell) -> tuple[Piece, ...]:
    name: list[Piece] = [(safe(part.link.name), "chip")]
    tag = kind_tag(part.link)
    cable = figure.cables.get(part.place)
    lower = lower_of(part)
    if cable is not None and figure.side(cable.far(part.place)[0]) == "left" and cable.far(part.place) not in left_rows:
        tag = f"{TO} {safe(cable.far(part.place)[0])[:12]}"
    elif lower is not None:
        tag = f"{tag} {TO} {safe(lower[1] if lower[0] == part.place[0] else ' '.join(lower))}"
    address = first_address(part.link)
    if tell != "all":
        tag, address = tag.partition(f" {TO}")[0] if tell == "kind" else "", ""
    name += [(f" {tag}", "dim")] * bool(tag) + [(f" {address}", "address")] * bool(address)
    return tuple(name) if part.real else tuple((text, "ghost") for text, _ in name)
