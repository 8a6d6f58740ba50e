"""Painting a terminal's rows as strips of the screen toolkit: its sixteen colours in each theme, its styles, and looks laid over cells."""

from __future__ import annotations

from collections import deque
from typing import Final

from rich.color import Color as RichColour
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip

from netless.vt import FILLER, Colour, Flag, Row, StyleTable

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
FOUND: Final = RichStyle(underline=True)
_SCREEN_REVERSED: Final = RichStyle(reverse=True)


MOST_PAINTED: Final = 512
"""So many rows remember how they were painted: more than a screen has. Whoever scrolls through all that was printed sees thousands."""


class Painter:
    """Turns rows into strips of one width, remembering what it painted in the rows themselves, as far as those were painted lately."""

    def __init__(self, styles: StyleTable) -> None:
        self._table = styles
        self._base = RichStyle.null()
        self._known: dict[int, RichStyle] = {}
        self._palette: Palette = DARK
        self._generation = object()
        self._painted: deque[Row] = deque()

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
        self._painted.append(row)
        if len(self._painted) > MOST_PAINTED:
            self._painted.popleft().paint = None
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
