"""The screen in fewer means: signs in ASCII for terminals that have no others, and no colour at all for who asked for none (no-color.org).

Both are filters on painted lines, the last thing before the terminal, so that borders, panels, notices and the picture are all of one set, and
whatever writes a sign need not know. Signs are swapped one for one in cells (``say.ascii``): nothing moves. What only a ground told (the chosen row, what is
selected) is then told by reverse video, what is faint by the terminal's own faint (SGR 2), code in a sentence by bold, the pane that has the focus by another border.
"""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from ..say.ascii import KNOWN, in_ascii


class Ascii(LineFilter):
    """Signs in ASCII."""

    def __init__(self, *, letters: bool) -> None:
        super().__init__()
        self._letters = letters

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in other signs."""
        return [Segment(in_ascii(text, self._letters), style, control) for text, style, control in segments]


class Colourless(LineFilter):
    """No colours: ``grounds`` are those that mean something, ``faint`` and ``strong`` the colours of what is less or other than the rest; as #rrggbb."""

    def __init__(self, grounds: frozenset[str], faint: frozenset[str], strong: frozenset[str]) -> None:
        super().__init__()
        self._grounds, self._faint, self._strong = grounds, faint, strong
        self._known = lru_cache(KNOWN)(self._plain)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without a colour."""
        return [Segment(text, None if style is None else self._known(style), control) for text, style, control in segments]

    def _plain(self, style: Style) -> Style:
        ground, colour = (found.name if found is not None else "" for found in (style.bgcolor, style.color))
        more = Style(reverse=ground in self._grounds or None, dim=colour in self._faint or None, bold=colour in self._strong or None)
        return style.without_color + Style(meta=style.meta, link=style.link) + more
