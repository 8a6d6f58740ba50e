"""Extensions of the session that are asked for by name (``protocol.Call``): the one table to extend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..course.step import positions
from ..primitives.base import DIALECTS
from .history import notes, script

if TYPE_CHECKING:
    from .session import Session

CallFunction = Callable[["Session", dict[str, Any]], Awaitable[Any]]


async def prove(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """Lint's proof of the course in hand, or of the lessons named in ``lessons``."""
    from .proof import Prover

    wanted = set(args.get("lessons") or [])
    places = tuple(place for place in positions(session.state.course) if not wanted or place.lesson in wanted)
    proof = await Prover(session).prove(places, DIALECTS)
    return {
        "problems": [str(problem) for problem in proof.problems],
        "proven": [str(place) for place in proof.proven],
        "skipped": [[str(place), why] for place, why in proof.skipped],
    }


async def history(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """What was done, as entries, and written down as a ``script`` or as ``markdown``."""
    entries = session.history.entries
    return {"entries": entries, "script": script(entries), "markdown": notes(entries)}


CALLS: dict[str, CallFunction] = {"prove": prove, "history": history}
