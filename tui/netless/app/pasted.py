"""What was pasted, told from what was typed: a terminal puts a mark before it and one behind (xterm's ctlseqs, "Bracketed Paste Mode").

An escape in it is left out, as xterm does: Textual takes what stands behind one for typed, so a line of it would run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

BEGINS: Final = "\x1b[200~"
ENDS: Final = "\x1b[201~"


class Piece(NamedTuple):
    """Some of what was read: pasted, or all else, the two marks among it."""

    text: str
    pasted: bool = False


class Pastes:
    """Reads on from read to read; a mark may be cut by them."""

    def __init__(self) -> None:
        self._pasting = False
        self._before = ""
        """In the midst of what is typed the last of it, which may be the first of a mark; of what is pasted that is kept back till the rest is there."""

    def pieces(self, data: str) -> Iterator[Piece]:
        """What was read, piece by piece, none of them empty."""
        return (piece for piece in self._pieces(data) if piece.text)

    def _pieces(self, data: str) -> Iterator[Piece]:
        while data:
            if self._pasting:
                inside, mark, rest = (self._before + data).partition(ENDS)
                self._before = "" if mark else _begun(inside)
                yield Piece(inside.removesuffix(self._before).replace("\x1b", ""), pasted=True)
                yield Piece(mark)
                self._pasting, data = not mark, rest
            else:
                known = len(self._before)
                outside, mark, rest = (self._before + data).partition(BEGINS)
                yield Piece((outside + mark)[known:])
                self._before = "" if mark else outside[1 - len(BEGINS) :]
                self._pasting, data = bool(mark), rest


def _begun(text: str) -> str:
    """The end of a text that may be the beginning of the mark."""
    return next((text[-length:] for length in range(len(ENDS) - 1, 0, -1) if text.endswith(ENDS[:length])), "")
