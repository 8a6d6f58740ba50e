"""Undo one command of the learner: what changed, brought about the other way round, when there is a plain command for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ApplyError
from ..model.changes import done_by_somebody
from ..model.diff import diff
from ..model.likeness import unlike
from ..model.telling import sentence
from ..primitives.retell import retell
from ..primitives.run import Run, Typed
from .pages import where_of

if TYPE_CHECKING:
    from .stage import Stage


async def take_back_last(stage: Stage) -> str:
    """Undo only the learner's last change; what was undone, or "" when it has no plain opposite and a rebuild is needed.

    The opposite of a change is what the lab as it was differs in from the lab as it became.
    """
    await stage.live.refresh()
    deed = stage.own_changes[-1] if stage.own_changes else None
    if deed is None or unlike(stage.live.last, deed.after):
        return ""  # where it is unlike, somebody else has done something since
    told = retell(filter(done_by_somebody, diff(deed.after, deed.before)), deed.after, deed.before)
    if any(own.doings is None for own in told):
        return ""
    try:
        for doing in (doing for own in told for doing in own.doings or ()):
            lines = doing.commands("ip", where_of(stage.live.last, "host")) if isinstance(doing, Typed) else ()
            await stage.moves.apply(Run("\n".join(lines)) if isinstance(doing, Typed) else doing)
    except ApplyError:
        return ""
    if unlike(deed.before, stage.live.last):
        return ""
    stage.own_changes.pop()
    stage.history.saw(diff(deed.after, deed.before), deed.after, deed.before, str(stage.state.position))
    stage.relive(stage.live.last)
    stage.rejudge()
    return "; ".join(sentence(change) for change in deed.changes if done_by_somebody(change))
