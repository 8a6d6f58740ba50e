"""Breaking a lab and mending it: a fault goes in quietly, must show, and comes out again with proof: its probes, sent all at once and judged."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from msgspec.structs import replace

from ..course.bindings import UNBOUND
from ..course.catalog import resolve_in
from ..course.judge import judge, state_holds
from ..course.step import Position, ProbeCheck, step_at
from ..course.verdict import Verdict
from ..errors import ApplyError, Refusal
from ..ground import programs
from ..primitives.base import Action, Dialect
from ..primitives.run import Run
from ..session.case import owners_here
from ..session.judging import send_all, settle
from ..session.losses import what_is_own
from ..session.mode import Mode
from ..session.moving import stand
from ..session.pages import where_of
from ..session.stage import Stage
from ..watching.live import Deed
from .broken import as_step, bound
from .format import Fault

MARK: Final = "NETLESS_FAULT"
"""An environment variable of every process that a fault starts, so that it can be ended with the fault."""
SPOKEN: Final[Dialect] = "ip"
"""What faults are written in: their own command lines know the tables of nft that the lessons make."""
QUIET_S: Final = 0.03
"""How long the kernel must be silent after a change before its consequences are all there."""
MOST_NEWS: Final = 10
"""Whoever talks on all the time is not waited for."""
HEALTHY_S: Final = 3.0
"""How long a lab that was just built or mended may take to be well."""
SHOWS_S: Final = 1.5
"""How long a fault may take to show."""
AGAIN_S: Final = 0.1
"""Until the probes are sent again, when the kernel tells of no change sooner."""


def beginning(stage: Stage, fault: Fault) -> Position:
    """The step at whose end the lab stands before this fault goes in. Raises Refusal."""
    return resolve_in(stage.state.course, stage.library.courses, fault.start, stage.state.position).positions[-1]


def in_names(stage: Stage, fault: Fault) -> Fault:
    """The fault as it is where the lab stands, whose names a rebuild, or a step that the learner does otherwise, may change."""
    return bound(fault, stage.state.bindings)


async def break_(stage: Stage, fault: Fault, broken: Mode, *, force: bool) -> None:
    """Health first, then the fault, which goes in with the stage in the mode ``broken``. Raises Refusal, with the lab in health and in the
    mode that it was in; so it is left whatever else fails, too.

    A lab that the learner built otherwise than the lessons do may resist: then it is rebuilt, once. What only a rebuild mends begins with one where
    the learner has something of his own there. A rebuild that takes such things away is refused (1), unless with ``force``.
    """
    place = beginning(stage, fault)
    own_work = await what_is_own(stage, place)
    rebuilt = not await _stands_at(stage, place) or bool(own_work and (fault.setup or not fault.mend))
    while True:
        if rebuilt and own_work and not force:
            raise Refusal(f"For this the lab is rebuilt for the end of {place}, and what you made goes.", code=1, clearing=own_work)
        if rebuilt:
            await stand(stage, place, end=True, dialect=SPOKEN)
        own = in_names(stage, fault)
        try:
            with _untold(stage):
                await _set_up(stage, own, HEALTHY_S if rebuilt else 0.0)
                with _entered(stage, broken):
                    await _quietly(stage, own.inject)
                    await must_show(stage, own)
                    await stage.live.refresh()
            return
        except Exception as error:
            await clear(stage, fault)
            unforeseen = not isinstance(error, Refusal | ApplyError)
            if rebuilt or unforeseen:
                await stand(stage, place, end=True, dialect=SPOKEN)
                if unforeseen:
                    raise
                raise Refusal(f"the fault {fault.id} did not work as it should; the lab is healthy. {error}", code=4) from error
            rebuilt = True


async def mend(stage: Stage, fault: Fault, place: Position, *, undo: bool) -> bool:
    """Take the fault away with all it needed, and prove health. False when it took a rebuild. Raises Refusal (4) without health."""
    own = in_names(stage, fault)
    with _untold(stage):
        with contextlib.suppress(ApplyError):
            await _quietly(stage, own.mend if undo else ())
        healthy = (bool(own.mend) or not undo) and await well(stage, own)
    if not healthy:
        await stand(stage, place, end=True, dialect=SPOKEN)
        await _set_up(stage, in_names(stage, fault))
    if fault.setup:
        await clear(stage, fault)
        await stand(stage, place, end=True, dialect=SPOKEN)
    return healthy


async def clear(stage: Stage, fault: Fault) -> None:
    """Undo as far as it goes, before a rebuild: processes outlive one."""
    try:
        for action in in_names(stage, fault).mend:
            with contextlib.suppress(ApplyError, Refusal):
                await _quietly(stage, (action,))
    finally:
        await stage.world.end_marked(MARK)


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
    return there and next(stage.lacking_in(snapshot, names).before(place), None) is None


async def _set_up(stage: Stage, fault: Fault, patience_s: float = HEALTHY_S) -> None:
    """What the fault needs beside the lesson's end, and proof that everything works."""
    await _quietly(stage, fault.setup)
    await must_be_well(stage, fault, patience_s)


