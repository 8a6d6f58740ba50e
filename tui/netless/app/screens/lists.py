"""The windows with a list to choose from, and those whose list is narrowed by typing."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from ...say.text import Row
from ..keys import bindings
from ..widgets.bars import Key
from ..widgets.choices import Choices
from ..widgets.search import LONGEST
from .panel import Panel

Result = TypeVar("Result")
CHOOSE = Key("↑↓", "Choose", "", live=False)


class Field(Input):
    """A line to type in, no longer than what somebody means to be looked for."""

    def __init__(self, value: str = "", *, placeholder: str) -> None:
        super().__init__(value, placeholder=placeholder, id="search", compact=True, max_length=LONGEST)


class ListPanel(Panel[Result]):
    """A list to choose from; ``at`` is the row to begin at. What choosing means is said by ``chosen``."""

    def __init__(self, at: str = "") -> None:
        super().__init__()
        self.begins_at = at

    def rows(self) -> list[Row]:
        """The list."""
        raise NotImplementedError

    def chosen(self, value: str) -> None:
        """This one was chosen."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """The list."""
        yield Choices(self.rows, at=self.begins_at, id="panel-body")

    def action_take(self) -> None:
        """This one."""
        self.query_one(Choices).action_select()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """By Enter, or by the mouse."""
        self.chosen(event.option_id or "")


class SearchPanel(ListPanel[Result]):
    """A list below a field that narrows it to what is ``sought``; the field keeps the focus.

    The keys of the list act before the field may take them; what was typed before them in the same read still lies in the field's queue
    then. So whatever they do waits in that queue too (``after_typing``).
    """

    PLACEHOLDER = "type to search"
    BINDINGS: ClassVar[list[BindingType]] = bindings("list")
    sought = ""

    def body(self) -> ComposeResult:
        """The field, and the list."""
        yield Field(placeholder=self.PLACEHOLDER)
        yield from super().body()

    def typed(self, words: str) -> None:
        """Something else stands in the field."""
        self.sought = words
        self.narrow()

    def narrow(self) -> None:
        """Show what the list holds now, as ``paint`` does."""
        for choices in self.query(Choices):
            choices.show(self.rows)

    def after_typing(self, act: Callable[[], None]) -> None:
        """Do this when the field has taken what was typed before."""
        field = self.query_one("#search", Input)

        def now() -> None:
            self._heed(field)
            act()

        field.call_later(now)

    def _heed(self, field: Input) -> None:
        words = field.value.strip()
        if words != self.sought:
            self.typed(words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list by what stands in the field by now."""
        self._heed(event.input)

    def on_input_submitted(self) -> None:
        """Enter in the field."""
        self.action_take()

    def action_move(self, by: int) -> None:
        """Up or down in the list."""
        self.after_typing(lambda: self.query_one(Choices).action_move(by))
