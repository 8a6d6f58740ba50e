"""Judged to the end: a network that is still getting ready (a bridge with STP lets its ports wait for half a minute) is looked at again until it is."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec

from ..protocol import Check, Judgement, Notice, Run
from .stage import Stage
from .state import after

RIPE_S: Final = 90.0
"""How long it is waited for, at most; STP with its longest forward delay takes 60 s."""

Ask: TypeAlias = "Callable[[Run | Check], Awaitable[Judgement]]"


async def ripe(stage: Stage, request: Run | Check, ask: Ask, tell: Callable[[Notice], None], wanted: Callable[[], bool]) -> Judgement:
    """The answer, once nothing in it waits, the time has passed, or nobody wants it any more; what is waited for is told to who waits, once.

    ``ask`` does one turn. Between two of them others have theirs, and the lab may be moved: what was judged first is judged again.
    """
    answer, told, end = await ask(request), set[str](), time.monotonic() + RIPE_S
    waited = False
    while _unripe(answer) and time.monotonic() < end and wanted():
        waited = True
        for claim in sorted({item.claim for own in answer.verdicts for item in own.verdict.items if item.result == "waiting"} - told):
            tell(Notice("warning", f"Waiting until the network is ready: {claim}.", lapses=True))
            told.add(claim)
        again = Check(request.target) if isinstance(request, Check) else Check(answer.verdicts[-1].position)
        found = await ask(again)
        done = () if isinstance(request, Check) else answer.verdicts[:-1]
        answer = msgspec.structs.replace(found, verdicts=(*done, *found.verdicts))
    if waited and wanted() and isinstance(request, Run) and request.rest and answer.verdicts[-1].verdict.passed:
        here, following = stage.state.position, after(stage.state.course, stage.state.position)
        if following is not None and following.lesson == here.lesson and str(here) == answer.verdicts[-1].position:
            more = await ripe(stage, Run(str(following), rest=True), ask, tell, wanted)
            return msgspec.structs.replace(more, verdicts=(*answer.verdicts, *more.verdicts))
    return answer


def _unripe(answer: Judgement) -> bool:
    return any(own.verdict.result == "waiting" for own in answer.verdicts)
