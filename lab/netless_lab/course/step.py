"""What a course is made of: lessons, steps, and the world they start in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

import msgspec

from ..model.outside import USUAL, FarHost, Outside
from ..model.probe import Probe
from ..primitives.base import Action, Expectation
from ..primitives.roles import RoleName

Silence = Literal["observation", "guard"]
"""Why a packet of a step stays unanswered. An *observation* shows what the step is needed for, or what it does not bring yet: it never
refuses somebody who has done more. A *guard* is the goal itself, isolation, and decides."""

Demand = Literal["reply", "observation", "guard"]
"""What must become of a packet: an answer, or one of the two kinds of silence."""


class ProbeCheck(msgspec.Struct, frozen=True):
    """A probe of a step and what must become of it.

    Where the demand is silence, ``because`` says why, and ``control`` (if any) is a probe on the same path that must be answered, so
    that silence means something. ``seen_as`` and ``answer`` must equal the outcome's.
    """

    probe: Probe
    demand: Demand = "reply"
    because: str = ""
    seen_as: str | None = None
    answer: str | None = None
    control: Probe | None = None

    @property
    def reply(self) -> bool:
        """Whether the packet must be answered."""
        return self.demand == "reply"


class Known(msgspec.Struct, frozen=True):
    """(role, word) pairs that can be taken for granted: the first ``count`` of all that a course speaks of, in its order. All its steps share those."""

    every: tuple[tuple[RoleName, str], ...] = ()
    count: int = 0

    def __iter__(self) -> Iterator[tuple[RoleName, str]]:
        return islice(self.every, self.count)


class Step(msgspec.Struct, frozen=True):
    """One step of a lesson.

    ``do`` is the tutor's own solution, ``expect`` and ``probes`` are what is judged, ``hints`` are rungs of growing help (the
    last one is the command itself and is made from ``do``). ``shell`` is the node whose shell the step is about. ``needs`` names
    what a machine may lack for it (``model.needs``): that is looked for before somebody begins. ``success`` is said when it passes. ``undoes`` lists ids of
    earlier steps of the course whose result this one rightly takes away. ``exact`` lists names that must be just these; all other
    names, addresses and networks are the learner's to choose. ``teaches`` are the codes of the causes (``explain.catalogue``) that it is about:
    whoever meets one is sent here. ``known`` are the words that the world and earlier
    steps already speak of: the step's other words are new with it. ``line`` is where its heading stands in the page.
    """

    id: str
    title: str
    prose: str
    do: tuple[Action, ...]
    expect: tuple[Expectation, ...]
    probes: tuple[ProbeCheck, ...] = ()
    hints: tuple[str, ...] = ()
    shell: str = "host"
    needs: tuple[str, ...] = ()
    success: str = ""
    undoes: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    teaches: tuple[str, ...] = ()
    known: Known = Known()
    line: int = 0


class Lesson(msgspec.Struct, frozen=True):
    """One lesson: a Markdown page of steps."""

    id: str
    title: str
    intro: str
    steps: tuple[Step, ...]
    path: str = ""
    summary: str = ""

    def step(self, step_id: str) -> Step | None:
        """The step with this id, or None."""
        return next((step for step in self.steps if step.id == step_id), None)


class World(msgspec.Struct, frozen=True):
    """What exists before the first step: containers that run, beside ``host`` and ``internet``, what lies ``outside`` of the host, and further
    ``hosts`` out there.

    Each container has only ``lo``; what nodes have beyond that comes of the actions ``do``.
    """

    containers: tuple[str, ...] = ()
    outside: Outside = USUAL
    do: tuple[Action, ...] = ()
    hosts: tuple[FarHost, ...] = ()


class FaultNode(msgspec.Struct, frozen=True):
    """A node that a fault can be in, and what the placeholders of fault files stand for then, ``{node}`` itself among them."""

    node: str
    words: dict[str, str]


class Course(msgspec.Struct, frozen=True):
    """A course: lessons in order, and the world they start in. ``problems`` are lessons that could not be read, in words.

    ``fault_nodes`` are the nodes that a drill draws from, the usual one first.
    """

    id: str
    title: str
    about: str
    lessons: tuple[Lesson, ...]
    world: World = World()
    path: str = ""
    problems: tuple[str, ...] = ()
    fault_nodes: tuple[FaultNode, ...] = ()

    def lesson(self, lesson_id: str) -> Lesson | None:
        """The lesson with this id, or None."""
        return next((lesson for lesson in self.lessons if lesson.id == lesson_id), None)


class Position(msgspec.Struct, frozen=True, order=True):
    """A step by ids: ``container/cable/plug``."""

    course: str
    lesson: str
    step: str

    def __str__(self) -> str:
        return f"{self.course}/{self.lesson}/{self.step}"

    @property
    def key(self) -> str:
        """How the step is called within its course: ``cable/plug``."""
        return f"{self.lesson}/{self.step}"


def positions(course: Course) -> tuple[Position, ...]:
    """Every step of a course in order."""
    return tuple(Position(course.id, lesson.id, step.id) for lesson in course.lessons for step in lesson.steps)


def taught(courses: Iterable[Course]) -> dict[str, str]:
    """Which step teaches a cause: its code, and ``course/lesson/step``. Of several courses that teach one the first is taken."""
    found: dict[str, str] = {}
    for course in courses:
        for lesson in course.lessons:
            for step in lesson.steps:
                for code in step.teaches:
                    found.setdefault(code, str(Position(course.id, lesson.id, step.id)))
    return found


def step_at(course: Course, position: Position) -> Step:
    """The step a position names. Raises LookupError when the course has no such step, or it is a place of another course."""
    lesson = course.lesson(position.lesson) if position.course == course.id else None
    step = lesson.step(position.step) if lesson else None
    if step is None:
        raise LookupError(f"{position} is not in the course {course.id}")
    return step
