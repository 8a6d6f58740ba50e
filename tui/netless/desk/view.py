"""What the screen knows: one frozen value, replaced by ``reduce`` as messages come in. Pure; never imports textual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from netless_lab import protocol

from ..called import Called

if TYPE_CHECKING:
    from netless_lab.course.verdict import Item, Verdict
    from netless_lab.model.snapshot import Snapshot
    from netless_lab.primitives.base import Dialect
    from netless_lab.protocol import Act, ActionEvent, ChangesEvent, CourseView, FaultStatus, JourneyEvent, LessonView, ProbeEvent, Status, StepView

KEPT_ENTRIES = 2000
"""How many lines of the log of changes are remembered."""
KEPT_PACKETS = 400
"""How many probes are remembered."""
KEPT_SAYINGS = 20
"""How many things told in passing are remembered: no more than this can be told in one paint."""


Level = Literal["info", "warning", "error"]
"""What weight a saying has."""


class Saying(msgspec.Struct, frozen=True):
    """Something to tell the learner once, in passing. ``serial`` grows, so that a screen knows which it has shown. A click on ``copies``, a
    part of the text such as a file's path, copies it. ``of`` is the position of the step that it speaks of, where it speaks of one: it is void on another.
    One that ``lapses`` speaks of how things stand there: it is void after the next one too.
    """

    serial: int
    level: Level
    text: str
    copies: str = ""
    of: str = ""
    lapses: bool = False


class Place(msgspec.Struct, frozen=True):
    """A step: its position, and what it is called."""

    position: str
    title: str


class View(msgspec.Struct, frozen=True):
    """Everything the screens are painted from.

    ``asked`` names what this screen has asked for and is waiting on ("" when nothing); ``returning`` is where a lab stood
    that was gone and is built anew, until it stands there again. ``ended`` says why the lab is gone and
    ``code`` which exit code fits. ``passed`` is the id of the step that was just completed while this screen watched. ``hint`` is
    help that was made from what is seen now, of the claim ``hint_about``, and is not one of the step's own.
    ``recording``: what this screen shows is recorded.
    ``sayings`` are the last things to be told in passing, the newest at the end. ``called`` words the commands in all of it.
    """

    lab: str = ""
    joined: bool = False
    ended: str = ""
    code: int = 0
    status: Status | None = None
    courses: tuple[CourseView, ...] = ()
    snapshot: Snapshot | None = None
    goal: Snapshot | None = None
    verdict: Verdict | None = None
    passed: str = ""
    asked: str = ""
    returning: Place | None = None
    hint: str = ""
    hint_about: Item | None = None
    entries: tuple[ActionEvent | ChangesEvent, ...] = ()
    packets: tuple[ProbeEvent | JourneyEvent, ...] = ()
    recording: bool = False
    sayings: tuple[Saying, ...] = ()
    called: Called = Called()

    @property
    def busy(self) -> str:
        """What is being done just now, by whomever; "" when the lab is idle."""
        if self.returning is not None and not self.ended:
            return f"Rebuilding to “{self.returning.title}”"
        if self.asked:
            return self.asked
        return self.status.busy if self.status else ""

    @property
    def shown(self) -> View:
        """What of it is painted: of a lab that is built anew nothing, until it stands where the one that is gone stood."""
        if self.returning is None:
            return self
        return msgspec.structs.replace(self, status=None, snapshot=None, goal=None, verdict=None, passed="", hint="", hint_about=None)

    def of_another_lab(self) -> View:
        """What stays of it when another lab takes the place of this one: what is not the lab's own, and where this one stood."""
        stood = self.returning if self.status is None else Place(self.status.position, self.status.page.title)
        return View(
            lab=self.lab, courses=self.courses, recording=self.recording, sayings=self.sayings, called=self.called, returning=self.returning or stood
        )  # fmt: skip

    @property
    def following(self) -> bool:
        """Whether the learner's own packets are followed, whoever asked for it."""
        return self.status is not None and self.status.following

    @property
    def dialect(self) -> Dialect:
        """The dialect in which commands are shown."""
        return self.status.dialect if self.status else "ip"

    @property
    def lesson(self) -> LessonView | None:
        """The current lesson of the current course."""
        if self.status is None:
            return None
        name = part(self.status.position, 1)
        return next((lesson for lesson in self.status.course.lessons if lesson.id == name), None)

    @property
    def step(self) -> StepView | None:
        """The current step."""
        lesson = self.lesson
        if lesson is None or self.status is None:
            return None
        name = part(self.status.position, 2)
        return next((step for step in lesson.steps if step.id == name), None)

    @property
    def commands(self) -> tuple[str, ...]:
        """The current step's commands in the chosen dialect."""
        if self.status is None:
            return ()
        return next((item.lines for item in self.status.page.commands if item.dialect == self.dialect), ())

    @property
    def done(self) -> bool:
        """True when the current step holds."""
        step = self.step
        if step is None:
            return False
        return (self.verdict is not None and self.verdict.passed) or (step.earned and step.live is not False)

    @property
    def fault(self) -> FaultStatus | None:
        """What is broken on purpose, or was until it is put away."""
        return self.status.fault if self.status else None

    @property
    def broken(self) -> bool:
        """True while something is broken on purpose."""
        return self.fault is not None and not self.fault.healthy

    @property
    def judged(self) -> Verdict | None:
        """What the judge found last of what counts now: the health of a network that was broken on purpose, else the step."""
        return self.verdict if self.fault is None else self.fault.verdict

    @property
    def more(self) -> bool:
        """True when a step comes after the current one in the course."""
        if self.status is None or not self.status.course.lessons:
            return False
        last = self.status.course.lessons[-1]
        return bool(last.steps) and self.status.position != f"{self.status.course.id}/{last.id}/{last.steps[-1].id}"


