"""One line of the screen.

A row is frozen (a string and a few style runs: small, and cheap to keep in the scrollback) until something edits a cell; then it is
thawed into two lists, one entry a cell.  Cells and columns always correspond: a double-width character is followed by `FILLER`, and a
character with combining marks is one entry of several code points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

FILLER: Final = "\0"
"""The right half of a double-width character.  NUL is never drawn, so it cannot be confused with text."""

CLUSTER_LIMIT: Final = 8
"""Code points in one cell: one letter with seven marks.  More are dropped."""

Runs = tuple[tuple[int, int], ...]
"""(style number, cells), left to right.  Cells after the last run have style 0."""


class Row:
    """A line of cells.  ``paint``: a place for the painter's own cache.

    ``wrapped``: how many of its cells belong to a line that goes on in the next row, 0 when none does.  That is one less than there are
    when a double-width character found no room in the last one.  A row may hold more cells than the screen is wide: what a narrower
    screen does not show, until the row is edited.
    """

    __slots__ = ("_runs", "cells", "paint", "styles", "wrapped")

    def __init__(self, cells: Sequence[str] = "", runs: Runs = (), wrapped: int = 0) -> None:
        self.cells = cells
        self._runs: Runs = runs
        self.styles: list[int] | None = None
        self.wrapped = wrapped
        self.paint: object = None

    def thaw(self, columns: int) -> tuple[list[str], list[int]]:
        """The cells and styles as lists to edit in place, ``columns`` long."""
        self.paint = None
        cells, styles = self.cells, self.styles
        if styles is None or not isinstance(cells, list):
            cells = self.cells = list(cells)
            styles = self.styles = [number for number, length in self._runs for _ in range(length)]
            if len(cells) < len(styles):
                cells += [" "] * (len(styles) - len(cells))
            missing = max(columns, len(cells)) - len(cells)
            if missing:
                cells += [" "] * missing
            styles += [0] * (len(cells) - len(styles))
        elif len(cells) < columns:
            missing = columns - len(cells)
            cells += [" "] * missing
            styles += [0] * missing
        if len(cells) > columns:
            split_wide(cells, columns)
            del cells[columns:], styles[columns:]
        return cells, styles

    def freeze(self) -> Row:
        """Back to the small form.  Blank cells at the end are dropped, coloured ones are not."""
        self.paint = None
        cells, styles = self.cells, self.styles
        if styles is None:
            return self
        text = "".join(cells)
        single = len(text) == len(cells)
        if any(styles):
            end = len(styles)
            while end and styles[end - 1] == 0 and cells[end - 1] == " ":
                end -= 1
            self._runs = tuple((number, len(list(same))) for number, same in groupby(styles[:end]))
            self.cells = text[:end] if single else tuple(cells[:end])
        else:
            self._runs = ()
            self.cells = text.rstrip(" ") if single else tuple(cells)
        self.styles = None
        return self

    @property
    def runs(self) -> Runs:
        """The looks of a frozen row."""
        return self._runs

    def spans(self) -> list[tuple[str, int]]:
        """(text, style number) pieces for a painter, left to right.  Their cells add up; the rest of the row is blank."""
        pieces: list[tuple[str, int]] = []
        runs = self._runs if self.styles is None else ((number, len(list(same))) for number, same in groupby(self.styles))
        cells, at = self.cells, 0
        for number, length in runs:
            text = "".join(cells[at : at + length])
            at += length
            short = at - len(cells)
            pieces.append((text if short <= 0 else text + " " * min(short, length), number))
        if at < len(cells):
            pieces.append(("".join(cells[at:]), 0))
        return [(text.replace(FILLER, ""), number) for text, number in pieces]

    @property
    def untouched(self) -> bool:
        """Nothing was ever drawn here."""
        return not self.cells and not self._runs

    @property
    def plain(self) -> str:
        """The text alone, without the blanks at the end."""
        return "".join(self.cells).replace(FILLER, "").rstrip(" ")


def split_wide(cells: list[str], at: int) -> None:
    """An edit begins or ends at this column: a double-width character lying across it becomes two blanks."""
    if 0 < at < len(cells) and cells[at] == FILLER:
        cells[at - 1] = cells[at] = " "
