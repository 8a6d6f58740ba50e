"""What every verb and every mode needs: the lab, where the learner stands in it, and how the views are told."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Final

import msgspec

from ..course.bindings import Bindings, apply
from ..course.catalog import Library
from ..course.further import Lacking
from ..course.outline import lesson_actions, outline
from ..course.progress import Progress
from ..course.step import Course, positions
from ..errors import ApplyError, for_want_of_room
from ..ground.pretend import PretendHost
from ..model.journey import Journey
from ..model.loops import loops
from ..model.snapshot import Snapshot
from ..primitives.updown import LinkDown
from ..protocol import ChangeLine, ChangesEvent, JourneyEvent, Message, Notice
from ..sandbox.pid1 import Room
from ..sandbox.reaper import Reaper
from ..watching.following import Following
from ..watching.live import Deed, Live
from ..watching.persist import OnFailure
from ..watching.storm import StormGuard
from ..watching.unseen import Unseen
from .history import History
from .mode import Mode
from .moves import Moves
from .past import Past
from .state import Ran, State, stood, undone
from .views import Views
from .watch import WatchingJudge
from .world import World

Save = Callable[[Progress], None]
Tell = Callable[[Message], None]


MOST_CHANGES: Final = 100
"""Of the learner's changes so many can be taken back one by one."""


