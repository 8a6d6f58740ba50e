"""What the small screens share: a titled panel over the main screen, a key bar at its foot, Escape to leave."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from ..geometry import TooSmall
from ..widgets.bars import Key, KeyBar

Result = TypeVar("Result")


class Panel(ModalScreen[Result]):
    """A panel; subclasses give its title, its body and its keys."""

    TITLE_TEXT: str = ""
    KEYS: tuple[Key, ...] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("ctrl+c", "app.leave_or_copy", "Copy or quit", show=False),
    ]

    def body(self) -> ComposeResult:
        """The widgets between title and keys."""
        yield from ()

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(id="panel") as panel:
            panel.border_title = Content(self.TITLE_TEXT)
            yield from self.body()
            yield KeyBar(self.KEYS, id="panel-keys")
        yield TooSmall()

    def action_close(self) -> None:
        """Back, with nothing chosen."""
        self.dismiss(None)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, once: two presses of Enter in one read choose twice, and the second would close whatever lies below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
