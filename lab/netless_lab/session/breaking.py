"""Breaking a lab and knowing its health: a fault goes in quietly, must show, and comes out again with proof."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from ..course.catalog import resolve_in
from ..course.fault_words import as_step
from ..course.faults import NEEDS, PROGRAMS, Fault
from ..course.judge import control_of, judge, state_holds
from ..course.step import Position, ProbeCheck, step_at
from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.probe import Outcome
from ..primitives.base import Action
from ..primitives.run import Run
from .judging import send, settle
from .moves import missing
from .pages import where_of

if TYPE_CHECKING:
    from .session import Session

MARK: Final = "NETLESS_FAULT"
"""An environment variable of every process that a fault starts, so that it can be ended with the fault."""
HEALTHY_S: Final = 3.0
"""How long a lab that was just built or mended may take to be well."""
SHOWS_S: Final = 1.5
"""How long a fault may take to show."""
QUIET_S: Final = 0.03
"""How long the kernel must be silent after a change before its consequences are all there."""

MOST_NEWS: Final = 10
"""Whoever talks on all the time is not waited for."""


class Breaker:
    """Works on the lab of one session. ``injecting``: a fault is going in, and nobody may be told yet what changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.injecting = False

    async def break_(self, fault: Fault) -> Position:
        """Health first, then the fault; returns the step at whose end the lab stands. Raises Refusal with the lab in health.

        A lab that the learner built otherwise than the lessons do may resist: then it is rebuilt, once.
        """
        session = self._session
        place = resolve_in(session.state.course, session.courses, fault.start, session.state.position).positions[-1]
        rebuilt = not await self._stands_at(place)
        while True:
            if rebuilt:
                await session.stand(place, end=True)
            try:
                await self._furnish(fault, HEALTHY_S if rebuilt else 0.0)
                self.injecting = True
                await self._quietly(fault.inject)
                await self._shows(fault)
                return place
            except (Refusal, session.world.apply_failed) as error:
                self.injecting = False
                await self.clear(fault)
                if rebuilt:
                    await session.stand(place, end=True)
                    raise self._cannot(fault, error) from error
                rebuilt = True
            finally:
                self.injecting = False

    async def mend(self, fault: Fault, place: Position, *, undo: bool) -> bool:
        """Take the fault away with all it needed, and prove health. False when it took a rebuild. Raises Refusal (4) without health."""
        with contextlib.suppress(self._session.world.apply_failed):
            await self._quietly(fault.mend if undo else ())
        well = (bool(fault.mend) or not undo) and await self._well(fault)
        if not well:
            await self._session.stand(place, end=True)
            await self._furnish(fault)
        if fault.setup:
            await self.clear(fault)
            await self._session.stand(place, end=True)
        return well

    async def clear(self, fault: Fault) -> None:
        """Undo as far as it goes, before a rebuild: processes outlive one."""
        for action in fault.mend:
            with contextlib.suppress(self._session.world.apply_failed, Refusal):
                await self._quietly((action,))
        self._session.world.end_marked(MARK)

    async def verdict(self, checks: tuple[ProbeCheck, ...], *, patient: bool, tell: bool = False) -> Verdict:
        """Send all probes at once and judge them. ``patient``: what should be answered gets time; ``tell``: the views hear of it."""
        world = self._session.world
        outcomes: dict[ProbeCheck, Outcome] = {}

        async def one(check: ProbeCheck) -> None:
            outcomes[check] = await send(world, check.probe, must_reply=check.reply and patient)
            if check.control is not None:
                outcomes[control_of(check)] = await send(world, check.control, must_reply=patient)
            if tell:
                self._session.probe_told(outcomes[check], check.reply)

        await asyncio.gather(*(one(check) for check in dict.fromkeys(checks)))
        snapshot = await world.look()
        return judge(as_step(checks), snapshot, outcomes, where_of(snapshot, "host"), owners=self._session.owners())

    async def _stands_at(self, place: Position) -> bool:
        """Whether the lab is as it should be at the end of this step, whoever made it so."""
        session = self._session
        snapshot, course, names = await session.live.refresh(), session.state.course, session.state.bindings
        there = place == session.state.position and state_holds(step_at(course, place), snapshot, names)
        return there and not missing(course, place, snapshot, names)

    async def _furnish(self, fault: Fault, patience_s: float = HEALTHY_S) -> None:
        """What the fault needs beside the lesson's end, and proof that everything works."""
        await self._quietly(fault.setup)
        if not await self._well(fault, patience_s):
            verdict = await self.verdict((*fault.symptom, *fault.still), patient=True)
            failing = "; ".join(f"{item.claim}: {item.seen}" for item in verdict.items if item.result != "pass")
            raise Refusal(f"the lab is not healthy to begin with: {failing}", code=4)

    async def _well(self, fault: Fault, patience_s: float = HEALTHY_S) -> bool:
        """Whether everything goes as in health, within the time that a fresh build may take."""
        await settle(self._session.world, 1.0 + patience_s)
        end = time.monotonic() + patience_s
        while not (await self.verdict((*fault.symptom, *fault.still), patient=True)).passed:
            if time.monotonic() > end:
                return False
            await self._session.world.changed(0.1)
        return True

    async def _shows(self, fault: Fault) -> None:
        """See that each symptom is there."""
        end = time.monotonic() + SHOWS_S
        while True:
            verdict = await self.verdict(fault.symptom, patient=False)
            if all(item.result == "fail" for item in verdict.items):
                return
            if time.monotonic() > end:
                left = "; ".join(item.claim for item in verdict.items if item.result != "fail")
                raise Refusal(f"it did not show: {left}", code=4)
            await self._session.world.changed(0.1)

    def _cannot(self, fault: Fault, error: Exception) -> Refusal:
        needs = [NEEDS[need] for need in fault.needs if need not in PROGRAMS]
        if needs and isinstance(error, self._session.world.apply_failed):
            return Refusal(f"this kernel has no {' and '.join(needs)}, so it cannot do {fault.id}: {error}", code=3)
        return Refusal(f"the fault {fault.id} did not work as it should; the lab is healthy. {error}", code=4)

    async def _quietly(self, actions: tuple[Action, ...]) -> None:
        """Do actions without saying what they changed: the picture shows what there is, no line says why."""
        session = self._session
        with session.live.tutor_at_work():
            try:
                await session.world.apply_all(tuple(map(_marked, actions)))
                for _ in range(MOST_NEWS if actions else 0):
                    if not await session.world.changed(QUIET_S):
                        break
            finally:
                session.live.take(await session.world.look())


def _marked(action: Action) -> Action:
    """The same action, but what it starts can be told from what the learner starts."""
    return msgspec.structs.replace(action, line=f"export {MARK}=1; {action.line}") if isinstance(action, Run) else action
