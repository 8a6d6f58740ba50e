"""Where the learner stands: a frozen value that the session replaces as things happen. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from ..course.bindings import Bindings
from ..course.progress import Progress
from ..course.step import Course, Lesson, Position, Step, positions, step_at
from ..course.verdict import Verdict
from ..model.needs import Lack
from ..model.snapshot import Snapshot
from ..primitives.base import Action, Dialect

MOST_NOTICES: Final = 20
"""Of what is to be remembered until the lab is in order again, so much is kept: more fills the page that a lesson is read on."""


class Notices(msgspec.Struct, frozen=True):
    """Different sentences in the order they were said first, each with how often; of the oldest, once there are too many, only how many."""

    said: dict[str, int] = {}
    dropped: int = 0

    def and_also(self, text: str) -> Notices:
        """With one more, said now."""
        said = {**self.said, text: self.said.get(text, 0) + 1}
        oldest = next(iter(said))
        if len(said) <= MOST_NOTICES:
            return Notices(said, self.dropped)
        return Notices({own: often for own, often in said.items() if own != oldest}, self.dropped + said[oldest])

    @property
    def lines(self) -> tuple[str, ...]:
        """As they are read."""
        first = (f"Said before and not kept: {self.dropped}",) if self.dropped else ()
        return (*first, *(text if often == 1 else f"{text} ({often} times)" for text, often in self.said.items()))


class State(msgspec.Struct, frozen=True):
    """The course in hand, the current step, and what was judged of it.

    ``live`` maps the id of each step of the course (``lesson/step``) to whether its state holds now. ``by_tutor`` is true when the
    tutor did the current step and the learner changed nothing since: it is the tutor's when it passes, however late. ``lent``: the lab was
    brought to the end of the step for something else, and as long as it holds nobody has done it. ``lacks`` is what the machine lacks for the
    current step.
    """

    course: Course
    position: Position
    progress: Progress
    bindings: Bindings = Bindings()
    verdict: Verdict | None = None
    live: dict[str, bool] = {}
    dialect: Dialect = "ip"
    busy: str = ""
    by_tutor: bool = False
    lent: bool = False
    notices: Notices = Notices()
    lacks: tuple[Lack, ...] = ()

    @property
    def lesson(self) -> Lesson:
        """The current lesson."""
        found = self.course.lesson(self.position.lesson)
        assert found is not None, f"position {self.position} outside its course"
        return found

    @property
    def step(self) -> Step:
        """The current step."""
        found = self.lesson.step(self.position.step)
        assert found is not None, f"position {self.position} outside its lesson"
        return found

    @property
    def passed(self) -> bool:
        """True when the current step was judged and holds."""
        return self.verdict is not None and self.verdict.step == self.position.step and self.verdict.passed

    @property
    def done(self) -> bool:
        """True when the current step holds, or when what the tutor did is there and the packets do not arrive, or not yet."""
        return self.passed or (self.by_tutor and self.live.get(self.position.key, False))


class Ran(msgspec.Struct, frozen=True):
    """A step that the tutor did on a lab with something of the learner's in it, so that it alone can be undone."""

    place: Position
    actions: tuple[Action, ...]
    before: Snapshot
    after: Snapshot


def stood(course: Course, progress: Progress) -> Position:
    """Where the learner stood last in a course; its first step when that was never, or is not there any more."""
    known = positions(course)
    place = progress.position(course.id)
    return place if place in known else known[0]


def before(course: Course, position: Position) -> tuple[Position, ...]:
    """Every position ahead of this one, in order."""
    every = positions(course)
    return every[: every.index(position)]


def after(course: Course, position: Position) -> Position | None:
    """The position that follows, or None at the course's end."""
    every = positions(course)
    place = every.index(position) + 1
    return every[place] if place < len(every) else None


def actions_before(course: Course, position: Position) -> tuple[Action, ...]:
    """Every action of every step ahead of this one, in order."""
    return tuple(action for place in before(course, position) for action in step_at(course, place).do)


def undone(course: Course, until: Position) -> frozenset[str]:
    """Keys of the steps whose result a later step, up to and including ``until``, rightly took away (``undoes``)."""
    return frozenset(gone for place in (*before(course, until), until) for gone in step_at(course, place).undoes)
