"""Folding again: the rows of a terminal at another width.

A line that was printed past the right edge lies in several rows; `Row.wrapped` of each but the last says how many of its cells belong
to the line.  So the line is known whatever happened to its rows, and is cut anew where the new edge is, never through a double-width
character.  Blanks behind a line's last character are not folded: they stay in its last row, unseen where that is wider than the screen.

Rows that fit as they are stay the same objects: a change of width costs a look at every row, and work for those alone that it changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from netless.vt.row import FILLER, Row, Runs

Kept = Row | str
"""A row, or the text of one that has no look and goes on in no other."""


class Place(NamedTuple):
    """A cell: its row and its column.  A column as large as the width is behind the last cell of the row."""

    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows at the new width, and where among them the places are that were asked for."""

    rows: list[Kept]
    places: list[Place]


def fold(rows: Sequence[Kept], columns: int, typed: Place, others: Sequence[Place] = ()) -> Folded:
    """These rows, folded at ``columns`` cells, with places that keep to their character.

    ``typed`` is where the next character goes: blanks in front of it belong to its line.  It comes first in the answer.
    """
    places = [typed, *others]
    asked: dict[int, list[int]] = {}
    for index, place in enumerate(places):
        asked.setdefault(place.row, []).append(index)
    out: list[Kept] = []
    at, count = 0, len(rows)
    while at < count:
        row = rows[at]
        goes_on, length = (0, len(row)) if isinstance(row, str) else (row.wrapped, len(row.cells))
        if not goes_on and length <= columns and at not in asked:
            out.append(row)
            at += 1
            continue
        end = at + 1
        while end < count and goes_on:
            after = rows[end]
            goes_on = 0 if isinstance(after, str) else after.wrapped
            end += 1
        line = _Line([Row(kept) if isinstance(kept, str) else kept.freeze() for kept in rows[at:end]])
        inside = [(index, line.starts[number - at] + places[index].column) for number in range(at, end) for index in asked.get(number, ())]
        cuts = line.cuts(columns, max((offset for index, offset in inside if index == 0), default=0))
        for index, offset in inside:
            piece = bisect_right(cuts, offset) - 1
            places[index] = Place(len(out) + piece, min(offset - cuts[piece], columns))
        out += line.pieces(cuts)
        at = end
    return Folded(out, places)


class _Line:
    """One line, put together from the rows it lies in."""

    __slots__ = ("_cells", "_length", "_rows", "_runs", "starts")

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        last = rows[-1]
        self.starts = [0]
        self._cells: Sequence[str] = last.cells
        self._runs: Sequence[tuple[int, int]] = last.runs
        if len(rows) > 1:
            self._join()
        self._length = self.starts[-1] + _extent(last.cells)

    def _join(self) -> None:
        texts: list[Sequence[str]] = []
        runs: list[tuple[int, int]] = []
        for row in self._rows[:-1]:
            share = max(row.wrapped, _extent(row.cells))  # what was written behind the line's own cells later belongs to it as well
            cells = row.cells[:share]
            texts.append(cells.ljust(share) if isinstance(cells, str) else [*cells, *" " * (share - len(cells))])
            _extend(runs, _cut(row.runs, [0, share])[0], share)
            self.starts.append(self.starts[-1] + share)
        texts.append(self._cells)
        _extend(runs, self._runs)
        plain = [text for text in texts if isinstance(text, str)]
        self._cells = "".join(plain) if len(plain) == len(texts) else [cell for text in texts for cell in text]
        self._runs = runs

    def cuts(self, columns: int, least: int) -> list[int]:
        """Where the rows begin that the line takes, at least ``least`` cells of it."""
        cells, length, cuts, cut = self._cells, max(self._length, least), [0], 0
        while length - cut > columns:
            cut += columns
            if cut < len(cells) and cells[cut] == FILLER:
                cut += -1 if columns > 1 else 1  # in a single column nothing wide is whole
            cuts.append(cut)
        return cuts

    def pieces(self, cuts: list[int]) -> list[Row]:
        """The line's rows, cut there."""
        if len(cuts) == len(self._rows) == 1:
            return self._rows
        cells, looks = self._cells, _cut(self._runs, cuts)
        out = []
        for start, end, look in zip(cuts, [*cuts[1:], 0], looks, strict=True):
            piece = cells[start : end or None]
            out.append(Row(piece if isinstance(piece, str) else tuple(piece), look, end - start if end else 0))
        return out


def _extent(cells: Sequence[str]) -> int:
    """Cells up to the last that is not blank."""
    if isinstance(cells, str):
        return len(cells.rstrip(" "))
    return next((at for at in range(len(cells), 0, -1) if cells[at - 1] != " "), 0)


def _extend(runs: list[tuple[int, int]], more: Sequence[tuple[int, int]], least: int = 0) -> None:
    """Runs behind others, at least so many cells long."""
    more = (*more, (0, max(0, least - sum(length for _, length in more))))
    for number, length in more:
        if runs and runs[-1][0] == number:
            runs[-1] = number, runs[-1][1] + length
        elif length:
            runs.append((number, length))


def _cut(runs: Sequence[tuple[int, int]], cuts: list[int]) -> list[Runs]:
    """The runs of the cells from each cut to the next; the last gets the rest."""
    if not runs:
        return [()] * len(cuts)
    pieces: list[Runs] = []
    piece: list[tuple[int, int]] = []
    at, left = 0, len(cuts) - 1
    for number, length in runs:
        while left and at + length > (end := cuts[-left]):
            if at < end:
                piece.append((number, end - at))
                length, at = length - end + at, end
            pieces.append(_look(piece))
            piece = []
            left -= 1
        piece.append((number, length))
        at += length
    pieces.append(_look(piece))
    return pieces + [()] * left


def _look(piece: list[tuple[int, int]]) -> Runs:
    """Runs of a row; none when no cell has a look."""
    return tuple(piece) if len(piece) > 1 or (piece and piece[0][0]) else ()
