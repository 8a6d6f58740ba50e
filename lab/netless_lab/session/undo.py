"""Undo one command of the learner: what changed, brought about the other way round, when there is a plain command for all of it; else the lab is
rebuilt for the start of the step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..course.step import Position, step_at
from ..errors import ApplyError, Refusal
from ..model.changes import done_by_somebody
from ..model.clearing import Things
from ..model.diff import diff
from ..model.likeness import differences, unlike
from ..model.snapshot import Snapshot
from ..model.telling import sentence
from ..primitives.base import Action
from ..primitives.retell import retell
from ..primitives.run import Doing, Run, Typed
from ..protocol import Moved
from ..watching.live import Deed
from .losses import going, out_of_sight
from .moving import moved, rebuild, stand, stand_at
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
    tried = await _take_back_last(stage)
    if tried.undone:
        return moved(stage, f"Undone: {tried.undone}.")
    if stage.own_changes:
        text = f"What you changed last cannot be undone by itself: the lab was rebuilt for the start of {place}."
    elif stage.state.done:
        text = f"Undone: {stage.state.step.title}. The lab was rebuilt for the start of {place}."
    else:
        place = before(stage.state.course, place)[-1]
        text = f"Back at the start of {place}: {step_at(stage.state.course, place).title}. The lab was rebuilt for it."
    if not stage.own_changes:
        tried = await _take_back_run(stage, place)
        if tried.undone:
            return moved(stage, f"Undone: {tried.undone}. What you made is there still.")
    if not force and (stage.built_on or len(stage.own_changes) > 1) and await _beside_the_lesson(stage):
        more = f"{tried.halfway}The lab would be rebuilt for the start of {place}, and more of what you made would go than what was done last."
        raise Refusal(more, code=1, clearing=await going(stage, place))
    await rebuild(stage, place)
    return moved(stage, text)


async def _beside_the_lesson(stage: Stage) -> bool:
    """Whether anything is otherwise than the lesson makes it up to here, as the last look saw it."""
    state = stage.state
    in_sight = stage.moves.clearing(state.course, state.position, state.bindings, end=state.done)
    return bool(in_sight or await out_of_sight(stage, state.position))


class _Tried(NamedTuple):
    """What came of undoing something by itself: what was ``undone``; or else how it has changed the lab all the same (``halfway``), in a sentence
    with a space after it. Each is "" when there is none.
    """

    undone: str = ""
    halfway: str = ""


async def _take_back_last(stage: Stage) -> _Tried:
    """Undo only the learner's last change, if it has a plain opposite: what the lab as it was differs in from the lab as it became."""
    await stage.live.refresh()
    deed = stage.own_changes[-1] if stage.own_changes else None
    if deed is None or unlike(stage.live.last, deed.after):
        return _Tried()  # where it is unlike, somebody else has done something since
    opposite = _opposite(deed.after, deed.before)
    if opposite is None:
        return _Tried()
    if left := await _undone(stage, opposite, deed.before):
        now = stage.live.last
        stage.own_changes[-1] = Deed(deed.before, now, diff(deed.before, now))
    if left is not None:
        return _Tried(halfway=left)
    stage.own_changes.pop()
    _tell(stage, deed.after, deed.before)
    return _Tried("; ".join(sentence(change) for change in deed.changes if done_by_somebody(change)))


async def _take_back_run(stage: Stage, place: Position) -> _Tried:
    """Undo only what the tutor did last, this step on a lab with something of the learner's in it, if that needs no rebuild."""
    await stage.live.refresh()
    ran = stage.ran[-1] if stage.ran else None
    if ran is None or ran.place != place or unlike(stage.live.last, ran.after):
        return _Tried()
    opposite = _opposite_of(ran)
    if not opposite:
        return _Tried()
    if left := await _undone(stage, opposite, ran.before):
        stage.ran[-1] = msgspec.structs.replace(ran, after=stage.live.last)
    if left is not None:
        return _Tried(halfway=left)
    stage.ran.pop()
    stage.state = msgspec.structs.replace(stage.state, verdict=None, by_tutor=False)
    await stand_at(stage, place)
    _tell(stage, ran.after, ran.before)
    return _Tried(step_at(stage.state.course, place).title)


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


async def _undone(stage: Stage, doings: Sequence[Doing | Action], before: Snapshot) -> str | None:
    """Do these; None when the lab is as it was ``before`` then. Where it is not, what they have changed is put back; "" when all of that is, else
    what is otherwise now, in a sentence. The account tells of it.
    """
    start = stage.live.last
    with contextlib.suppress(ApplyError):
        for doing in doings:
            await _do(stage, doing)
        if not unlike(before, stage.live.last):
            return None
    for own in retell(filter(done_by_somebody, diff(stage.live.last, start)), stage.live.last, start):
        for doing in own.doings or ():
            with contextlib.suppress(ApplyError):  # what else can be put back is
                await _do(stage, doing)
    now = stage.live.last
    left = tuple(filter(done_by_somebody, differences(start, now)))
    if not left:
        return ""
    stage.history.saw(left, start, now, str(stage.state.position))
    told = "; ".join(map(sentence, left))
    return f"What was done last could not be undone by itself. It was begun, and not all of that could be put back: {told}. "


async def _do(stage: Stage, doing: Doing | Action) -> None:
    """One of them, as things are now. Raises ApplyError."""
    lines = doing.commands("ip", where_of(stage.live.last, "host")) if isinstance(doing, Typed) else ()
    await stage.moves.apply(Run("\n".join(lines)) if isinstance(doing, Typed) else doing)


def _tell(stage: Stage, after: Snapshot, before: Snapshot) -> None:
    """The lab is as it was before."""
    stage.history.saw(diff(after, before), after, before, str(stage.state.position))
    stage.relive()
    stage.rejudge()
