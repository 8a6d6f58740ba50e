"""What a cell looks like, and the small numbers that stand for looks inside rows."""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple

Colour = int | tuple[int, int, int] | None
"""A palette index 0-255, a red-green-blue triple, or None for the theme's own."""

STYLE_LIMIT: Final = 4096
"""Distinct looks one terminal remembers.  A truecolour gradient beyond that is drawn in the 6x6x6 palette."""


class Flag(IntFlag):
    """Attributes of ECMA-48 SGR that are on or off."""

    BOLD = 1
    DIM = 2
    ITALIC = 4
    UNDERLINE = 8
    BLINK = 16
    REVERSE = 32
    CONCEAL = 64
    STRIKE = 128


class Attr(NamedTuple):
    """The look of a cell.  ``flags`` is a sum of `Flag`, kept as a plain int because it is compared for every sequence."""

    fg: Colour = None
    bg: Colour = None
    flags: int = 0


PLAIN: Final = Attr()


class StyleTable:
    """Numbers for looks: rows hold the number, painters look the number up once.

    Number 0 is always `PLAIN`.  Numbers stay valid for the life of the table.  At most twice `STYLE_LIMIT` are given out.
    """

    __slots__ = ("_attrs", "_numbers")

    def __init__(self) -> None:
        self._attrs: list[Attr] = [PLAIN]
        self._numbers: dict[Attr, int] = {PLAIN: 0}

    def __len__(self) -> int:
        return len(self._attrs)

    def __getitem__(self, number: int) -> Attr:
        return self._attrs[number]

    def number(self, attr: Attr) -> int:
        """The number of this look, or of the nearest one when the table is full."""
        known = self._numbers.get(attr)
        if known is not None:
            return known
        if len(self._attrs) >= STYLE_LIMIT:
            attr = Attr(_to_palette(attr.fg), _to_palette(attr.bg), attr.flags)
            known = self._numbers.get(attr)
            if known is not None:
                return known
            if len(self._attrs) >= 2 * STYLE_LIMIT:
                return 0
        number = self._numbers[attr] = len(self._attrs)
        self._attrs.append(attr)
        return number


def _to_palette(colour: Colour) -> Colour:
    """The nearest entry of xterm's 6x6x6 colour cube (indices 16-231)."""
    if not isinstance(colour, tuple):
        return colour
    red, green, blue = ((channel * 5 + 127) // 255 for channel in colour)
    return 16 + 36 * red + 6 * green + blue
