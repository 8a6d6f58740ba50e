"""The courses there are, beside each other: which one a place belongs to, what a name means among them, and which cannot be used."""

from __future__ import annotations

import msgspec

from ..errors import Refusal
from .catalog import Target, resolve
from .step import Course, Position, Step, step_at, taught


class Broken(msgspec.Struct, frozen=True):
    """A course that cannot be used: what it calls itself (its folder's name when it does not say), its folder, and why, in words."""

    name: str
    path: str
    problems: tuple[str, ...]


class Library(msgspec.Struct, frozen=True):
    """Every course that can be used, no two of one id, and those that cannot.

    ``language`` is the one that was asked for, "" for the lessons' own; ``own`` the folder of the learner's own courses, "" for none.
    """

    courses: tuple[Course, ...]
    broken: tuple[Broken, ...] = ()
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
        found = next((own for own in self.broken if own.name == course_id), None)
        if found is not None and self.course(course_id) is None:
            told = "\n".join(found.problems[:3])
            raise Refusal(f"the course {found.name} in {found.path} cannot be used:\n{told}\n`netless lint {found.path}` says all that is wrong.")
