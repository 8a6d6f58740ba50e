"""Help for the view it was asked from: the keys that act there, and what the marks on the screen mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.binding import BindingType

from ...commands.command import PLACES, Command, Place
from ...commands.printed import worded
from ...commands.table import DOING, LEAVE, Keymap, at, keys_called, one_by_one
from ...say.marks import keys_section, legend, picture_marks
from ...say.text import EMPTY, Block, Blocks
from ..keys import bindings
from ..widgets.bars import keys_in
from .panel import SCROLL, Panel

TITLES: Final[dict[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    "network": ("In the picture", (("click", "the same; hold the mouse over a part for a short look"),)),
    "packets": ("In the packets", ()),
    "changes": ("In the changes", (("arrows", "scroll back; End follows again"),)),
    "terminal": ("In the terminal", (("all others", "go to the shell"),)),
}
"""How the keys of a pane are headed, and what it does by other means."""


class HelpScreen(Panel[None]):
    """Keys and marks."""

    TITLE_TEXT = "Help"
    KEYS = (*keys_in("help"), SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = bindings("help")

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def text(self, width: int) -> Blocks:
        """The help of a pane."""
        blocks: list[Block] = []
        if self._where in TITLES:
            title, more = TITLES[self._where]
            places: tuple[Place, ...] = ("terminal", "text", "everywhere") if self._where == "terminal" else tuple(place for place in PLACES if place == self._where)
            blocks += [*keys_section(title, (*_rows(at(*places), self.keymap), *more)), EMPTY]
        moving = tuple(own for own in at("tutor", "everywhere") if own not in DOING)
        blocks += [*keys_section("Keys", _rows(DOING, self.keymap)), EMPTY, *keys_section("Moving about", _rows((*moving, *at("text"), LEAVE), self.keymap)), EMPTY]
        blocks += [*picture_marks(), EMPTY, *legend()]
        return tuple(blocks)


def _rows(commands: Iterable[Command], keymap: Keymap) -> tuple[tuple[str, str], ...]:
    return tuple((keys_called(same, keymap), worded(same[0])) for same in one_by_one(commands))
