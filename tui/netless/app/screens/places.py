"""Where to go. Any step: a list with ticks, narrowed by typing; to its start or its end. And the courses with progress: where to begin or go on."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content

from netless_lab.protocol import CourseView, LessonView

from ..blocks import joined
from ..pages.lesson import mark
from ..toolkit import bound
from ..view import View, known_courses
from ..widgets.bars import Key
from ..widgets.document import Choices, Row
from .panel import CHOOSE, ListPanel, SearchPanel

BAR = 24
"""Cells of a progress bar at most."""


class GotoScreen(SearchPanel[tuple[str, bool]]):
    """Returns (target, end)."""

    TITLE_TEXT = "Go to"
    KEYS = (Key("Enter", "Its start", "screen.take"), Key("ctrl+e", "Its end", "screen.end"), CHOOSE, Key("Esc", "Stay", "screen.close"))
    BINDINGS: ClassVar[list[BindingType]] = bound({"ctrl+e": "end"}, priority=True)

    def __init__(self, courses: tuple[CourseView, ...], position: str, chosen: str) -> None:
        """``position`` is where one stands, ``chosen`` the step to begin at in the list."""
        super().__init__(chosen)
        self._courses = courses
        self._position = position

    def rows(self, width: int) -> list[Row]:
        """The steps in which all that is sought occurs."""
        return steps_of(self._courses, self._position, self.sought)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """To its start."""
        self.dismiss((event.value, False))

    def action_end(self) -> None:
        """To its end."""
        value = self.query_one(Choices).value
        if value:
            self.dismiss((value, True))


def steps_of(courses: tuple[CourseView, ...], position: str, search: str) -> list[Row]:
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


class PickerScreen(ListPanel[tuple[str, bool]]):
    """Returns (target, end), and always a beginning; or None to stay."""

    TITLE_TEXT = "Courses"
    KEYS = (Key("Enter", "Open", "screen.take"), CHOOSE, Key("Esc", "Back to the step", "screen.close"), Key("q", "Quit", "app.leave"))
    BINDINGS: ClassVar[list[BindingType]] = bound({"q": "app.leave"})

    def __init__(self, view: View) -> None:
        super().__init__(view.status.position.rpartition("/")[0] if view.status else "")
        self._view = view

    def rows(self, width: int) -> list[Row]:
        """The courses and their lessons."""
        return lessons_of(known_courses(self._view), self._at, width)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """The lesson the learner is in is simply returned to; any other is gone to, at its first step not done."""
        self.dismiss(None if event.value == self._at else (first_open(self._view, event.value), False))


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


def lessons_of(courses: tuple[CourseView, ...], here: str, width: int) -> list[Row]:
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


def bar(done: int, of: int) -> Content:
    """Progress as a bar."""
    filled = BAR * done // of if of else 0
    return joined(("━" * filled, "$success"), ("━" * (BAR - filled), "$line"))
