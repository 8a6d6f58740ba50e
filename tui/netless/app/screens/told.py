"""After giving up: what it was, how long it was looked for, and the step that teaches it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain, ticked
from ..widgets.document import Document
from ..widgets.keybar import Key, KeyBar
from .panel import Panel


class ToldScreen(Panel[str]):
    """Returns the step that teaches it when the learner wants to go there, else None."""

    TITLE_TEXT = "It was this"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,m,q", "close", show=False), Binding("g", "learn", show=False)]

    def __init__(self, text: str, used: str, taught: str, called: str) -> None:
        super().__init__()
        self._text, self._used, self._taught, self._called = text, used, taught, called

    def body(self) -> ComposeResult:
        """The words."""
        document = Document(id="panel-body")
        document.set_source(lambda width: self._blocks())
        yield document

    def on_mount(self) -> None:
        """The arrows scroll."""
        learn = (Key("g", "Go to the step that teaches it", "screen.learn"),) if self._taught else ()
        self.query_one(KeyBar).show((Key("Enter", "Back to the lesson", "screen.close"), *learn))
        self.query_one("#panel-body").focus()

    def _blocks(self) -> Blocks:
        blocks = [Block(ticked(self._text)), EMPTY, Block(plain(self._used, "$muted"))]
        if self._taught:
            blocks.append(Block(joined(("Taught in ", "$muted")) + clickable(joined(self._called), "learn")))
        return tuple(blocks)

    def action_learn(self) -> None:
        """To the step that teaches it."""
        if self._taught:
            self.dismiss(self._taught)
