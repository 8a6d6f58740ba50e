"""The host's rows: which of them each of its links gets, and which its bridges span.

A port whose cable leads to the left lane sits on the border, on its peer's row, so that the cable is straight. Everything else sits
inside, on rows that are left over: ports of a bridge near that bridge, the two ends of a loose cable next to each other. A row that the
goal keeps for a link stays its row, so that nothing jumps when the other end is plugged in.

Bridges are upright bars. Those whose ports do not mix stand above each other; otherwise side by side, and a wire to the farther bar passes over the nearer.
"""

from __future__ import annotations

import heapq
from typing import Literal

import msgspec

from .figure import Figure, Part, lower_of, will_join
from .labels import MORE, TO, Piece, addresses, bridge_style, clip, dot, first_address, kind_tag, safe
from .values import Place

Side = Literal["border", "inside", "loose"]
"""On the border with a cable to the left; inside without one; inside with the other end inside too."""

Tell = Literal["all", "below", "kind", "name"]
"""What a label says besides the name: everything; the same with the address in the row below, where that is free; the kind of device; nothing.

An address that is not told leaves a mark."""

UNTOLD = f" {MORE}"
"""That mark."""

INDENT: dict[Side, int] = {"border": 0, "inside": 2, "loose": 4}
"""Where the port's dot is, counted from the host's border; its label starts two cells further right."""


class LinkRow(msgspec.Struct, frozen=True):
    """A link of the host on its row. Rows count from the host's top border."""

    part: Part
    row: int
    side: Side
    label: tuple[Piece, ...]
    below: tuple[Piece, ...] = ()

    @property
    def end(self) -> int:
        """The column after all that is told of it, counted from the host's border."""
        return max(self.label_end, INDENT[self.side] + 2 + _cells(self.below))

    @property
    def whole(self) -> bool:
        """Whether no address of something that is there is only marked."""
        return not self.part.real or self.label[-1][0] != UNTOLD

    @property
    def label_end(self) -> int:
        """The column after the label, in its own row."""
        return INDENT[self.side] + 2 + _cells(self.label)


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
    given = [_with_address(link_row, tell, inner, {one.row for one in (*given, *taps)}) for link_row in given]
    return LinkRows(tuple(sorted(given, key=lambda link_row: link_row.row)), taps, tuple(place for place in hidden if figure.parts[place].real))


def _with_address(link_row: LinkRow, tell: Tell, inner: int, taken: set[int]) -> LinkRow:
    """The row with an address that its label does not tell: below it, or a mark that there is one."""
    address, style = first_address(link_row.part.link), "address" if link_row.part.real else "ghost"
    if tell == "all" or not address:
        return link_row
    if tell == "below" and link_row.row < inner and link_row.row + 1 not in taken:
        return msgspec.structs.replace(link_row, below=((address, style),))
    return msgspec.structs.replace(link_row, label=(*link_row.label, (UNTOLD, "dim" if link_row.part.real else "ghost")))


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
    host = figure.host.name if figure.host is not None else None
    return [part.place for actor in figure.left for part in actor.parts if part.real and (lower := lower_of(part)) is not None and lower[0] == host]


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
        tag = f"{TO} {clip(safe(cable.far(part.place)[0]), 12)}"
    elif lower is not None:
        tag = f"{tag} {TO} {safe(lower[1] if lower[0] == part.place[0] else ' '.join(lower))}"
    address = first_address(part.link)
    if tell != "all":
        tag, address = "" if tell == "name" else tag.partition(f" {TO}")[0], ""
    name += [(f" {tag}", "dim")] * bool(tag) + [(f" {address}", "address")] * bool(address)
    return tuple(name) if part.real else tuple((text, "ghost") for text, _ in name)


COLUMN = 3
"""Cells from one bar to the next beside it."""


class Bar(msgspec.Struct, frozen=True):
    """One bridge. ``row`` is where its own interface leaves towards the host; a ``tall`` bar has its name above and address below."""

    part: Part
    column: int
    top: int
    bottom: int
    row: int
    tall: bool

    @property
    def name(self) -> tuple[Piece, ...]:
        """Its name, with its state when it is not simply up."""
        link = self.part.link
        if not self.part.real:
            return ((safe(link.name), "ghost"),)
        style = bridge_style(link)
        if link.up and link.carrier:
            return ((safe(link.name), style),)
        return ((safe(link.name), style), (" ", ""), dot(link))

    @property
    def address(self) -> tuple[Piece, ...]:
        """Its addresses in short, or that it has none."""
        found = addresses(self.part.link)
        text = found[0] + (f" +{len(found) - 1}" if len(found) > 1 else "") if found else "no address"
        if not self.part.real:
            return ((text, "ghost"),)
        return ((text, "address" if found else "dim"),)

    @property
    def words(self) -> tuple[Piece, ...]:
        """Name and address on one line, for a bar that is not tall."""
        return (*self.name, (" ", ""), *self.address)

    @property
    def addresses(self) -> tuple[tuple[Piece, ...], ...]:
        """One address a line beside a tall bar, as many as there are rows; the last line says how many more there are."""
        found = addresses(self.part.link)
        rows = self.bottom - self.row
        if len(found) < 2 or rows < 2:
            return (self.address,)
        more = len(found) - rows
        shown = found[:rows]
        style = "address" if self.part.real else "ghost"
        return tuple(((text + (f" +{more}" if more > 0 and text is shown[-1] else ""), style),) for text in shown)

    @property
    def width(self) -> int:
        """Cells its words take."""
        if not self.tall:
            return _cells(self.words)
        wished = self.part.wish
        room = max((len(own) for own in addresses(wished)[:1]), default=0) if wished is not None else 0
        return max(_cells(self.name), *map(_cells, self.addresses), len(self.part.link.name) + 2, room)