class Stage:
    """One lab with one learner. ``mode`` says what judging and help mean now; ``lesson`` is the mode to come back to."""

    def __init__(
        self,
        room: Room,
        reaper: Reaper,
        library: Library,
        course: Course,
        progress: Progress,
        save: Save,
        tell: Tell,
        lesson: Callable[[Stage], Mode],
    ) -> None:
        """``course`` of the ``library`` is begun with. ``save`` keeps the progress, ``tell`` tells every view; ``lesson`` makes the mode to
        begin in.
        """
        self.name = room.lab
        self.library = library
        self.past = Past(tell)
        self.tell = tell = self.past.tell
        self._save = save
        self.views = Views(self)
        self.moved = 0
        """Grows with whatever moves the lab (``Move``)."""
        self._looked = False
        self._lacking = Lacking(course, Snapshot())
        self.state = State(course, stood(course, progress), progress, progress.bindings(course.id), dialect=progress.dialect)
        deaf = self._failing("The nodes could not be listened to, so no packet can be followed")
        unguarded = self._failing("The guard against broadcast storms could not do its work")
        blind = self._failing("What is there now could not be looked at, so the picture is an old one")
        following = Following(self._journey_heard, deaf, lambda text: tell(Notice("warning", text)))
        self.world = World(partial(PretendHost, room, reaper), following, StormGuard(self._end_storm, unguarded), self._node_died)
        self.live = Live(self.world, tell, self._learner_changed, self._kernel_changed, blind)
        old = self._failing("What no picture shows could not be looked at, so a verdict may be an old one")
        self.unseen = Unseen(self.world, self._unseen_changed, old)
        self.moves = Moves(self.world, self.live)
        self.history = History()
        self.own_changes: deque[Deed | None] = deque()
        """What the learner changed since the lab was last known to be in a clean state; None for what has no plain opposite."""
        self.ran: deque[Ran] = deque(maxlen=MOST_CHANGES)
        """What the tutor did on such a lab."""
        self.built_on = False
        """Whether the tutor went on from a lab with such changes in it: they are there still, and ``own_changes`` has only what came after."""
        self.judge = WatchingJudge(self._watch)
        self.lesson = self.mode = lesson(self)

    def enter(self, mode: Mode) -> None:
        """From now on the lab is for this. What was judged in another mode, and not to its end, is nobody's question any more."""
        self.judge.due &= mode is self.mode
        self.mode = mode

    def attend(self, watched: bool) -> None:
        """Whether somebody watches: else nothing is polled."""
        self.world.attend(watched)
        self.unseen.attend(watched)

    def report(self, error: BaseException) -> None:
        """Keep the details of our own fault in the lab's log."""
        traceback.print_exception(error)

    def full(self, error: BaseException) -> str:
        """That nothing more can be started, where that may be why something failed, in words; "" when it is not."""
        return self.world.crowded() or for_want_of_room(error)

    def note(self, text: str) -> None:
        """Something to remember until the lab is in order again."""
        self.state = msgspec.structs.replace(self.state, notices=self.state.notices.and_also(text))
        self.tell(Notice("warning", text))
        self.views.tell_status()

    def remember(self, progress: Progress) -> None:
        """Replace the progress and save it at once."""
        self.state = msgspec.structs.replace(self.state, progress=progress)
        self._save(progress)

    def refresh_goal(self) -> None:
        """Outline the lesson's final picture, so that the drawing leaves room for it."""
        course, lesson = self.state.course, self.state.lesson
        actions = tuple(apply(action, self.state.bindings) for action in lesson_actions(course, lesson.id))
        self.live.set_goal(outline(self.world.baseline, actions))

    @contextlib.asynccontextmanager
    async def busy(self, what: str) -> AsyncIterator[contextlib.ExitStack]:
        """Say what is being done while it is being done. What is entered into the stack lasts until that was said to be over."""
        outer = self.state.busy
        self.state = msgspec.structs.replace(self.state, busy=what)
        self.views.tell_status()
        with contextlib.ExitStack() as until_over:
            try:
                yield until_over
            finally:
                self.state = msgspec.structs.replace(self.state, busy=outer)
                self.moved += not outer
                self.views.tell_status()

    @property
    def lacking(self) -> Lacking:
        """What steps of the course lack in what was seen last."""
        return self.lacking_in(self.live.last, self.state.bindings)

    def lacking_in(self, snapshot: Snapshot, bindings: Bindings) -> Lacking:
        """The same in a snapshot, in these words: the judge looks, and what it has seen is then the last look."""
        asked = self.state.course, snapshot, bindings
        if not self._lacking.is_of(*asked):
            self._lacking = Lacking(*asked)
        return self._lacking

    def relive(self) -> None:
        """Which steps hold now, by their state: the live mark beside the earned tick."""
        state, lacking, gone = self.state, self.lacking, undone(self.state.course, self.state.position)
        live = {place.key: place.key in gone or lacking.at(place) is None for place in positions(state.course)}
        if live != state.live:
            self.state = msgspec.structs.replace(state, live=live)
            self.views.tell_status()

    def rejudge(self, *, looked: bool = False, patient: bool = False) -> None:
        """Judge again soon, where what changes is judged. ``looked``: the last look was just now; ``patient``: see ``WatchingJudge``."""
        if self.mode.watches:
            self._looked = looked
            self.judge.soon(patient=patient)

    async def hold_judging(self) -> None:
        """A verb begins: stop the watching judge, and the look at what no picture shows."""
        self.unseen.hold()
        await self.judge.hold()

    @contextlib.contextmanager
    def verb(self) -> Iterator[None]:
        """What a verb does. However it ends, what it stopped and has not judged itself is judged anew, and so is what it has written when it failed."""
        written = self.world.written
        try:
            yield
        except BaseException:
            self.judge.failed(changed=self.world.written != written)
            raise
        finally:
            if self.judge.due:
                self.rejudge(patient=True)

    async def handed_over(self) -> None:
        """Returns when what the tutor has written is known, so that what somebody else does next is not taken for it; when it is at work, at once:
        until its work ends nobody could tell them apart, and that may take as long as a command of a step does.
        """
        known, working = asyncio.create_task(self.unseen.known()), asyncio.create_task(self.live.work_begun())
        try:
            done, _ = await asyncio.wait((known, working), return_when=asyncio.FIRST_COMPLETED)
        finally:
            known.cancel()
            working.cancel()
        if known in done:
            known.result()

    async def look(self) -> Snapshot:
        """What is there now, for a verb: a change that is seen is not judged beside it, but ``due``."""
        await self.live.refresh()
        await self.hold_judging()
        return self.live.last

    async def passes(self) -> bool:
        """Whether the current step holds. What is ``due`` is judged first, unless the mode judges nothing."""
        await self.look()
        if self.judge.due and self.mode.watches:
            await self.mode.judge(looked=True)
        return self.state.passed

    async def _watch(self) -> None:
        """One turn of the watching judge, in whatever mode."""
        try:
            looked, self._looked = self._looked, False
            await self.mode.watch(looked=looked)
        except Exception as error:
            self.report(error)
            ours = f"The judge failed ({type(error).__name__}: {error}). That is our fault; your progress is kept; `goto` gets you past the step."
            self.tell(Notice("error", self.full(error) or ours))

    def _learner_changed(self, deed: Deed) -> None:
        self._changed(deed)
        self.history.saw(deed.changes, deed.before, deed.after, str(self.state.position))
        self.mode.on_change(deed.after, by_somebody=True)
        self.views.tell_what_is_offered()

    def _unseen_changed(self, came: tuple[str, ...], went: tuple[str, ...]) -> None:
        """What no snapshot holds may stop a packet, or let it pass. What changes while the tutor works is the tutor's own."""
        if self.state.busy:
            return
        self._changed(None)
        lines = (*came, *(f"no longer: {line}" for line in went))
        self.tell(ChangesEvent(time.time(), "learner", tuple(ChangeLine(line) for line in lines)))
        self.views.tell_what_is_offered()
        self.rejudge()

    def _changed(self, deed: Deed | None) -> None:
        self.own_changes.append(deed)
        if len(self.own_changes) > MOST_CHANGES:
            self.own_changes.popleft()
            self.own_changes[0] = None
        self.state = msgspec.structs.replace(self.state, by_tutor=False)

    def _kernel_changed(self, snapshot: Snapshot) -> None:
        self.mode.on_change(snapshot, by_somebody=False)
        self.views.tell_what_is_offered()

    def _journey_heard(self, journey: Journey, skipped: int) -> None:
        self.tell(JourneyEvent(time.time(), journey, skipped))

    def _node_died(self, name: str) -> None:
        node = self.live.last.node(name)
        held = node is not None and node.role != "container"
        what = "its namespace is held by the lab" if held else "its namespace and every cable end in it went along"
        self.note(f"The process of {name} was killed: {what}. `reset step` brings everything back to the start of this step.")

    async def _end_storm(self, node: str, link: str, text: str) -> None:
        """Frames go round in circles: switch one cable off, and say so. One that closes no circle by now is not: a rebuild may have been at work,
        and the link be another of that name. Frames that still circle are counted on.
        """
        down = LinkDown(name=link, node=node)
        async with self.live.tutor_at_work():
            if not any((node, link) in loop.ports for loop in loops(self.world.seen)):
                return
            before_it = self.live.last
            try:
                await self.world.write((down,))
            except ApplyError:
                return
            self.live.show()
            self.history.did((down,), before_it, down.sentence(), str(self.state.position))
        self.note(text)
        self.mode.on_change(self.live.last, by_somebody=True)

    def _failing(self, what: str) -> OnFailure:
        """What to do when one of the lab's own tasks fails: keep the details, and say what does not go on for now."""

        def failed(error: Exception) -> None:
            self.report(error)
            full = self.full(error)
            told = f"{what}. {full}" if full else f"{what} ({type(error).__name__}: {error})."
            self.tell(Notice("error", f"{told} It is tried again until it works."))

        return failed
