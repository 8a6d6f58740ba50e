"""Words for clients: the status, the current step's page, the course list. Pure."""

from __future__ import annotations

from typing import Final

from ..course.bindings import apply, apply_text
from ..course.catalog import Library
from ..course.ending import not_done
from ..course.hints import command_lines, rungs
from ..course.outline import placed
from ..course.step import Course, Lesson, Position, Step, positions, step_at
from ..course.verdict import Verdict
from ..model.snapshot import Snapshot
from ..primitives.base import DIALECTS, Action, Dialect, Where
from ..primitives.namespace import StartContainer
from ..protocol import Commands, CourseView, FaultSummary, Judged, LessonView, Status, StepPage, StepView, Summary
from .state import State, after

_LAST: Final = "This was the last step of the course."


def where_of(snapshot: Snapshot, shell: str) -> Where:
    """How commands typed in ``shell`` reach the other nodes, from the names and pids there are now."""
    names = {node.name: node.names[0] for node in snapshot.nodes if node.names}
    pids = {node.name: node.pid for node in snapshot.nodes if node.pid is not None}
    held = {(node.name, link.name): tuple(own.cidr for own in link.v4) for node in snapshot.nodes for link in node.links if link.v4}
    return Where(shell, names, pids, held)


def commands_of(actions: tuple[Action, ...], dialect: Dialect, where: Where) -> Commands:
    """The lines of these actions in one dialect."""
    return Commands(dialect, command_lines(actions, dialect, where))


def every_dialect(actions: tuple[Action, ...], first: Dialect, where: Where) -> tuple[Commands, ...]:
    """The same actions in every dialect, the chosen one first."""
    order = (first, *(dialect for dialect in DIALECTS if dialect != first))
    return tuple(commands_of(actions, dialect, where) for dialect in order)


def bound_actions(step: Step, state: State, snapshot: Snapshot) -> tuple[Action, ...]:
    """The step's own solution in the learner's names, and as it is done where this is there."""
    return placed((apply(action, state.bindings) for action in step.do), snapshot)


def help_rungs(state: State, snapshot: Snapshot) -> tuple[str, ...]:
    """Every rung of help of the current step, the last being the command in the chosen dialect."""
    return _rungs(state, snapshot, bound_actions(state.step, state, snapshot))


def _rungs(state: State, snapshot: Snapshot, actions: tuple[Action, ...]) -> tuple[str, ...]:
    return rungs(state.step, command_lines(actions, state.dialect, where_of(snapshot, state.step.shell)), state.bindings)


def step_page(state: State, snapshot: Snapshot) -> StepPage:
    """All a screen needs for the current step."""
    step, lesson = state.step, state.lesson
    where = where_of(snapshot, step.shell)
    opened = state.progress.opened(state.position.key, state.position.course)
    actions = bound_actions(step, state, snapshot)
    every = _rungs(state, snapshot, actions)
    number = [own.id for own in lesson.steps].index(step.id) + 1
    prose = step.prose if number > 1 or not lesson.intro else f"{lesson.intro}\n\n{step.prose}"
    return StepPage(
        position=str(state.position),
        lesson_title=lesson.title,
        title=step.title,
        prose=apply_text(prose, state.bindings),
        sentences=tuple(action.sentence() for action in actions),
        commands=every_dialect(_to_type(state, snapshot, actions), state.dialect, where),
        hints_open=every[:opened],
        hints_total=len(every),
        shell=step.shell,
        number=number,
        of=len(lesson.steps),
        success=apply_text(step.success, state.bindings),
        lacks=state.lacks,
    )


def actions_to_type(state: State, snapshot: Snapshot) -> tuple[Action, ...]:
    """Of the step's own solution, what is for the learner to type."""
    return _to_type(state, snapshot, bound_actions(state.step, state, snapshot))


def _to_type(state: State, snapshot: Snapshot, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return actions if state.passed else tuple(action for action in actions if not _runs_already(action, snapshot))


def summary(status: Status, at: float) -> Summary:
    """The status in short, since this moment. It tells no more of a fault than the status does."""
    fault = status.fault
    verdict = fault.verdict if fault is not None and not fault.healthy else status.verdict
    ticks = [step.earned for lesson in status.course.lessons for step in lesson.steps]
    return Summary(
        at=at,
        lab=status.lab,
        position=status.position,
        title=status.page.title,
        passed=verdict is not None and verdict.passed,
        results=tuple(item.result for item in verdict.items) if verdict is not None else (),
        busy=status.busy,
        playing=status.playing,
        earned=sum(ticks),
        steps=len(ticks),
        fault=FaultSummary(fault.tells, fault.drill, fault.exam, fault.healthy, fault.began, fault.hints, fault.whys) if fault is not None else None,
    )


def judged(state: State, place: Position, verdict: Verdict) -> Judged:
    """A verdict with the words that go with it: the success sentence, where it is true."""
    step = step_at(state.course, place)
    success = verdict.told(apply_text(step.success, state.bindings))
    return Judged(str(place), step.title, verdict, success)


def onward(state: State) -> str:
    """Where `next` leads once the current step holds; "" before."""
    if not state.passed:
        return ""
    following = after(state.course, state.position)
    return f"`next` goes on to {following}: {step_at(state.course, following).title}." if following else the_end(state)


def the_end(state: State) -> str:
    """That no step comes after the last, which of them were never done, and the way on."""
    steps = [(str(place), step_at(state.course, place).title) for place in positions(state.course) if not state.progress.earned(place.key, place.course)]
    return f"{_LAST} {not_done(steps) or '`goto` takes you anywhere again.'}"


def _runs_already(action: Action, snapshot: Snapshot) -> bool:
    """Whether a container was started already: to type it again would start a second one beside it."""
    return isinstance(action, StartContainer) and snapshot.node(action.node) is not None


def course_view(course: Course, state: State | None = None) -> CourseView:
    """The course as a list shows it; ticks only when a state is given."""
    lessons = tuple(_lesson(course, lesson, state) for lesson in course.lessons)
    return CourseView(course.id, course.title, course.about, lessons, course.problems)


def course_views(library: Library, state: State | None = None) -> tuple[CourseView, ...]:
    """Every course as a list shows it; one that cannot be used has no lessons, and its folder for an id, which no course can have."""
    unusable = (CourseView(own.path, f"{own.name} (cannot be used)", "", (), own.problems) for own in library.unusable)
    return (*(course_view(course, state) for course in library.courses), *unusable)


def _lesson(course: Course, lesson: Lesson, state: State | None) -> LessonView:
    steps = []
    next_open = first = ""
    for step in lesson.steps:
        place = Position(course.id, lesson.id, step.id)
        earned = state is not None and state.progress.earned(place.key, course.id)
        live = state.live.get(place.key) if state is not None and state.course.id == course.id else None
        steps.append(StepView(step.id, step.title, earned, live))
        first = first or str(place)
        next_open = next_open or ("" if earned else str(place))
    return LessonView(lesson.id, lesson.title, tuple(steps), next_open or first)
