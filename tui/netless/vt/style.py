"""What a cell looks like, and the small numbers that stand for looks inside rows.

Select Graphic Rendition: what ``ESC [ ... m`` does to the pen (ECMA-48 8.3.117, ISO 8613-6 colours, xterm's 90-107).
"""

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


_ON: Final[dict[int, int]] = {
    1: Flag.BOLD.value, 2: Flag.DIM.value, 3: Flag.ITALIC.value, 4: Flag.UNDERLINE.value, 5: Flag.BLINK.value,
    6: Flag.BLINK.value, 7: Flag.REVERSE.value, 8: Flag.CONCEAL.value, 9: Flag.STRIKE.value, 21: Flag.UNDERLINE.value,
}  # fmt: skip
_OFF: Final[dict[int, int]] = {
    22: Flag.BOLD.value | Flag.DIM.value, 23: Flag.ITALIC.value, 24: Flag.UNDERLINE.value, 25: Flag.BLINK.value,
    27: Flag.REVERSE.value, 28: Flag.CONCEAL.value, 29: Flag.STRIKE.value,
}  # fmt: skip
_UNDERLINE: Final[int] = Flag.UNDERLINE.value
_MEMORY: Final = 4096


class Pen:
    """The look new cells get.  ``style`` and ``blank`` are numbers of the table: for drawn cells and for erased ones.

    Erased cells keep the background only (back colour erase, as xterm and tmux do).
    """

    __slots__ = ("_memory", "_table", "attr", "blank", "style")

    def __init__(self, table: StyleTable) -> None:
        self._table = table
        self._memory: dict[tuple[Attr, str], tuple[Attr, int, int]] = {}
        self.attr, self.style, self.blank = PLAIN, 0, 0

    def select(self, parameters: str) -> None:
        """Carry out one SGR sequence.  Sequences repeat endlessly in real output, so results are remembered."""
        key = (self.attr, parameters)
        known = self._memory.get(key)
        if known is None:
            self.use(apply_sgr(self.attr, parameters))
            if len(self._memory) >= _MEMORY:
                self._memory.clear()
            self._memory[key] = self.attr, self.style, self.blank
        else:
            self.attr, self.style, self.blank = known

    def use(self, attr: Attr) -> None:
        """Take this look."""
        self.attr = attr
        self.style = self._table.number(attr)
        self.blank = 0 if attr.bg is None else self._table.number(Attr(bg=attr.bg))


def apply_sgr(attr: Attr, parameters: str) -> Attr:
    """The look after one SGR sequence.  Unknown codes change nothing; a broken colour ends the sequence."""
    fg, bg, flags = attr
    codes = parameters.split(";")
    at = 0
    while at < len(codes):
        head, sub = codes[at], []
        if ":" in head:
            head, *sub = head.split(":")
        at += 1
        code = int(head) if head.isdecimal() and len(head) < 5 else -1 if head else 0
        if code == 38 or code == 48 or code == 58:
            colour, used = _colour(sub or codes[at : at + 4])
            if used == 0:
                break
            if not sub:
                at += used
            if code == 38:
                fg = colour
            elif code == 48:
                bg = colour
        elif code == 0:
            fg, bg, flags = PLAIN
        elif code == 4 and sub:
            flags = flags & ~_UNDERLINE if sub[0] == "0" else flags | _UNDERLINE
        elif code in _ON:
            flags |= _ON[code]
        elif code in _OFF:
            flags &= ~_OFF[code]
        elif 30 <= code <= 37:
            fg = code - 30
        elif 40 <= code <= 47:
            bg = code - 40
        elif 90 <= code <= 97:
            fg = code - 82
        elif 100 <= code <= 107:
            bg = code - 92
        elif code == 39:
            fg = None
        elif code == 49:
            bg = None
    return Attr(fg, bg, flags)


def _colour(parts: list[str]) -> tuple[Colour, int]:
    """An extended colour and how many codes it took; (None, 0) when it is broken."""
    numbers = [int(part) & 255 if part.isdecimal() and len(part) < 5 else 0 for part in parts]
    if len(numbers) >= 2 and numbers[0] == 5:
        return numbers[1], 2
    if len(numbers) >= 4 and numbers[0] == 2:
        red, green, blue = numbers[-3:]  # with colons a colour space may stand between
        return (red, green, blue), 4
    return None, 0
