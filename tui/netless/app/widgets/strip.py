"""The top line of the screen."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from ..pages.header import header
from ..view import View


class HeaderStrip(Widget):
    """Where the learner is; see ``pages.header``."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HeaderStrip { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        if header(before, self.size.width) != header(view, self.size.width) or before.busy != view.busy:
            self.refresh()

    def render(self) -> Content:
        """The line."""
        return header(self._view, self.size.width)
