"""The picture of a terminal, line by line: its rows as strips of the screen toolkit, the window on them, the selection and the cursor.

Selecting by mouse, as in every terminal: drag, double click for a word, triple click for a line; letting go copies.  By keys, as in
a text field: shift and an arrow starts at the cursor and goes on selecting, an arrow alone moves to another start; enter copies, escape
gives up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from rich.color import Color as RichColour
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip

from netless.vt import FILLER, Colour, Flag, Row, Screen, StyleTable
from netless.vt.viewport import Position, Selection, Viewport, line_at, step, word_at

Palette = tuple[str, ...]
"""Sixteen colours as #rrggbb: black, red, green, yellow, blue, magenta, cyan, white, and the bright ones."""
# Every colour used for text has a contrast of at least 4.5 on the theme's background (WCAG 2.1, 1.4.3); only black on dark is left dark,
# because programs use it as a background.  The other 240 colours and truecolour are what the program says.
DARK: Final[Palette] = (
    "#232935", "#f2786b", "#5fc98f", "#e6b84c", "#6fb1f0", "#c79bf2", "#56c8d8", "#d8dde6",
    "#8a94a6", "#ff9a8c", "#86e0ac", "#f4d27a", "#9accff", "#dcbcff", "#86e1ee", "#ffffff",
)  # fmt: skip
LIGHT: Final[Palette] = (
    "#1f2530", "#b3261e", "#1a6b3c", "#7a5b00", "#1f5fbf", "#7a3fb5", "#00697a", "#5f6673",
    "#6b6f78", "#c2352b", "#1f7a46", "#856300", "#2b69c7", "#8648c4", "#00758a", "#3a4150",
)  # fmt: skip


def palette(dark: bool) -> Palette:
    """The colours for a dark or a light theme."""
    return DARK if dark else LIGHT


_INVISIBLE: Final = dict.fromkeys(
    (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFE0E, 0xFE0F, 0xFEFF), None
)
"""Joiners, variation selectors and direction overrides.  Terminals disagree about their width, or reorder the line; the grid counts
each character by itself, so they are not passed on."""

CURSOR: Final = RichStyle(reverse=True)
CURSOR_WITHOUT_FOCUS: Final = RichStyle(underline=True)
_SCREEN_REVERSED: Final = RichStyle(reverse=True)


class Painter:
    """Turns rows into strips of one width, remembering what it painted in the rows themselves."""

    def __init__(self, styles: StyleTable) -> None:
        self._table = styles
        self._base = RichStyle.null()
        self._known: dict[int, RichStyle] = {}
        self._palette: Palette = DARK
        self._generation = object()

    def use_theme(self, base: RichStyle, palette: Palette) -> None:
        """The theme's own colours and its sixteen named ones; everything is painted anew."""
        self._base, self._palette = base, palette
        self._known.clear()
        self._generation = object()

    def style(self, number: int) -> RichStyle:
        """The toolkit's style for a style number."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._base + self._own_style(number)
        return known

    def _own_style(self, number: int) -> RichStyle:
        fg, bg, flags = self._table[number]

        def on(flag: Flag) -> bool | None:
            return True if flags & flag else None

        return RichStyle(
            color=self._colour(fg), bgcolor=self._colour(bg), bold=on(Flag.BOLD), dim=on(Flag.DIM), italic=on(Flag.ITALIC),
            underline=on(Flag.UNDERLINE), blink=on(Flag.BLINK), reverse=on(Flag.REVERSE), conceal=on(Flag.CONCEAL), strike=on(Flag.STRIKE),
        )  # fmt: skip

    def _colour(self, colour: Colour) -> RichColour | None:
        if colour is None:
            return None
        if isinstance(colour, tuple):
            return RichColour.from_rgb(*colour)
        return RichColour.parse(self._palette[colour]) if colour < 16 else RichColour.from_ansi(colour)

    def blank(self, width: int) -> Strip:
        """An empty line."""
        return Strip.blank(width, self.style(0))

    def line(self, row: Row, width: int) -> Strip:
        """A row, cut or filled to the width."""
        key = (self._generation, width)
        painted = row.paint
        if isinstance(painted, tuple) and painted[0] == key:
            strip: Strip = painted[1]
            return strip
        segments = []
        for text, number in row.spans():
            visible = text if text.isascii() else text.translate(_INVISIBLE)
            if visible:
                segments.append(Segment(visible, self.style(number)))
        strip = Strip(segments).adjust_cell_length(width, self.style(0))
        row.paint = (key, strip)
        return strip

    def with_cursor(self, strip: Strip, row: Row, column: int, look: RichStyle) -> Strip:
        """The cursor's cell on a painted row, both halves of a double-width character."""
        wide = column + 1 < len(row.cells) and row.cells[column + 1] == FILLER
        return restyle(strip, column, column + (2 if wide else 1), look)

    def reversed(self, strip: Strip) -> Strip:
        """The whole line with its colours exchanged (DECSCNM)."""
        return restyle(strip, 0, strip.cell_length, _SCREEN_REVERSED)


def restyle(strip: Strip, start: int, end: int, look: RichStyle) -> Strip:
    """Lay a look over some columns; a reversed look turns reversed text back."""
    if end <= start:
        return strip
    middle = []
    for text, style, _ in strip.crop(start, end):
        under = style or RichStyle.null()
        over = look
        if look.reverse and under.reverse:
            over = RichStyle(reverse=False)
        middle.append(Segment(text, under + over))
    return Strip.join([strip.crop(0, start), Strip(middle), strip.crop(end, strip.cell_length)])


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
