"""Extensions of the session that are asked for by name (``protocol.Call``): the one table to extend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ..course.faults import Listed
from ..course.step import positions
from ..errors import Refusal
from ..primitives.base import DIALECTS
from .faulting import Wanted
from .following_calls import FOLLOWING
from .history import notes, script

if TYPE_CHECKING:
    from ..course.progress import Progress
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


async def progress(session: Session, args: dict[str, Any]) -> Progress:
    """What was earned so far."""
    return session.state.progress


async def faults(session: Session, args: dict[str, Any]) -> tuple[Listed, ...]:
    """Every fault there is, and what this machine lacks for it."""
    return session.faulting.listed()


async def break_(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """Break the lab: ``fault`` or ``seed`` (or neither: any), ``node``, ``drill``, ``exam``."""
    return await session.faulting.break_(_wanted(args))


async def mend(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """Take the fault away."""
    return await session.faulting.mend()


async def drill(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    """``do`` = start (with what ``break`` takes), status, or stop, which tells what it was and mends it."""
    match args.get("do", "status"):
        case "start":
            return await session.faulting.break_(_wanted({**{key: args[key] for key in args if key != "do"}, "drill": True}))
        case "stop":
            return await session.faulting.mend()
        case "status":
            return {"fault": session.faulting.status()}
        case other:
            raise Refusal(f"a drill cannot {other}: it can start, stop, or tell its status")


def _wanted(args: dict[str, Any]) -> Wanted:
    try:
        return msgspec.convert(args, Wanted)
    except msgspec.ValidationError as error:
        raise Refusal(f"this is no way to break a lab: {error}") from error


CALLS: dict[str, CallFunction] = {
    "prove": prove, "history": history, "progress": progress, "faults": faults, "break": break_, "mend": mend, "drill": drill, **FOLLOWING,
}  # fmt: skip
