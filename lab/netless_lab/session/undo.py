"""Undo one command of the learner: the opposite of each change it made, when every one of them has a plain opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..model.diff import diff
from ..primitives.retell import undoing
from .live import done_by_somebody

if TYPE_CHECKING:
    from .session import Session


async def take_back_last(session: Session) -> str:
    """Undo only the learner's last change; what was undone, or "" when it has no plain opposite and a rebuild is needed."""
    await session.live.refresh()
    if not session.own_changes:
        return ""
    burst = session.own_changes[-1]
    loud = [change for change in burst.changes if done_by_somebody(change)]
    opposites = [undoing(change, burst.after) for change in reversed(loud)]
    if any(actions is None for actions in opposites):
        return ""
    try:
        for actions in opposites:
            for action in actions or ():
                await session.moves.apply(action)
    except session.world.apply_failed:
        return ""
    if any(done_by_somebody(change) for change in diff(burst.before, session.live.last)):
        return ""
    session.own_changes.pop()
    if not session.own_changes:
        session.state = msgspec.structs.replace(session.state, touched=False)
    session.relive(session.live.last)
    session.rejudge()
    return "; ".join(change.sentence for change in loud)