def passed_by(view: View) -> tuple[tuple[str, str], ...]:
    """The steps of the course that were never done, by their positions, with their titles; without the current one."""
    if view.status is None:
        return ()
    course = view.status.course
    steps = ((f"{course.id}/{lesson.id}/{step.id}", step) for lesson in course.lessons for step in lesson.steps)
    return tuple((place, step.title) for place, step in steps if not step.earned and place != view.status.position)


def part(position: str, index: int) -> str:
    """A part of a position: 0 the course, 1 the lesson, 2 the step; "" when it has none."""
    parts = position.split("/")
    return parts[index] if index < len(parts) else ""


def known_courses(view: View) -> tuple[CourseView, ...]:
    """Every course there is, as far as it is known yet: the current one at least."""
    return view.courses or ((view.status.course,) if view.status else ())


Identity = tuple[int, int | None]
"""A node's namespace and the process that holds it."""


def identity(view: View, node: str) -> Identity | None:
    """Which a node is just now: a shell that went into another one sits in no part of the lab."""
    nodes = view.status.nodes if view.status else ()
    return next(((found.netns, found.outside_pid) for found in nodes if found.name == node), None)


def first_open(view: View, target: str) -> str:
    """Where to go on in a lesson: its first step not done."""
    lessons = ((f"{course.id}/{lesson.id}", lesson) for course in known_courses(view) for lesson in course.lessons)
    return next((lesson.next_open for place, lesson in lessons if place == target), "") or target


def step_called(view: View, target: str) -> str:
    """How a step is called (``The way out ▸ Let it pass``); its id when no course here has it."""
    lessons = (lesson for course in known_courses(view) if course.id == part(target, 0) for lesson in course.lessons if lesson.id == part(target, 1))
    for lesson in lessons:
        title = next((step.title for step in lesson.steps if step.id == part(target, 2)), "")
        return f"{lesson.title} ▸ {title}" if title else lesson.title
    return target


def forbids(view: View, act: Act) -> str:
    """Why this cannot be done now, as a sentence; "" when it can: as the lab says, or because it has yet to answer what was asked here."""
    if view.ended:
        return "The lab is gone."
    if view.returning is not None:
        return _busy(view.busy)
    if not view.joined or view.status is None:
        return "The lab is not there yet."
    if view.asked and act not in protocol.BESIDE:
        return _busy(view.asked)
    return _sentence(view.status.offers.get(act, ""))


def _busy(doing: str) -> str:
    return _sentence(f"the lab is busy: {doing[:1].lower()}{doing[1:]}")


def _sentence(why: str) -> str:
    """The lab's reason as a sentence of its own."""
    return why and f"{why[0].upper()}{why[1:]}{'' if why[-1] in '.?!' else '.'}"
