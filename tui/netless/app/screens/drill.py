"""Break something on purpose: any fault in secret, as an exam, or a chosen one; and the way out of it.

After giving up: what it was, how long it was looked for, and the step that teaches it.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from netless_lab import protocol
from netless_lab.model.listed import Listed

from ...commands.seeds import drawn
from ...desk.desk import Desk
from ...say.drill import GIVING_UP, told
from ...say.faults import ANY, EXAM, faults_of
from ...say.text import Blocks, Row
from ..keys import bindings
from ..widgets.bars import keys_in
from .lists import CHOOSE, SearchPanel
from .panel import Panel


class DrillScreen(SearchPanel[protocol.Break]):
    """Returns what to ask for, or None."""

    TITLE_TEXT = "Drill"
    KEYS = (*keys_in("drill", "begin"), CHOOSE, *keys_in("drill", "draw", "close"))
    PLACEHOLDER = "type to search, or a seed: the same number breaks the same thing"
    BINDINGS: ClassVar[list[BindingType]] = bindings("drill")

    def __init__(self, desk: Desk) -> None:
        super().__init__(ANY)
        self.desk = desk
        self._faults: tuple[Listed, ...] = ()
        self._seed = drawn()

    def on_mount(self) -> None:
        """Ask the lab what it can break."""
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        faults = await self.desk.ask(protocol.GetFaults())
        if faults is not None:
            self._faults = faults
            self.narrow()

    def rows(self) -> list[Row]:
        """The two surprises and the faults; a number that is typed is the seed."""
        return faults_of(self._faults, self._seed, "" if self.sought.isdecimal() else self.sought)

    def typed(self, words: str) -> None:
        """A number is the seed; words narrow the list."""
        if words.isdecimal():
            self._seed = int(words[:9])
        super().typed(words)

    def action_draw(self) -> None:
        """Another number."""
        self.after_typing(self._draw)

    def _draw(self) -> None:
        self._seed = drawn()
        self.narrow()

    def chosen(self, value: str) -> None:
        """Break it. A chosen fault stays a secret as well, so that an instructor can choose one for a learner."""
        if value in (ANY, EXAM):
            self.dismiss(protocol.Break(seed=self._seed, drill=True, exam=value == EXAM))
        else:
            self.dismiss(protocol.Break(value, drill=True))


class GiveUpScreen(Panel[bool]):
    """Asks before a fault is taken away and told."""

    TITLE_TEXT = "Give up?"
    KEYS = keys_in("mend")
    BINDINGS: ClassVar[list[BindingType]] = bindings("mend")

    def text(self, width: int) -> Blocks:
        """What will happen."""
        return GIVING_UP

    def action_yes(self) -> None:
        """Give up."""
        self.dismiss(True)


class ToldScreen(Panel[str]):
    """Returns the step that teaches it when the learner wants to go there, else None."""

    TITLE_TEXT = "It was this"
    BINDINGS: ClassVar[list[BindingType]] = bindings("told")

    def __init__(self, text: str, used: str, taught: str, called: str) -> None:
        super().__init__()
        self._text, self._used, self._taught, self._called = text, used, taught, called
        self.KEYS = keys_in("told", "close", *(["learn"] if taught else []))

    def text(self, width: int) -> Blocks:
        """The words."""
        return told(self._text, self._used, self._taught, self._called)

    def action_go_to(self, target: str) -> None:
        """To the step that was clicked."""
        self.dismiss(target)

    def action_learn(self) -> None:
        """To the step that teaches it."""
        if self._taught:
            self.dismiss(self._taught)
