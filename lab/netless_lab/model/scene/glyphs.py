"""The characters of a drawing. Two sets of the same widths: box drawing, and plain ASCII for terminals that have nothing else.

State is told by shape as well as by colour: up, waiting for the other end, down, died. No emoji: their width differs from terminal
to terminal. Box drawing and the dots are one cell wide (East Asian "ambiguous", UAX #11).
"""

from __future__ import annotations

import msgspec

UP, WAIT, DOWN, DEAD = "●", "◐", "○", "✗"
"""Port states: up and live, up without carrier, down; and the mark for what died or leads nowhere."""

MORE, TO = "…", "→"
"""Text cut short; "leads to" in a label."""


class Glyphs(msgspec.Struct, frozen=True):
    """A character set: ``swap`` maps each character of the drawing to the one that is shown instead."""

    name: str
    swap: dict[int, str]

    @property
    def up(self) -> str:
        """A port that is up and live."""
        return UP.translate(self.swap)

    @property
    def wait(self) -> str:
        """A port that is up and has no carrier."""
        return WAIT.translate(self.swap)

    @property
    def down(self) -> str:
        """A port that is down."""
        return DOWN.translate(self.swap)

    @property
    def dead(self) -> str:
        """Something died here."""
        return DEAD.translate(self.swap)

    def show(self, text: str) -> str:
        """The text in this set; with the ASCII set, a character that has no stand-in becomes a question mark."""
        if not self.swap:
            return text
        plain = text.translate(self.swap)
        return plain if plain.isascii() else "".join(one if one.isascii() else "?" for one in plain)


UNICODE = Glyphs(name="unicode", swap={})
ASCII = Glyphs(
    name="ascii",
    swap={
        ord(one): other
        for group, other in (
            ("─╴╶", "-"), ("│╵╷", "|"), ("└┌├┘┐┤┴┬┼╭╮╰╯", "+"), ("╌", "."), ("╎", ":"),
            ("║╟╢╫╖╓╥╜╙╨", "#"), (UP, "*"), (WAIT, "@"), (DOWN, "o"), (DEAD, "x"), (MORE, "~"), (TO, ">"),
            ("·", "="), ("‹", "<"), ("›", ">"),
        )
        for one in group
    },
)  # fmt: skip

# Bits of a line cell: light up, right, down, left = 1 2 4 8; double up and down = 16 64.
U, R, D, L = 1, 2, 4, 8
DOUBLE_U, DOUBLE_D = 16, 64

_LIGHT = " ╵╶╰╷│╭├╴╯─┴╮┤┬┼"
_DOUBLE = {(True, True): "║╟╢╫", (False, True): "║╓╖╥", (True, False): "║╙╜╨"}


def _line(bits: int) -> str:
    double = (bool(bits & DOUBLE_U), bool(bits & DOUBLE_D))
    if double == (False, False):
        return _LIGHT[bits & 15]
    return _DOUBLE[double][(1 if bits & R else 0) + (2 if bits & L else 0)]


LINES = tuple(_line(bits) for bits in range(256))
"""The character for each combination of line bits: lines that meet become the right junction by themselves."""

DASHED = dict(zip("─╴╶│╵╷║╟╢╫╖╜╓╙╥╨", "╌╌╌╎╎╎╎├┤┼╮╯╭╰┬┴", strict=True))
"""How a line of the goal that is not built yet looks: broken, and never double."""
