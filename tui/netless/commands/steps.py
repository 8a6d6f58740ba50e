"""A step: have it done, judged, explained in another dialect; and on to the next one."""

from __future__ import annotations

from netless_lab import protocol
from netless_lab.primitives.roles import DIALECTS, Dialect

from ..desk.desk import Desk
from ..say.counted import rechecked
from ..say.passing import went_on
from .stage import Stage
from .time import with_consent


async def run(desk: Desk, stage: Stage) -> None:
    """The tutor does the step; where it holds already the lab takes the next one, and that is told."""
    before = desk.view.status
    answer = await desk.ask(protocol.Run(), saying="Running the step")
    if answer is None:
        return
    for judged in answer.verdicts:
        if before is not None and judged.position != before.position:
            desk.tell("info", went_on(before.page.title, judged.title), of_step=True)
        if judged.besides:
            desk.tell("info", judged.besides, of_step=True)
    if before is not None and before.playing:
        desk.tell("info", answer.text, of_step=True)


async def check(desk: Desk, stage: Stage) -> None:
    """Judge the step. Where all is as it was, nothing on the screen changes: that is told."""
    before = desk.view.judged
    answer = await desk.ask(protocol.Check(), saying="Checking")
    now = desk.view.judged
    if answer is not None and before is not None and now is not None and before.results == now.results:
        desk.tell("info", rechecked(now, broken=desk.view.fault is not None), lapses=True)


async def hint(desk: Desk, stage: Stage) -> None:
    """One more rung of help; the lab stays as it is, so nothing need wait for it."""
    await desk.ask(protocol.Hint())


async def onward(desk: Desk, stage: Stage) -> None:
    """On to the next step. Where play mode ends with that it is told what became of the lab."""
    playing = desk.view.status is not None and desk.view.status.playing
    moved = await with_consent(desk, stage, "next", lambda yes: protocol.Next(force=yes), "Moving on")
    if playing and moved is not None:
        desk.tell("info", moved.text, of_step=True)


async def next_dialect(desk: Desk, stage: Stage) -> None:
    """Round the dialects in which the step's commands can be shown, in the order of their tabs: the lab tells the one that is shown first."""
    assert desk.view.status is not None
    known = {item.dialect for item in desk.view.status.page.commands}
    order = [dialect for dialect in DIALECTS if dialect in known]
    here = order.index(desk.view.dialect) if desk.view.dialect in order else -1
    await use_dialect(desk, order[(here + 1) % len(order)])


async def use_dialect(desk: Desk, dialect: Dialect) -> None:
    """Show commands in this dialect, in every view of the lab."""
    await desk.ask(protocol.SetDialect(dialect))
