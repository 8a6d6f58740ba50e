"""Faults in a lab: break it on purpose, know when it is well again, however that came about, and mend it. Also drills.

While a fault is on, the judge of steps rests and this one judges instead: after each change the learner makes it sends the
fault's probes. Some repairs take time to show (a neighbour entry must age), so it looks again a few times, then waits for the next change.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from ..course.catalog import resolve_in
from ..course.drill_words import help_used, took
from ..course.fault_words import bound, hints, solution
from ..course.faults import SEATS, Fault, Listed, drawn, named
from ..course.progress import DrillRecord
from ..course.step import Position, step_at
from ..course.verdict import Verdict
from ..errors import Refusal
from ..protocol import FaultStatus, Notice
from .breaking import Breaker
from .fault_files import Library
from .judging import settle
from .pages import where_of

if TYPE_CHECKING:
    from .session import Session

LOOK_AGAIN_S: Final = (0.0, 2.0, 5.0, 15.0, 45.0)
"""Pauses of the watching judge after a change; a neighbour entry that was confirmed is believed for up to 45 s (arp(7))."""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which fault, and how. Without ``fault`` one is drawn by ``seed``; a drawn one and a drill's stay secret.

    An ``exam`` is a drill without help.
    """

    fault: str = ""
    seed: int | None = None
    node: str = ""
    drill: bool = False
    exam: bool = False


