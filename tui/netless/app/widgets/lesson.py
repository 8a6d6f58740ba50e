"""The two panes on the left: the lesson, and the check below it."""

from __future__ import annotations

from textual.content import Content

from ..pages.check import check, check_title
from ..pages.lesson import HINT_KEY, lesson
from ..view import View
from .document import Document, retitle


class LessonPane(Document):
    """What the current step is about; see ``pages.lesson``."""

    DEFAULT_CSS = "LessonPane { padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()
        self.border_title = Content("Lesson")
        self.set_source(lambda width: lesson(self._view, width))

    def show(self, view: View) -> None:
        """Paint this view: a new step starts at its top, a new hint scrolls into sight."""
        before, self._view = self._view, view
        if before.status is view.status and before.verdict is view.verdict:
            return
        self.lay_out_anew()
        if before.status is None or view.status is None or before.status.position != view.status.position:
            self.scroll_home(animate=False, immediate=True)
        elif len(view.status.page.hints_open) > len(before.status.page.hints_open):
            self.reveal(HINT_KEY)


class CheckPane(Document):
    """What must be true and whether it is; see ``pages.check``."""

    DEFAULT_CSS = "CheckPane { padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()
        self.border_title = Content("Check")
        self.set_source(lambda width: check(self._view, width))

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        if before.status is view.status and before.verdict is view.verdict:
            return
        retitle(self, check_title(view))
        self.lay_out_anew()
        if before.verdict is not view.verdict:
            self.scroll_home(animate=False, immediate=True)
