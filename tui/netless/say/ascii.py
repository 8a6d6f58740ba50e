"""Signs in ASCII, for terminals and readers that have no others: one for one in cells, so that nothing moves.

What a program writes besides is told by what Unicode says of it: an arrow's direction, a line's, the letter under an accent.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from .cells import cells

_DRAWING: Final = (
    ("─╴╶╸╺▔", "-"), ("━", "="), ("│╵╷┊▎▏▌▊▐┃", "|"), ("└┌├┘┐┤┴┬┼╭╮╰╯┏┓┗┛┣┫", "+"), ("╌", "."), ("╎", ":"), ("║╟╢╫╖╓╥╜╙╨█", "#"), ("▁▂▃▄▅▆▇", " "),
    ("●•", "*"), ("◐", "@"), ("○", "o"), ("◌", "."), ("✗", "x"), ("✓", "v"), ("▸", ">"), ("⇇", "<"), ("◆", "%"), ("▒", ":"), ("⎺⎻⎼", "-"), ("⎽", "_"),
)  # fmt: skip
_WRITING: Final = (
    ("…", "~"), ("→»", ">"), ("←«", "<"), ("›", "{"), ("‹", "}"), ("↑", "^"), ("↓", "v"), ("·", "."), ("“”", '"'), ("‘’", "'"), ("–—−", "-"),
    ("×", "x"), ("µ", "u"), ("\N{NO-BREAK SPACE}", " "),
    ("°", "'"), ("±", "+"), ("≤", "<"), ("≥", ">"), ("≠", "!"), ("π", "p"), ("£", "L"), ("∅", "0"), ("␉␊␋␌␍␤", "."),
)  # fmt: skip
DRAWN: Final = {ord(one): other for group, other in _DRAWING for one in group}
"""The signs that draw, and say nothing to one who hears them."""
SIGNS: Final = {**DRAWN, **{ord(one): other for group, other in _WRITING for one in group}}
"""Every sign that netless writes, DEC's line drawing among them, and what stands for it in ASCII."""
_WIDE: Final = {"、": ",", "。": ".", **dict.fromkeys("〈《「『【〔", "<"), **dict.fromkeys("〉》」』】〕", ">")}
_BY_NAME: Final = (
    (r"BOX DRAWINGS DOUBLE HORIZONTAL$", "="), (r"BOX DRAWINGS .*DOUBLE\b(?! DASH)", "#"), (r"BOX DRAWINGS \S+ (\S+ DASH )?HORIZONTAL$", "-"),
    (r"BOX DRAWINGS \S+ (\S+ DASH )?VERTICAL$", "|"), (r"BOX DRAWINGS", "+"), (r"BLOCK|SHADE|QUADRANT", "#"), (r"BRAILLE", ":"), (r"RIGHT.*ARROW", ">"),
    (r"LEFT.*ARROW", "<"), (r"UP.*ARROW", "^"), (r"DOWN.*ARROW", "v"), (r"CHECK MARK", "v"), (r"BALLOT X", "x"), (r"BULLET|CIRCLE|SQUARE", "*"),
)  # fmt: skip

KNOWN: Final = 4096
"""So many texts and styles are remembered as they were told: more than a screen shows. A style holds its place in a text too, so there is no end of them."""


@lru_cache(KNOWN)
def in_ascii(text: str, letters: bool) -> str:
    """The text in ASCII, in as many cells. ``letters``: those of other scripts stay, for a terminal that has them but not the signs."""
    plain = text.translate(SIGNS)
    return plain if plain.isascii() else "".join(one if one.isascii() or (letters and _of_a_script(one)) else _told(one) for one in plain)


def _of_a_script(one: str) -> bool:
    """A letter, a digit, or a stop or bracket that is as wide as the letters it stands between."""
    kind = unicodedata.category(one)[0]
    return kind in "LMN" or (kind == "P" and unicodedata.east_asian_width(one) in "WF")


def _told(one: str) -> str:
    """What stands for a sign that netless itself does not write, in as many cells."""
    width = cells(one)
    under = "".join(part for part in unicodedata.normalize("NFKD", _WIDE.get(one, one)) if not unicodedata.combining(part))
    if not (under.isascii() and under.isprintable() and 0 < len(under) <= width):
        name = unicodedata.name(one, "")
        under = next((sign for words, sign in _BY_NAME if re.search(words, name)), "?" * width)
    return under.ljust(width)[:width]
