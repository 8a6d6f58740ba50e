"""The tutor is to be quit, and the lab would end with it: what goes, and the ways there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from netless_lab.protocol import Parting

from ...called import Called
from ...commands.stage import WayOut
from ...desk.shells import Running
from ...say.leaving import parting
from ...say.text import Blocks
from ..keys import bindings
from ..widgets.bars import keys_in
from .panel import Panel


class LeavingScreen(Panel[WayOut]):
    """Returns what becomes of the lab, or None to stay. What quits elsewhere, pressed once more, stays: two quick presses lose nothing."""

    TITLE_TEXT = "Quit?"
    KEYS = keys_in("leaving")
    BINDINGS: ClassVar[list[BindingType]] = bindings("leaving")

    def __init__(self, found: Parting | None, called: Called, running: Sequence[Running] = ()) -> None:
        """As for ``say.leaving.parting``."""
        super().__init__()
        self._told = found, called, running

    def text(self, width: int) -> Blocks:
        """What goes."""
        return parting(*self._told)

    def action_end(self) -> None:
        """The lab ends."""
        self.dismiss("end")

    def action_keep_lab(self) -> None:
        """The lab goes on."""
        self.dismiss("keep")
