"""Why a packet died: what was seen, the likely cause, the facts it rests on, how to look for oneself, and the step that teaches it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from netless_lab.model.journey import Explanation

from ...say.text import Blocks
from ...say.why import why
from ..keys import bindings
from ..widgets.bars import Key, keys_in
from .panel import Panel


class WhyScreen(Panel[str]):
    """One explanation. Returns the step that teaches the cause when the learner wants to go there."""

    TITLE_TEXT = "Why"
    BINDINGS: ClassVar[list[BindingType]] = bindings("why")

    def __init__(self, explanation: Explanation, lesson: str = "") -> None:
        super().__init__()
        self._explanation = explanation
        self._lesson = lesson or explanation.lesson
        self._fix_shown = False

    def text(self, width: int) -> Blocks:
        """The explanation."""
        return why(self._explanation, self._lesson, fix_shown=self._fix_shown)

    def keys(self) -> tuple[Key, ...]:
        """A mend and a step are offered where there are any."""
        offered = ["close", *(["fix"] if self._explanation.fix and not self._fix_shown else []), *(["learn"] if self._explanation.lesson else [])]
        return (*keys_in("why", *offered), Key("click", "Copies a command", "", live=False))

    def action_fix(self) -> None:
        """Show the command that would mend it: only on request, for finding it is the exercise."""
        if self._explanation.fix and not self._fix_shown:
            self._fix_shown = True
            self.paint()
            self.query_one("#panel-body").scroll_end(animate=False)

    def action_learn(self) -> None:
        """To the step that teaches it."""
        if self._explanation.lesson:
            self.dismiss(self._explanation.lesson)

    def action_go_to(self, target: str) -> None:
        """To the step that was clicked."""
        self.dismiss(target)
