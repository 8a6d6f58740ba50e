"""The nodes of one lab and everything that touches them: look, change, probe, purge. What the session does to the lab goes through here.

Changing happens on one thread of its own (netlink runs the whole operation inside send()); looking and probing on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from ..course.step import World as CourseWorld
from ..errors import ApplyError, Refusal
from ..ground import programs
from ..ground.ground import Ground, OnEnd
from ..ground.plan import missed, plan
from ..ground.tuning import Tuning
from ..kernel.read import NodeRef
from ..model.clearing import Things
from ..model.diff import diff
from ..model.evidence import Evidence
from ..model.needs import Lack
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from ..primitives.base import Action
from ..sandbox.room_files import Repaired
from ..sandbox.spaces import WayInto
from ..watching.following import Following
from ..watching.live import News
from ..watching.storm import StormGuard
from .origin import Origin
from .sight import Sight
from .untouched import Untouched

if TYPE_CHECKING:
    from ..ground.writing import Writer

T = TypeVar("T")


class World:
    """A ground with all that stands on it."""

    def __init__(self, ground: Callable[[OnEnd], Ground], following: Following, storms: StormGuard, on_death: Callable[[str], None]) -> None:
        """``ground`` makes it. ``following`` and ``storms`` are shown every look; ``on_death`` hears of a node whose process somebody killed."""
        self._ground = ground(self._ended)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mutator")
        self._sight = Sight(self._ground.refs, self._looked)
        self._origin = Origin(self._ground, self._on_thread)
        self._tuning = Tuning(self._ground)
        self._untouched = Untouched(self._ground)
        self._storms = storms
        self._on_death = on_death
        self.following = following
        self.agent_pid = self._ground.agent_pid
        self.limits = self._ground.limits
        self.course_world: CourseWorld | None = None
        self.written = 0
        """How often the tutor has written so far."""

    @cached_property
    def _writer(self) -> Writer:
        from ..ground.writing import Writer  # no lab needs it to be ready

        return Writer(self.ref, self._ground, self._ground.ledger)

    async def begin(self, wanted: CourseWorld) -> None:
        """Build the world of a course, all but what its nodes ``have``, listen to every node, and look how it is before anything is done."""
        await self._ground.build(wanted.containers, wanted.outside, wanted.hosts)
        await self._on_thread(lambda: None)  # its thread must be there before a fork bomb lets nobody have one
        self._sight.listen()
        self._origin.baseline = await self.look()
        self.course_world = wanted

    @property
    def baseline(self) -> Snapshot:
        """How every node is before the first step."""
        return self._origin.baseline

    async def begun(self) -> None:
        """Returns when all that a purge brings back is known: what anybody does from then on is not taken for how it was. Raises as ``Origin.known``."""
        await self._origin.known()

    async def become(self, wanted: CourseWorld) -> Repaired:
        """The world of another course in place of this one: all is put back and every container ended, then begun with those of that one.
        The same world again is made whole where somebody ended what is no container.

        Raises OSError with the kernel's reason; then the world is of no course until it becomes one.
        """
        before, self.course_world = self.course_world, None
        cleaned = await self.purge(wanted.containers, anew=before != wanted)
        if before is None or (before.outside, before.hosts) != (wanted.outside, wanted.hosts) or self._ground.ended():
            await self._ground.connect(wanted.outside, wanted.hosts)
        self._origin.baseline = await self.look()
        await self._writing(self._origin.keep)
        self.course_world = wanted
        return cleaned

    def stands(self, wanted: CourseWorld) -> bool:
        """Whether this is the world of a course, and whole but for its containers, which every ``purge`` starts again."""
        return self.course_world == wanted and not self._ground.ended()

    def lost(self) -> Things:
        """What somebody ended that would be there again, in words."""
        return Things(coming=tuple(f"the process of {name}" for name in self._ground.ended()))

    async def have(self, actions: tuple[Action, ...]) -> None:
        """What nodes have in this world beyond their beginning: it is there again after each ``purge``, and nobody's doing. Raises ApplyError."""
        if actions:
            await self.write(actions)
            self._origin.baseline = self.seen

    @property
    def news(self) -> News:
        """Counts what the kernel had to tell."""
        return self._sight.news

    @property
    def seen(self) -> Snapshot:
        """What the last look saw."""
        return self._sight.seen

    async def look(self) -> Snapshot:
        """Every node as it is now."""
        return await self._sight.look()

    async def latest(self, *, learned: bool = False) -> Snapshot:
        """What the last look saw, or a new one when there may be something new (``Sight``)."""
        return await self._sight.latest(learned=learned)

    async def changed(self, timeout_s: float) -> bool:
        """Wait for news that the last look has not seen; False when the time passed without any."""
        return await self._sight.changed(timeout_s)

    def _looked(self, snapshot: Snapshot, found: dict[str, NodeRef]) -> None:
        self._ground.release()
        self._tuning.appeared(snapshot, found)
        self.following.nodes(found, snapshot)
        self._storms.consider(snapshot, found)

    async def warm_up(self, modules: Iterable[str] = ()) -> None:
        """Make the first action as quick as the others, and so with whatever else needs these ``modules``."""

        def load() -> None:
            for module in modules:
                import_module(module)
            self._writer.warm_up()

        await self._in_thread(load)

    async def write(self, actions: Sequence[Action], *, onto: Snapshot | None = None) -> tuple[str, ...]:
        """Plan these actions, do them in order, and look: what was planned and is not there, in words.

        ``onto`` is what they are planned on where that is known better than by a look, because all was put back just now; then nothing is
        taken back when the kernel refuses one, as it is else. Raises ApplyError: before the first is done when a later one cannot be.
        """
        before = onto if onto is not None else await self.look() if len(actions) > 1 else self.seen
        made, since = plan(actions, before), self._writer.number
        with self._ground.hands_off():
            try:
                if made.steps:
                    await self._writing(lambda: self._writer.write(made))
            except ApplyError:
                if onto is None and self._writer.number > since + 1:
                    now = await self.look()
                    with contextlib.suppress(ApplyError):  # what was refused first is what there is to tell
                        await self._writing(lambda: self._writer.take_back(since, now))
                raise
        return missed(made, await self.look())

    def check(self, actions: Sequence[Action]) -> None:
        """Raises ApplyError when one of these cannot be done after the ones before it, as far as the last look tells. Nothing is done."""
        from ..ground.writing import check

        check(plan(actions, self.seen))

    async def purge(self, containers: tuple[str, ...], *, anew: bool = False) -> Repaired:
        """Back to the world before the first step, with exactly these containers running; with ``anew`` they and the internet in fresh namespaces.

        What of the lab's own files was missing, and what of all could not be put right.
        """
        if not anew and self._untouched.perhaps(containers) and not diff(self.baseline, await self.latest(learned=True)):
            return Repaired()
        known = {ref.namespace.inode for ref in self._ground.refs()}
        lost = await self._writing(lambda: self._restore(containers, anew))
        if anew:
            self._ground.hang_up()
        self._origin.brought_back()
        refs = tuple(self._sight.discover().values())
        own = {ref.namespace.inode: ref for ref in self._ground.refs()}
        new = {inode: ref for inode, ref in own.items() if inode not in known}
        passing = {ref.namespace.inode for ref in refs if ref.pid is None} - own.keys()
        bare = {inode for inode, ref in new.items() if ref.role == "container"}
        self.written += 1
        cleaning = self._on_thread(lambda: self._ground.purge(refs, self._origin.kept, bare, passing, new.keys() - bare))
        self._sight.reader.open(new.values())  # while the kernel lets links go
        problems = await cleaning
        self._tuning.begin_again(self.baseline)
        if anew:
            await self._ground.serve()
        if not problems:
            self._untouched.cleaned()
        return Repaired(lost, problems)

    def lacks(self, containers: Collection[str]) -> bool:
        """Whether one of these does not run: somebody ended it, perhaps a moment before it was to be kept, when it still seemed to."""
        return not {ref.name for ref in self._ground.refs()}.issuperset(containers)

    def _restore(self, containers: tuple[str, ...], anew: bool) -> tuple[str, ...]:
        """The first half of a purge: nobody but the nodes that are to be there, and what is remembered of them is theirs in other namespaces too. For
        the thread on which all that reads it is done, and in one go: whoever is in a hurry should not have to wait for each of its turns.
        """
        self._ground.clear_the_crowd()
        self._ground.end_strangers()
        lost = self._ground.restore(containers, self._origin.kept, anew=anew)
        self._ground.end_strangers()  # those who were guests of a node that has just ended
        self._origin.move()
        return lost

    async def repair(self) -> Repaired:
        """Put back what is missing or covered of the lab's own files."""
        return await self._in_thread(self._ground.repair)

    async def unseen(self, *, born: bool = True) -> Things:
        """What a purge would take away though no snapshot shows it, in words; ``born`` as in ``kernel.unseen``."""
        found, given_up = Things(), threading.Event()
        try:
            for ref in self._ground.refs():  # between two of them, whoever changes the kernel has his turn
                found += await self._in_thread(partial(self._unseen, ref, born, given_up.is_set))
        finally:
            given_up.set()
        return found

    async def made(self) -> Things:
        """The files that go with the lab, in words."""
        return await self._in_thread(self._ground.made)

    def _unseen(self, ref: NodeRef, born: bool, given_up: Callable[[], bool]) -> Things:
        from ..kernel.unseen import unseen  # no lab needs it to be ready

        return unseen(ref, self._origin.kept, self.seen, born=born, given_up=given_up) + self._ground.written(ref)

    async def ending(self, keep: Collection[str], *, anew: bool) -> Things:
        """The programs that a purge ends, in words; with ``anew`` the files that it takes away or gives back."""
        places = {ref.namespace.inode: ref.name for ref in self._sight.refs.values()}
        return await self._in_thread(lambda: self._ground.ending(keep, places, anew=anew))

    async def probe(self, probe: Probe, *, deadline_s: float, grace_s: float) -> Outcome:
        """Send one probe from its node, and follow it when the nodes are listened to."""
        from ..kernel import probe as probing  # no lab needs it to be ready

        refs = self._sight.refs
        self._sight.reader.catch_up()
        self._untouched.touched()
        return await self.following.probe(probe, lambda: probing.run(probe, refs, deadline_s=deadline_s, grace_s=grace_s), self.seen)

    async def investigate(self, probe: Probe) -> Evidence:
        """Send one probe once and gather every fact about what became of it."""
        self._sight.reader.catch_up()
        self._untouched.touched()
        return await self.following.investigate(probe, self._sight.refs, self._sight.reader)

    async def type_in_host(self, text: str, *, python: bool) -> str:
        """Type lines at a shell prompt of the host, or a program at Python's; what went wrong, in words, or ""."""
        with self._ground.hands_off():
            return await self._writing(lambda: self._writer.type_in(text, python=python))

    def pending(self, snapshot: Snapshot, within_s: float = math.inf) -> tuple[str, ...]:
        """What is not ready for packets yet and may be within so many seconds, in words; what only waits for the kernel's attention is ready at
        the next look.
        """
        from ..kernel.probe.ready import pending

        self._sight.reader.catch_up()
        return pending(snapshot, within_s)

    def ref(self, name: str) -> NodeRef:
        """The way to a node. Raises Refusal, with the names that were perhaps meant."""
        if (ref := self._sight.refs.get(name)) is not None:
            return ref
        import difflib  # for who asked for what there is not

        nearest = tuple(difflib.get_close_matches(name, self._sight.refs, n=3, cutoff=0.3)) or tuple(self._sight.refs)
        raise Refusal(f"there is no node {name} in this lab", nearest=nearest)

    def way_into(self, name: str) -> WayInto:
        """The way into a node. Raises Refusal."""
        self._untouched.touched()
        return self._ground.way_into(self.ref(name))

    def outside_pid(self, pid: int | None) -> int | None:
        """A process of the lab as the machine outside numbers it."""
        return self._ground.outside_pid(pid)

    def attend(self, watched: bool) -> None:
        """Whether somebody looks: else nothing is polled for, and nothing listened to."""
        self.following.attend(watched)
        self._sight.attend(watched)

    def at_work(self) -> str:
        """That somebody in the lab interferes, and which processes it may be, in a sentence."""
        who = ", ".join(programs.numbered({ref.pid for ref in self._ground.refs()}))
        return f"something in the lab makes it again and again. End it first; at work now: {who or 'nobody that can be seen'}."

    async def lacking(self, needs: Iterable[str]) -> tuple[Lack, ...]:
        """What the machine lacks of these ``model.needs``; nothing is tried for none."""
        wanted = tuple(dict.fromkeys(needs))
        return await self._in_thread(lambda: self._ground.lacking(wanted)) if wanted else ()

    def crowded(self) -> str:
        """That the lab is too full of processes to start another, in words; "" when it is not."""
        return self._ground.crowded()

    def _ended(self, name: str, expected: bool) -> None:
        self._untouched.touched()
        self._sight.unheard()
        if not expected:
            self._on_death(name)

    async def end_marked(self, mark: str) -> None:
        """End the processes that were started with this variable in their environment; they have ended when this returns."""
        await self._in_thread(partial(self._ground.end_marked, mark))

    async def _writing(self, work: Callable[[], T]) -> T:
        """In the thread, and what is found to differ after it is the tutor's doing."""
        self._untouched.touched()
        self.written += 1
        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        await self.begun()
        return await self._on_thread(work)

    def _on_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)
