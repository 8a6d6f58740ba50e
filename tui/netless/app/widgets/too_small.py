"""The terminal is too small to draw anything useful: one plain sentence over whatever is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from ..geometry import MIN_HEIGHT, MIN_WIDTH

if TYPE_CHECKING:
    from ..app import TutorApp


class TooSmall(Widget):
    """The sentence, cut to what fits. Every screen has one, on top of all else; it is seen while ``TutorApp.too_small`` says so.

    It is no screen of its own: one in the stack would lie below those that open while it is there, and come back when they close.
    """

    app: TutorApp
    DEFAULT_CSS = """
    TooSmall {
        layer: cover; display: none; width: 100%; height: 100%; background: $background; content-align: center middle; text-align: center;
    }
    """

    def on_mount(self) -> None:
        """Come and go with the size of the terminal."""
        self.watch(self.app, "too_small", self._appear)

    def _appear(self, too_small: bool) -> None:
        self.display = too_small

    def render(self) -> Content:
        """How large it is and how large it should be."""
        size = self.app.size
        return Content(f"netless needs {MIN_WIDTH}x{MIN_HEIGHT}\nthis is {size.width}x{size.height}")
