"""Whether the network is healthy, or a fault shows: its probes, sent all at once and judged."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from ..course.judge import control_of, judge
from ..course.step import ProbeCheck
from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.probe import Outcome
from ..session.judging import send, settle
from ..session.pages import where_of
from ..session.stage import Stage
from .format import Fault
from .words import as_step

HEALTHY_S: Final = 3.0
"""How long a lab that was just built or mended may take to be well."""
SHOWS_S: Final = 1.5
"""How long a fault may take to show."""
AGAIN_S: Final = 0.1
"""Until the probes are sent again, when the kernel tells of no change sooner."""


async def health(stage: Stage, fault: Fault, *, patient: bool = True, tell: bool = False) -> Verdict:
    """The verdict on everything that goes in health."""
    return await verdict(stage, (*fault.symptom, *fault.still), patient=patient, tell=tell)


async def verdict(stage: Stage, checks: tuple[ProbeCheck, ...], *, patient: bool, tell: bool = False) -> Verdict:
    """Send all probes at once and judge them. ``patient``: what should be answered gets time; ``tell``: the views hear of it."""
    world = stage.world
    outcomes: dict[ProbeCheck, Outcome] = {}

    async def one(check: ProbeCheck) -> None:
        outcomes[check] = await send(world, check.probe, must_reply=check.reply and patient)
        if check.control is not None:
            outcomes[control_of(check)] = await send(world, check.control, must_reply=patient)
        if tell:
            stage.probe_told(outcomes[check], check.reply)

    await asyncio.gather(*(one(check) for check in dict.fromkeys(checks)))
    snapshot = await world.look()
    return judge(as_step(checks), snapshot, outcomes, where_of(snapshot, "host"), owners=stage.owners())


async def well(stage: Stage, fault: Fault, patience_s: float = HEALTHY_S) -> bool:
    """Whether everything goes as in health, within the time that a fresh build may take."""
    await stage.world.look()
    await settle(stage.world, 1.0 + patience_s)
    end = time.monotonic() + patience_s
    while True:
        seen = stage.world.news.count
        if (await health(stage, fault)).passed:
            return True
        if time.monotonic() > end:
            return False
        await stage.world.news.beyond(seen, AGAIN_S)


async def must_be_well(stage: Stage, fault: Fault, patience_s: float = HEALTHY_S) -> None:
    """Raises Refusal (4), with what fails, when the lab is not healthy."""
    if not await well(stage, fault, patience_s):
        found = await health(stage, fault)
        failing = "; ".join(f"{item.claim}: {item.seen}" for item in found.items if item.result != "pass")
        raise Refusal(f"the lab is not healthy to begin with: {failing}", code=4)


async def must_show(stage: Stage, fault: Fault) -> None:
    """See that each symptom is there. Raises Refusal (4), with what still goes."""
    end = time.monotonic() + SHOWS_S
    while True:
        seen = stage.world.news.count
        found = await verdict(stage, fault.symptom, patient=False)
        if all(item.result == "fail" for item in found.items):
            return
        if time.monotonic() > end:
            left = "; ".join(item.claim for item in found.items if item.result != "fail")
            raise Refusal(f"it did not show: {left}", code=4)
        await stage.world.news.beyond(seen, AGAIN_S)
