"""Printing: how characters get into cells (auto-wrap, insert mode, double width, combining marks, line drawing).

How many cells a character takes: 0 (joins the one before it), 1 or 2.

The screen must count as whatever paints it counts, or columns drift apart.  So the width is a function given to the terminal: the app
gives ``rich.cells.get_character_cell_size``; `standard_width` is the default for use without a painter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import groupby
from typing import Final

from netless.vt.row import CLUSTER_LIMIT, FILLER
from netless.vt.screen import Screen

Width = Callable[[str], int]

_CACHE_LIMIT: Final = 8192
_ZERO_WIDTH: Final = frozenset(("Mn", "Me", "Cf"))


def standard_width(character: str) -> int:
    """Cells of one character by the Unicode database of this Python (UAX #11: wide and full-width take two)."""
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    if unicodedata.category(character) in _ZERO_WIDTH and character != "\xad":
        return 0
    return 1


class WidthTable(dict[str, int]):
    """A `Width` remembered: the lookup of a known character is one dictionary access.  Emptied when it holds 8192."""

    def __init__(self, width: Width) -> None:
        super().__init__()
        self._width = width

    def __missing__(self, character: str) -> int:
        if len(self) >= _CACHE_LIMIT:
            self.clear()
        cells = self[character] = self._width(character)
        return cells


LINE_DRAWING: Final = str.maketrans("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
"""DEC Special Graphics (VT100 user guide, table 3-9)."""


def draw(screen: Screen, text: str, widths: WidthTable) -> None:
    """Print a run of printable characters at the cursor."""
    if screen.charsets[screen.shift] == "0":
        text = text.translate(LINE_DRAWING)
    if text.isascii():
        screen.last = text[-1]
        _draw_narrow(screen, text)
        return
    for width, same in groupby(text, widths.__getitem__):
        run = "".join(same)
        if width == 1:
            screen.last = run[-1]
            _draw_narrow(screen, run)
        elif width == 2:
            screen.last = run[-1]
            _draw_wide(screen, run)
        else:
            for mark in run:
                _draw_mark(screen, mark)


def _next_line(screen: Screen, share: int) -> None:
    """To the next row, where the line goes on; ``share`` cells of it are in this one."""
    screen.page.rows[screen.y].wrapped = share
    screen.x, screen.wrap_pending = 0, False
    screen.index()


def _draw_narrow(screen: Screen, text: str) -> None:
    columns, page, style = screen.columns, screen.page, screen.pen.style
    put = page.insert if screen.modes.insert else page.put
    autowrap = screen.modes.autowrap
    if not autowrap and len(text) > columns - screen.x:
        text = text[: columns - screen.x - 1] + text[-1]  # what does not fit piles up in the last column
    at, count = 0, len(text)
    while at < count:
        if screen.wrap_pending and autowrap:
            _next_line(screen, columns)
        x = screen.x
        piece = text[at : at + columns - x]
        put(screen.y, x, piece, style)
        at += len(piece)
        x += len(piece)
        screen.wrap_pending = x >= columns
        screen.x = columns - 1 if x >= columns else x


def _draw_wide(screen: Screen, text: str) -> None:
    columns, page, style = screen.columns, screen.page, screen.pen.style
    if columns < 2:
        return
    put = page.insert if screen.modes.insert else page.put
    at, count = 0, len(text)
    while at < count:
        room = 0 if screen.wrap_pending else (columns - screen.x) // 2
        if room == 0:
            if not screen.modes.autowrap:
                return
            if not screen.wrap_pending:
                page.erase(screen.y, screen.x, columns, screen.pen.blank)  # the column it does not fit in
            _next_line(screen, columns if screen.wrap_pending else screen.x)
            continue
        piece = text[at : at + room]
        cells = [FILLER] * (2 * len(piece))
        cells[::2] = piece
        put(screen.y, screen.x, cells, style)
        at += len(piece)
        x = screen.x + len(cells)
        screen.wrap_pending = x >= columns
        screen.x = columns - 1 if x >= columns else x


def _draw_mark(screen: Screen, mark: str) -> None:
    x = screen.x if screen.wrap_pending else screen.x - 1
    if x >= 0:
        screen.page.join(screen.y, x, mark, CLUSTER_LIMIT)
        if len(screen.last) < CLUSTER_LIMIT:
            screen.last += mark


def draw_lines(screen: Screen, block: str, widths: WidthTable) -> None:
    """Print lines of printable ASCII, each ended by CR LF.

    On a page without margins the lines below the bottom become rows without ever being drawn, and those that would scroll past the
    end of the scrollback are not even built.
    """
    lines = block.split("\r\n")
    lines.pop()
    page, modes = screen.page, screen.modes
    plain = modes.autowrap and not modes.insert and screen.charsets[screen.shift] != "0" and not screen.pen.blank
    plain = plain and page.top == 0 and page.bottom == screen.height - 1
    at, count = 0, len(lines)
    while at < count and not (plain and screen.y == page.bottom and screen.x == 0 and page.rows[-1].untouched):
        if lines[at]:
            draw(screen, lines[at], widths)
        screen.carriage_return()
        screen.index()
        at += 1
    if at == count:
        return
    page.pour(lines[at:], screen.pen.style)
    screen.last = ""
