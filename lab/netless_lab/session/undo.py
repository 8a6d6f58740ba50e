"""Undo one command of the learner: what changed, brought about the other way round, when there is a plain command for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..errors import ApplyError
from ..model.changes import done_by_somebody
from ..model.diff import diff
from ..model.likeness import unlike
from ..model.telling import sentence
from ..primitives.retell import retell
from ..primitives.run import Run
from ..primitives.typed import Typed
from .pages import where_of

if TYPE_CHECKING:
    from .stage import Stage


async def take_back_last(session: Stage) -> str:
    """Undo only the learner's last change; what was undone, or "" when it has no plain opposite and a rebuild is needed.

    The opposite of a change is what the lab as it was differs in from the lab as it became.
    """
    await session.live.refresh()
    if not session.own_changes:
        return ""
    burst = session.own_changes[-1]
    if unlike(session.live.last, burst.after):
        return ""  # somebody else has done something since
    told = retell(filter(done_by_somebody, diff(burst.after, burst.before)), burst.after, burst.before)
    if any(own.doings is None for own in told):
        return ""
    try:
        for doing in (doing for own in told for doing in own.doings or ()):
            lines = doing.commands("ip", where_of(session.live.last, "host")) if isinstance(doing, Typed) else ()
            await session.moves.apply(Run("\n".join(lines)) if isinstance(doing, Typed) else doing)
    except ApplyError:
        return ""
    if unlike(burst.before, session.live.last):
        return ""
    session.own_changes.pop()
    if not session.own_changes:
        session.state = msgspec.structs.replace(session.state, touched=False)
    session.history.saw(diff(burst.after, burst.before), burst.after, burst.before, str(session.state.position))
    session.relive(session.live.last)
    session.rejudge()
    return "; ".join(sentence(change) for change in burst.changes if done_by_somebody(change))
