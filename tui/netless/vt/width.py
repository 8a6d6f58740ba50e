"""How many cells a character takes: 0 (joins the one before it), 1 or 2.

The screen must count as whatever paints it counts, or columns drift apart.  So the width is a function given to the terminal: the app
gives ``rich.cells.get_character_cell_size``; `standard_width` is the default for use without a painter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

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
