"""The modes of a lab that was broken on purpose: while it is, and when it is well again.

While it is broken the judge of steps rests, and the network's health is judged instead: after each change the learner makes, the fault's
probes are sent. Some repairs take time to show (a neighbour entry must age), so they are sent again a few times, then at the next change.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable
from typing import Final, Literal

import msgspec

from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.journey import Explanation
from ..model.probe import Probe
from ..model.snapshot import Snapshot
from ..protocol import Act, FaultStatus, Help, Judged, Judgement, Notice
from ..session.judging import settle
from ..session.mode import Mode
from ..session.offers import all_open, insist, insist_on_order
from ..session.pages import where_of
from ..session.stage import Stage
from .breaking import clear, health, in_names
from .broken import Broken, discreet, hints, record, solution

LOOK_AGAIN_S: Final = (0.0, 2.0, 5.0, 15.0, 45.0)
"""Pauses of the watching judge after a change; a neighbour entry that was confirmed is believed for up to 45 s (arp(7))."""


class Drill:
    """Something is broken. It ends when the network is healthy, whoever repaired it and how; when it is given up; or with a rebuild."""

    name: Literal["drill"] = "drill"
    watches = True

    def __init__(self, stage: Stage, broken: Broken) -> None:
        self._stage = stage
        self.broken = broken
        self._begun = False
        self._settings: Hashable = None
        self._tells = True
        """Whether what becomes of the probes is told: those that a mere command has sent would hide its own packets among them."""

    def begin(self) -> FaultStatus:
        """The fault is in and shows: the time counts from now on, and this may be told of it."""
        self._begun = True
        self.broken = msgspec.structs.replace(self.broken, began=time.time(), since=time.monotonic())
        return _status(self._stage, self.broken)

    def refuses(self, act: Act) -> str:
        """Whatever would go on with the lessons on a network that is broken on purpose; in an exam all help."""
        match act:
            case "drill":
                return "something is broken already: find it, or let `netless mend` take it away first"
            case "run" | "type" | "next" | "play":
                return "something is broken on purpose: repair it, or let `netless mend` do it; `goto` and `reset` rebuild"
            case "hint" if self.broken.wanted.exam:
                return "this is an exam: there are no hints. `netless mend` gives up"
            case "hint" if self.broken.hints >= (every := len(_hints(self._stage, self.broken))):
                return all_open(f"the {self.broken.kind}", every)
            case "why" if self.broken.wanted.exam:
                return "this is an exam: Why is locked until the network is healthy again"
            case _:
                return ""

    async def judge(self, *, by_tutor: bool = False, looked: bool = False) -> Verdict:
        """Send the fault's probes. When all go as in health, the fault is over."""
        stage = self._stage
        async with stage.judge.turn():
            await stage.world.look()
            await settle(stage.world)
            verdict = await health(stage, self._own.fault, tell=self._tells)
            if stage.mode is not self or self.broken.healthy:  # left meanwhile: what is well now was not repaired
                return verdict
            self.broken = msgspec.structs.replace(self.broken, verdict=verdict)
            if verdict.passed:
                stage.enter(self.ended(solved=True))
                stage.tell(Notice("info", self._own.told_well()))
            stage.views.tell_status()
            return verdict

    async def check(self, target: str | None) -> Judgement:
        """The verdict on the lab's health, whatever the target."""
        self._tells = True
        verdict, own = await self.judge(), self._own
        success = own.told_well() if own.healthy else ""
        if own.secret:
            verdict = discreet(verdict)
        return Judgement((Judged("fault", own.fault.tells, verdict, success),), "", self._stage.mode.fault())

    def hint(self, rung: int | None) -> Help:
        """The next hint towards the fault, or the one asked for; the last one is the solution."""
        if rung is None or self.broken.wanted.exam:
            insist(self._stage, "hint")
        every = _hints(self._stage, self.broken)
        number = self.broken.hints if rung is None else rung
        insist_on_order(f"a {self.broken.kind}", number, self.broken.hints, len(every))
        opened = max(self.broken.hints, number + 1)
        self.broken = msgspec.structs.replace(self.broken, hints=opened)
        self._stage.views.tell_status()
        return Help(number, every[number], len(every) - opened)

    async def explain(self, probe: Probe) -> Explanation:
        """It is counted once it is given, while the search is on; in an exam it is refused."""
        if refused := self.refuses("why"):
            raise Refusal(refused, code=1)
        told = await self._stage.lesson.explain(probe)
        if not self.broken.healthy:
            self.broken = msgspec.structs.replace(self.broken, whys=self.broken.whys + 1)
            self._stage.views.tell_status()
        return told

    async def watch(self, *, looked: bool) -> None:
        """Judge, and look again a few times while it is not well."""
        stage = self._stage
        for pause in LOOK_AGAIN_S:
            await asyncio.sleep(pause)
            if stage.mode is not self or (await self.judge()).passed:
                break
        if stage.mode is not self:
            stage.relive()

    def on_change(self, snapshot: Snapshot, *, by_somebody: bool) -> None:
        """What comes by itself does not end a fault, unless it is a setting; probes change none, so this cannot go round.

        The live marks of the steps stay as they were: they would tell where the fault is.
        """
        if not by_somebody:
            before, self._settings = self._settings, tuple((node.netns, *sorted(node.sysctls.items())) for node in snapshot.nodes)
            if before == self._settings:
                return
        self._tells = True
        if not self._stage.state.busy:
            self._stage.rejudge()

    def on_command(self) -> None:
        """It may have been the repair."""
        self._tells = False
        if not self._stage.state.busy:
            self._stage.rejudge(patient=True)

    def going(self) -> tuple[str, ...]:
        """The differences themselves would tell where it is."""
        return ("what is broken on purpose, and what you changed since",)

    def ending(self) -> str:
        """It ends, and what it was may be told."""
        return self._own.told_gone()

    async def left(self) -> Mode:
        """It counts as given up, and nothing of it may outlive the rebuild."""
        ending = self.ending()
        over = self.ended(solved=False)
        self._stage.tell(Notice("info", ending))
        return await over.left()

    def close(self) -> None:
        """It counts as given up."""
        if self._begun and not self.broken.healthy:
            self.ended(solved=False)

    def fault(self) -> FaultStatus | None:
        """What it does, and no more while it is a secret; nothing before it shows."""
        return _status(self._stage, self.broken) if self._begun else None

    def ended(self, *, solved: bool) -> Recovered:
        """The network is healthy, or nobody seeks any longer: written down in the history, and a drill in the progress. What it is then."""
        stage, over = self._stage, self.broken.over()
        self.broken = over
        stage.history.reveal()
        stage.history.noted(self._own.told_well() if solved else self._own.given_up(), str(over.place))
        if over.recorded:
            stage.remember(stage.state.progress.drilled(record(over, solved=solved)))
        return Recovered(stage, over)

    @property
    def _own(self) -> Broken:
        return as_told(self._stage, self.broken)


