"""Moving in time: back, to any step, to the start again, and out of the lessons' time altogether."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from netless_lab import protocol
from netless_lab.client import Refused
from netless_lab.model.clearing import Clearing
from netless_lab.protocol import Act, Move, Moved

from ..desk.desk import Desk
from ..desk.reduce import Returned
from ..desk.view import View, forbids
from ..say.passing import not_done
from .stage import Stage, Target

R = TypeVar("R")


async def back(desk: Desk, stage: Stage) -> None:
    """Undo the last change, or the last step."""
    moved = await with_consent(desk, stage, "back", lambda yes: protocol.Back(force=yes), "Going back")
    _tell(desk, moved)


async def play(desk: Desk, stage: Stage) -> None:
    """Begin to play; or leave it, and with it what was made there."""
    playing = desk.view.status is not None and desk.view.status.playing
    saying = "Restoring the step" if playing else "Pausing the judge"
    moved = await with_consent(desk, stage, "play", lambda yes: protocol.Play(not playing, force=yes), saying)
    _tell(desk, moved)


async def reset(desk: Desk, stage: Stage) -> None:
    """Start over, as far back as is chosen: what goes was listed of the lab as it is seen now."""
    seen = moves(desk)
    scope = await stage.windows.choose_scope()
    if scope is not None and still(desk, "reset"):
        moved = await desk.ask(protocol.Reset(scope, seen=seen), saying="Resetting")
        _tell(desk, moved)


async def goto(desk: Desk, stage: Stage) -> None:
    """To any step; after a drill the list begins at the one that teaches it."""
    status = desk.view.status
    assert status is not None
    await choose_from(desk, stage, (status.fault.teaches if status.fault is not None else "") or status.position)


async def choose_from(desk: Desk, stage: Stage, target: str) -> None:
    """The list of all steps with this one chosen: a click alone never rebuilds the lab."""
    if still(desk, "goto"):
        await go(desk, await stage.windows.choose_step(target))


async def courses(desk: Desk, stage: Stage) -> None:
    """To any lesson of any course."""
    await go(desk, await stage.windows.choose_course())


async def arrive(desk: Desk, stage: Stage, wanted: str) -> None:
    """Once it is known where the lab stands: all courses, when there is something to choose and none was ``wanted``.

    A lab that stands in another course than the wanted one was somebody's already: going there is asked for, never done unasked.
    """
    status = desk.view.status
    if status is None:
        return
    if wanted and wanted != status.course.id and (begins := _start_of(desk.view, wanted)):
        await choose_from(desk, stage, begins)
    elif _offers_choice(desk.view, chosen=bool(wanted) or status.chosen) and stage.in_sight:
        await courses(desk, stage)


def _start_of(view: View, course: str) -> str:
    """The first step of a course, as one that is gone to from another; "" when there is none."""
    lessons = next((found.lessons for found in view.courses if found.id == course), ())
    return next((f"{course}/{lesson.id}/{step.id}" for lesson in lessons for step in lesson.steps), "")


def _offers_choice(view: View, *, chosen: bool) -> bool:
    """Whether there is more than one course, none was asked for, and none is begun."""
    begun = any(step.earned for course in view.courses for lesson in course.lessons for step in lesson.steps)
    return not chosen and sum(bool(course.lessons) for course in view.courses) > 1 and not begun


async def go(desk: Desk, choice: Target | None) -> None:
    """Go there, if that can still be done."""
    if choice is not None and still(desk, "goto"):
        await desk.ask(protocol.Goto(*choice), saying="Rebuilding the lab")


async def go_back(desk: Desk) -> None:
    """With a lab that was built anew: to where the one stood that is gone, if it stood anywhere."""
    place = desk.view.returning
    if place is not None:
        await desk.ask(protocol.Goto(place.position), saying="Rebuilding the lab")
        desk.take(Returned())


def still(desk: Desk, act: Act) -> bool:
    """Whether what was chosen can be done now; when it cannot, it is told why."""
    reason = forbids(desk.view, act)
    if reason:
        desk.tell("warning", not_done(reason), lapses=True)
    return not reason


async def with_consent(desk: Desk, stage: Stage, act: Act, request: Callable[[bool], Move[R]], saying: str) -> R | None:
    """Ask for what the lab may want a yes to; what goes with it is listed then, and goes only after that, from a lab that nobody moved meanwhile."""
    seen = moves(desk)
    moved = await desk.attempt(request(False), saying=saying)
    if isinstance(moved, Refused):
        agreed = await stage.windows.agrees(saying, desk.view.called.told(str(moved)), Clearing(moved.going or (), moved.coming))
        if not agreed or not still(desk, act):
            return None
        return await desk.ask(replace(request(True), seen=seen), saying=saying)
    return moved


def moves(desk: Desk) -> int | None:
    """Which lab is seen now (``Move.seen``)."""
    return desk.view.status.moves if desk.view.status is not None else None


def _tell(desk: Desk, moved: Moved | None) -> None:
    if moved is not None and moved.text:
        desk.tell("info", moved.text, of_step=True)
