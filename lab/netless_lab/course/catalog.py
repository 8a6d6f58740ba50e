"""From what a person types to a place in a course: ``container/cable/plug``, ``cable``, ``plug``.

The courses there are, beside each other: which one a place belongs to, what a name means among them, and which cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ..errors import Refusal
from .problems import either, nearest
from .step import Course, Position, Step, positions, step_at, taught


class Target(msgspec.Struct, frozen=True):
    """A course, lesson or step by ids, and the steps in it, in order."""

    course: str
    lesson: str | None
    step: str | None
    positions: tuple[Position, ...]

    def __str__(self) -> str:
        return "/".join(part for part in (self.course, self.lesson, self.step) if part)


def resolve(courses: Iterable[Course], text: str, current: Position | None = None) -> Target:
    """What ``text`` names: a course, course/lesson, course/lesson/step, or any unique end of these.

    An end that fits several places means the one in the current lesson, else in the current course. Raises ``Refusal`` (2) with
    the nearest names, or with all that fit.
    """
    courses = tuple(courses)
    every = [target for course in courses for target in targets(course)]
    wanted = tuple(part for part in text.strip().strip("/").split("/") if part)
    if not wanted:
        raise Refusal("no step was named: say course/lesson/step, or an end of it.", nearest=tuple(map(str, every[:3])))
    whole = [target for target in every if str(target) == "/".join(wanted)]
    fitting = whole or [target for target in every if tuple(str(target).split("/"))[-len(wanted) :] == wanted]
    fitting = _near_by(fitting, current)
    if len(fitting) == 1:
        if not fitting[0].positions:
            raise Refusal(f"{fitting[0]} has no steps that can be used.")
        return fitting[0]
    if fitting:
        names = tuple(map(str, fitting))
        raise Refusal(f'"{text}" could be {either(names)}: say which.', nearest=names)
    names = _suggest(text, every)
    help_ = f"Did you mean {either(names)}?" if names else "`netless courses` lists them all."
    raise Refusal(f'there is no lesson or step "{text}". {help_}', nearest=names)


def resolve_in(course: Course, courses: Iterable[Course], text: str, current: Position | None = None) -> Target:
    """What ``text`` names in ``course``, for what can only be asked of the world that stands. Raises ``Refusal`` (2) as ``resolve`` does.

    What only another of ``courses`` has is refused by saying so, and how to get there.
    """
    try:
        return resolve((course,), text, current)
    except Refusal as unknown:
        others = [other for other in courses if other.id != course.id]
        try:
            found = resolve(others, text) if others else None
        except Refusal:
            found = None
        if found is None:
            raise unknown from None
        raise another_course(course.id, found.course, str(found)) from None


def another_course(own: str, other: str, what: str = "") -> Refusal:
    """Why a lab that stands in the course ``own`` cannot do this for the course ``other``, or for ``what`` in it, and how to get there."""
    subject = f"{what} belongs to the course {other}, and " if what and what != other else ""
    way = f"`netless goto {what or other}` builds the world of {other} in place of what is there now. Ticks are kept."
    return Refusal(f"{subject}this lab stands in the course {own}: {way}")


def targets(course: Course) -> tuple[Target, ...]:
    """Everything in a course that can be named: itself, its lessons, their steps."""
    places = positions(course)
    found = [Target(course.id, None, None, places)]
    for lesson in course.lessons:
        own = tuple(place for place in places if place.lesson == lesson.id)
        found.append(Target(course.id, lesson.id, None, own))
        found.extend(Target(course.id, lesson.id, place.step, (place,)) for place in own)
    return tuple(found)


def _near_by(fitting: list[Target], current: Position | None) -> list[Target]:
    """The narrowest circle around the current step that holds any of them."""
    if current is None or len(fitting) < 2:
        return fitting
    near = [target for target in fitting if target.course == current.course]
    return [target for target in near if target.step and target.lesson == current.lesson] or near or fitting


def _suggest(text: str, every: list[Target]) -> tuple[str, ...]:
    """The names that look most like ``text``, by as many parts as it has."""
    parts = len([part for part in text.split("/") if part])
    ends: dict[str, str] = {}
    for target in every:
        whole = str(target)
        ends.setdefault("/".join(whole.split("/")[-parts:]), whole)
    found = [ends[end] for end in nearest(text, ends)]
    if not found:
        last: dict[str, str] = {}
        for target in every:
            last.setdefault(str(target).rpartition("/")[2], str(target))
        found = [last[end] for end in nearest(text.rpartition("/")[2], last)]
    return tuple(dict.fromkeys(found))


class Unusable(msgspec.Struct, frozen=True):
    """A course that cannot be used: what it calls itself (its folder's name when it does not say), its folder, and why, in words."""

    name: str
    path: str
    problems: tuple[str, ...]


class Library(msgspec.Struct, frozen=True):
    """Every course that can be used, no two of one id, and those that cannot.

    ``language`` is the one that was asked for, "" for the lessons' own; ``own`` the folder of the learner's own courses, "" for none.
    """

    courses: tuple[Course, ...]
    unusable: tuple[Unusable, ...] = ()
    language: str = ""
    own: str = ""

    def course(self, course_id: str) -> Course | None:
        """The course of this id, or None."""
        return next((course for course in self.courses if course.id == course_id), None)

    def of(self, position: Position) -> Course:
        """The course that a place is in. Raises LookupError."""
        course = self.course(position.course)
        if course is None:
            raise LookupError(f"there is no course {position.course}")
        return course

    def step_at(self, position: Position) -> Step:
        """The step that a position names, in its own course. Raises LookupError."""
        return step_at(self.of(position), position)

    def taught(self, course: Course) -> dict[str, str]:
        """Which step teaches a cause (``step.taught``): one of this course, where it has one, before those of others."""
        return taught((course, *(other for other in self.courses if other != course)))

    def resolve(self, text: str, current: Position | None = None) -> Target:
        """What ``text`` names in any course; the lesson, then the course of ``current`` come first. Raises ``Refusal`` (2), as for a
        course that cannot be used.
        """
        try:
            return resolve(self.courses, text, current)
        except Refusal:
            self.insist_on(text.strip().strip("/").partition("/")[0])
            raise

    def insist_on(self, course_id: str) -> None:
        """Raises ``Refusal`` (2) for the id of a course that is there and cannot be used, with its first problems."""
        found = next((own for own in self.unusable if own.name == course_id), None)
        if found is not None and self.course(course_id) is None:
            told = "\n".join(found.problems[:3])
            raise Refusal(f"the course {found.name} in {found.path} cannot be used:\n{told}\n`netless lint {found.path}` says all that is wrong.")
