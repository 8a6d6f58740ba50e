"""Undo one command of the learner: what changed, brought about the other way round, when there is a plain command for all of it; else the lab is
rebuilt for the start of the step.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from ..course.step import Position, step_at
from ..errors import ApplyError, Refusal
from ..model.changes import done_by_somebody
from ..model.clearing import Things
from ..model.diff import diff
from ..model.likeness import unlike
from ..model.snapshot import Snapshot
from ..model.telling import sentence
from ..primitives.base import Action
from ..primitives.retell import retell
from ..primitives.run import Doing, Run, Typed
from ..protocol import Moved
from .moving import going, moved, out_of_sight, rebuild, stand, stand_at
from .offers import insist
from .pages import where_of
from .state import Ran, before

if TYPE_CHECKING:
    from .stage import Stage


async def back(stage: Stage, *, force: bool = False) -> Moved:
    """Undo the learner's last change since the step began, or else the last step. Where more of the learner's would go with it, that is refused,
    unless with ``force``.
    """
    await stage.hold_judging()
    insist(stage, "back")
    place = stage.state.position
    if ending := stage.mode.ending():
        if not force:
            text = f"To go back ends this: the lab would be rebuilt for the end of {place}, as it was before it was broken."
            raise Refusal(text, code=1, clearing=Things(stage.mode.going()).cleared)
        await stand(stage, place, end=True)
        return moved(stage, f"The lab is back at the end of {place}, as it was before it was broken.", ending)
    if taken_back := await take_back_last(stage):
        return moved(stage, f"Undone: {taken_back}.")
    if stage.own_changes:
        text = f"What you changed last cannot be undone by itself: the lab was rebuilt for the start of {place}."
    elif stage.state.done:
        text = f"Undone: {stage.state.step.title}. The lab was rebuilt for the start of {place}."
    else:
        place = before(stage.state.course, place)[-1]
        text = f"Back at the start of {place}: {step_at(stage.state.course, place).title}. The lab was rebuilt for it."
    if not stage.own_changes and await _take_back_run(stage, place):
        return moved(stage, f"Undone: {step_at(stage.state.course, place).title}. What you made is there still.")
    if not force and (stage.built_on or len(stage.own_changes) > 1) and await _beside_the_lesson(stage):
        more = f"The lab would be rebuilt for the start of {place}, and more of what you made would go than what was done last."
        raise Refusal(more, code=1, clearing=await going(stage, place))
    await rebuild(stage, place)
    return moved(stage, text)


async def _beside_the_lesson(stage: Stage) -> bool:
    """Whether anything is otherwise than the lesson makes it up to here, as the last look saw it."""
    state = stage.state
    in_sight = stage.moves.clearing(state.course, state.position, state.bindings, end=state.done)
    return bool(in_sight or await out_of_sight(stage, state.position))


async def take_back_last(stage: Stage) -> str:
    """Undo only the learner's last change; what was undone, or "" when it has no plain opposite and a rebuild is needed.

    The opposite of a change is what the lab as it was differs in from the lab as it became.
    """
    await stage.live.refresh()
    deed = stage.own_changes[-1] if stage.own_changes else None
    if deed is None or unlike(stage.live.last, deed.after):
        return ""  # where it is unlike, somebody else has done something since
    opposite = _opposite(deed.after, deed.before)
    if opposite is None or not await _undone(stage, opposite, deed.before):
        return ""
    stage.own_changes.pop()
    _tell(stage, deed.after, deed.before)
    return "; ".join(sentence(change) for change in deed.changes if done_by_somebody(change))


async def _take_back_run(stage: Stage, place: Position) -> bool:
    """Undo only what the tutor did last, this step on a lab with something of the learner's in it; False when that needs a rebuild."""
    await stage.live.refresh()
    ran = stage.ran[-1] if stage.ran else None
    if ran is None or ran.place != place or unlike(stage.live.last, ran.after):
        return False
    opposite = _opposite_of(ran)
    if not opposite or not await _undone(stage, opposite, ran.before):
        return False
    stage.ran.pop()
    stage.state = msgspec.structs.replace(stage.state, verdict=None, by_tutor=False)
    await stand_at(stage, place)
    _tell(stage, ran.after, ran.before)
    return True


def _opposite_of(ran: Ran) -> tuple[Doing | Action, ...]:
    """What undoes a step that the tutor did; nothing where only a rebuild does: what it brought about may be nothing that stays, such as a neighbour
    that is known now.
    """
    if (told := _opposite(ran.after, ran.before)) is not None:
        return told
    own = [action.inverse() for action in reversed(ran.actions)]  # which knows of rules of the old iptables
    return tuple(chain.from_iterable(own)) if all(own) else ()


def _opposite(after: Snapshot, before: Snapshot) -> tuple[Doing, ...] | None:
    """What leads from the lab as it became to the lab as it was; None when no plain command does for some of it."""
    found: list[Doing] = []
    for own in retell(filter(done_by_somebody, diff(after, before)), after, before):
        if own.doings is None:
            return None
        found += own.doings
    return tuple(found)


async def _undone(stage: Stage, doings: tuple[Doing | Action, ...], before: Snapshot) -> bool:
    """Do these; whether the lab is as it was ``before`` then."""
    try:
        for doing in doings:
            lines = doing.commands("ip", where_of(stage.live.last, "host")) if isinstance(doing, Typed) else ()
            await stage.moves.apply(Run("\n".join(lines)) if isinstance(doing, Typed) else doing)
    except ApplyError:
        return False
    return not unlike(before, stage.live.last)


def _tell(stage: Stage, after: Snapshot, before: Snapshot) -> None:
    """The lab is as it was before."""
    stage.history.saw(diff(after, before), after, before, str(stage.state.position))
    stage.relive()
    stage.rejudge()
