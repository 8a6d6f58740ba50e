"""Where a lab stands: the request that every screen and terminal begins with, and its reply.

It is by itself because ``netless status`` shall not wait for what only other messages need.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from ..course.verdict import Verdict
from ..model.needs import Lack
from ..model.times import Span, Time
from ..primitives.roles import Dialect
from .base import Look

Act = Literal["run", "type", "check", "hint", "why", "back", "goto", "reset", "next", "dialect", "play", "drill", "mend"]
"""What a screen or a command may ask for; ``drill`` is to break something, and ``type`` to put the step's commands at a prompt."""
ACTS: Final[tuple[Act, ...]] = get_args(Act)
BESIDE: Final[frozenset[Act]] = frozenset(("type", "hint", "dialect"))
"""What can be had while the lab is busy: it is of words alone."""


class NodeStatus(msgspec.Struct, frozen=True):
    """One node in a status. ``pid`` is as the lab's own processes see it, ``outside_pid`` as the machine sees it."""

    name: str
    role: str
    pid: int | None
    netns: int
    outside_pid: int | None = None
    names: tuple[str, ...] = ()


class StepView(msgspec.Struct, frozen=True):
    """A step as a list shows it: ``earned`` is the tick in the progress, ``live`` whether it holds now (None: not judged)."""

    id: str
    title: str
    earned: bool = False
    live: bool | None = None


class LessonView(msgspec.Struct, frozen=True):
    """A lesson as a list shows it. ``next_open`` is where to go on in it: the position of its first step without a tick, of its first when all
    have one, "" when it has none.
    """

    id: str
    title: str
    steps: tuple[StepView, ...]
    next_open: str = ""


class CourseView(msgspec.Struct, frozen=True):
    """A course as the picker shows it."""

    id: str
    title: str
    about: str
    lessons: tuple[LessonView, ...]
    problems: tuple[str, ...] = ()


class Commands(msgspec.Struct, frozen=True):
    """The commands of a step in one dialect, with the learner's own names in them."""

    dialect: Dialect
    lines: tuple[str, ...]


class StepPage(msgspec.Struct, frozen=True):
    """All a screen needs to show the current step, with the learner's own names in the text. ``lacks``: of what it needs, what this machine has not."""

    position: str
    lesson_title: str
    title: str
    prose: str
    sentences: tuple[str, ...]
    commands: tuple[Commands, ...]
    hints_open: tuple[str, ...] = ()
    hints_total: int = 0
    shell: str = "host"
    number: int = 1
    of: int = 1
    success: str = ""
    lacks: tuple[Lack, ...] = ()


class FaultStatus(msgspec.Struct, frozen=True):
    """What is broken on purpose, as far as the learner may know: ``id`` and what follows it are "" while it is a secret.

    ``healthy``: the network works again. ``began`` is the wall clock, ``seconds`` how long it is (or was) broken, ``hints`` and ``whys``
    how often help was asked for, ``hints_open`` the hints that were given, ``verdict`` what the judge found last. An ``exam`` is a drill in which
    Why and hints are locked. ``teaches`` is the position of the step that explains it.
    """

    tells: str
    drill: bool = False
    exam: bool = False
    healthy: bool = False
    began: Time = 0.0
    seconds: Span = 0.0
    hints: int = 0
    whys: int = 0
    seed: int | None = None
    verdict: Verdict | None = None
    id: str = ""
    title: str = ""
    node: str = ""
    teaches: str = ""
    solution: str = ""
    hints_open: tuple[str, ...] = ()


class Status(msgspec.Struct, frozen=True):
    """Everything about the lab but the network itself.

    What was asked for when it began: ``language``, "" for that of the lessons, and ``lessons``, a folder of courses, "" for none. ``chosen``:
    somebody asked for the course, or has moved in it; else it is only the first of all.

    ``offers``: what forbids an act now, in the words of its refusal; one that is not in it can be done. What the lab is ``busy`` with forbids
    all that is not ``BESIDE`` it: what is asked then all the same waits for its turn. ``moves`` grows with what moves the lab (``Move.seen``);
    ``following``: the learner's own packets are followed.
    """

    lab: str
    agent_pid: int
    mode: Literal["sandbox", "host"]
    position: str
    course: CourseView
    page: StepPage
    nodes: tuple[NodeStatus, ...]
    verdict: Verdict | None = None
    dialect: Dialect = "ip"
    busy: str = ""
    playing: bool = False
    notices: tuple[str, ...] = ()
    uptime_s: Span = 0.0
    clients: int = 0
    bindings: dict[str, str] = {}
    limits: str = ""
    fault: FaultStatus | None = None
    language: str = ""
    lessons: str = ""
    chosen: bool = False
    offers: dict[Act, str] = {}
    moves: int = 0
    following: bool = False


class GetStatus(Look[Status], frozen=True):
    """Everything about the lab but the network itself."""
