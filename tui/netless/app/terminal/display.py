"""The picture of a terminal, line by line: the window on its rows, the selection, the search and the cursor.

Selecting by mouse, as in every terminal: drag, double click for a word, triple click for a line; letting go copies.  By keys, as in
a text field: shift and an arrow starts at the cursor and goes on selecting, an arrow alone moves to another start; enter copies, escape
gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from rich.style import Style as RichStyle
from textual.strip import Strip

from netless.vt import Screen
from netless.vt.page import Page
from netless.vt.reflow import Place
from netless.vt.viewport import Position, Selection, Viewport, end_of, line_at, lines_of, step, word_at

from ..widgets.search import Did, Search, occurrences
from .painter import CURSOR, CURSOR_WITHOUT_FOCUS, FOUND, Painter, restyle

_STEPS: Final = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
STARTING_KEYS: Final = frozenset(f"shift+{key}" for key in _STEPS)
"""Keys that begin a selection on the ordinary screen (full-screen programs get them themselves)."""


class Outcome(Enum):
    """What a key did to the selection."""

    MOVED = auto()
    COPIED = auto()
    GIVEN_UP = auto()
    NOT_OURS = auto()


class Marking:
    """The selection of one terminal, if there is one."""

    def __init__(self, view: Viewport) -> None:
        self.view = view
        self.selection: Selection | None = None
        self.by_keys = False
        self._anchor: Position | None = None

    @property
    def dragging(self) -> bool:
        """True while the mouse button is down."""
        return self._anchor is not None

    def clear(self) -> bool:
        """No selection; False when there was none."""
        had = self.selection is not None
        self.selection, self.by_keys, self._anchor = None, False, None
        return had

    def press(self, position: Position) -> None:
        """The mouse button went down here."""
        self.clear()
        self._anchor = position

    def drag(self, position: Position) -> bool:
        """The mouse moved with the button down; False when nothing changed."""
        if self._anchor is None or (self.selection is None and position == self._anchor):
            return False
        self.selection = Selection(self._anchor, position)
        return True

    def release(self) -> str:
        """The mouse button went up: the text to copy, empty when nothing was dragged over."""
        self._anchor = None
        return self.text

    def take(self, position: Position, clicks: int) -> str:
        """A double or triple click: the word or line to copy."""
        self.selection = word_at(self.view, position) if clicks == 2 else line_at(self.view, position)
        return self.text

    def begin(self, position: Position) -> None:
        """Selecting by keys starts at the cursor."""
        self.clear()
        self.selection, self.by_keys = Selection(position, position), True

    def key(self, key: str) -> Outcome:
        """A key while selecting by keys."""
        if self.selection is None or not self.by_keys:
            return Outcome.NOT_OURS
        if key == "enter":
            return Outcome.COPIED
        if key == "escape":
            return Outcome.GIVEN_UP
        head = self._moved(key.removeprefix("shift+"), self.selection.head)
        if head is None:
            return Outcome.NOT_OURS
        self.selection = Selection(self.selection.anchor if key.startswith("shift+") else head, head)
        self.view.show(head.line)
        return Outcome.MOVED

    def _moved(self, key: str, head: Position) -> Position | None:
        page = self.view.page
        if key in _STEPS:
            return step(self.view, head, *_STEPS[key])
        if key in ("pageup", "pagedown"):
            return step(self.view, head, 0, page.height * (-1 if key == "pageup" else 1))
        if key in ("home", "end"):
            return Position(head.line, 0 if key == "home" else page.columns - 1)
        return None

    @property
    def places(self) -> list[Position]:
        """The cells it hangs on."""
        ends = [self.selection.anchor, self.selection.head] if self.selection is not None else []
        return [*ends, *([self._anchor] if self._anchor is not None else [])]

    def move(self, places: Sequence[Position]) -> None:
        """Those cells are elsewhere."""
        left = list(places)
        if self.selection is not None:
            self.selection = Selection(left.pop(0), left.pop(0))
        if self._anchor is not None:
            self._anchor = left.pop(0)

    @property
    def text(self) -> str:
        """The selected text."""
        return self.selection.text(self.view) if self.selection is not None else ""


@dataclass(frozen=True, slots=True)
class Look:
    """How lines are to look just now."""

    width: int
    height: int
    cursor: RichStyle | None
    selection: RichStyle


def cursor_look(running: bool, focused: bool) -> RichStyle | None:
    """Filled where keys go, a line elsewhere, nothing when no program is there."""
    if not running:
        return None
    return CURSOR if focused else CURSOR_WITHOUT_FOCUS


class Display:
    """What of a `Screen` is seen.  Lines of the window count from 0 at its top."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.painter = Painter(screen.styles)
        self.view = Viewport(screen.page)
        self.marking = Marking(self.view)
        self.search: Search | None = None
        self._cursor_line = 0
        self._in_window: tuple[object, list[Selection]] = (None, [])
        """Places found in the window, and which window with which words that was."""

    @property
    def cursor(self) -> Position:
        """Where the cursor is, by the line's number."""
        return Position(self.screen.page.pushed + self.screen.y, self.screen.x)

    @property
    def selection_start(self) -> Position:
        """Where selecting by keys begins: at the cursor, or when scrolled back on the lowest line seen."""
        if self.view.following:
            return self.cursor
        return Position(self.view.top + self.screen.page.height - 1, 0)

    def position(self, column: int, row: int) -> Position:
        """The cell at a place of the window."""
        return Position(self.view.top + row, column)

    def settle(self) -> bool:
        """Back to the screen, nothing selected and nothing looked for; False when it was so already."""
        moved = self.marking.clear() or not self.view.following or self.search is not None
        self.search = None
        self.view.follow()
        return moved

    def resize(self, columns: int, height: int) -> None:
        """Another size: the line at the top, what is selected and what is looked for stay, except on a page that its program draws anew."""
        screen, view, marking = self.screen, self.view, self.marking
        self._turn_page()
        if screen.alternate_active:
            self.settle()
        following, selected = view.following, marking.selection
        in_sight = selected is not None and 0 <= selected.head.line - view.top < screen.height and (marking.by_keys or not following)
        seen = [Place(*place) for place in (Position(view.top, 0), *marking.places)]
        top, *places = (Position(row, min(column, columns - 1)) for row, column in screen.resize(columns, height, seen))
        marking.move(places)
        self._in_window = None, []
        if following:
            view.follow()
        else:
            view.look_at(top.line)
        if in_sight and marking.selection is not None:
            view.show(marking.selection.head.line)
        self._count_again()

    def _count_again(self) -> None:
        """Lines may have been lost at the top, and with them places that were found."""
        if self.search is not None and self.marking.selection is not None:
            found = self._found(self.view.first, self.view.last)
            start = self.marking.selection.start
            self.search.found = len(found)
            self.search.at = next((number for number, place in enumerate(found) if place.start >= start), max(0, len(found) - 1))

    # -- looking for words

    def look_for(self, did: Did) -> None:
        """Select the place that a key of the search led to; the first is the newest that is not below the window."""
        if self.search is None:
            return
        found = self._found(self.view.first, self.view.last)
        self.search.found = len(found)
        if did == "typed":
            below = self.view.top + self.screen.page.height
            self.search.at = max((number for number, place in enumerate(found) if place.start.line < below), default=0)
        self.search.at = min(self.search.at, max(0, len(found) - 1))
        self.search.move(did)
        if not found:
            self.marking.clear()
            return
        self.marking.selection, self.marking.by_keys = found[self.search.at], True
        self.view.show(found[self.search.at].start.line)

    def _found(self, first: int, last: int) -> list[Selection]:
        """Where the words of the search are, in the lines of these rows."""
        if self.search is None:
            return []
        return [
            Selection(places[start], end_of(self.view, places[end - 1]))
            for text, places in lines_of(self.view, first, last)
            for start, end in occurrences(text, self.search.words)
        ]

    def _found_in_window(self) -> list[Selection]:
        """The same in the window, once for as long as it shows the same: a row may be part of a line of a thousand rows."""
        view = self.view
        window = (self.search.words, view.page, view.top) if self.search is not None else None
        if self._in_window[0] != window:
            first, last = view.top, view.top + view.page.height - 1
            seen = [place for place in self._found(first, last) if place.end.line >= first and place.start.line <= last]
            self._in_window = window, seen
        return self._in_window[1]

    def search_row(self, height: int) -> int:
        """Where the line of the search is painted: in the last row of the window, unless what is looked at is there."""
        selected = self.marking.selection
        return 0 if selected is not None and selected.end.line == self.view.top + height - 1 else height - 1

    def _turn_page(self) -> Page:
        """The page that is seen: the program may have gone to the alternate screen, or back."""
        page = self.screen.page
        if page is not self.view.page:
            self.view.page = page
            self.settle()
        return page

    def take_changes(self) -> list[int] | None:
        """The lines of the window to paint again since the last call, the cursor's old and new one among them; None for all."""
        page = self._turn_page()
        everything, rows = page.take_dirty()
        self._in_window = None, []
        cursor, before = self.cursor.line, self._cursor_line
        self._cursor_line = cursor
        if everything:
            return None
        top = self.view.top
        lines = {page.pushed + y - top for y in rows} | {before - top, cursor - top}
        return sorted(line for line in lines if 0 <= line < page.height)

    def line(self, y: int, look: Look) -> Strip:
        """One line of the window."""
        screen, view = self.screen, self.view
        number = view.top + y
        row = view.row(number)
        if row is None:
            return self.painter.blank(look.width)
        strip = self.painter.line(row, look.width)
        if screen.modes.reverse_screen:
            strip = self.painter.reversed(strip)
        if look.cursor is not None and screen.modes.cursor_visible and number == self.cursor.line and screen.x < look.width:
            strip = self.painter.with_cursor(strip, row, screen.x, look.cursor)
        for place in self._found_in_window():
            if found := place.columns(number, look.width):
                strip = restyle(strip, *found, FOUND)
        if self.marking.selection is not None and (span := self.marking.selection.columns(number, look.width)):
            strip = restyle(strip, *span, look.selection)
        if not view.following:
            strip = self._with_thumb(strip, y, look)
        return strip

    def _with_thumb(self, strip: Strip, y: int, look: Look) -> Strip:
        """A scrollbar's thumb in the last column, only while scrolled back: otherwise it costs no column."""
        view = self.view
        lines = view.last - view.first + 1
        start = (view.top - view.first) * look.height // lines
        length = max(1, look.height * look.height // lines)
        return restyle(strip, look.width - 1, look.width, CURSOR) if start <= y < start + length else strip
