"""What the small screens share: a titled panel over the main screen, a key bar at its foot, Escape to leave.

One that tells gives its ``text``, one to choose from gives its ``rows``, and one whose list is narrowed by typing is a ``SearchPanel``.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from ..blocks import Blocks
from ..geometry import TooSmall
from ..toolkit import bound
from ..widgets.bars import Key, KeyBar
from ..widgets.document import MOVES, Choices, Document, Row

Result = TypeVar("Result")
CHOOSE = Key("↑↓", "Choose", "", live=False)
SCROLL = Key("↑↓", "Scroll", "", live=False)


class Panel(ModalScreen[Result]):
    """A panel; subclasses give its title, its keys and its text, or another body."""

    TITLE_TEXT: str = ""
    KEYS: tuple[Key, ...] = ()
    BINDINGS: ClassVar[list[BindingType]] = bound({"escape": "close", "ctrl+c": "app.leave_or_copy"})

    def keys(self) -> tuple[Key, ...]:
        """The keys that count now."""
        return self.KEYS

    def text(self, width: int) -> Blocks:
        """What it tells, at a width in cells."""
        return ()

    def body(self) -> ComposeResult:
        """The widgets between title and keys."""
        document = Document(id="panel-body")
        document.set_source(self.text)
        yield document

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(id="panel") as panel:
            panel.border_title = Content(self.TITLE_TEXT)
            yield from self.body()
            yield KeyBar(self.keys(), id="panel-keys")
        yield TooSmall()

    def on_mount(self) -> None:
        """Typing searches, and the arrows choose or scroll, at once."""
        self.query("#search, #panel-body").first().focus()

    def paint(self) -> None:
        """Tell what is known now; a panel that is being put away has nothing left to tell it on."""
        for body in self.query("#panel-body").results(Document):
            body.set_source(self.text)
        for bar in self.query(KeyBar):
            bar.show(self.keys())

    def action_close(self) -> None:
        """Back, with nothing chosen."""
        self.dismiss(None)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, once: two presses of Enter in one read choose twice, and the second would close whatever lies below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class ListPanel(Panel[Result]):
    """A list to choose from; ``at`` is the row to begin at. What choosing means is said by ``on_choices_chosen``."""

    def __init__(self, at: str = "") -> None:
        super().__init__()
        self._at = at

    def rows(self, width: int) -> list[Row]:
        """The list, at a width in cells."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """The list."""
        yield Choices(self.rows, at=self._at, id="panel-body")

    def action_take(self) -> None:
        """This one."""
        self.query_one(Choices).action_choose()


class SearchPanel(ListPanel[Result]):
    """A list below a field that narrows it to what is ``sought``; the field keeps the focus."""

    PLACEHOLDER = "type to search"
    BINDINGS: ClassVar[list[BindingType]] = bound(MOVES, priority=True)
    sought = ""

    def body(self) -> ComposeResult:
        """The field, and the list."""
        yield Input(placeholder=self.PLACEHOLDER, id="search", compact=True)
        yield from super().body()

    def narrow(self) -> None:
        """Show what the list holds now."""
        self.query_one(Choices).show(self.rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self.sought = event.value.strip()
        self.narrow()

    def on_input_submitted(self) -> None:
        """Enter in the field."""
        self.action_take()

    def action_move(self, by: int) -> None:
        """Up or down in the list."""
        self.query_one(Choices).action_move(by)
