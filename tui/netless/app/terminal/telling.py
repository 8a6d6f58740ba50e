"""Which size a program is told, so that it draws anew what is not on the screen."""

from __future__ import annotations

Size = tuple[int, int]
"""Columns and rows."""


class ToldSize:
    """Of a program that has to draw something anew and would not, since it knows the size: it is told one row more, and with what it draws then the right one."""

    __slots__ = ("_drawn", "draws_anew")

    def __init__(self) -> None:
        self.draws_anew = False
        self._drawn: Size | None = None
        """The size for which a line editor drew the line that was given up (``Screen.resize``), until it prints something."""

    def change(self, before: Size, after: Size, *, gives_up: bool) -> None:
        """The size changes; ``gives_up`` when a line is not on the screen any more until the program draws it.

        That program may come to run only when the size is again the one it knows: then it hears of no change.
        """
        if gives_up and self._drawn is None:
            self._drawn = before
        if after == self._drawn:
            self.draws_anew = True

    def of(self, size: Size) -> Size:
        """What the program is told."""
        columns, rows = size
        return columns, rows + self.draws_anew

    def printed(self) -> bool:
        """The program has printed something; whether it is to be told the right size now."""
        asked, self.draws_anew, self._drawn = self.draws_anew, False, None
        return asked
