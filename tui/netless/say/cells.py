"""How many cells a text takes, and where a line of it may be broken; widths are those of Rich, which Textual paints by.

Rich breaks at blanks only, so a Chinese sentence is one word to it. Here lines are broken between ideographs as well, and marks such as
``。`` do not begin one (the kinsoku rules of JIS X 4051, in brief). Its tables are read when a text is more than ASCII, which costs some
milliseconds that a command need not pay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

NOT_FIRST: Final = frozenset("、。，．：；！？）」』】》〉〕］｝”’…—～·,.:;!?)]}%")
"""Characters that may not begin a line."""
NOT_LAST: Final = frozenset("（「『【《〈〔［｛“‘([{")
"""Characters that may not end one."""
_WORD: Final = re.compile(r"(?:\A\s+)?\S+\s*")


def cells(text: str) -> int:
    """How many cells a text takes in a row."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int) -> str:
    """The text with blanks behind, up to so many cells."""
    return text + " " * (width - cells(text))


def fitting(text: str, width: int) -> tuple[int, int]:
    """How many letters fit into so many cells, and how many cells they leave free: one, where only half of a wide letter would fit."""
    used = 0
    for count, letter in enumerate(text):
        size = _size(letter)
        if used + size > width:
            return count, width - used
        used += size
    return len(text), 0


def divide_line(text: str, width: int) -> list[int]:
    """Where to break a line: the same answer as ``rich._wrap.divide_line`` gives, plus breaks between wide characters."""
    breaks: list[int] = []
    position = used = 0
    for match in _WORD.finditer(text):
        for piece in _pieces(match[0]):
            need, full = cells(piece.rstrip()), cells(piece)
            if used + need <= width:
                used += full
            elif need <= width:
                if position:
                    breaks.append(position)
                used = full
            else:
                if used and position:
                    breaks.append(position)
                used = _fold(piece, position, width, breaks)
            position += len(piece)
    return breaks


@lru_cache(maxsize=4096)
def _size(letter: str) -> int:
    """The cells of one letter."""
    if letter.isascii():
        return 1
    from rich.cells import get_character_cell_size

    return get_character_cell_size(letter)


def closes_up(before: str, after: str) -> bool:
    """Whether a line end between two letters stands for nothing: between wide ones (CSS Text 4, 4.1.3), where a blank would part a sentence."""
    return _size(before) == 2 and _size(after) == 2


def _fold(piece: str, position: int, width: int, breaks: list[int]) -> int:
    """Break a piece longer than a line by cells; returns the cells used on its last line."""
    used = 0
    for offset, character in enumerate(piece):
        size = _size(character)
        if used + size > width and position + offset > (breaks[-1] if breaks else 0):
            breaks.append(position + offset)
            used = 0
        used += size
    return used


def _pieces(word: str) -> list[str]:
    """A word between blanks, cut where a line may break inside it."""
    if word.isascii():
        return [word]
    pieces: list[str] = []
    current = previous = ""
    for character in word:
        wide = _size(character) == 2 or (bool(previous) and _size(previous) == 2)
        breakable = wide and character not in NOT_FIRST and previous not in NOT_LAST
        if current and breakable and not character.isspace() and _size(character):
            pieces.append(current)
            current = ""
        current += character
        previous = character
    pieces.append(current)
    return pieces