class Recovered:
    """It is over: the lesson goes on, and what it was is told until the lab is rebuilt or mended."""

    name: Literal["lesson"] = "lesson"
    watches = True

    def __init__(self, stage: Stage, broken: Broken) -> None:
        self._stage = stage
        self._lesson = stage.lesson
        self.broken = broken

    def refuses(self, act: Act) -> str:
        """What would go on with the lessons from a place that is not the learner's; for the rest as in a lesson, but it can be put away."""
        if act in ("run", "type", "next", "play"):
            return "what was broken is well again: let `netless mend` put it away, then the lessons go on; `goto` and `reset` do that as well"
        return "" if act == "mend" else self._lesson.refuses(act)

    async def judge(self, *, by_tutor: bool = False, looked: bool = False) -> Verdict:
        """As in a lesson."""
        return await self._lesson.judge(by_tutor=by_tutor, looked=looked)

    async def check(self, target: str | None) -> Judgement:
        """As in a lesson; and that the network is healthy again, as long as the learner stands where it was broken."""
        answer = await self._lesson.check(target)
        here = self._stage.state.position
        if [own.position for own in answer.verdicts] != [str(here)]:
            return answer
        news = as_told(self._stage, self.broken).told_well() if self.broken.place == here else ""
        return Judgement(answer.verdicts, "\n".join(filter(None, (news, answer.text))), self.fault())

    def hint(self, rung: int | None) -> Help:
        """As in a lesson."""
        return self._lesson.hint(rung)

    async def explain(self, probe: Probe) -> Explanation:
        """As in a lesson."""
        return await self._lesson.explain(probe)

    async def watch(self, *, looked: bool) -> None:
        """As in a lesson."""
        await self._lesson.watch(looked=looked)

    def on_change(self, snapshot: Snapshot, *, by_somebody: bool) -> None:
        """As in a lesson."""
        self._lesson.on_change(snapshot, by_somebody=by_somebody)

    def on_command(self) -> None:
        """As in a lesson."""
        self._lesson.on_command()

    def going(self) -> tuple[str, ...]:
        """As in a lesson."""
        return self._lesson.going()

    def ending(self) -> str:
        """It has ended already."""
        return ""

    async def left(self) -> Mode:
        """Nothing of the fault may outlive the rebuild."""
        await clear(self._stage, self.broken.fault)
        return self._lesson

    def close(self) -> None:
        """All is written down already."""

    def fault(self) -> FaultStatus:
        """What it was, and how it went."""
        return _status(self._stage, self.broken)


def as_told(stage: Stage, broken: Broken) -> Broken:
    """The same, as it is told: in the learner's words."""
    return msgspec.structs.replace(broken, fault=in_names(stage, broken.fault))


def _hints(stage: Stage, broken: Broken) -> tuple[str, ...]:
    """Every hint towards the fault; the last is how it is mended."""
    fault = in_names(stage, broken.fault)
    taught = stage.library.step_at(stage.library.resolve(fault.teaches).positions[0])
    now = stage.live.last
    return hints(fault, taught.title, now, where_of(now, "host"), stage.state.dialect)


def _status(stage: Stage, broken: Broken) -> FaultStatus:
    """What may be told: of a secret only what it does."""
    fault, verdict = in_names(stage, broken.fault), discreet(broken.verdict) if broken.secret and broken.verdict else broken.verdict
    status = FaultStatus(fault.tells, broken.wanted.drill, broken.wanted.exam, broken.healthy, began=broken.began, seconds=broken.seconds,
                         hints=broken.hints, whys=broken.whys, seed=broken.wanted.seed, verdict=verdict,
                         hints_open=_hints(stage, broken)[: broken.hints] if broken.hints and not broken.healthy else ())
    if broken.secret:
        return status
    mended_by = solution(fault, stage.live.last, where_of(stage.live.last, "host"), stage.state.dialect)
    return msgspec.structs.replace(status, id=fault.id, title=fault.title, node=fault.node, teaches=fault.teaches, solution=mended_by)
