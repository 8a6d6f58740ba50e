"""Answers to a program's questions (xterm's ctlseqs).  Pure strings, sent to the child as if typed.

Questions about the clipboard (OSC 52) and the window are not answered: a program must not read what it was not given.
"""

from __future__ import annotations

from typing import Final

PRIMARY_ATTRIBUTES: Final = "\x1b[?62;22c"
"""DA1: a VT220 with ANSI colour."""

SECONDARY_ATTRIBUTES: Final = "\x1b[>41;0;0c"
"""DA2: of the VT420 family, as xterm says; version 0, so vim asks for nothing newer."""

NAME_AND_VERSION: Final = "\x1bP>|netless\x1b\\"
"""XTVERSION."""

STATUS: Final = "\x1b[0n"
"""DSR 5: no malfunction."""


def cursor_position(row: int, column: int) -> str:
    """DSR 6; row and column count from 0 here."""
    return f"\x1b[{row + 1};{column + 1}R"


def private_mode(mode: int, setting: int) -> str:
    """DECRPM: 1 set, 2 reset, 0 not known."""
    return f"\x1b[?{mode};{setting}$y"


def text_area(rows: int, columns: int) -> str:
    """XTWINOPS 18."""
    return f"\x1b[8;{rows};{columns}t"


def theme_colour(code: str, colour: str) -> str:
    """OSC 10 (foreground) and 11 (background); ``colour`` is #rrggbb."""
    red, green, blue = (colour[at : at + 2] * 2 for at in (1, 3, 5))
    return f"\x1b]{code};rgb:{red}/{green}/{blue}\x1b\\"
