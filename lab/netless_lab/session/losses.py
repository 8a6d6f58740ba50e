"""What goes with a rebuild of the lab, and what with the lab, in words: told before somebody says yes to it."""

from __future__ import annotations

from ..course.step import Position, positions
from ..model.clearing import Clearing, Things
from ..protocol import Scope
from .stage import Stage
from .state import State


async def what_goes(stage: Stage, scope: Scope) -> Clearing:
    """What a reset would take away and put back, also what no picture shows of it."""
    return await going(stage, start_of(stage.state, scope), scope)


async def what_is_lost(stage: Stage) -> tuple[str, ...]:
    """What goes with the lab that no step of the course brings back: it is neither of this step's start nor of its end. Programs are left out:
    who quits ends what runs, and the course's own containers are programs too.
    """
    if secret := stage.mode.going():
        return Things(secret).cleared.going
    return (*await _beside_the_course(stage), *(await stage.world.made()).cleared.going)


async def what_is_own(stage: Stage, place: Position) -> Clearing:
    """What goes with a rebuild to the end of a step, for something else than the lesson, that no step of the course brings back; programs too."""
    course = stage.library.of(place)
    elsewhere = course != stage.state.course
    names = stage.state.progress.bindings(course.id) if elsewhere else stage.state.bindings
    ending = await stage.moves.ending(course, place, names, anew=elsewhere, end=True)
    if stage.own_changes or stage.built_on:
        beside = await _beside_the_course(stage)
    else:  # all that is in the picture the tutor made, also what iptables has in tables of its own
        beside = (await stage.world.unseen()).cleared.going
    return Clearing((*beside, *ending.cleared.going))


async def _beside_the_course(stage: Stage) -> tuple[str, ...]:
    """What is neither of this step's start nor of its end, in the picture or out of its sight, and would be gone after a rebuild, in words."""
    place = stage.state.position
    found = (await in_the_picture(stage, place)).going
    done = (await in_the_picture(stage, place, end=True)).going if found else ()
    return (*(words for words in found if words in done), *(await stage.world.unseen()).cleared.going)


async def going(stage: Stage, place: Position, scope: Scope = "step", *, end: bool = False) -> Clearing:
    """What a rebuild to the start of this step, or its ``end``, would take away and put back."""
    return told(stage, place, await in_the_picture(stage, place, end=end) + await out_of_sight(stage, place, scope, end=end))


def start_of(state: State, scope: Scope) -> Position:
    """Where a reset of this scope leads back to."""
    places, here = positions(state.course), state.position
    return {"step": here, "lesson": next(place for place in places if place.lesson == here.lesson), "lab": places[0]}[scope]


async def in_the_picture(stage: Stage, place: Position, *, end: bool = False) -> Clearing:
    """Of what a rebuild takes away and puts back, what the picture shows."""
    await stage.live.refresh()
    return stage.moves.clearing(stage.state.course, place, stage.state.bindings, end=end)


async def out_of_sight(stage: Stage, place: Position, scope: Scope = "step", *, end: bool = False) -> Clearing:
    """Of what a rebuild clears, programs that would end, what no picture shows, and processes of nodes that would be there again."""
    ending = await stage.moves.ending(stage.state.course, place, stage.state.bindings, anew=scope == "lab", end=end)
    return (ending + await stage.world.unseen() + stage.world.lost()).cleared


def told(stage: Stage, place: Position, clearing: Clearing) -> Clearing:
    """What goes, in the words of the mode, and that the learner's place does."""
    secret = stage.mode.going()
    back_to = (f"you are back at {place}",) if place != stage.state.position else ()
    return (Things(secret).cleared if secret else clearing) + Clearing(back_to)
