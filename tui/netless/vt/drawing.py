"""Printing: how characters get into cells (auto-wrap, insert mode, double width, combining marks, line drawing)."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from netless.vt.row import CLUSTER_LIMIT, FILLER
from netless.vt.screen import Screen
from netless.vt.width import WidthTable

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


def _next_line(screen: Screen) -> None:
    screen.page.rows[screen.y].wrapped = True
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
            _next_line(screen)
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
            _next_line(screen)
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
