"""Where to go. Any step: a list with ticks, narrowed by typing; to its start or its end. And the courses with progress: where to begin or go on."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from netless_lab.protocol import CourseView

from ...desk.view import View, first_open, known_courses
from ...say.places import lessons_of, steps_of
from ...say.text import Row
from ..keys import bindings
from ..widgets.bars import keys_in
from ..widgets.choices import Choices
from .lists import CHOOSE, ListPanel, SearchPanel


class GotoScreen(SearchPanel[tuple[str, bool]]):
    """Returns (target, end)."""

    TITLE_TEXT = "Go to"
    KEYS = (*keys_in("goto", "start", "end"), CHOOSE, *keys_in("goto", "close"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("goto")

    def __init__(self, courses: tuple[CourseView, ...], position: str, chosen: str) -> None:
        """``position`` is where one stands, ``chosen`` the step to begin at in the list."""
        super().__init__(chosen)
        self._courses = courses
        self._position = position

    def rows(self) -> list[Row]:
        """The steps in which all that is sought occurs."""
        return steps_of(self._courses, self._position, self.sought)

    def chosen(self, value: str) -> None:
        """To its start."""
        self.dismiss((value, False))

    def action_end(self) -> None:
        """To its end."""
        self.after_typing(self._end)

    def _end(self) -> None:
        value = self.query_one(Choices).value
        if value:
            self.dismiss((value, True))


class PickerScreen(ListPanel[tuple[str, bool]]):
    """Returns (target, end), and always a beginning; or None to stay."""

    TITLE_TEXT = "Courses"
    KEYS = (*keys_in("courses", "open"), CHOOSE, *keys_in("courses", "close"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("courses")

    def __init__(self, view: View) -> None:
        super().__init__(view.status.position.rpartition("/")[0] if view.status else "")
        self._view = view

    def rows(self) -> list[Row]:
        """The courses and their lessons."""
        return lessons_of(known_courses(self._view), self.begins_at)

    def chosen(self, value: str) -> None:
        """The lesson the learner is in is simply returned to; any other is gone to, at its first step not done."""
        self.dismiss(None if value == self.begins_at else (first_open(self._view, value), False))
