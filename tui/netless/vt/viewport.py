"""Which rows are seen: the screen itself, or a place further up in the scrollback.

Lines are named by a number that never changes: the count of lines that left the screen before them (`Page.pushed`).  So a view
scrolled back stays on the same text while output goes on below it.
"""

from __future__ import annotations

from netless.vt.page import Page
from netless.vt.row import Row


class Viewport:
    """A window of ``height`` rows on a page.  Follows the output until it is scrolled back."""

    __slots__ = ("_top", "page")

    def __init__(self, page: Page) -> None:
        self.page = page
        self._top: int | None = None

    @property
    def first(self) -> int:
        """The oldest line there is."""
        return self.page.pushed - len(self.page.history)

    @property
    def last(self) -> int:
        """The newest line: the bottom row of the screen."""
        return self.page.pushed + self.page.height - 1

    @property
    def top(self) -> int:
        """The line at the top of the window."""
        if self._top is None:
            return self.page.pushed
        return max(self._top, self.first)

    @property
    def following(self) -> bool:
        """True while the window shows the screen itself."""
        return self._top is None

    @property
    def back(self) -> int:
        """Rows between the window and the screen."""
        return self.page.pushed - self.top

    def scroll(self, rows: int) -> bool:
        """Move the window down (or up, when negative); False when it does not move."""
        before = self.top
        top = max(self.first, before + rows)
        self._top = None if top >= self.page.pushed else top
        return self.top != before

    def follow(self) -> None:
        """Back to the screen."""
        self._top = None

    def show(self, line: int) -> None:
        """Scroll as little as needed to have this line in the window."""
        if line < self.top:
            self.scroll(line - self.top)
        elif line >= self.top + self.page.height:
            self.scroll(line - self.top - self.page.height + 1)

    def row(self, line: int) -> Row | None:
        """The row with this number, if it is still there."""
        at = line - self.page.pushed
        if at >= 0:
            return self.page.rows[at] if at < self.page.height else None
        at += len(self.page.history)
        return self.page.history[at] if at >= 0 else None