class Broken(msgspec.Struct, frozen=True):
    """The fault that is in the lab, and what became of it so far.

    ``began`` is the wall clock, to be told; ``since`` the clock that nobody sets, to count from (clock_gettime(2), CLOCK_MONOTONIC).
    ``lasted``: after how many seconds the network was healthy, or nobody sought any longer; None while it is broken.
    """

    fault: Fault
    place: Position
    wanted: Wanted
    began: float
    since: float
    came_from: Position
    hints: int = 0
    whys: int = 0
    verdict: Verdict | None = None
    lasted: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether it is over."""
        return self.lasted is not None

    @property
    def seconds(self) -> float:
        """How long it is, or was, broken."""
        return round(time.monotonic() - self.since if self.lasted is None else self.lasted, 3)

    @property
    def secret(self) -> bool:
        """Whether the learner must not be told which fault it is."""
        return not self.healthy and self.recorded

    @property
    def recorded(self) -> bool:
        """Whether the learner had to find out what it was: what became of that is kept."""
        return self.wanted.drill or not self.wanted.fault

    @property
    def kind(self) -> str:
        """What to call it."""
        return "exam" if self.wanted.exam else "drill" if self.recorded else "fault"


class Faulting:
    """The faults of one session. At most one is on at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._library = Library(session.courses)
        self._breaker = Breaker(session)
        self._broken: Broken | None = None

    @property
    def on(self) -> bool:
        """Whether something is broken on purpose now."""
        return self._broken is not None and not self._broken.healthy

    @property
    def hidden(self) -> bool:
        """Whether what changes now must not be told."""
        return self.on or self._breaker.injecting

    def status(self) -> FaultStatus | None:
        """What may be told of the fault that is on, or was until the lab moved on."""
        broken = self._broken
        if broken is None:
            return None
        told = not broken.secret
        return FaultStatus(
            tells=broken.fault.tells,
            drill=broken.wanted.drill,
            exam=broken.wanted.exam,
            healthy=broken.healthy,
            began=broken.began,
            seconds=broken.seconds,
            hints=broken.hints,
            whys=broken.whys,
            seed=broken.wanted.seed,
            verdict=_discreet(broken.verdict) if broken.secret and broken.verdict else broken.verdict,
            id=broken.fault.id if told else "",
            title=broken.fault.title if told else "",
            node=broken.fault.node if told else "",
            teaches=broken.fault.teaches if told else "",
            solution=self._solution(broken) if told else "",
        )

    def listed(self) -> tuple[Listed, ...]:
        """Every fault there is, and what this machine lacks for it."""
        return self._library.listed()

    async def break_(self, wanted: Wanted) -> dict[str, Any]:
        """Bring the lab to health, break it, and see that it shows. Raises Refusal when it cannot be done, with the lab in health."""
        session = self._session
        await session.hold_judging()
        if self.on:
            raise Refusal("something is broken already: find it, or let `netless mend` take it away first", code=1)
        if session.state.playing:
            raise Refusal("play mode is on: nothing is judged, so a repair would go unseen. Leave it first", code=1)
        if not wanted.fault and wanted.seed is None:
            wanted = msgspec.structs.replace(wanted, seed=random.SystemRandom().randrange(10_000))
        came_from = session.state.position
        refusal: Refusal | None = None
        for fault in self._candidates(wanted):
            try:
                async with session.busy("breaking something"):
                    place = await self._breaker.break_(bound(fault, session.state.bindings))
            except Refusal as error:
                if wanted.fault or error.code != 3:
                    raise
                refusal = error
                continue
            self._broken = Broken(fault, place, wanted, time.time(), time.monotonic(), came_from)
            session.history.noted(f"something was broken on purpose: {fault.tells}", str(place))
            session.tell_status()
            return self._answer(fault.tells)
        raise refusal or Refusal("no fault can be had here", code=3)

    async def mend(self) -> dict[str, Any]:
        """Take the fault away and prove the lab's health; what does not come right that way is rebuilt.

        While it is on that gives up. After a repair it only puts away what the fault needed.
        """
        session, broken = self._session, self._broken
        await session.hold_judging()
        if broken is None:
            return self._answer("Nothing is broken here on purpose.")
        fault, was_on = self._bound(broken), self.on
        if was_on:
            broken = self._end(broken, "gave up")
        self._broken = broken
        try:
            async with session.busy("mending"):
                taken_away = await self._breaker.mend(fault, broken.place, undo=was_on)
        finally:
            self._broken = None
        session.tell_status()
        session.rejudge()
        how = "It was taken away" if taken_away else "The lab was rebuilt"
        text = f"{broken.fault.title}: that was it. {how}, and the network is healthy." if was_on else _told_well(broken)
        if not was_on and (fault.setup or not taken_away):
            text = f"{text} The lab was put back to the end of {broken.place}."
        return self._answer(text, broken)

    async def check(self) -> dict[str, Any]:
        """The verdict on the lab's health, as ``check`` answers it."""
        verdict = await self.judge()
        broken = self._broken
        assert broken is not None
        success = _told_well(broken) if broken.healthy else ""
        if broken.secret:
            verdict = _discreet(verdict)
        return {"position": "fault", "title": broken.fault.tells, "verdict": verdict, "success": success}

    async def judge(self) -> Verdict:
        """Send the fault's probes. When all go as in health, the fault is over, whoever repaired it and how."""
        broken = self._broken
        assert broken is not None
        fault = self._bound(broken)
        await settle(self._session.world)
        verdict = await self._breaker.verdict((*fault.symptom, *fault.still), patient=True, tell=True)
        if self._broken is not broken:
            return verdict
        if verdict.passed:
            self._broken = self._end(msgspec.structs.replace(broken, verdict=verdict), "solved")
            self._session.on_event(Notice("info", _told_well(self._broken)))
        elif verdict != broken.verdict:
            self._broken = msgspec.structs.replace(broken, verdict=verdict)
        self._session.tell_status()
        return verdict

    async def follow(self) -> None:
        """What happens after a change: judge, and look again a few times while it is not well."""
        for pause in LOOK_AGAIN_S:
            await asyncio.sleep(pause)
            if not self.on or (await self.judge()).passed:
                break
        if not self.on:
            self._session.relive(self._session.live.last)

    async def leave(self) -> None:
        """The lab is about to be rebuilt: nothing of the fault may outlive that."""
        ending = self.ending()
        self.abandon()
        broken, self._broken = self._broken, None
        if broken is None:
            return
        if ending:
            self._session.on_event(Notice("info", ending))
        await self._breaker.clear(self._bound(broken))

    def ending(self) -> str:
        """What a rebuild does to the fault that is on, in words that tell what it was; "" when none is on."""
        broken = self._broken
        if broken is None or not self.on:
            return ""
        ended = f"That ended the {broken.kind}: it counts as given up." if broken.recorded else "The fault is gone with the rebuild."
        return f"{ended} It was: {broken.fault.title}."

    def abandon(self) -> None:
        """The lab is about to be rebuilt or to end: a drill that is on counts as given up."""
        if self._broken is not None and self.on:
            self._broken = self._end(self._broken, "gave up")

    def news(self) -> str:
        """That the network is healthy again, and how that went, as long as the learner stands where it was broken; "" at all other times."""
        broken = self._broken
        told = broken is not None and broken.healthy and broken.place == self._session.state.position
        return _told_well(broken) if broken is not None and told else ""

    def _end(self, broken: Broken, result: Literal["solved", "gave up"]) -> Broken:
        """The network is healthy, or nobody seeks any longer: written down in the history, and a drill in the progress."""
        session = self._session
        over = msgspec.structs.replace(broken, lasted=broken.seconds)
        what = _told_well(over) if result == "solved" else f"the {broken.kind} was given up; it was: {broken.fault.title}"
        session.history.noted(what, str(broken.place))
        if broken.recorded:
            record = DrillRecord(
                broken.fault.id, result, time.time(), over.seconds, broken.fault.node, broken.wanted.seed,
                broken.wanted.exam, broken.hints, broken.whys,
            )  # fmt: skip
            session.remember(session.state.progress.drilled(record))
        return over

    def hint(self) -> dict[str, Any]:
        """The next hint towards the fault; the last one is the solution."""
        broken = self._broken
        assert broken is not None
        if broken.wanted.exam:
            raise Refusal("this is an exam: there are no hints. `netless mend` gives up", code=1)
        every = self._hints(broken)
        number = min(broken.hints, len(every) - 1)
        self._broken = msgspec.structs.replace(broken, hints=number + 1)
        self._session.tell_status()
        return {"rung": number, "text": every[number], "left": len(every) - number - 1}

    def asked_why(self) -> None:
        """Somebody wants an explanation; in an exam that is refused."""
        broken = self._broken
        if broken is None or not self.on:
            return
        if broken.wanted.exam:
            raise Refusal("this is an exam: Why is locked until the network is healthy again", code=1)
        self._broken = msgspec.structs.replace(broken, whys=broken.whys + 1)
        self._session.tell_status()

    def _candidates(self, wanted: Wanted) -> tuple[Fault, ...]:
        """The fault that is wanted, or all that this machine has the programs for in the order of the seed."""
        if wanted.node and wanted.node not in SEATS:
            raise Refusal(f"a fault can be in {' or '.join(SEATS)}, not in {wanted.node}", nearest=tuple(SEATS))
        if wanted.fault:
            fault = named(self._library.faults(wanted.node or "c1"), wanted.fault)
            if wanted.node and not fault.movable:
                raise Refusal(f"the fault {fault.id} has a place of its own: it cannot be had in {wanted.node}")
            if lack := self._library.lacking(fault):
                raise Refusal(f"this machine cannot do {fault.id}: it lacks {lack}", code=3)
            return (fault,)
        course = self._session.state.course.id
        ours = tuple(fault for fault in self._library.faults("c1") if fault.start.partition("/")[0] == course)
        if not ours:
            raise Refusal(f"no fault is made for the course {course}: `netless faults` lists them all, with what each teaches")
        order = drawn(ours, wanted.seed or 0)
        chosen = (named(self._library.faults(wanted.node or node or "c1"), fault_id) for fault_id, node in order)
        return tuple(fault for fault in chosen if not self._library.lacking(fault) and (not wanted.node or fault.movable))

    def _bound(self, broken: Broken) -> Fault:
        return bound(broken.fault, self._session.state.bindings)

    def _hints(self, broken: Broken) -> tuple[str, ...]:
        session, fault = self._session, self._bound(broken)
        taught = resolve_in(session.state.course, session.courses, fault.teaches, broken.place).positions[0]
        where = where_of(session.live.last, "host")
        return hints(fault, step_at(session.state.course, taught).title, where, session.state.dialect)

    def _solution(self, broken: Broken) -> str:
        return solution(self._bound(broken), where_of(self._session.live.last, "host"), self._session.state.dialect)

    def _answer(self, text: str, over: Broken | None = None) -> dict[str, Any]:
        """What the calls answer: words, and the status. ``came_from``: where the learner was before it all, when that is elsewhere."""
        told = self.status() if over is None else None
        here = self._session.state.position
        came_from = str(over.came_from) if over is not None and over.came_from != here else ""
        mended = over.fault.id if over is not None else ""
        return {"text": text, "position": str(here), "fault": told, "mended": mended, "came_from": came_from}


def _told_well(broken: Broken) -> str:
    used = help_used(broken.hints, broken.whys)
    return f"The network is healthy again, after {took(broken.seconds)}, with {used}. It was: {broken.fault.title}."


def _discreet(verdict: Verdict) -> Verdict:
    """The same verdict without the commands to look with and the near misses: they would say where it is."""
    items = tuple(msgspec.structs.replace(item, look="", near="") for item in verdict.items)
    return msgspec.structs.replace(verdict, items=items)
