"""Go to any step: a list with ticks, narrowed by typing; to its start or its end."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from netless_lab.protocol import CourseView

from ..blocks import joined
from ..pages.lesson import mark
from ..widgets.bars import Key
from ..widgets.document import Choices, Row
from .panel import Panel


class GotoScreen(Panel[tuple[str, bool]]):
    """Returns (target, end)."""

    TITLE_TEXT = "Go to"
    KEYS = (
        Key("Enter", "Its start", "screen.go(False)"),
        Key("ctrl+e", "Its end", "screen.go(True)"),
        Key("↑↓", "Choose", "", live=False),
        Key("Esc", "Stay", "screen.close"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("ctrl+e", "go(True)", show=False, priority=True),
    ]

    def __init__(self, courses: tuple[CourseView, ...], position: str, chosen: str) -> None:
        """``position`` is where one stands, ``chosen`` the step to begin at in the list."""
        super().__init__()
        self._courses = courses
        self._position = position
        self._chosen = chosen

    def body(self) -> ComposeResult:
        """A field and the list."""
        yield Input(placeholder="type to search", id="search", compact=True)
        yield Choices(lambda width: rows(self._courses, self._position, ""), at=self._chosen, id="panel-body")

    def on_mount(self) -> None:
        """Typing searches at once."""
        self.query_one("#search").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        value = event.value
        self.query_one(Choices).show(lambda width: rows(self._courses, self._position, value))

    def on_input_submitted(self) -> None:
        """Enter in the field goes to the start."""
        self.action_go(False)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A click goes to the start."""
        self.dismiss((event.value, False))

    def action_move(self, by: int) -> None:
        """Up or down in the list, while the field keeps the focus."""
        self.query_one(Choices).action_move(by)

    def action_go(self, end: bool) -> None:
        """There."""
        value = self.query_one(Choices).value
        if value:
            self.dismiss((value, end))


def rows(courses: tuple[CourseView, ...], position: str, search: str) -> list[Row]:
    """Lessons as headings, steps as choices; above those of each course its title, when there are several. Every word of the search must
    occur in the step's title, its lesson's or its id.
    """
    out: list[Row] = []
    usable = [course for course in courses if course.lessons]
    for course in usable:
        found = _of_course(course, position, search.lower().split())
        if found and out:
            out.append(Row(joined("")))
        if found and len(usable) > 1:
            here = ("  you are here", "$accent") if position.startswith(f"{course.id}/") else ""
            out += [Row(joined((course.title, "bold $accent"), here)), Row(joined(""))]
        out += found
    return out or [Row(joined(("Nothing matches.", "$muted")))]


def _of_course(course: CourseView, position: str, words: list[str]) -> list[Row]:
    """The lessons of one course with the steps in which all of the words occur."""
    out: list[Row] = []
    for lesson in course.lessons:
        found: list[Row] = []
        for number, step in enumerate(lesson.steps, 1):
            target = f"{course.id}/{lesson.id}/{step.id}"
            text = f"{lesson.title} {step.title} {target}".lower()
            if all(word in text for word in words):
                glyph, style, note = mark(step, here=target == position)
                found.append(Row(joined((glyph, style), (f" {number:>2} ", "$faint"), step.title, (note, "$warning")), target))
        if found:
            if out:
                out.append(Row(joined("")))
            done = sum(step.earned for step in lesson.steps)
            out.append(Row(joined((lesson.title, "bold"), (f"  {done}/{len(lesson.steps)}", "$muted"))))
            out += found
    return out
