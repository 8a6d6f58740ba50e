"""Breaking a lab and mending it: a fault goes in quietly, must show, and comes out again with proof."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import msgspec

from ..course.catalog import resolve_in
from ..course.further import missing_before
from ..course.judge import state_holds
from ..course.step import Position, step_at
from ..errors import ApplyError, Refusal
from ..model.diff import diff
from ..primitives.base import Action
from ..primitives.run import Run
from ..session.mode import Mode
from ..session.moving import stand
from ..session.stage import Stage
from .format import Fault
from .prove import HEALTHY_S, must_be_well, must_show, well

MARK: Final = "NETLESS_FAULT"
"""An environment variable of every process that a fault starts, so that it can be ended with the fault."""
QUIET_S: Final = 0.03
"""How long the kernel must be silent after a change before its consequences are all there."""
MOST_NEWS: Final = 10
"""Whoever talks on all the time is not waited for."""


def beginning(stage: Stage, fault: Fault) -> Position:
    """The step at whose end the lab stands before this fault goes in. Raises Refusal."""
    return resolve_in(stage.state.course, stage.library.courses, fault.start, stage.state.position).positions[-1]


async def break_(stage: Stage, fault: Fault, broken: Mode) -> None:
    """Health first, then the fault, which goes in with the stage in the mode ``broken``. Raises Refusal, with the lab in health and in the
    mode that it was in.

    A lab that the learner built otherwise than the lessons do may resist: then it is rebuilt, once.
    """
    place = beginning(stage, fault)
    rebuilt = not await _stands_at(stage, place)
    while True:
        if rebuilt:
            await stand(stage, place, end=True)
        try:
            await _set_up(stage, fault, HEALTHY_S if rebuilt else 0.0)
            with _entered(stage, broken):
                await _quietly(stage, fault.inject)
                await must_show(stage, fault)
            return
        except (Refusal, ApplyError) as error:
            await clear(stage, fault)
            if rebuilt:
                await stand(stage, place, end=True)
                raise Refusal(f"the fault {fault.id} did not work as it should; the lab is healthy. {error}", code=4) from error
            rebuilt = True


async def mend(stage: Stage, fault: Fault, place: Position, *, undo: bool) -> bool:
    """Take the fault away with all it needed, and prove health. False when it took a rebuild. Raises Refusal (4) without health."""
    with contextlib.suppress(ApplyError):
        await _quietly(stage, fault.mend if undo else ())
    healthy = (bool(fault.mend) or not undo) and await well(stage, fault)
    if not healthy:
        await stand(stage, place, end=True)
        await _set_up(stage, fault)
    if fault.setup:
        await clear(stage, fault)
        await stand(stage, place, end=True)
    return healthy


async def clear(stage: Stage, fault: Fault) -> None:
    """Undo as far as it goes, before a rebuild: processes outlive one."""
    for action in fault.mend:
        with contextlib.suppress(ApplyError, Refusal):
            await _quietly(stage, (action,))
    stage.world.end_marked(MARK)


@contextlib.contextmanager
def _entered(stage: Stage, mode: Mode) -> Iterator[None]:
    """In this mode from now on, unless what is done within fails."""
    before = stage.mode
    stage.enter(mode)
    try:
        yield
    except BaseException:
        stage.enter(before)
        raise


async def _stands_at(stage: Stage, place: Position) -> bool:
    """Whether the lab is as it should be at the end of this step, whoever made it so."""
    snapshot, course, names = await stage.live.refresh(), stage.state.course, stage.state.bindings
    there = place == stage.state.position and state_holds(step_at(course, place), snapshot, names)
    return there and not missing_before(course, place, snapshot, names)


async def _set_up(stage: Stage, fault: Fault, patience_s: float = HEALTHY_S) -> None:
    """What the fault needs beside the lesson's end, and proof that everything works."""
    await _quietly(stage, fault.setup)
    await must_be_well(stage, fault, patience_s)


async def _quietly(stage: Stage, actions: tuple[Action, ...]) -> None:
    """Do actions without saying what they changed: the picture shows what there is, no line says why."""
    world, before, secret = stage.world, stage.live.last, stage.mode.name == "drill"
    async with stage.live.tutor_at_work():
        try:
            seen = world.news.count
            await world.write(tuple(map(_marked, actions)))
            for _ in range(MOST_NEWS if actions else 0):
                if not await world.news.beyond(seen, QUIET_S):
                    break
                seen = world.news.count
        finally:
            stage.live.take(await world.look())
            changes = diff(before, stage.live.last)
            stage.history.befell(changes, before, stage.live.last, str(stage.state.position), secret=secret)


def _marked(action: Action) -> Action:
    """The same action, but what it starts can be told from what the learner starts."""
    return msgspec.structs.replace(action, line=f"export {MARK}=1; {action.line}") if isinstance(action, Run) else action
