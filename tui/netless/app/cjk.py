"""Lines of Chinese, Japanese and Korean text on Textual 8.2.

Textual wraps only at spaces, so a Chinese sentence is one "word"; this breaks between ideographs and keeps marks such as
``。`` from beginning a line (the kinsoku rules of JIS X 4051, in brief). Text without wide characters wraps exactly as before.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, get_character_cell_size

NOT_FIRST = frozenset("、。，．：；！？）」』】》〉〕］｝”’…—～·,.:;!?)]}%")
"""Characters that may not begin a line."""
NOT_LAST = frozenset("（「『【《〈〔［｛“‘([{")
"""Characters that may not end one."""

_WORD = re.compile(r"(?:\A\s+)?\S+\s*")


def apply() -> None:
    """Let Textual wrap with ``divide_line``."""
    import textual.content

    textual.content.divide_line = divide_line  # type: ignore[attr-defined]


def divide_line(text: str, width: int, fold: bool = True) -> list[int]:
    """Where to break a line: the same answer as ``rich._wrap.divide_line`` gives, plus breaks between wide characters."""
    breaks: list[int] = []
    position = used = 0
    for match in _WORD.finditer(text):
        for piece in _pieces(match[0]):
            need, full = cell_len(piece.rstrip()), cell_len(piece)
            if used + need <= width:
                used += full
            elif need <= width or not fold:
                if position:
                    breaks.append(position)
                used = full
            else:
                if used and position:
                    breaks.append(position)
                used = _fold(piece, position, width, breaks)
            position += len(piece)
    return breaks


def _fold(piece: str, position: int, width: int, breaks: list[int]) -> int:
    """Break a piece longer than a line by cells; returns the cells used on its last line."""
    used = 0
    for offset, character in enumerate(piece):
        size = get_character_cell_size(character)
        if used + size > width and position + offset > (breaks[-1] if breaks else 0):
            breaks.append(position + offset)
            used = 0
        used += size
    return used


def _pieces(word: str) -> list[str]:
    """A space-delimited word, cut where a line may break inside it."""
    if word.isascii():
        return [word]
    pieces: list[str] = []
    current = previous = ""
    for character in word:
        wide = get_character_cell_size(character) == 2 or (bool(previous) and get_character_cell_size(previous) == 2)
        breakable = wide and character not in NOT_FIRST and previous not in NOT_LAST
        if current and breakable and not character.isspace() and get_character_cell_size(character):
            pieces.append(current)
            current = ""
        current += character
        previous = character
    pieces.append(current)
    return pieces
