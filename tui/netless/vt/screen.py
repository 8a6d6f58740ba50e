"""The state of a terminal: two pages, a cursor, a pen, modes, margins, tab stops, character sets.

Its switches are ANSI modes (ECMA-48 7.2) and DEC private modes (xterm's ctlseqs, "DECSET").

Methods here are the movements and changes that escape sequences are made of.  What a sequence means is in `control`; how
text gets into cells is in `drawing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from netless.vt.page import Page
from netless.vt.reflow import Place
from netless.vt.row import Row
from netless.vt.style import PLAIN, Attr, Pen, StyleTable

TAB: Final = 8
MAX_SIDE: Final = 1000
"""Columns or rows at most, whatever is asked for."""


PRIVATE: Final = {
    1: "application_cursor", 5: "reverse_screen", 6: "origin", 7: "autowrap", 25: "cursor_visible",
    66: "application_keypad", 1004: "focus_events", 1006: "mouse_sgr", 2004: "bracketed_paste", 2026: "synchronised",
}  # fmt: skip
"""DEC private modes that only flip one switch, and the field that holds it."""

MOUSE: Final = (9, 1000, 1002, 1003)
"""Mouse reporting: presses only (X10), presses and releases, also drags, also moves."""

ALTERNATE: Final = (47, 1047, 1049)
"""The alternate screen; 1049 saves and restores the cursor as well."""


@dataclass(slots=True)
class Modes:
    """Every switch, at its power-on position."""

    application_cursor: bool = False
    application_keypad: bool = False
    autowrap: bool = True
    bracketed_paste: bool = False
    cursor_visible: bool = True
    focus_events: bool = False
    insert: bool = False
    line_feed_returns: bool = False
    mouse: int = 0
    mouse_sgr: bool = False
    origin: bool = False
    reverse_screen: bool = False
    synchronised: bool = False

    def switch(self, mode: int, on: bool) -> bool:
        """Flip a DEC private mode held here; False when this number is none of them."""
        if mode in MOUSE:
            self.mouse = mode if on else 0
            return True
        name = PRIVATE.get(mode)
        if name is not None:
            setattr(self, name, on)
        return name is not None

    def report(self, mode: int) -> int:
        """DECRPM's answer for a private mode: 1 set, 2 reset, 0 not known."""
        if mode in MOUSE:
            return 1 if self.mouse == mode else 2
        name = PRIVATE.get(mode)
        if name is None:
            return 0
        return 1 if getattr(self, name) else 2

    def soft_reset(self) -> None:
        """DECSTR: the switches a program may leave in the wrong position."""
        self.insert = self.origin = self.application_cursor = self.application_keypad = False
        self.autowrap = self.cursor_visible = True


@dataclass(frozen=True, slots=True)
class SavedCursor:
    """What DECSC remembers."""

    x: int = 0
    y: int = 0
    wrap_pending: bool = False
    attr: Attr = PLAIN
    origin: bool = False
    charsets: tuple[str, str] = ("B", "B")
    shift: int = 0


