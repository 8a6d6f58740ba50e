"""What a session knows and tells: the status, the current page, the watching judge, and the progress it keeps."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from ..course.bindings import Bindings
from ..course.compare import difference
from ..course.extras import extras
from ..course.judge import state_holds
from ..course.outline import lesson_actions, outline, owners
from ..course.progress import Progress
from ..course.step import Course, Position, Step, positions, step_at
from ..course.substitute import apply
from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from ..primitives.updown import LinkDown
from ..protocol import (
    CourseView,
    Entry,
    JourneyEvent,
    Message,
    NodeStatus,
    Notice,
    ProbeEvent,
    SnapshotEvent,
    Status,
    StatusEvent,
    VerdictEvent,
)
from ..sandbox.spaces import WayInto
from .history import History
from .judging import Case, judge_step, send
from .live import Burst, Live
from .pages import course_view, step_page, where_of
from .persist import OnFailure
from .state import State, actions_before, before, key, undone
from .world import World

WAITING_S = 0.5
"""How long the watching judge rests while what it waits for (STP takes 30 s) is not ready."""


class Desk:
    """Everything of a session that does not move the lab."""

    def __init__(self, name: str, world: World, courses: tuple[Course, ...], progress: Progress, save: Callable[[Progress], None]) -> None:
        self.name = name
        self.world = world
        self.courses = courses
        self.on_event: Callable[[Message], None] = lambda message: None
        self.turn = asyncio.Lock()
        self._save = save
        self._began = time.monotonic()
        self._judging: asyncio.Task[None] | None = None
        self._clients = 0
        course = courses[0]
        known = positions(course)
        place = progress.position(course.id)
        self.state = State(
            course,
            place if place in known else known[0],
            progress,
            progress.bindings(course.id),
            dialect=progress.dialect,
        )
        world.storms.stop = self._end_storm
        world.following.on_journey = lambda journey, skipped: self._tell(JourneyEvent(time.time(), journey, skipped))
        world.storms.on_failure = self._failing("The guard against broadcast storms could not do its work")
        world.following.on_failure = self._failing("The nodes could not be listened to, so no packet can be followed")
        lost_sight = self._failing("What is there now could not be looked at, so the picture is an old one")
        self.live = Live(world, self._tell, self._learner_changed, self._kernel_changed, lost_sight)
        self.history = History()
        self.own_changes: deque[Burst] = deque(maxlen=100)
        world.on_death = self._node_died

    async def status(self) -> Status:
        """Everything but the network itself."""
        return self._status()

    async def snapshot(self) -> Snapshot:
        """The state of every node, read now."""
        return await self.live.refresh() if not self.state.busy else await self.world.look()

    async def course_views(self) -> tuple[CourseView, ...]:
        """Every course with its ticks."""
        return tuple(course_view(course, self.state) for course in self.courses)

    async def introduction(self) -> tuple[Message, ...]:
        """What a new view needs to paint itself."""
        events: list[Message] = [StatusEvent(self._status()), SnapshotEvent(self.live.last, self.live.goal)]
        if self.state.verdict is not None:
            events.append(VerdictEvent(self.state.verdict))
        return tuple(events)

    async def entry(self, node: str) -> Entry:
        """The node, if it can be entered. Raises Refusal."""
        with self.world.way_into(node):
            return Entry(node)

    def way_into(self, node: str) -> WayInto:
        """The way into a node. Raises Refusal."""
        return self.world.way_into(node)

    async def send_probe(self, probe: Probe, must_reply: bool) -> Outcome:
        """One probe for whoever asks."""
        if self.world.ref(probe.node) is None:
            raise Refusal(f"there is no node {probe.node} in this lab", nearest=self.world.nearest(probe.node))
        await self.world.following.ready()
        outcome = await send(self.world, probe, must_reply=must_reply)
        self.probe_told(outcome, must_reply)
        return outcome

    async def explain(self, probe: Probe) -> Any:
        """Send one probe, follow it, and say where it died and why."""
        from .explaining import explained

        await self.world.look()
        if self.world.ref(probe.node) is None:
            raise Refusal(f"there is no node {probe.node} in this lab", nearest=self.world.nearest(probe.node))
        steps = {str(place) for course in self.courses for place in positions(course)}
        evidence, told = await explained(self.world, probe, self.case(self.state.position).owners, steps)
        self.probe_told(evidence.outcome, True)
        return told

    def watched(self, clients: int) -> None:
        """How many clients are connected now: nobody looks, nothing is polled."""
        self._clients = clients
        self.world.attend(clients > 0)

    def report(self, error: BaseException) -> None:
        """Keep the details of our own fault in the lab's log."""
        traceback.print_exception(error)

    def probe_told(self, outcome: Outcome, wanted: bool) -> None:
        """Tell the views what became of a probe."""
        self._tell(ProbeEvent(time.time(), outcome, wanted, self.world.following.journey_of(outcome)))

    async def _end_storm(self, node: str, link: str, text: str) -> None:
        """Frames go round in circles: switch one cable off, and say so."""
        with self.live.tutor_at_work(), contextlib.suppress(self.world.apply_failed):
            await self.world.apply_all((LinkDown(name=link, node=node),))
            await self.live.refresh()
        self.note(text)

    def note(self, text: str) -> None:
        """Something to remember until the lab is in order again."""
        self.state = msgspec.structs.replace(self.state, notices=(*self.state.notices, text))
        self._tell(Notice("warning", text))
        self.tell_status()

    def remember(self, progress: Progress) -> None:
        """Replace the progress and save it at once."""
        self.state = msgspec.structs.replace(self.state, progress=progress)
        self._save(progress)

    def tell_status(self) -> None:
        """Tell every view where we stand."""
        self._tell(StatusEvent(self._status()))

    def refresh_goal(self) -> None:
        """Outline the lesson's final picture, so that the drawing leaves room for it."""
        course, lesson = self.state.course, self.state.lesson
        actions = tuple(apply(action, self.state.bindings) for action in lesson_actions(course, lesson.id))
        self.live.set_goal(outline(self.world.baseline, actions))

    def case(self, place: Position, step: Step | None = None) -> Case:
        """What the judge must know to judge this step."""
        course, baseline = self.state.course, self.world.baseline
        step = step or step_at(course, place)
        asked = (*actions_before(course, place), *step.do)

        def beyond(snapshot: Snapshot, names: Bindings) -> tuple[str, ...]:
            return extras(snapshot, baseline, outline(baseline, tuple(apply(action, names) for action in asked)))

        def lapsed(snapshot: Snapshot, names: Bindings) -> str:
            return self._lapsed(place, snapshot, names)

        return Case(step, self.state.bindings, owners(outline(baseline, asked)), beyond, lapsed)

    def _lapsed(self, place: Position, snapshot: Snapshot, names: Bindings) -> str:
        """The first earlier result that is not there any more, in a sentence; "" when all hold."""
        earlier = [key(own) for own in before(self.state.course, place)]
        for gone in difference(self.state.course, earlier, snapshot, names, place):
            return f"Something from an earlier step ({gone.title!r}) is not so any more: {gone.claim}; seen: {gone.seen}."
        return ""

    @contextlib.asynccontextmanager
    async def busy(self, what: str) -> AsyncIterator[None]:
        """Say what is being done while it is being done."""
        outer = self.state.busy
        self.state = msgspec.structs.replace(self.state, busy=what)
        self.tell_status()
        try:
            yield
        finally:
            self.state = msgspec.structs.replace(self.state, busy=outer)
            self.tell_status()

    async def judge_now(self, *, by_tutor: bool = False) -> Verdict:
        """Judge the current step, earn its tick when it passes, and tell."""
        place, held = self.state.position, self.state.passed
        verdict, names = await judge_step(self.world, self.case(place), self.probe_told, self._state_told)
        with self.live.tutor_at_work() if by_tutor else contextlib.nullcontext():
            snapshot = await self.live.refresh()
        if self.state.position != place:
            return verdict
        completed = False
        if verdict.passed:
            completed = self._earn(place, names, newly=not held)
        changed = verdict != self.state.verdict
        self.state = msgspec.structs.replace(self.state, verdict=verdict)
        self.relive(snapshot)
        if changed or completed:
            self._tell(VerdictEvent(verdict, completed))
            self.tell_status()
        return verdict

    def _state_told(self, verdict: Verdict) -> None:
        """The state holds, its packets are on their way: show so, unless the step is shown as passed or as far as this already."""
        shown = self.state.verdict
        if shown is not None and shown.step == verdict.step and (shown.passed or _outline(shown) == _outline(verdict)):
            return
        self.state = msgspec.structs.replace(self.state, verdict=verdict)
        self._tell(VerdictEvent(verdict))

    def _earn(self, place: Position, names: Any, *, newly: bool) -> bool:
        """Tick the step, once for the tutor and once for the learner's own hands; ``newly``: it did not hold before. Whether it is the first."""
        course, progress, by_tutor = self.state.course.id, self.state.progress, self.state.by_tutor
        known = progress.step(key(place), course)
        first = known.earned is None
        if first or (newly and not by_tutor and not known.by_hand):
            progress = progress.earn(course, key(place), time.time(), by_tutor=by_tutor)
        if names != self.state.bindings:
            self.state = msgspec.structs.replace(self.state, bindings=names)
            progress = progress.bound(course, names)
        if progress != self.state.progress:
            self.remember(progress)
            self.refresh_goal()
        return first

    def relive(self, snapshot: Snapshot) -> None:
        """Which steps hold now, by their state: the live mark beside the earned tick."""
        state = self.state
        gone = undone(state.course, state.position)
        live = {
            key(place): key(place) in gone or state_holds(step_at(state.course, place), snapshot, state.bindings)
            for place in positions(state.course)
        }
        if live != state.live:
            self.state = msgspec.structs.replace(state, live=live)
            self.tell_status()

    def rejudge(self) -> None:
        """Judge again soon, unless a verb is at work or the learner plays."""
        if self.state.playing:
            return
        if self._judging is not None:
            self._judging.cancel()
        self._judging = asyncio.create_task(self._rejudge())

    async def hold_judging(self) -> None:
        """A verb begins: stop the watching judge."""
        task, self._judging = self._judging, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _rejudge(self) -> None:
        try:
            await self._watching()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.report(error)
            if crowded := self.world.crowded():
                self._tell(Notice("error", crowded))
                return
            text = f"The judge failed ({type(error).__name__}: {error}). That is our fault; your progress is kept; `goto` gets you past the step."
            self._tell(Notice("error", text))

    async def _watching(self) -> None:
        """What the watching judge does after a change: judge, and again while a port or carrier is still on its way."""
        while (await self.judge_now()).result == "waiting":
            await asyncio.sleep(WAITING_S)

    def _learner_changed(self, burst: Burst) -> None:
        self.own_changes.append(burst)
        self.state = msgspec.structs.replace(self.state, touched=True, by_tutor=False)
        self.history.saw(burst.changes, burst.after, where_of(burst.after, "host"), str(self.state.position))
        self.relive(burst.after)
        if not self.state.busy:
            self.rejudge()

    def _kernel_changed(self, snapshot: Snapshot) -> None:
        """What came by itself, a neighbour or MAC learned from a packet, completes a step that asks for just that: judge it again."""
        here = key(self.state.position)
        held = self.state.live.get(here)
        self.relive(snapshot)
        if not self.state.busy and self.state.live.get(here) != held:
            self.rejudge()

    def _node_died(self, name: str) -> None:
        what = "its namespace is held by the lab" if name == "internet" else "its namespace and every cable end in it went along"
        self.note(f"The process of {name} was killed: {what}. `reset step` brings everything back to the start of this step.")

    def _failing(self, what: str) -> OnFailure:
        """What to do when one of the lab's own tasks fails: keep the details, and say what does not go on for now."""

        def failed(error: Exception) -> None:
            self.report(error)
            told = self.world.crowded() or f"{what} ({type(error).__name__}: {error})."
            self._tell(Notice("error", f"{told} It is tried again until it works."))

        return failed

    def _tell(self, message: Message) -> None:
        self.on_event(message)

    def _status(self) -> Status:
        state, snapshot = self.state, self.live.last
        nodes = tuple(
            NodeStatus(node.name, node.role, node.pid, node.netns, self.world.outside_pid(node.pid), node.names) for node in snapshot.nodes
        )
        return Status(
            lab=self.name,
            agent_pid=self.world.agent_pid,
            mode="sandbox",
            position=str(state.position),
            course=course_view(state.course, state),
            page=step_page(state, snapshot),
            nodes=nodes,
            verdict=state.verdict,
            dialect=state.dialect,
            busy=state.busy,
            playing=state.playing,
            notices=state.notices,
            uptime_s=round(time.monotonic() - self._began, 1),
            clients=self._clients,
            bindings=state.bindings.words(),
            limits=self.world.limits,
        )


def _outline(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """What is claimed and how its state stands, whatever became of the packets."""
    return tuple((item.claim, item.result if item.kind == "state" else "") for item in verdict.items)
