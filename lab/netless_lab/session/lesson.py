"""The mode of a lesson: the current step is judged, its tick is earned, its hints are opened."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import Literal

import msgspec

from ..course.bindings import Bindings
from ..course.catalog import resolve_in
from ..course.further import Standing
from ..course.hints import LIVE, Rung, live_hint, offer
from ..course.step import Position
from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.journey import Explanation
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from ..protocol import Act, FaultStatus, Help, Judgement, VerdictEvent
from .case import case_at, owners_here
from .judging import judge_places, judge_step, settle
from .mode import Mode
from .offers import all_open, insist, insist_on_order
from .pages import help_rungs, judged, onward, where_of
from .stage import Stage

SETTLE_S = 1.5
"""How long a cable or a bridge port that has only just been made may take before its not being ready counts for Why."""
WAITING_S = 0.5
"""How long the watching judge rests while what it waits for (STP takes 30 s) is not ready."""


class Lesson:
    """There is nothing to mend in it."""

    name: Literal["lesson"] = "lesson"
    watches = True

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._live_hint = ""

    def refuses(self, act: Act) -> str:
        """To mend what is not broken, and one more hint where none is left."""
        match act:
            case "mend":
                return "nothing is broken here on purpose"
            case "hint":
                return self._no_help_left()
            case _:
                return ""

    def _no_help_left(self) -> str:
        """"" when the verdict shows something that was not told yet, or a rung is closed."""
        state = self._stage.state
        live, every = live_hint(state.verdict), len(help_rungs(state, self._stage.live.last))
        closed = state.progress.opened(state.position.key, state.course.id) < every
        return "" if closed or (live is not None and live.text != self._live_hint) else all_open("this step", every)

    async def judge(self, *, by_tutor: bool = False, looked: bool = False) -> Verdict:
        """Judge the current step, earn its tick when it passes, and tell."""
        async with self._stage.judge.turn() as asked:
            return await self._judge(by_tutor=by_tutor, looked=looked, tells=asked or by_tutor or self._stage.state.verdict is None)

    async def _judge(self, *, by_tutor: bool, looked: bool, tells: bool) -> Verdict:
        stage, sent = self._stage, list[tuple[Outcome, bool]]()
        place, held, known = stage.state.position, stage.state.passed, stage.state.bindings
        on_probe = stage.views.tell_probe if tells else (lambda *told: sent.append(told))
        verdict, names = await judge_step(stage.world, case_at(stage, place), on_probe, self._state_told, looked)
        stage.unseen.soon()
        async with stage.live.tutor_at_work() if by_tutor else contextlib.nullcontext():
            stage.live.show()
        if stage.state.position != place:
            return verdict
        with stage.views.held():
            completed = False
            if verdict.passed and not stage.state.lent:
                completed = self._earn(place, newly=not held)
            elif verdict.result == "fail":
                stage.state = msgspec.structs.replace(stage.state, lent=False)
            if names != known:
                self._call(names)
            changed = verdict != stage.state.verdict
            for outcome, wanted in sent if changed else ():  # where a command brought nothing about they would hide its own packets among them
                stage.views.tell_probe(outcome, wanted)
            stage.state = msgspec.structs.replace(stage.state, verdict=verdict)
            stage.relive()
            if changed or completed:
                stage.tell(VerdictEvent(verdict, completed))
                stage.views.tell_status()
        return verdict

    async def check(self, target: str | None) -> Judgement:
        """Judge the current step, or every step of a target as far as its result should be there now."""
        stage, state = self._stage, self._stage.state
        wanted = resolve_in(state.course, stage.library.courses, target, state.position).positions if target is not None else (state.position,)
        if wanted == (state.position,):
            stage.judge.asked = True
            verdict = await self.judge()
            if verdict.result == "waiting":
                stage.rejudge()
            return Judgement((judged(stage.state, stage.state.position, verdict),), onward(stage.state))
        course, here = state.course, state.position
        learner = Standing(course, here, state.progress.earned(here.key, course.id), await stage.live.refresh(), state.bindings)
        found = await judge_places(stage.world, learner, wanted, partial(case_at, stage), stage.views.tell_probe)
        return Judgement(tuple(judged(stage.state, place, verdict) for place, verdict in found), "")

    def hint(self, rung: int | None) -> Help:
        """Open the next rung of help, or the one asked for; it is recorded, not punished.

        What the verdict shows right now comes first, once; then the step's own rungs; the command itself is the last.
        """
        stage, state = self._stage, self._stage.state
        if rung is None:
            insist(stage, "hint")
        place = state.position.key
        opened = state.progress.opened(place, state.course.id)
        every = help_rungs(state, stage.live.last)
        seen = set(range(opened)) | ({LIVE} if (live := live_hint(state.verdict)) is not None and live.text == self._live_hint else set())
        offered = offer(state.step, state.verdict, seen, every[len(state.step.hints) :], state.bindings)
        if rung is not None:
            insist_on_order("this step", rung, opened, len(every))
            offered = Rung(rung, every[rung], max(len(every) - max(opened, rung + 1), 0))
        if offered.number == LIVE:
            self._live_hint = offered.text
        else:
            stage.remember(state.progress.hinted(state.course.id, place, max(opened, offered.number + 1)))
        stage.views.tell_status()
        return Help(offered.number, offered.text, offered.left, offered.about)

    async def explain(self, probe: Probe) -> Explanation:
        """Send one probe, follow it, and say where it died and why. Raises Refusal, also where there is no such node."""
        stage = self._stage
        await stage.world.look()
        stage.world.ref(probe.node)
        owners, steps = owners_here(stage), stage.library.taught(stage.state.course)
        evidence = await stage.world.investigate(probe)
        if evidence.outcome.result == "failed" and stage.world.pending(evidence.before, SETTLE_S):
            await stage.world.look()
            await settle(stage.world, SETTLE_S)
            evidence = await stage.world.investigate(probe)
        if evidence.outcome.result == "error":
            raise Refusal(evidence.outcome.text, code=3)
        stage.views.tell_probe(evidence.outcome, True)
        from ..explain.ladder import explain  # no lab needs it to be ready

        return explain(evidence, where_of(evidence.before, "host"), owners, steps)

    async def watch(self, *, looked: bool) -> None:
        """Judge, and again while a port or carrier is still on its way."""
        while (await self.judge(looked=looked)).result == "waiting":
            await asyncio.sleep(WAITING_S)
            looked = False

    def on_change(self, snapshot: Snapshot, *, by_somebody: bool) -> None:
        """What somebody changes is judged. What came by itself, a neighbour or MAC learned from a packet, may complete a step that asks
        for just that: then too.
        """
        stage = self._stage
        here = stage.state.position.key
        held = stage.state.live.get(here)
        stage.relive()
        if not stage.state.busy and (by_somebody or stage.state.live.get(here) != held):
            stage.rejudge(looked=True)

    def on_command(self) -> None:
        """Packets that were lost though the state holds may arrive now: conntrack, or what is remembered of a path, is nothing that a look shows."""
        state = self._stage.state
        lost = state.verdict is not None and any(item.kind == "probe" and item.result == "fail" for item in state.verdict.items)
        if lost and not state.busy:
            self._stage.rejudge(patient=True)

    def going(self) -> tuple[str, ...]:
        """The network itself says it."""
        return ()

    def ending(self) -> str:
        """Nothing ends."""
        return ""

    async def left(self) -> Mode:
        """A rebuild is of the same lesson."""
        return self

    def close(self) -> None:
        """All is written down already."""

    def fault(self) -> FaultStatus | None:
        """Nothing is broken on purpose."""
        return None

    def _state_told(self, verdict: Verdict) -> None:
        """The state holds, its packets are on their way: show so, unless the step is shown as passed or as far as this already."""
        stage = self._stage
        shown = stage.state.verdict
        if shown is not None and shown.step == verdict.step and (shown.passed or _outline(shown) == _outline(verdict)):
            return
        stage.state = msgspec.structs.replace(stage.state, verdict=verdict)
        stage.tell(VerdictEvent(verdict))

    def _call(self, names: Bindings) -> None:
        """From now on the learner's things are called so, whatever the verdict is."""
        stage = self._stage
        stage.state = msgspec.structs.replace(stage.state, bindings=names)
        stage.remember(stage.state.progress.bound(stage.state.course.id, names))
        stage.refresh_goal()

    def _earn(self, place: Position, *, newly: bool) -> bool:
        """Tick the step, once for the tutor and once for the learner's own hands; ``newly``: it did not hold before. Whether it is the first."""
        stage, state = self._stage, self._stage.state
        course, progress, by_tutor = state.course.id, state.progress, state.by_tutor
        known = progress.step(place.key, course)
        first = known.earned is None
        if first or (newly and not by_tutor and not known.by_hand):
            progress = progress.earn(course, place.key, time.time(), by_tutor=by_tutor)
        if progress != state.progress:
            stage.remember(progress)
        return first


def _outline(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """What is claimed and how its state stands, whatever became of the packets."""
    return tuple((item.claim, item.result if item.kind == "state" else "") for item in verdict.items)