class Screen:
    """Everything a sequence can change.  ``x`` and ``y`` count from 0.

    ``wrap_pending``: a character was drawn in the last column; the next one goes to the next line (the "last column flag" of the
    VT100, which every program relies on).
    """

    def __init__(self, columns: int, height: int, scrollback: int) -> None:
        self.columns, self.height = columns, height
        self.scrollback = scrollback
        self.styles = StyleTable()
        self.main = Page(columns, height, scrollback)
        self.page = self.main
        self._power_on()

    def _power_on(self) -> None:
        self.modes = Modes()
        self.pen = Pen(self.styles)
        self.x = self.y = 0
        self.wrap_pending = False
        self.charsets: list[str] = ["B", "B"]
        self.shift = 0
        self.tabs: set[int] | None = None
        self.last = ""
        self._saved: dict[bool, SavedCursor] = {}

    def reset(self) -> None:
        """RIS: as after power on, scrollback gone as well."""
        self.page = self.main
        self._power_on()
        self.main.top, self.main.bottom = 0, self.height - 1
        self.main.fill(0)
        self.main.clear_history()

    def soft_reset(self) -> None:
        """DECSTR."""
        self.modes.soft_reset()
        self.page.top, self.page.bottom = 0, self.height - 1
        self.pen.use(PLAIN)
        self.charsets, self.shift = ["B", "B"], 0
        self._saved.pop(self.alternate_active, None)

    @property
    def alternate_active(self) -> bool:
        """True while a full-screen program has the alternate screen."""
        return self.page is not self.main

    @property
    def rows(self) -> list[Row]:
        """The rows on the screen now."""
        return self.page.rows

    @property
    def text(self) -> str:
        """The screen as plain text."""
        return "\n".join(row.plain for row in self.page.rows)

    # -- the cursor

    def goto(self, row: int, column: int) -> None:
        """Place the cursor; with origin mode rows count from the top margin."""
        first, last = 0, self.height - 1
        if self.modes.origin:
            first, last = self.page.top, self.page.bottom
        self.y = max(first, min(row + first, last))
        self.x = max(0, min(column, self.columns - 1))
        self.wrap_pending = False

    def move_x(self, delta: int) -> None:
        """Left or right, not beyond the edges."""
        self.x = max(0, min(self.x + delta, self.columns - 1))
        self.wrap_pending = False

    def move_y(self, delta: int) -> None:
        """Up or down; the margins hold a cursor that starts between them."""
        page, y = self.page, self.y
        if delta < 0:
            self.y = max(page.top if y >= page.top else 0, y + delta)
        else:
            self.y = min(page.bottom if y <= page.bottom else self.height - 1, y + delta)
        self.wrap_pending = False

    def carriage_return(self) -> None:
        """To the first column."""
        self.x = 0
        self.wrap_pending = False

    def index(self) -> None:
        """Down one row; at the bottom margin the page scrolls."""
        self.wrap_pending = False
        if self.y == self.page.bottom:
            self.page.scroll_up(1, self.pen.blank)
        elif self.y < self.height - 1:
            self.y += 1

    def reverse_index(self) -> None:
        """Up one row; at the top margin the page scrolls."""
        self.wrap_pending = False
        if self.y == self.page.top:
            self.page.scroll_down(1, self.pen.blank)
        elif self.y > 0:
            self.y -= 1

    def save_cursor(self) -> None:
        """DECSC.  Each screen has its own."""
        self._saved[self.alternate_active] = SavedCursor(
            self.x, self.y, self.wrap_pending, self.pen.attr, self.modes.origin, (self.charsets[0], self.charsets[1]), self.shift
        )

    def restore_cursor(self) -> None:
        """DECRC; without anything saved, the power-on state."""
        saved = self._saved.get(self.alternate_active, SavedCursor())
        self.x, self.y = min(saved.x, self.columns - 1), min(saved.y, self.height - 1)
        self.wrap_pending = saved.wrap_pending and self.x == self.columns - 1
        self.pen.use(saved.attr)
        self.modes.origin = saved.origin
        self.charsets, self.shift = list(saved.charsets), saved.shift

    # -- tab stops

    def _stops(self) -> set[int]:
        if self.tabs is None:
            self.tabs = set(range(TAB, self.columns, TAB))
        return self.tabs

    def tab(self, count: int) -> None:
        """To the next stop, or back to an earlier one when ``count`` is negative."""
        if count > 0 and self.wrap_pending:
            return
        stops = sorted(self._stops())
        for _ in range(min(abs(count), self.columns)):
            if count > 0:
                self.x = next((stop for stop in stops if stop > self.x), self.columns - 1)
            else:
                self.x = next((stop for stop in reversed(stops) if stop < self.x), 0)
        self.wrap_pending = False

    def set_tab(self) -> None:
        """HTS: a stop here."""
        self._stops().add(self.x)

    def clear_tab(self) -> None:
        """TBC 0: no stop here."""
        self._stops().discard(self.x)

    # -- the pages

    def switch_alternate(self, on: bool) -> None:
        """To the alternate screen (erased) or back."""
        if on == self.alternate_active:
            return
        self.page = Page(self.columns, self.height, 0) if on else self.main
        if on:
            self.page.fill(self.pen.blank)
        self.page.all_dirty = True

    def align(self) -> None:
        """DECALN: the screen full of E, for adjusting glass tubes and for tests."""
        self.page.top, self.page.bottom = 0, self.height - 1
        self.page.rows[:] = [Row("E" * self.columns) for _ in range(self.height)]
        self.page.all_dirty = True
        self.goto(0, 0)

    def gives_up_line(self, columns: int) -> bool:
        """Whether this width blanks the line that a line editor reads, until that draws it."""
        return columns != self.columns and self.modes.bracketed_paste and not self.alternate_active

    def resize(self, columns: int, height: int, seen: Sequence[Place] = ()) -> list[Place]:
        """A new size, for both pages; returns the places of the main page that are ``seen``, whose rows are lines' numbers.

        The lines of the main page are folded anew, the cursor stays on its character.  A line editor (it asks for bracketed paste while
        it reads a line) draws its line anew from the row that it began in, and counts with the rows there were: they are blank by then.
        """
        columns, height = max(1, min(columns, MAX_SIDE)), max(1, min(height, MAX_SIDE))
        places = list(seen)
        if (columns, height) == (self.columns, self.height):
            return places
        main, over = self.main, self.alternate_active
        # under a full-screen program the cursor that waits is the one 1049 saved
        waiting = self._saved.get(False, SavedCursor())
        if over:
            typed = Place(min(waiting.y, self.height - 1), waiting.x + waiting.wrap_pending)
        else:
            typed = Place(self.y, self.x + self.wrap_pending)
        if columns != self.columns:
            if self.gives_up_line(columns):
                main.give_up_line(typed.row)
                typed = Place(typed.row, min(self.x, columns - 1))
            typed, places = main.refold(columns, typed, places)
        y, x, pending = main.resize(height, typed.row), min(typed.column, columns - 1), typed.column >= columns
        if over:
            self._saved[False] = replace(waiting, x=x, y=y, wrap_pending=pending)
            self.page.widen(columns)
            y, x, pending = self.page.resize(height, self.y), min(self.x, columns - 1), False
        self.x, self.y, self.wrap_pending = x, y, pending
        self.columns, self.height = columns, height
        self.tabs = None
        return places
