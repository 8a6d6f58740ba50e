"""What may be asked of a lab now, and what forbids the rest: told with every status, and said by whatever refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..course.further import Missing
from ..course.step import Position
from ..errors import Refusal
from ..protocol.status import ACTS, BESIDE, Act
from .pages import actions_to_type, the_end
from .state import State, after, before

if TYPE_CHECKING:
    from .stage import Stage


NOTHING_LOST: Final = "no packet of netless's was lost in this step; about one of yours ask `netless why FROM TO`"


def offers(stage: Stage) -> dict[Act, str]:
    """What forbids each act that cannot be had now, as things were when they were last looked at."""
    return {act: why for act in ACTS if (why := _busy(stage, act) or forbids(stage, act))}


def _busy(stage: Stage, act: Act) -> str:
    """What the lab is busy with, where that has to be over first: what it would be about is not there yet."""
    return f"the lab is busy: {stage.state.busy}" if stage.state.busy and act not in BESIDE else ""


def insist(stage: Stage, act: Act) -> None:
    """Raises Refusal (1) with what forbids it, for a request whose turn it is."""
    if why := forbids(stage, act):
        raise Refusal(why, code=1)


def forbids(stage: Stage, act: Act) -> str:
    """Why it cannot be had now, and the way on; "" when it can."""
    if refused := stage.mode.refuses(act):
        return refused
    state = stage.state
    match act:
        case "back":
            return "" if _earlier(stage) else "this is the beginning: there is nothing to go back to"
        case "next":
            following = after(state.course, state.position)
            if following is None:
                return the_end(state)
            lacking = next(stage.lacking.before(following), None)
            return not_yet(state, following, lacking) if lacking is not None else ""
        case "why":
            return "" if stage.past.lost is not None or stage.mode.name == "drill" else NOTHING_LOST
        case "type":
            return "" if actions_to_type(state, stage.live.last) else f"{state.step.title!r} has no command to type"
        case _:
            return ""


def _earlier(stage: Stage) -> bool:
    """Whether there is anything to undo: of a fault, of the learner's, of this step, or the step before."""
    state = stage.state
    return bool(stage.mode.ending() or stage.own_changes or state.done or before(state.course, state.position))


def not_yet(state: State, following: Position, lacking: Missing) -> str:
    """Why the next step cannot start, and the ways on; ``run`` is one only where it takes nothing away."""
    does_it = "`run` does it for you, " if lacking.position == state.position else ""
    return f"{lacking.title!r} is not done. Still to do: {lacking.claim}; seen: {lacking.seen}. {does_it}`goto {following}` rebuilds the lab for the next step."


def all_open(of: str, every: int) -> str:
    """Why there is no further hint, and how the last one is had again."""
    return f"every hint of {of} is open, and `netless hint {every}` shows the last one again"


def insist_on_order(of: str, rung: int, opened: int, every: int) -> None:
    """Help grows hint by hint, and the command comes last: one that is open can be had again, and of the others only the next. Raises Refusal."""
    if not 0 <= rung < every:
        raise Refusal(f"{of} has {every} hint{'s' if every > 1 else ''}, counted from 1")
    if rung > opened:
        raise Refusal(f"hint {opened + 1} of {every} comes before hint {rung + 1}: `netless hint` opens it", code=1)
