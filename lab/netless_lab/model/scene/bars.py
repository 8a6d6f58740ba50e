"""The host's bridges as upright bars: which rows each spans, in which column it stands, and where its words go.

Bridges whose ports do not mix stand above each other; otherwise side by side, and a wire to the farther bar passes over the nearer.
"""

from __future__ import annotations

import heapq

import msgspec

from .figure import Part
from .labels import Piece, addresses, bridge_style, dot, safe

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
        column = columns.take(top, bottom)
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
    """The rows of each bar: its ports' rows, stretched to three where that is free; a bar without ports takes a gap."""
    spans: list[tuple[int, int] | None] = [(rows[0], rows[-1]) if rows else None for _, rows in bridges]
    free = set(range(1, inner + 1)).difference(*(range(span[0], span[1] + 1) for span in spans if span is not None))
    for index, span in enumerate(spans):
        if span is not None:
            top, bottom = span
            while bottom - top < 2 and (bottom + 1 in free or top - 1 in free):
                if bottom + 1 in free:
                    bottom += 1
                else:
                    top -= 1
            spans[index] = (top, bottom)
            free.difference_update(range(top, bottom + 1))
    for index, span in enumerate(spans):
        if span is None:
            gaps = ((size, row) for size in (3, 2, 1) for row in sorted(free) if free.issuperset(range(row, row + size)))
            size, row = next(gaps, (1, 1))
            spans[index] = (row, row + size - 1)
            free.difference_update(range(row, row + size))
    return [span for span in spans if span is not None]
