"""The picture of a terminal: its rows, the window on them, the selection and the cursor, line by line.

Selecting text in the terminal, by mouse and by keys.

By mouse, as in every terminal: drag, double click for a word, triple click for a line; letting go copies.  By keys, as in
a text field: shift and an arrow starts at the cursor and goes on selecting, an arrow alone moves to another start; enter copies, escape
gives up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from rich.style import Style as RichStyle
from textual.strip import Strip

from netless.app.terminal.painter import CURSOR, CURSOR_WITHOUT_FOCUS, Painter, restyle
from netless.vt import Screen
from netless.vt.viewport import Position, Selection, Viewport, line_at, step, word_at

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
        self._cursor_line = 0

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
        """Back to the screen, nothing selected; False when it was so already."""
        moved = self.marking.clear() or not self.view.following
        self.view.follow()
        return moved

    def take_changes(self) -> list[int] | None:
        """The lines of the window to paint again since the last call, the cursor's old and new one among them; None for all."""
        page = self.screen.page
        if page is not self.view.page:  # to the alternate screen or back
            self.view.page = page
            self.settle()
        everything, rows = page.take_dirty()
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
