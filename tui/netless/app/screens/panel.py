"""What the small screens share: a titled panel over the main screen, a key bar at its foot, Escape to leave.

One that tells gives its ``text``; those to choose from are in ``lists``.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from ...commands.table import USUAL, Keymap
from ...say.text import Blocks
from ..geometry import TooSmall
from ..keys import bindings
from ..toolkit import put_on_keys
from ..widgets.bars import Key, KeyBar
from ..widgets.document import Document
from ..widgets.notice import NoticeRow

Result = TypeVar("Result")
SCROLL = Key("↑↓", "Scroll", "", live=False)


class Panel(ModalScreen[Result]):
    """A panel; subclasses give its title, its keys and its text, or another body."""

    TITLE_TEXT: str = ""
    KEYS: tuple[Key, ...] = ()
    keymap: Keymap = USUAL
    BINDINGS: ClassVar[list[BindingType]] = bindings("window")
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012  Textual declares it so that it cannot be a ClassVar

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
            yield KeyBar(self._own_keys(), id="panel-keys")
        yield NoticeRow()
        yield TooSmall()

    def on_mount(self) -> None:
        """Typing searches, and the arrows choose or scroll, at once. A panel that came while the app was taken down is empty."""
        put_on_keys(self, self.keymap)
        for first in self.query("#search, #panel-body"):
            first.focus()
            break

    def paint(self) -> None:
        """Tell what is known now; a panel that is being put away has nothing left to tell it on."""
        for body in self.query("#panel-body").results(Document):
            body.set_source(self.text)
        for bar in self.query(KeyBar):
            bar.show(self._own_keys())

    def _own_keys(self) -> tuple[Key, ...]:
        return tuple(key.on(self.keymap) for key in self.keys())

    def action_close(self) -> None:
        """Back, with nothing chosen."""
        self.dismiss(None)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, once: two presses of Enter in one read choose twice, and the second would close whatever lies below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