@contextlib.contextmanager
def _untold(stage: Stage) -> Iterator[None]:
    """What changes meanwhile the picture shows, and no line says why: also what comes of an action later, as a cable goes with its namespace. It is
    written down as the lab's own, in secret while somebody is to find it.
    """

    def changed(deed: Deed) -> None:
        stage.history.befell(deed.changes, deed.before, deed.after, str(stage.state.position), secret=stage.mode.name == "drill")

    with stage.live.untold(changed):
        yield


async def _quietly(stage: Stage, actions: tuple[Action, ...]) -> None:
    """Do actions, and wait for what comes of them at once."""
    world = stage.world
    with _untold(stage):
        async with stage.live.tutor_at_work():
            try:
                seen = world.news.count
                await world.write(tuple(replace(one, line=programs.marked(one.line, MARK)) if isinstance(one, Run) else one for one in actions))
                for _ in range(MOST_NEWS if actions else 0):
                    if not await world.news.beyond(seen, QUIET_S):
                        break
                    seen = world.news.count
            finally:
                await stage.live.refresh()


async def health(stage: Stage, fault: Fault, *, patient: bool = True, tell: bool = False) -> Verdict:
    """The verdict on everything that goes in health."""
    return await verdict(stage, (*fault.symptom, *fault.still), patient=patient, tell=tell)


async def verdict(stage: Stage, checks: tuple[ProbeCheck, ...], *, patient: bool, tell: bool = False) -> Verdict:
    """Send all probes at once and judge them. ``patient``: what should be answered gets time; ``tell``: the views hear of it."""
    outcomes = await send_all(stage.world, tuple(dict.fromkeys(checks)), UNBOUND, stage.views.tell_probe if tell else None, patient=patient)
    snapshot = await stage.world.look()
    return judge(as_step(checks), snapshot, outcomes, where_of(snapshot, "host"), owners=owners_here(stage))


async def well(stage: Stage, fault: Fault, patience_s: float = HEALTHY_S) -> bool:
    """Whether everything goes as in health, within the time that a fresh build may take."""
    await stage.world.look()
    await settle(stage.world, 1.0 + patience_s)
    return (await _within(stage, patience_s, lambda: health(stage, fault), lambda found: found.passed)).passed


async def _within(stage: Stage, patience_s: float, look: Callable[[], Awaitable[Verdict]], good: Callable[[Verdict], bool]) -> Verdict:
    """The verdict, once it is good or when the time has passed."""
    end = time.monotonic() + patience_s
    while True:
        seen = stage.world.news.count
        found = await look()
        if good(found) or time.monotonic() > end:
            return found
        await stage.world.news.beyond(seen, AGAIN_S)


async def must_be_well(stage: Stage, fault: Fault, patience_s: float = HEALTHY_S) -> None:
    """Raises Refusal (4), with what fails, when the lab is not healthy."""
    if not await well(stage, fault, patience_s):
        found = await health(stage, fault)
        failing = "; ".join(f"{item.claim}: {item.seen}" for item in found.items if item.result != "pass")
        raise Refusal(f"the lab is not healthy to begin with: {failing}", code=4)


async def must_show(stage: Stage, fault: Fault) -> None:
    """See that each symptom is there. Raises Refusal (4), with what still goes."""
    found = await _within(stage, SHOWS_S, lambda: verdict(stage, fault.symptom, patient=False), _all_fail)
    if not _all_fail(found):
        left = "; ".join(item.claim for item in found.items if item.result != "fail")
        raise Refusal(f"it did not show: {left}", code=4)


def _all_fail(found: Verdict) -> bool:
    return all(item.result == "fail" for item in found.items)
