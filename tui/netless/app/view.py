"""What the screen knows: one frozen value, replaced by ``reduce`` as messages come in. Pure; never imports textual."""

from __future__ import annotations

from typing import Literal

import msgspec

from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.probe import Outcome, Probe
from netless_lab.model.snapshot import Snapshot
from netless_lab.primitives.base import Dialect
from netless_lab.protocol import ActionEvent, ChangesEvent, CourseView, FaultStatus, JourneyEvent, LessonView, ProbeEvent, Status, StepView

from ..called import Called

Act = Literal["run", "type", "check", "hint", "why", "back", "goto", "reset", "next", "dialect", "play", "drill", "mend"]
"""What a key of the main screen can ask for."""

KEPT_ENTRIES = 2000
"""How many lines of the log of changes are remembered."""
KEPT_PACKETS = 400
"""How many probes are remembered."""
KEPT_SAYINGS = 20
"""How many things told in passing are remembered: no more than this can be told in one paint."""


Level = Literal["info", "warning", "error"]
"""What weight a saying has."""


class Saying(msgspec.Struct, frozen=True):
    """Something to tell the learner once, in passing. ``serial`` grows, so that a screen knows which it has shown."""

    serial: int
    level: Level
    text: str


class View(msgspec.Struct, frozen=True):
    """Everything the screens are painted from.

    ``asked`` names what this screen has asked for and is waiting on ("" when nothing); ``ended`` says why the lab is gone and
    ``code`` which exit code fits. ``passed`` is the id of the step that was just completed while this screen watched. ``hint`` is
    help that was made from what is seen now, and is not one of the step's own. ``following``: the learner's own packets are told too.
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
    hint: str = ""
    entries: tuple[ActionEvent | ChangesEvent, ...] = ()
    packets: tuple[ProbeEvent | JourneyEvent, ...] = ()
    drill_hints: tuple[str, ...] = ()
    following: bool = False
    sayings: tuple[Saying, ...] = ()
    called: Called = Called()

    @property
    def busy(self) -> str:
        """What is being done just now, by whomever; "" when the lab is idle."""
        if self.asked:
            return self.asked
        return self.status.busy if self.status else ""

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
    def more(self) -> bool:
        """True when a step comes after the current one in the course."""
        if self.status is None or not self.status.course.lessons:
            return False
        last = self.status.course.lessons[-1]
        return bool(last.steps) and self.status.position != f"{self.status.course.id}/{last.id}/{last.steps[-1].id}"


def part(position: str, index: int) -> str:
    """A part of a position: 0 the course, 1 the lesson, 2 the step; "" when it has none."""
    parts = position.split("/")
    return parts[index] if index < len(parts) else ""


def known_courses(view: View) -> tuple[CourseView, ...]:
    """Every course there is, as far as it is known yet: the current one at least."""
    return view.courses or ((view.status.course,) if view.status else ())


def step_called(view: View, target: str) -> str:
    """How a step is called (``The way out ▸ Let it pass``); its id when no course here has it."""
    lessons = (lesson for course in known_courses(view) if course.id == part(target, 0) for lesson in course.lessons if lesson.id == part(target, 1))
    for lesson in lessons:
        title = next((step.title for step in lesson.steps if step.id == part(target, 2)), "")
        return f"{lesson.title} ▸ {title}" if title else lesson.title
    return target


def failed_probe(view: View) -> Probe | None:
    """The probe that ``why`` asks about: the newest one that did not end as wanted, else the newest unanswered one."""
    probes = [event for event in reversed(view.packets) if isinstance(event, ProbeEvent)]
    for event in probes:
        if not as_wanted(event.outcome, event.wanted):
            return event.outcome.probe
    return next((event.outcome.probe for event in probes if event.outcome.result != "answered"), None)


def as_wanted(outcome: Outcome, wanted: bool) -> bool:
    """True when a probe ended as the step wants it: answered or, for one that must not be answered, failed. An error never is."""
    return outcome.result == ("answered" if wanted else "failed")


def holding(items: tuple[Item, ...]) -> int:
    """How many claims hold."""
    return sum(item.result == "pass" for item in items)


def can(view: View, act: Act) -> bool:
    """True when this key would do something now; while the lab is busy only looking is possible."""
    if not view.joined or view.status is None or view.ended:
        return False
    if view.fault is not None:
        return _can_in_drill(view, view.fault, act)
    if act == "type":
        return bool(view.commands)
    if act == "dialect":
        return len(view.status.page.commands) > 1
    if act == "hint":
        failing = view.verdict is not None and not view.verdict.passed
        return failing or len(view.status.page.hints_open) < view.status.page.hints_total
    if view.busy:
        return False
    if act == "play":
        return True
    if view.status.playing:
        return act in ("goto", "reset")
    if act == "why":
        return failed_probe(view) is not None
    if act == "next":
        return view.done and view.more
    return act != "mend"


def _can_in_drill(view: View, fault: FaultStatus, act: Act) -> bool:
    """The lessons rest while something is broken on purpose, until it is put away; an exam locks hint and Why."""
    if view.busy:
        return act == "hint" and view.broken and not fault.exam
    if fault.healthy:
        return act in ("mend", "goto", "reset")
    return act in ("check", "mend", "goto", "reset") or (act in ("hint", "why") and not fault.exam)
