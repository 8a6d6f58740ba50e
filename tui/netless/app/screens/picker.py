"""Courses with progress: where to begin, or where to go on."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from netless_lab.protocol import CourseView, LessonView

from ..blocks import joined
from ..view import View, known_courses
from ..widgets.bars import Key
from ..widgets.document import Choices, Row
from .panel import Panel

BAR = 24
"""Cells of a progress bar at most."""


class PickerScreen(Panel[str]):
    """Returns a target to go to, or None to stay."""

    TITLE_TEXT = "Courses"
    KEYS = (
        Key("Enter", "Open", "screen.open"),
        Key("↑↓", "Choose", "", live=False),
        Key("Esc", "Back to the step", "screen.close"),
        Key("q", "Quit", "app.leave"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.leave", show=False)]

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def body(self) -> ComposeResult:
        """The list."""
        courses = known_courses(self._view)
        position = self._view.status.position if self._view.status else ""
        here = position.rpartition("/")[0]
        yield Choices(lambda width: rows(courses, here, width), at=here, id="panel-body")

    def on_mount(self) -> None:
        """The arrows choose."""
        self.query_one(Choices).focus()

    def action_open(self) -> None:
        """Open what is chosen."""
        self.query_one(Choices).action_choose()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """The lesson the learner is in is simply returned to; any other is gone to, at its first step not done."""
        here = self._view.status.position.rpartition("/")[0] if self._view.status else ""
        self.dismiss(None if event.value == here else first_open(self._view, event.value))


def offers_choice(courses: tuple[CourseView, ...], *, chosen: bool) -> bool:
    """Whether to open with the picker: there is more than one course, none was asked for, and none is begun."""
    begun = any(step.earned for course in courses for lesson in course.lessons for step in lesson.steps)
    return not chosen and sum(bool(course.lessons) for course in courses) > 1 and not begun


def first_open(view: View, target: str) -> str:
    """The first step of a lesson that is not earned; the lesson itself when all are."""
    for course in known_courses(view):
        for lesson in course.lessons:
            if f"{course.id}/{lesson.id}" == target:
                step = next((step for step in lesson.steps if not step.earned), None)
                return f"{target}/{step.id}" if step else target
    return target


def rows(courses: tuple[CourseView, ...], here: str, width: int) -> list[Row]:
    """A heading for each course, with what it is about, and a choice for each of its lessons."""
    out: list[Row] = []
    for course in courses:
        if out:
            out.append(Row(joined("")))
        steps = [step for lesson in course.lessons for step in lesson.steps]
        done = sum(step.earned for step in steps)
        score = joined((f"  {done} of {len(steps)} steps", "$muted"))
        out.append(Row(joined((course.title, "bold"), "   ") + (bar(done, len(steps)) + score if steps else joined(""))))
        if course.about:
            out += [Row(line) for line in joined((course.about, "$muted")).wrap(max(8, width))]
        out += [_lesson(course, lesson, number, here) for number, lesson in enumerate(course.lessons, 1)]
        out += [Row(joined(("! ", "bold $warning"), (problem, "$warning"))) for problem in course.problems]
    return out


def _lesson(course: CourseView, lesson: LessonView, number: int, here: str) -> Row:
    target = f"{course.id}/{lesson.id}"
    done = sum(step.earned for step in lesson.steps)
    full = bool(lesson.steps) and done == len(lesson.steps)
    glyph = ("✓", "bold $success") if full else ("▸", "bold $accent") if target == here else ("·", "$faint")
    dots = Content("").join([joined(("●", "$success") if step.earned else ("○", "$faint")) for step in lesson.steps])
    return Row(joined(glyph, (f" {number} ", "$faint"), lesson.title, "  ") + dots, target)


def bar(done: int, of: int, width: int = BAR) -> Content:
    """Progress as a bar."""
    filled = width * done // of if of else 0
    return joined(("━" * filled, "$success"), ("━" * (width - filled), "$line"))