def _cells(pieces: tuple[Piece, ...]) -> int:
    return sum(len(text) for text, _ in pieces)


def stand(bridges: list[tuple[Part, list[int]]], inner: int, crossed: set[int]) -> tuple[Bar, ...]:
    """Stand each bridge, given with the rows of its ports, within the rows 1 to ``inner``. On ``crossed`` rows other wires pass."""
    if len(bridges) == 1:
        return (_alone(*bridges[0], inner, crossed),)
    spans = _spans(bridges, inner)
    columns = _Columns()
    used = set(crossed)
    bars: list[Bar | None] = [None] * len(bridges)
    for index in sorted(range(len(bridges)), key=lambda index: spans[index]):
        part, rows = bridges[index]
        top, bottom = spans[index]
        apart = 0 if rows else 1  # one without ports would look like more of the bar that it touches
        column = columns.take(top - apart, bottom + apart)
        row, tall = _words_row(top, bottom, rows, used, inner)
        used |= {row - 1, row, row + 1} if tall else {row}
        bars[index] = Bar(part, column, min(top, row), max(bottom, row), row, tall)
    return tuple(bar for bar in bars if bar is not None)


class _Columns:
    """Columns that bars are given to from the highest top to the lowest: one is free for a bar when its lowest ends above it.

    However many bars there are, there are no more ends than rows.
    """

    def __init__(self) -> None:
        self._by_end: dict[int, list[int]] = {}
        self._count = 0

    def take(self, top: int, bottom: int) -> int:
        """The first column that is free for a bar of these rows, which stands there from now on."""
        free = [ends for end, ends in self._by_end.items() if end < top and ends]
        if free:
            column = heapq.heappop(min(free, key=lambda ends: ends[0]))
        else:
            column = self._count
            self._count += 1
        heapq.heappush(self._by_end.setdefault(bottom, []), column)
        return column


def _alone(part: Part, rows: list[int], inner: int, crossed: set[int]) -> Bar:
    top, bottom = (rows[0], rows[-1]) if rows else ((inner + 1) // 2,) * 2
    while bottom - top < 4 and (bottom < inner or top > 1):
        bottom = min(bottom + 1, inner)
        if bottom - top < 4:
            top = max(top - 1, 1)
    row, tall = _words_row(top, bottom, rows, crossed, inner)
    return Bar(part, 0, min(top, row), max(bottom, row), row, tall)


def _words_row(top: int, bottom: int, rows: list[int], used: set[int], inner: int) -> tuple[int, bool]:
    """The row for the way out, best one without a port and with room for words above and below it."""
    middle = (top + bottom) // 2
    near = sorted(range(max(top, 2), min(bottom, inner - 1) + 1), key=lambda row: (row in rows, abs(row - middle), row))
    for row in near:
        if top < row < bottom and not used & {row - 1, row, row + 1}:
            return row, True
    flat = sorted(range(1, inner + 1), key=lambda row: (row in used, not top <= row <= bottom, row in rows, abs(row - middle)))
    return (flat[0], False) if flat else (1, False)


def _spans(bridges: list[tuple[Part, list[int]]], inner: int) -> list[tuple[int, int]]:
    """The rows of each bar: its ports' rows, stretched to three where that is free and every bar without ports has a row left; those take a gap."""
    spans: list[tuple[int, int] | None] = [(rows[0], rows[-1]) if rows else None for _, rows in bridges]
    free = set(range(1, inner + 1)).difference(*(range(span[0], span[1] + 1) for span in spans if span is not None))
    bare = spans.count(None)
    for index, span in enumerate(spans):
        if span is not None:
            top, bottom = span
            while bottom - top < 2 and len(free) > bare and (bottom + 1 in free or top - 1 in free):
                if bottom + 1 in free:
                    bottom += 1
                else:
                    top -= 1
                free -= {top, bottom}
            spans[index] = (top, bottom)
    for index, span in enumerate(spans):
        if span is None:
            gaps = ((size, row) for size in (3, 2, 1) for row in sorted(free) if free.issuperset(range(row, row + size)))
            size, row = next(gaps, (1, 1))
            spans[index] = (row, row + size - 1)
            free.difference_update(range(row, row + size))
    return [span for span in spans if span is not None]
