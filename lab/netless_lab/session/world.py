"""The nodes of one lab and everything that touches them: look, change, probe, purge. What the session does to the lab goes through here.

Changing happens on one thread of its own (netlink runs the whole operation inside send()); looking and probing on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
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
from ..kernel.beginning import UNKNOWN, Beginning, NodeBeginning, begin, forget, remember
from ..kernel.discover import Discovery
from ..kernel.namespace import Namespace, call_in_new
from ..kernel.read import NodeRef, Reader
from ..kernel.watch import Watch
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
from .untouched import Untouched

if TYPE_CHECKING:
    from ..ground.writing import Writer

T = TypeVar("T")


class World:
    """A ground with all that stands on it."""

    def __init__(self, ground: Callable[[OnEnd], Ground], following: Following, storms: StormGuard, on_death: Callable[[str], None]) -> None:
        """``ground`` makes it. ``following`` and ``storms`` are shown every look; ``on_death`` hears of a node whose process somebody killed."""
        self._ground = own = ground(self._ended)
        self._refs: dict[str, NodeRef] = {ref.name: ref for ref in own.refs()}
        self._discovery = Discovery()
        self._reader = Reader()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mutator")
        self.news = News()
        self.written = 0
        """How often the tutor has written so far."""
        self._looked, self._looked_at = 0, 0.0
        self._watch = Watch(asyncio.get_running_loop(), self.news.tell, self._learned)
        self._watched = False
        self._tuning, self._untouched = Tuning(own), Untouched(own)
        self.agent_pid, self.limits = own.agent_pid, own.limits
        self.course_world: CourseWorld | None = None
        self.baseline = self._seen = Snapshot()
        self._beginning = Beginning(self.baseline, {}, UNKNOWN)
        self._begun: asyncio.Future[None] | None = None
        self.following, self._storms, self._on_death = following, storms, on_death

    @cached_property
    def _writer(self) -> Writer:
        from ..ground.writing import Writer  # no lab needs it to be ready

        return Writer(self.ref, self._ground, self._ground.ledger)

    async def begin(self, wanted: CourseWorld) -> None:
        """Build the world of a course, all but what its nodes ``have``, listen to every node, and look how it is before anything is done."""
        await self._ground.build(wanted.containers, wanted.outside, wanted.hosts)
        await self._on_thread(lambda: None)  # its thread must be there before a fork bomb lets nobody have one
        self._refs = {ref.name: ref for ref in self._ground.refs()}
        self._watch.add(*self._refs.values())
        self.baseline = await self.look()
        self.course_world = wanted

    async def begun(self) -> None:
        """Returns when all that a purge brings back is known. Raises what kept it from being read, OSError first of all; who needs it next tries again.

        That takes as long as all the rest of ``begin``, so it is read when it is first needed. Until then everything is as it was: nobody comes in
        before, and nothing is done (``_in_thread``).
        """
        if self._begun is None:
            self._begun = self._on_thread(self._begin_here)
            self._begun.add_done_callback(self._read)
        await asyncio.shield(self._begun)

    def _read(self, reading: asyncio.Future[None]) -> None:
        """A failure is forgotten here, and not by who waits: he may have gone."""
        if reading.cancelled() or reading.exception() is not None:
            self._begun = None

    async def become(self, wanted: CourseWorld) -> Repaired:
        """The world of another course in place of this one: all is put back and every container ended, then begun with those of that one.
        The same world again is made whole where somebody ended what is no container.

        Raises OSError with the kernel's reason; then the world is of no course until it becomes one.
        """
        before, self.course_world = self.course_world, None
        cleaned = await self.purge(wanted.containers, anew=before != wanted)
        if before is None or (before.outside, before.hosts) != (wanted.outside, wanted.hosts) or self._ground.ended():
            await self._ground.connect(wanted.outside, wanted.hosts)
        self.baseline = await self.look()
        await self._writing(self._begin_here)
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
            self.baseline = self._seen

    def _begin_here(self) -> None:
        """Keep how every node is now, and how a container is that nobody has touched. For the thread on which all that reads it is done."""
        self._ground.remember()
        refs = self._ground.refs()
        bare = None if any(ref.role == "container" for ref in refs) else call_in_new(self._bare)
        before, self._beginning = self._beginning, begin(refs, self.baseline, bare)
        forget(before)

    def _bare(self) -> NodeBeginning:
        self._ground.settle()
        return remember(Namespace.own())

    async def look(self) -> Snapshot:
        """Every node as the kernel has it now; nodes that came or went are noticed here. What the kernel has only noted of carriers it does before:
        else whoever asks it for readiness would make news of it, and all would have to be looked at again. Nothing counts as seen when this fails.
        """
        begun, found = self._about_to_look()
        if self._reader.foresee():
            self._reader.catch_up()
            begun, found = self._about_to_look()
        snapshot = self._seen = self._reader.snapshot(tuple(found.values()))
        self._looked, self._looked_at = begun
        self._ground.release()
        self._tuning.appeared(snapshot, self._refs)
        self.following.nodes(found, snapshot)
        self._storms.consider(snapshot, found)
        return snapshot

    def _about_to_look(self) -> tuple[tuple[int, float], dict[str, NodeRef]]:
        """When a look begins, by news and clock: what the kernel told before is not told after it, what it tells from now on is. And every node there is."""
        self._watch.heard()
        begun = self.news.count, time.monotonic()
        found = self._discover()
        self._watch.only(*found.values())
        return begun, found

    def _discover(self) -> dict[str, NodeRef]:
        """Every node there is now, whatever is in it."""
        self._refs = {ref.name: ref for ref in self._discovery.scan(self._ground.refs())}
        return self._refs

    @property
    def seen(self) -> Snapshot:
        """What the last look saw."""
        return self._seen

    async def latest(self, *, learned: bool = False) -> Snapshot:
        """What the last look saw, or a new one when the kernel has had something to tell since; what packets taught counts when all of a train has
        come, or ``learned`` at once. Some changes it never tells of (``kernel.watch``).
        """
        return self._seen if self._told_nothing(learned=learned) else await self.look()

    def _told_nothing(self, *, learned: bool) -> bool:
        return self._watch.heard(learned=learned) <= self._looked_at

    def _learned(self) -> None:
        """Packets have taught something, which whoever looks next must see unless the last look did."""
        if not self._told_nothing(learned=True):
            self._unheard()

    def _unheard(self) -> None:
        """There may be something to see that the watch has not heard of."""
        self._looked_at = -math.inf
        self.news.tell()

    async def changed(self, timeout_s: float) -> bool:
        """Wait for news from the kernel that the last look has not seen; False when the time passed without any."""
        return await self.news.beyond(self._looked, timeout_s)

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
        before = onto if onto is not None else await self.look() if len(actions) > 1 else self._seen
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

        check(plan(actions, self._seen))

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
        self.baseline = self._beginning.snapshot
        refs = tuple(self._discover().values())
        own = {ref.namespace.inode: ref for ref in self._ground.refs()}
        new = {inode: ref for inode, ref in own.items() if inode not in known}
        passing = {ref.namespace.inode for ref in refs if ref.pid is None} - own.keys()
        bare = {inode for inode, ref in new.items() if ref.role == "container"}
        self.written += 1
        cleaning = self._on_thread(lambda: self._ground.purge(refs, self._beginning, bare, passing, new.keys() - bare))
        self._reader.open(new.values())  # while the kernel lets links go
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
        lost = self._ground.restore(containers, self._beginning, anew=anew)
        self._ground.end_strangers()  # those who were guests of a node that has just ended
        self._beginning = self._beginning.moved(self._ground.refs())
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

        return unseen(ref, self._beginning, self._seen, born=born, given_up=given_up)

    async def ending(self, keep: Collection[str], *, anew: bool) -> Things:
        """The programs that a purge ends, in words; with ``anew`` the files that it takes away or gives back."""
        places = {ref.namespace.inode: ref.name for ref in self._refs.values()}
        return await self._in_thread(lambda: self._ground.ending(keep, places, anew=anew))

    async def probe(self, probe: Probe, *, deadline_s: float, grace_s: float) -> Outcome:
        """Send one probe from its node, and follow it when the nodes are listened to."""
        from ..kernel import probe as probing  # no lab needs it to be ready

        refs = self._refs
        self._reader.catch_up()
        self._untouched.touched()
        return await self.following.probe(probe, lambda: probing.run(probe, refs, deadline_s=deadline_s, grace_s=grace_s), self._seen)

    async def investigate(self, probe: Probe) -> Evidence:
        """Send one probe once and gather every fact about what became of it."""
        self._reader.catch_up()
        self._untouched.touched()
        return await self.following.investigate(probe, self._refs, self._reader)

    async def type_in_host(self, text: str, *, python: bool) -> str:
        """Type lines at a shell prompt of the host, or a program at Python's; what went wrong, in words, or ""."""
        with self._ground.hands_off():
            return await self._writing(lambda: self._writer.type_in(text, python=python))

    def pending(self, snapshot: Snapshot, within_s: float = math.inf) -> tuple[str, ...]:
        """What is not ready for packets yet and may be within so many seconds, in words; what only waits for the kernel's attention is ready at
        the next look.
        """
        from ..kernel.probe.ready import pending

        self._reader.catch_up()
        return pending(snapshot, within_s)

    def ref(self, name: str) -> NodeRef:
        """The way to a node. Raises Refusal, with the names that were perhaps meant."""
        if (ref := self._refs.get(name)) is not None:
            return ref
        import difflib  # for who asked for what there is not

        nearest = tuple(difflib.get_close_matches(name, self._refs, n=3, cutoff=0.3)) or tuple(self._refs)
        raise Refusal(f"there is no node {name} in this lab", nearest=nearest)

    def way_into(self, name: str) -> WayInto:
        """The way into a node. Raises Refusal."""
        self._untouched.touched()
        return self._ground.way_into(self.ref(name))

    def outside_pid(self, pid: int | None) -> int | None:
        """A process of the lab as the machine outside numbers it."""
        return self._ground.outside_pid(pid)

    def attend(self, watched: bool) -> None:
        """Whether somebody looks: only then are the silent changes polled for. What was silent before that, or until it ended, is looked for once."""
        self._watch.attend(watched)
        self.following.attend(watched)
        if watched != self._watched:
            self._watched = watched
            self._unheard()

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
        self._unheard()
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
