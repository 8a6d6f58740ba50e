"""The verbs: run, check, back, next, goto, reset, hint, play. One at a time, from any state, always with words."""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec

from ..course.bindings import Bindings
from ..course.catalog import Target, resolve_in
from ..course.compare import difference, in_words
from ..course.hints import LIVE, Rung, live_hint, offer
from ..course.judge import state_holds
from ..course.step import Position, Step, positions, step_at
from ..course.substitute import apply_text
from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.snapshot import Snapshot
from ..primitives.base import Action, Dialect
from ..protocol import ActionEvent, Notice
from .breakable import BreakableDesk
from .calls import CALLS
from .judging import judge_step
from .moves import Moves, missing
from .pages import bound_actions, every_dialect, help_rungs, where_of
from .state import after, before, key, undone
from .undo import take_back_last

_NEW_LAB = "If `reset lab` does not help either, end the lab (`netless down`) and start a new one; your ticks are kept."
_LAST = "This was the last step of the course. `goto` takes you anywhere again."


class Session(BreakableDesk):
    """The verbs that move. ``Desk`` has what only looks, and the watching judge."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.moves = Moves(self.world, self.live)
        self._live_hint = ""
        self._played_from = (self.state.position, False)

    async def begin(self) -> None:
        """Take stock: the world as it is before the first step, and what the progress says of earlier days."""
        await self.live.begin()
        self._stand_at(self._frontier())
        self.refresh_goal()
        if self.state.position != positions(self.state.course)[0]:
            self.note(self._resumed())
        self.rejudge()

    def _frontier(self) -> Position:
        """Where to go on: the position, or the step after it when its tick was the newest one earned before the lab was lost."""
        course, progress = self.state.course, self.state.progress
        here = self.state.position
        places = positions(course)
        later = places[places.index(here) + 1 :]
        earned = [progress.earned(key(place), course.id) for place in (here, *later)]
        return later[0] if later and earned[0] and not any(earned[1:]) else here

    async def run(self, target: str | None = None, *, rest: bool = False) -> dict[str, Any]:
        """Do a step for the learner and judge it; with ``rest`` all that remain in the lesson. Stops at the first that fails."""
        await self.hold_judging()
        self.refuse_while_broken()
        place = self._start_of(target) if target else self._to_run()
        self._stop_playing()
        if place is None:
            return {"verdicts": [], "text": _LAST}
        lesson = place.lesson
        answers: list[dict[str, Any]] = []
        while True:
            answers.append(await self._run_one(place))
            following = after(self.state.course, place)
            if not rest or answers[-1]["verdict"].result != "pass" or following is None or following.lesson != lesson:
                return {"verdicts": answers, "text": self._onward()}
            place = following

    async def check(self, target: str | None = None) -> dict[str, Any]:
        """Judge the current step, or every step of a target as far as its result should be there now."""
        await self.hold_judging()
        if self.faulting.on:
            return {"verdicts": [await self.faulting.check()], "text": "", "fault": self.faulting.status()}
        wanted = self._places(target) if target is not None else (self.state.position,)
        if wanted == (self.state.position,):
            answer, news = await self._judge_here(), self.faulting.news()
            return {"verdicts": [answer], "text": "\n".join(filter(None, (news, self._onward()))), "fault": self.faulting.status()}
        last, gone = wanted[-1], undone(self.state.course, wanted[-1])
        answers = []
        for place in wanted:
            step = step_at(self.state.course, place)
            if place != last:
                step = msgspec.structs.replace(step, probes=())
                if key(place) in gone and not state_holds(step, self.live.last, self.state.bindings):
                    continue
            verdict, _ = await judge_step(self.world, self.case(place, step), self.probe_told)
            answers.append(self._answer(place, verdict))
        return {"verdicts": answers, "text": ""}

    async def next(self, *, force: bool = False) -> dict[str, Any]:
        """Move on; what is there stays. When the next step cannot start from it, that is refused, unless ``force`` has it rebuilt."""
        await self.hold_judging()
        self.refuse_while_broken()
        following = after(self.state.course, self.state.position)
        if following is None:
            self._stop_playing()
            return self._moved(_LAST)
        lacking = await self._lacking(following)
        if lacking and not force:
            self.rejudge()
            going = self.moves.going(self.state.course, following, self.state.bindings)
            raise Refusal(self._not_yet(following, lacking), code=1, going=going)
        self._stop_playing()
        self._stand_at(following)
        if lacking:
            await self._rebuild(following)
            text = f"Skipped ahead: the lab was rebuilt for the start of {following}."
        else:
            text = f"Now at {following}: {self.state.step.title}."
        self.rejudge()
        return self._moved(text)

    async def back(self) -> dict[str, Any]:
        """Undo the learner's own changes since the step began, or else the last step."""
        await self.hold_judging()
        place = self.state.position
        if ending := self.faulting.ending():
            await self._rebuild(place, end=True)
            return self._moved(f"The lab is back at the end of {place}, as it was before it was broken.", ending)
        if taken_back := await take_back_last(self):
            return self._moved(f"Undone: {taken_back}.")
        if self.state.touched:
            text = f"Undone: what you changed since the start of {place}."
        elif self.state.passed:
            text = f"Undone: {self.state.step.title}."
        else:
            earlier = before(self.state.course, place)
            if not earlier:
                self.rejudge()
                raise Refusal("This is the beginning: there is nothing to go back to.", code=1)
            place = earlier[-1]
            text = f"Back at the start of {place}: {step_at(self.state.course, place).title}."
        await self._rebuild(place)
        return self._moved(text)

    async def goto(self, target: str, *, end: bool = False) -> dict[str, Any]:
        """Rebuild the lab for the start of a step or lesson, or with it done."""
        await self.hold_judging()
        place = self._end_of(target) if end else self._start_of(target)
        self._stop_playing()
        ending = self.faulting.ending()
        await self._rebuild(place, end=end)
        if not end:
            return self._moved(f"At the start of {place}: {self.state.step.title}.", ending)
        answer = await self._judge_here(by_tutor=True)
        verdict: Verdict = answer["verdict"]
        text = f"At the end of {place}: {self.state.step.title}."
        if not verdict.passed:
            failing = "; ".join(item.claim for item in verdict.items if item.result != "pass")
            raise Refusal(f"{text} But its own check does not pass there: {failing}. {_NEW_LAB}", code=4)
        return self._moved(text, ending)

    async def reset(self, scope: Literal["step", "lesson", "lab"], *, dry: bool = False) -> dict[str, Any]:
        """Start the step, the lesson or everything over. ``dry`` only says what would go."""
        places = positions(self.state.course)
        here = self.state.position
        place = {"step": here, "lesson": next(p for p in places if p.lesson == here.lesson), "lab": places[0]}[scope]
        await self.live.refresh()
        going = self.moves.going(self.state.course, place, self.state.bindings)
        if dry or not going:
            going = (*going, *await self.world.unseen())
        if self.faulting.on:
            going = ("what is broken on purpose, and what you changed since",)
        if place != here:
            going = (*going, f"you go back to {place}")
        if dry:
            return {"going": going, "text": ""}
        await self.hold_judging()
        self._stop_playing()
        if scope == "lab":
            fresh = self.state.progress.started_over(self.state.course.id)
            self.remember(fresh)
            self.state = msgspec.structs.replace(self.state, bindings=Bindings(), notices=())
        if not going and not self.state.passed:
            return self._moved(self.moves.repaired(await self.world.repair()) or "Nothing to reset: the lab is as it was at the start.")
        ending = self.faulting.ending()
        await self._rebuild(place)
        return self._moved(f"Reset: the lab is at the start of {place}.", ending)

    async def hint(self, rung: int | None = None) -> dict[str, Any]:
        """Open the next rung of help, or the one asked for; it is recorded, not punished.

        What the verdict shows right now comes first, once; then the step's own rungs; the command itself is the last.
        """
        if self.faulting.on:
            return self.faulting.hint()
        state = self.state
        place = key(state.position)
        opened = state.progress.opened(place, state.course.id)
        every = help_rungs(state, self.live.last)
        seen = set(range(opened)) | ({LIVE} if live_hint(state.verdict) == self._live_hint else set())
        offered = offer(state.step, state.verdict, seen, every[len(state.step.hints) :], state.bindings)
        if rung is not None:
            number = rung
            if not 0 <= number < len(every):
                raise Refusal(f"this step has {len(every)} hints, counted from 1")
            offered = Rung(number, every[number], max(len(every) - max(opened, number + 1), 0))
        if offered.number == LIVE:
            self._live_hint = offered.text
        else:
            self.remember(state.progress.hinted(state.course.id, place, max(opened, offered.number + 1)))
        self.tell_status()
        return {"rung": offered.number, "text": offered.text, "left": offered.left}

    async def play(self, on: bool) -> dict[str, Any]:
        """Enter or leave play mode. Leaving restores the step: its end when it was passed, else its start."""
        await self.hold_judging()
        self.refuse_while_broken()
        if on == self.state.playing:
            return self._moved("Play mode is " + ("on" if on else "off") + " already.")
        if on:
            self._played_from = (self.state.position, self.state.passed)
            self._set_playing(True)
            return self._moved("Play mode: do as you please, nothing is judged. Leave it and the step is put back.")
        place, passed = self._played_from
        self._set_playing(False)
        await self._rebuild(place, end=passed)
        return self._moved(f"Play mode is over: the lab is back at the {'end' if passed else 'start'} of {place}.")

    async def _lacking(self, following: Position) -> tuple[Step, ...]:
        """What the next step needs and is not there. What was just done in names of the learner's own counts once it was judged."""
        state = self.state
        lacking = missing(state.course, following, await self.live.refresh(), state.bindings)
        if not lacking or state.playing:
            return lacking
        await self.judge_now()
        return missing(state.course, following, self.live.last, self.state.bindings)

    def _not_yet(self, following: Position, lacking: tuple[Step, ...]) -> str:
        """Why the next step cannot start, and the ways on; ``run`` is one only where it takes nothing away."""
        state = self.state
        ahead = [key(place) for place in before(state.course, following)]
        found = difference(state.course, ahead, self.live.last, state.bindings, following)
        seen = f": {found[0].claim}; seen: {found[0].seen}" if found else ""
        does_it = "`run` does it for you, " if lacking[0] == state.step else ""
        return f"{lacking[0].title!r} is not done{seen}. {does_it}`goto {following}` rebuilds the lab for the next step."

    def _stop_playing(self) -> None:
        """A verb that moves the lab ends play mode: there is nothing left to put back."""
        self._set_playing(False)

    def _set_playing(self, on: bool) -> None:
        """Begin or end play mode; every view hears when it changes."""
        if on != self.state.playing:
            self.state = msgspec.structs.replace(self.state, playing=on)
            self.tell_status()

    async def set_dialect(self, dialect: Dialect) -> dict[str, Any]:
        """Show commands in this dialect from now on."""
        self.remember(self.state.progress.speaking(dialect))
        self.state = msgspec.structs.replace(self.state, dialect=dialect)
        self.tell_status()
        return self._moved(f"Commands are shown in the dialect {dialect}.")

    def _resumed(self) -> str:
        """Progress from an earlier lab beside a kernel that is new: name the difference and the ways on."""
        state = self.state
        earned = [key(place) for place in before(state.course, state.position) if state.progress.earned(key(place), state.course.id)]
        lacking = difference(state.course, earned, self.live.last, state.bindings, state.position)
        found = in_words(lacking, len(earned))
        return (
            f"Your progress stands at {state.position} ({state.step.title}), but this lab is new. {found} "
            f"`run` goes on from there and rebuilds what is missing first, `goto {key(state.position)}` only rebuilds, "
            "`reset lab` starts over."
        )

    async def stand(self, place: Position, *, end: bool = False) -> None:
        """Be at the clean start of a step, or with it done, whatever was before."""
        await self.hold_judging()
        await self._rebuild(place, end=end, judging=False)

    def close(self) -> None:
        """The lab is about to end: write down what is unfinished."""
        self.faulting.abandon()

    async def call(self, name: str, args: dict[str, Any]) -> Any:
        """Extensions by name."""
        found = CALLS.get(name)
        if found is None:
            raise Refusal(f"this lab has no call named {name}", nearest=tuple(CALLS))
        return await found(self, args)

    async def _run_one(self, place: Position) -> dict[str, Any]:
        snapshot = await self.live.refresh()
        jumped = place != self.state.position
        self._stand_at(place)
        async with self.busy(f"running {self.state.step.title}"):
            lacking = missing(self.state.course, place, snapshot, self.state.bindings)
            if lacking:
                await self._rebuild(place)
                if not jumped:
                    text = f"The lab was not at this step's start ({lacking[0].title!r} did not hold): it was rebuilt first."
                    self._tell(Notice("info", text))
            try:
                await self._apply_step()
            except self.world.apply_failed:
                await self._rebuild(place)
                text = "Some of this was there already: the lab was put back to the step's start, then the step was done."
                self._tell(Notice("info", text))
                try:
                    await self._apply_step()
                except self.world.apply_failed as error:
                    raise Refusal(f"The step could not be done. {error} {_NEW_LAB}", code=4) from error
            self.state = msgspec.structs.replace(self.state, touched=False, by_tutor=True)
            return await self._judge_here(by_tutor=True)

    async def _apply_step(self) -> None:
        for action in bound_actions(self.state.step, self.state):
            try:
                await self.moves.apply(action, self.state.dialect)
            except self.world.apply_failed as error:
                self._told_action(action, str(error))
                raise
            self._told_action(action)
            self.history.did(action, where_of(self.live.last, "host"), str(self.state.position))

    def _told_action(self, action: Action, error: str = "") -> None:
        where = where_of(self.live.last, self.state.step.shell)
        self._tell(ActionEvent(time.time(), action.sentence(), every_dialect((action,), self.state.dialect, where), error))

    async def _judge_here(self, *, by_tutor: bool = False) -> dict[str, Any]:
        verdict = await self.judge_now(by_tutor=by_tutor)
        if verdict.result == "waiting":
            self.rejudge()
        return self._answer(self.state.position, verdict)

    def _answer(self, place: Position, verdict: Verdict) -> dict[str, Any]:
        step = step_at(self.state.course, place)
        success = apply_text(step.success, self.state.bindings) if verdict.passed else ""
        return {"position": str(place), "title": step.title, "verdict": verdict, "success": success}

    async def _rebuild(self, place: Position, *, end: bool = False, judging: bool = True) -> Snapshot:
        async with self.busy(f"rebuilding to {place}"):
            await self.faulting.leave()
            try:
                snapshot = await self.moves.rebuild(self.state.course, place, self.state.bindings, self.state.dialect, end=end)
            except self.world.apply_failed as error:
                interferes = f" It had just been taken away: {self.world.at_work()}" if error.errno == "EEXIST" else f" {_NEW_LAB}"
                raise Refusal(f"The lab could not be rebuilt for {place}. {error}{interferes}", code=4) from error
        self._stand_at(place)
        self.state = msgspec.structs.replace(self.state, touched=False, verdict=None, notices=(), by_tutor=end)
        self.own_changes.clear()
        self.history.moved(f"the lab was rebuilt for the {'end' if end else 'start'} of {place}", str(place))
        self.relive(snapshot)
        self.tell_status()
        if judging and not end:
            self.rejudge()
        return snapshot

    def _stand_at(self, place: Position) -> None:
        if place == self.state.position:
            return
        self.state = msgspec.structs.replace(self.state, position=place, verdict=None, by_tutor=False)
        self.remember(self.state.progress.at(place))
        self.refresh_goal()
        self.tell_status()

    def _to_run(self) -> Position | None:
        """The current step, or the next when the current one holds already; None at the course's end."""
        return after(self.state.course, self.state.position) if self.state.passed else self.state.position

    def _onward(self) -> str:
        if not self.state.passed:
            return ""
        following = after(self.state.course, self.state.position)
        return f"`next` goes on to {following}: {step_at(self.state.course, following).title}." if following else _LAST

    def _moved(self, text: str, ended: str = "") -> dict[str, Any]:
        """Where the lab is now. ``ended``: what that did to a drill; every view was told already."""
        return {"position": str(self.state.position), "title": self.state.step.title, "text": text, "ended": ended}

    def _target(self, text: str) -> Target:
        return resolve_in(self.state.course, self.courses, text, self.state.position)

    def _places(self, text: str) -> tuple[Position, ...]:
        return self._target(text).positions

    def _start_of(self, text: str) -> Position:
        return self._places(text)[0]

    def _end_of(self, text: str) -> Position:
        return self._places(text)[-1]

