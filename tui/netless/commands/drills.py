"""Drills: something is broken on purpose; given up or found, it is put away, and one is where one was before."""

from __future__ import annotations

import time

from msgspec.structs import replace

from netless_lab import protocol
from netless_lab.drill.spent import help_used, took

from ..desk.desk import Desk
from .packets import look_again
from .stage import Stage
from .time import choose_from, moves, still, with_consent

BREAKING = "Breaking something"
GOING_BACK = "Going back to the lesson"


async def drill(desk: Desk, stage: Stage) -> None:
    """Break what is chosen; what of one's own goes with that is asked about."""
    wanted = await stage.windows.choose_fault()
    if wanted is None or not still(desk, "drill"):
        return
    if await with_consent(desk, stage, "drill", lambda yes: replace(wanted, force=yes), BREAKING) is not None:
        with desk.busy(BREAKING):
            await look_again(desk)


async def mend(desk: Desk, stage: Stage) -> None:
    """Put it away: when it is well again at once, else after asking, and it is told what it was."""
    seen = moves(desk)
    if desk.view.broken and not await stage.windows.agrees_to_give_up():
        return
    fault = desk.view.fault
    if fault is None or not still(desk, "mend"):
        return
    with desk.busy("Mending"):
        told = await desk.ask(protocol.Mend(seen=seen))
        if told is None:
            return
        if fault.healthy:
            await _go_back(desk, told)
            return
    used = f"You looked for {took(time.time() - fault.began)}, with {help_used(fault.hints, fault.whys)}."
    if not stage.in_sight:
        desk.tell("info", f"{told.text} {used}")
        return
    if lesson := await stage.windows.show_fault(told.text, used, told.teaches):
        await choose_from(desk, stage, lesson)
    else:
        await _go_back(desk, told)


async def _go_back(desk: Desk, mended: protocol.Mended) -> None:
    """To where the learner was before it was broken."""
    if mended.came_from:
        await desk.ask(protocol.Goto(mended.came_from, mended.came_done), saying=GOING_BACK)
