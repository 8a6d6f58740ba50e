"""Which rows are seen: the screen itself, or a place further up in the scrollback.

Lines are named by a number that never changes: the count of lines that left the screen before them (`Page.pushed`).  So a view
scrolled back stays on the same text while output goes on below it.

A stretch of text marked by mouse or keys, and what it says.

Positions are line numbers as in `Viewport` and columns, so a selection stays on its text while the screen scrolls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from netless.vt.page import Page
from netless.vt.row import FILLER, Row


class Viewport:
    """A window of ``height`` rows on a page.  Follows the output until it is scrolled back."""

    __slots__ = ("_top", "page")

    def __init__(self, page: Page) -> None:
        self.page = page
        self._top: int | None = None

    @property
    def first(self) -> int:
        """The oldest line there is."""
        return self.page.pushed - len(self.page.history)

    @property
    def last(self) -> int:
        """The newest line: the bottom row of the screen."""
        return self.page.pushed + self.page.height - 1

    @property
    def top(self) -> int:
        """The line at the top of the window."""
        if self._top is None:
            return self.page.pushed
        return max(self._top, self.first)

    @property
    def following(self) -> bool:
        """True while the window shows the screen itself."""
        return self._top is None

    @property
    def back(self) -> int:
        """Rows between the window and the screen."""
        return self.page.pushed - self.top

    def scroll(self, rows: int) -> bool:
        """Move the window down (or up, when negative); False when it does not move."""
        before = self.top
        self.look_at(before + rows)
        return self.top != before

    def look_at(self, top: int) -> None:
        """Have this line at the top, as far as there are lines."""
        self._top = None if top >= self.page.pushed else max(self.first, top)

    def follow(self) -> None:
        """Back to the screen."""
        self._top = None

    def show(self, line: int) -> None:
        """Scroll as little as needed to have this line in the window."""
        if line < self.top:
            self.scroll(line - self.top)
        elif line >= self.top + self.page.height:
            self.scroll(line - self.top - self.page.height + 1)

    def row(self, line: int) -> Row | None:
        """The row with this number, if it is still there."""
        at = line - self.page.pushed
        if at >= 0:
            return self.page.rows[at] if at < self.page.height else None
        at += len(self.page.history)
        return self.page.history[at] if at >= 0 else None


_WORD: Final = frozenset("-._/:@%+~=,#")
"""Besides letters and digits: what a double click takes as one word.  An address, a path, a URL."""


class Position(NamedTuple):
    """A cell."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Selection:
    """From ``anchor`` to ``head``, both included, in either direction."""

    anchor: Position
    head: Position

    @property
    def start(self) -> Position:
        """The earlier end."""
        return min(self.anchor, self.head)

    @property
    def end(self) -> Position:
        """The later end."""
        return max(self.anchor, self.head)

    def columns(self, line: int, width: int) -> tuple[int, int] | None:
        """The selected columns of a line, half open; None when there are none."""
        start, end = self.start, self.end
        if not start.line <= line <= end.line:
            return None
        return start.column if line == start.line else 0, min(width, end.column + 1) if line == end.line else width

    def text(self, view: Viewport) -> str:
        """The selected text.  Lines the terminal folded are one line again; blanks at the ends of lines are dropped."""
        pieces: list[str] = []
        width = view.page.columns
        for line in range(max(self.start.line, view.first), min(self.end.line, view.last) + 1):
            row, span = view.row(line), self.columns(line, width)
            if row is None or span is None:
                continue
            start, end = span
            if row.wrapped and line != self.end.line:
                cells = row.cells[start : row.wrapped]
                pieces.append("".join(cells).replace(FILLER, "") + " " * (row.wrapped - start - len(cells)))
            else:
                pieces.append("".join(row.cells[start:end]).replace(FILLER, "").rstrip(" ") + "\n")
        return "".join(pieces).removesuffix("\n")


def lines_of(view: Viewport, first: int, last: int) -> Iterator[tuple[str, list[Position]]]:
    """The lines of which some row is among these, each as it was printed, with the place of every character of it."""
    while _goes_on(view.row(first - 1)):
        first -= 1
    line = max(first, view.first)
    last = min(last, view.last)
    while line <= last:
        text, places = "", []
        while True:
            row = view.row(line)
            cells: Sequence[str] = row.cells if row is not None else ""
            if _goes_on(row):
                assert row is not None
                cells = [*cells[: row.wrapped], *" " * (row.wrapped - len(cells))]
            for column, cell in enumerate(cells):
                if cell != FILLER:
                    text += cell
                    places += [Position(line, column)] * len(cell)
            line += 1
            if not _goes_on(row):
                break
        yield text, places


def end_of(view: Viewport, position: Position) -> Position:
    """The last cell of the character that begins here."""
    row, after = view.row(position.line), position.column + 1
    wide = row is not None and after < len(row.cells) and row.cells[after] == FILLER
    return Position(position.line, after) if wide else position


def word_at(view: Viewport, position: Position) -> Selection:
    """The word under a cell, for a double click; the cell alone when it holds none."""
    row = view.row(position.line)
    cells: Sequence[str] = row.cells if row is not None else ""
    column = position.column
    if not _is_word(cells, column):
        return Selection(position, position)
    start = end = column
    while _is_word(cells, start - 1):
        start -= 1
    while _is_word(cells, end + 1):
        end += 1
    return Selection(Position(position.line, start), Position(position.line, end))


def line_at(view: Viewport, position: Position) -> Selection:
    """The whole line under a cell, for a triple click, with the rows it was folded into."""
    first = last = position.line
    while _goes_on(view.row(first - 1)):
        first -= 1
    while _goes_on(view.row(last)):
        last += 1
    return Selection(Position(first, 0), Position(last, view.page.columns - 1))


def step(view: Viewport, position: Position, columns: int, rows: int) -> Position:
    """A cursor key in selection: one cell or row further, over line ends, within the text there is."""
    width = view.page.columns
    cells = (position.line * width + position.column) + columns + rows * width
    first, last = view.first * width, view.last * width + width - 1
    line, column = divmod(max(first, min(cells, last)), width)
    return Position(line, column)


def _is_word(cells: Sequence[str], column: int) -> bool:
    if not 0 <= column < len(cells):
        return False
    cell = cells[column]
    return cell == FILLER or cell[:1].isalnum() or cell in _WORD


def _goes_on(row: Row | None) -> bool:
    return row is not None and row.wrapped > 0
