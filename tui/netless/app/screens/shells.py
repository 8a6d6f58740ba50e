"""The shells of the lab that are not in this tutor's terminals: whose they are, what runs in them, and which to go on with here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from ...desk.shells import Shell
from ...say.shells import rows_of
from ...say.text import Row
from ..keys import bindings
from ..widgets.bars import keys_in
from .lists import CHOOSE, ListPanel


class ShellsScreen(ListPanel[tuple[int, ...]]):
    """Returns the numbers of those to take over, or None to leave all of them as they are."""

    TITLE_TEXT = "Shells of this lab that are elsewhere"
    KEYS = (*keys_in("shells", "have", "all"), CHOOSE, *keys_in("shells", "close"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("shells")

    def __init__(self, shells: Sequence[Shell]) -> None:
        self._shells = shells
        super().__init__()

    def rows(self) -> list[Row]:
        """Whose they are, and a choice for each."""
        return rows_of(self._shells)

    def chosen(self, value: str) -> None:
        """This one."""
        self.dismiss((int(value),))

    def action_all(self) -> None:
        """One of each node, in the order of the list, but none that is over."""
        first: dict[str, int] = {}
        numbers = {str(own.number): own for own in self._shells if own.at is None}
        for row in self.rows():
            if row.value in numbers:
                first.setdefault(numbers[row.value].node, int(row.value))
        self.dismiss(tuple(first.values()))
