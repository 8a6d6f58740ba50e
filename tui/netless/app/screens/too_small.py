"""The terminal is too small to draw anything useful: one plain sentence."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from ..geometry import MIN_HEIGHT, MIN_WIDTH


class Sentence(Widget):
    """The sentence, cut to what fits."""

    DEFAULT_CSS = "Sentence { width: 1fr; height: 1fr; content-align: center middle; text-align: center; }"

    def render(self) -> Content:
        """How large it is and how large it should be."""
        size = self.app.size
        return Content(f"netless needs {MIN_WIDTH}x{MIN_HEIGHT}\nthis is {size.width}x{size.height}")


class TooSmallScreen(ModalScreen[None]):
    """Goes away by itself when there is room."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c", "app.leave", "Quit", show=False)]

    def compose(self) -> ComposeResult:
        """One sentence."""
        yield Sentence()

    def on_resize(self) -> None:
        """Say the new size."""
        self.query_one(Sentence).refresh()
