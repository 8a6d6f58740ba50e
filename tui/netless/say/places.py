"""Where one can go: every step with its tick, and the courses with how far one is in each. Lists to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netless_lab.protocol import CourseView, LessonView

from .counted import plural
from .lesson import mark
from .text import BLANK, Looked, Row, Text, joined, plain

BAR: Final = 24
"""Cells of a progress bar at most."""


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
            here: Looked | str = ("  you are here", "accent") if position.startswith(f"{course.id}/") else ""
            out += [Row(joined((course.title, "strong", "accent"), here)), Row(joined(""))]
        out += found
    return out or [Row(joined(("Nothing matches.", "muted")))]


def _of_course(course: CourseView, position: str, words: list[str]) -> list[Row]:
    """The lessons of one course with the steps in which all of the words occur."""
    out: list[Row] = []
    for lesson in course.lessons:
        found: list[Row] = []
        for number, step in enumerate(lesson.steps, 1):
            target = f"{course.id}/{lesson.id}/{step.id}"
            text = f"{lesson.title} {step.title} {target}".lower()
            if all(word in text for word in words):
                sign, note = mark(step, here=target == position)
                found.append(Row(joined(step.title, (note, "warn")), target, joined(sign, (f" {number:>2} ", "faint"))))
        if found:
            if out:
                out.append(Row(joined("")))
            done = sum(step.earned for step in lesson.steps)
            out.append(Row(joined((lesson.title, "strong"), (f"  {done}/{len(lesson.steps)}", "muted"))))
            out += found
    return out


def lessons_of(courses: tuple[CourseView, ...], here: str) -> list[Row]:
    """A heading for each course, with what it is about, and a choice for each of its lessons."""
    out: list[Row] = []
    for course in courses:
        if out:
            out.append(Row(joined("")))
        steps = [step for lesson in course.lessons for step in lesson.steps]
        done = sum(step.earned for step in steps)
        score = joined((f"  {done} of {plural(len(steps), 'step')}", "muted"))
        out.append(Row(joined((course.title, "strong"), "   ") + (bar(done, len(steps)) + score if steps else joined(""))))
        if course.about:
            out.append(Row(joined((course.about, "muted"))))
        out += [_lesson(course, lesson, number, here) for number, lesson in enumerate(course.lessons, 1)]
        out += [Row(joined((problem, "warn")), first=joined(("! ", "strong", "warn"))) for problem in course.problems]
    return out


def _lesson(course: CourseView, lesson: LessonView, number: int, here: str) -> Row:
    target = f"{course.id}/{lesson.id}"
    done = sum(step.earned for step in lesson.steps)
    full = bool(lesson.steps) and done == len(lesson.steps)
    glyph: Looked = ("✓", "strong", "good") if full else ("▸", "strong", "accent") if target == here else ("·", "faint")
    dots = BLANK.between([joined(("●", "good") if step.earned else ("○", "faint")) for step in lesson.steps])
    return Row(joined(lesson.title, "  ") + dots, target, joined(glyph, (f" {number} ", "faint")))


def bar(done: int, of: int) -> Text:
    """Progress as a bar."""
    filled = BAR * done // of if of else 0
    return joined(("━" * filled, "good"), ("─" * (BAR - filled), "line"))


def catalogue(course: CourseView, here: str) -> Iterator[Text]:
    """A course with its lessons and steps by their ids, as they are typed; and where a lab stands in it, if it does."""
    at = f"  (the lab is here, at {here})" if here.startswith(f"{course.id}/") else ""
    yield joined((course.id, "strong"), f"  {course.title}{at}")
    for lesson in course.lessons:
        yield plain(f"  {course.id}/{lesson.id:<12} {lesson.title}  ({plural(len(lesson.steps), 'step')})")
        for step in lesson.steps:
            yield plain(f"    {'●' if step.earned else '○'} {lesson.id}/{step.id:<16} {step.title}")
