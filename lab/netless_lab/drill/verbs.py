"""The verbs about faults: faults, break, mend."""

from __future__ import annotations

import random
import time

import msgspec

from .. import protocol
from ..course.step import Course, Position
from ..errors import Refusal
from ..model.needs import Lack, unable
from ..protocol import Broke, Mended
from ..session.mode import Mode
from ..session.offers import insist
from ..session.play import Play
from ..session.stage import Stage
from .breaking import beginning, break_, in_names, mend
from .broken import Broken, Wanted
from .format import Fault
from .library import Library, drawn, lacking, listed, named
from .mode import Drill, Recovered, as_told


class Drills:
    """Answers what is asked about faults, in a lab of these courses."""

    def __init__(self, courses: tuple[Course, ...]) -> None:
        self._library = Library(courses)

    async def answer(self, stage: Stage, request: protocol.Asked) -> protocol.Done | None:
        """The reply; None to what is no business of this room. Raises Refusal."""
        match request:
            case protocol.GetFaults():
                faults = tuple(_in_own_words(stage, fault) for fault in self._library.faults())
                return request.done(listed(faults, await stage.world.lacking(self._library.needs())))
            case protocol.Break():
                wanted = Wanted(request.fault, request.seed, request.node, request.drill, request.exam)
                return request.done(await start(stage, self._library, wanted, force=request.force))
            case protocol.Mend():
                return request.done(await stop(stage))
            case _:
                return None


async def start(stage: Stage, library: Library, wanted: Wanted, *, force: bool) -> Broke:
    """Bring the lab to health, break it, and see that it shows. Raises Refusal when it cannot be done, with the lab in health; and where a rebuild
    takes the learner's own work away, unless with ``force``.
    """
    await stage.hold_judging()
    insist(stage, "drill")
    if not wanted.fault and wanted.seed is None:
        wanted = msgspec.structs.replace(wanted, seed=random.SystemRandom().randrange(10_000))
    came_from, came_done = _came(stage)
    refusal: Refusal | None = None
    for fault in _candidates(stage, library, wanted, await stage.world.lacking(library.needs())):
        place = beginning(stage, fault)
        drill = Drill(stage, Broken(fault, place, wanted, time.time(), time.monotonic(), came_from, came_done))
        try:
            async with stage.busy("breaking something"):
                await break_(stage, fault, drill, force=force)
        except Refusal as error:
            if wanted.fault or error.code != 3:
                raise
            refusal = error
            continue
        told = drill.begin()
        stage.history.noted(f"something was broken on purpose: {told.tells}", str(place))
        stage.views.tell_status()
        return Broke(told.tells, str(stage.state.position), told)
    raise refusal or Refusal("no fault can be had here", code=3)


async def stop(stage: Stage) -> Mended:
    """Take the fault away and prove the lab's health; what does not come right that way is rebuilt.

    While it is on that gives up. After a repair it only puts away what the fault needed.
    """
    await stage.hold_judging()
    mode = stage.mode.beneath if isinstance(stage.mode, Play) else stage.mode
    was_on = isinstance(mode, Drill)
    if isinstance(mode, Drill):
        mode = mode.ended(solved=False)
        stage.enter(mode)
    if not isinstance(mode, Recovered):
        return _mended(stage, "Nothing is broken here on purpose.")
    broken = mode.broken
    told = as_told(stage, broken)
    try:
        async with stage.busy("mending"):
            taken_away = await mend(stage, broken.fault, broken.place, undo=was_on)
    finally:
        _go_on(stage, stage.lesson)
    stage.views.tell_status()
    stage.rejudge()
    how = "It was taken away" if taken_away else "The lab was rebuilt"
    text = f"{told.fault.title}: that was it. {how}, and the network is healthy." if was_on else told.told_well()
    if not was_on and (broken.fault.setup or not taken_away):
        text = f"{text} The lab was put back to the end of {broken.place}."
    return _mended(stage, text, broken)


def _go_on(stage: Stage, mode: Mode) -> None:
    """In this mode from now on; who plays goes on playing."""
    if isinstance(stage.mode, Play):
        stage.mode.beneath = mode
    else:
        stage.enter(mode)


def _in_own_words(stage: Stage, fault: Fault) -> Fault:
    """A fault of this course as the learner calls things; those of another are told in the lessons' words."""
    return in_names(stage, fault) if fault.start.partition("/")[0] == stage.state.course.id else fault


def _candidates(stage: Stage, library: Library, wanted: Wanted, lacks: tuple[Lack, ...]) -> tuple[Fault, ...]:
    """The fault that is wanted, or all for which the machine lacks nothing, in the order of the seed."""
    nodes = tuple(known.node for known in stage.state.course.fault_nodes)
    if wanted.node and wanted.node not in nodes:
        raise Refusal(f"a fault can be in {' or '.join(nodes) or 'no node of this course'}, not in {wanted.node}", nearest=nodes)
    if wanted.fault:
        fault = named(library.faults(wanted.node), wanted.fault)
        if wanted.node and not fault.nodes:
            raise Refusal(f"the fault {fault.id} has a place of its own: it cannot be had in {wanted.node}")
        if told := unable(lacking(fault, lacks), f"the fault {fault.id}"):
            raise Refusal(told, code=3)
        return (fault,)
    course = stage.state.course.id
    ours = tuple(fault for fault in library.faults() if fault.start.partition("/")[0] == course)
    if not ours:
        raise Refusal(f"no fault is made for the course {course}: `netless faults` lists them all, with what each teaches")
    order = drawn(ours, wanted.seed or 0)
    chosen = (named(library.faults(wanted.node or node), fault_id) for fault_id, node in order)
    return tuple(fault for fault in chosen if not lacking(fault, lacks) and (not wanted.node or fault.nodes))


def _mended(stage: Stage, text: str, over: Broken | None = None) -> Mended:
    here = stage.state.position
    if over is None:
        return Mended(text, str(here))
    elsewhere = (over.came_from, over.came_done) != (here, True)
    return Mended(text, str(here), over.fault.id, str(over.came_from) if elsewhere else "", over.fault.teaches, elsewhere and over.came_done)


def _came(stage: Stage) -> tuple[Position, bool]:
    """Where the learner is in the lesson, and whether that step is done; from a drill that is over, where he was before that."""
    if isinstance(stage.mode, Recovered) and stage.mode.broken.place == stage.state.position:
        return stage.mode.broken.came_from, stage.mode.broken.came_done
    return stage.state.position, stage.state.passed
