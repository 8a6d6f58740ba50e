"""The ground that a sandbox is: a pretend host with its own namespace, the internet behind it, and containers that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from ..errors import Refusal
from ..kernel.beginning import Beginning
from ..kernel.names import read_names
from ..kernel.namespace import Namespace, call_in_new, call_me
from ..kernel.read import NodeRef
from ..kernel.settings import INHERITED
from ..model.clearing import Things
from ..model.needs import Lack
from ..model.outside import FarHost, Outside
from ..model.snapshot import Role
from ..sandbox import container, internet, limits, tune
from ..sandbox.pid1 import Room
from ..sandbox.reaper import Reaper
from ..sandbox.room_files import Repaired, RoomFiles
from ..sandbox.spaces import Spaces, WayInto
from ..sandbox.way import Way
from . import programs
from .ground import OnEnd
from .ledger import Ledger, Memory, NotRestored, Restoring, Tuned
from .means import Means

if TYPE_CHECKING:
    from ..kernel.sweep import Sweep

MANY = 100
"""More processes and threads than a lab has in which no program runs wild."""
STOP_S = 1.0
"""How long a killed container may take to be gone."""


class _Life:
    """Of a node's process: whether it has ended, and whether the lab wanted that."""

    __slots__ = ("ended", "wanted")

    def __init__(self) -> None:
        self.ended, self.wanted = threading.Event(), False


class PretendHost:
    """Everything in it is the lab's own: it may tune, end and name whatever is there, and all of it ends with the lab."""

    def __init__(self, room: Room, reaper: Reaper, on_end: OnEnd) -> None:
        """``on_end`` hears of every process of a node that has ended."""
        self.agent_pid = room.pid
        self.limits = str(room.limits)
        self._limits = room.limits
        self._outer = room.outer
        self._reaper = reaper
        self.ledger: Ledger = Memory()
        self._means = Means()
        self._lock = threading.Lock()
        self._refs: dict[str, NodeRef] = {"host": NodeRef("host", "host", Namespace.own(), os.getpid())}
        self._lives: dict[str, _Life] = {}
        self._gone: list[NodeRef] = []
        self._begun: Sweep | None = None
        self._unrepaired: tuple[str, ...] = ()
        """What of the lab's own files could not be put back, for the ``purge`` that comes next to tell."""
        self._outside: Outside | None = None
        self._servers: internet.Servers | None = None
        self._on_end = on_end

    @cached_property
    def _room_files(self) -> RoomFiles:
        return RoomFiles()

    def remember(self) -> None:
        """Look at the room's own files."""
        self._room_files  # noqa: B018  (that is done when they are first asked for)

    async def build(self, containers: tuple[str, ...], outside: Outside, hosts: tuple[FarHost, ...] = ()) -> None:
        """The world before the first step."""
        await self.connect(outside, hosts)
        for name in containers:
            self.launch(name)

    async def connect(self, outside: Outside, hosts: tuple[FarHost, ...]) -> None:
        """Have this outside behind the host, with these further hosts, in place of what there is. Raises OSError."""
        self.hang_up()
        self._disconnect()
        self._outside = outside
        net = internet.build(outside, hosts)
        self._add(net.node, "internet")
        for far in net.hosts:
            self._add(far, "host")
        self._servers = await net.serve()
        with self._lock:
            first = {name: place for place, name in enumerate(("host", internet.NODE, *(far.name for far in net.hosts)))}
            self._refs = dict(sorted(self._refs.items(), key=lambda item: first.get(item[0], len(first))))

    def ended(self) -> tuple[str, ...]:
        """The internet and further hosts whose process somebody ended: their namespaces are held here, and nobody can enter them."""
        with self._lock:
            return tuple(ref.name for ref in self._refs.values() if ref.pid is None)

    def _disconnect(self) -> None:
        """End the outside there is, if any: its processes, its namespaces and the cable to it."""
        with self._lock:
            ending = [ref for ref in self._refs.values() if ref.role == "internet" or (ref.role == "host" and ref.pid != os.getpid())]
            for ref in ending:
                del self._refs[ref.name]
            self._gone += ending
        for ref in ending:
            self._kill(ref)
        if ending:
            internet.unplug()

    def refs(self) -> tuple[NodeRef, ...]:
        """The nodes the lab itself made, host first; one whose process was collected has none, since its number may be another's by now."""
        with self._lock:
            return tuple(self._refs.values())

    def launch(self, name: str) -> NodeRef:
        """Start a container with only ``lo``; one that runs already is kept."""
        with self._lock:
            known = self._refs.get(name)
        return known if known is not None else self._add(container.launch(name), "container")

    def stop(self, name: str) -> None:
        """End a container; returns when its process is gone."""
        with self._lock:
            ref = self._refs.get(name)
        if ref is not None and ref.role == "container":
            self._kill(ref)
            self._await_end(ref)

    def _kill(self, *refs: NodeRef) -> None:
        """End the processes of nodes that have one of their own, if they have not ended."""
        for ref in refs:
            if ref.pid is not None:
                self._lives[ref.name].wanted = True
                self._reaper.end(ref.pid)

    def _await_end(self, *refs: NodeRef) -> None:
        """Returns when all are gone, within ``STOP_S`` each."""
        for ref in refs:
            if threading.current_thread() is not threading.main_thread():
                self._lives[ref.name].ended.wait(STOP_S)
            self._let_go(ref)

    def _let_go(self, ref: NodeRef) -> None:
        """No node of the lab any more, if it still is one: ``release`` closes it."""
        with self._lock:
            if self._is_node(ref):
                self._gone.append(self._refs.pop(ref.name))

    def _is_node(self, ref: NodeRef) -> bool:
        """Whether the node of this name is this one, and not one in its place; with the lock."""
        return ref.name in self._refs and self._refs[ref.name].namespace is ref.namespace

    def hands_off(self) -> AbstractContextManager[None]:
        """While inside, the reaper leaves children that nobody watches to whoever started them."""
        return self._reaper.hands_off()

    def tune(self, links: tuple[str, ...], node: NodeRef, *, new: bool) -> None:
        """Neighbour timers for new devices: an unanswered ARP takes 0.1 s, not 3 s. A new node says all its ICMP errors. Raises OSError."""
        self.ledger.write(Tuned(node.name, links, new))
        tune.tune_all(links, node.namespace.fileno(), new=new)

    def settle(self) -> None:
        """No limit on ICMP errors. Raises OSError."""
        tune.lift_limits()

    def end_strangers(self) -> None:
        """End the processes that hold namespaces no lesson made; names of such namespaces go with the purge. Takes a thread that may wait."""
        programs.end_outside({ref.namespace.inode for ref in self.refs()})

    def end_marked(self, mark: str) -> None:
        """End the processes that were started with this variable in their environment. Takes a thread that may wait."""
        programs.end_marked(mark)

    def lacking(self, needs: Iterable[str]) -> tuple[Lack, ...]:
        """What this machine lacks of these ``model.needs``, tried in namespaces that nobody else sees. Takes a thread that may wait."""
        with self._reaper.hands_off():
            return self._means.lacking(needs)

    def crowded(self) -> str:
        """That so many processes and threads run here that no more may be started soon, in words; "" when not."""
        try:
            tasks = limits.tasks()
        except OSError:  # out of open files, which is another trouble
            return ""
        if not self._limits.processes or tasks < self._limits.processes // 2:
            return ""
        return (
            f"The lab is full: {tasks} processes and threads run in it ({self.limits}), so nothing new can start. `reset step` ends them all and puts the "
            "lab back to the start of this step."
        )

    def alone(self) -> bool:
        """Whether the processes of the nodes are all there are."""
        try:
            return set(limits.processes()) <= {ref.pid for ref in self.refs()}
        except OSError:  # out of open files
            return False

    def _has_a_crowd(self) -> bool:
        """Whether nothing more can be started for all that runs: a fork bomb, most likely.

        How much may run is first what it was: somebody may have lowered it (``kernel.pid_max``), and then there is no crowd.
        """
        self._room_files.have_room()
        return bool(self.crowded()) or (limits.tasks() > MANY and not self._another_may_start())

    def clear_the_crowd(self) -> None:
        """End everything but the nodes when nothing more can be started for all that runs. Takes a thread that may wait."""
        if self._has_a_crowd():
            limits.end_others(frozenset(ref.pid for ref in self.refs() if ref.pid is not None))

    def _another_may_start(self) -> bool:
        with self._reaper.hands_off():
            return limits.another_may_start(self._limits.for_visitors)

    def _ending_without(self, containers: Collection[str], *, anew: bool) -> list[NodeRef]:
        """The nodes that end when just these containers are to run: with ``anew`` all but the host; else containers, also who is ending already."""
        def goes(ref: NodeRef) -> bool:
            return ref.role == "container" and (ref.name not in containers or (ref.pid is not None and limits.is_ending(ref.pid)))

        return [ref for ref in self.refs() if ref.pid != os.getpid() and (anew or goes(ref))]

    def ending(self, containers: Collection[str], places: Mapping[int, str], *, anew: bool) -> Things:
        """The programs that a ``restore`` and the ``end_strangers`` after it end, in words: those of nodes that end with it, and those in no node, or
        all where they are so many that nothing more can be started; with ``anew`` the files that it takes away or gives back. ``places`` are the
        names of network namespaces, by inode. Takes a thread that may wait.
        """
        nodes, ending = self.refs(), self._ending_without(containers, anew=anew)
        staying = set() if self._has_a_crowd() else {ref.namespace.inode for ref in nodes if ref not in ending}
        going = programs.outside(staying, {ref.pid for ref in nodes}, places)
        return Things(going) + (self._room_files.differing() if anew else Things())

    def written(self, ref: NodeRef) -> Things:
        """What was written into files of a node's own that every ``restore`` gives their text back, in words."""
        if ref.pid in (None, os.getpid()):
            return Things()
        try:
            return Things(tuple(f"what is written in {path} in {ref.name}" for path in container.rewritten(ref.name)))
        except OSError:
            return Things()

    def made(self) -> Things:
        """The files that go with the lab."""
        return self._room_files.made()

    def restore(self, containers: tuple[str, ...], beginning: Beginning, *, anew: bool = False) -> tuple[str, ...]:
        """Have exactly these containers run, in this order: end others, start those that died, or with ``anew`` all of them in fresh namespaces.

        So have the internet and further hosts then, in which nothing is yet; else they get back their host names. Files of the lab that are
        missing are put back, their paths returned, and every node sees its own.

        With ``anew`` links of the host begin to go as soon as may be, and ``purge`` waits for them. Until they have gone nobody can make a network
        namespace, so the new ones are made before, and all else meanwhile. It is done by one thread: another would wait for Python's lock, up to
        5 ms each time it has waited for the kernel, and what the kernel takes longest for would begin that much later.
        """
        self.ledger.write(Restoring(containers, anew))
        before, ending = [ref for ref in self.refs() if ref.pid != os.getpid()], self._ending_without(containers, anew=anew)
        self._kill(*ending)
        repaired = self._room_files.put_back()
        host = self.refs()[0]
        beginning.of(host).settings.put_back(host.namespace, INHERITED)
        roles = {ref.name: ref.role for ref in before if ref.role != "container"}
        there = {ref.name for ref in self.refs()} - {ref.name for ref in ending}
        lacking = [name for name in (*roles, *containers) if name not in there]
        with contextlib.ExitStack() as made_ahead:
            networks = [made_ahead.enter_context(call_in_new(Namespace.own)) for _ in lacking]
            if anew:
                from ..kernel.purge import begin_with_links  # no lab needs it to be ready

                self._begun = begin_with_links(host, beginning, {ref.name for ref in before})
                repaired = Repaired(repaired.there, self._room_files.start_over())
            for ref in before:
                if ref.role != "container" and not anew and ref.pid is not None:
                    with contextlib.suppress(OSError):  # it has ended
                        call_me(ref.pid, ref.name)
            self._await_end(*ending)
            for name, network in zip(lacking, networks, strict=True):
                made = container.launch(name, shown_as=name if name in roles else "sleep", network=network)
                self._add(made, roles.get(name, "container"))
        repaired += self._shown_own_files(but=lacking)  # who has just begun sees its own
        self._unrepaired = repaired.problems
        with self._lock:
            order = {name: number for number, name in enumerate(("host", *roles, *containers))}
            self._refs = dict(sorted(self._refs.items(), key=lambda item: order.get(item[0], len(order))))
        return repaired.there

    def _shown_own_files(self, but: Collection[str] = ()) -> Repaired:
        """Every node sees its own files again."""
        there: list[str] = []
        for ref in self.refs():
            if ref.pid not in (None, os.getpid()) and ref.name not in but:
                with contextlib.suppress(OSError):  # it has ended, or something is mounted there that will not give way
                    there += (f"{path} in {ref.name}" for path in container.show_own_files(ref.pid, ref.name))
                    container.give_back(ref.name)
        return Repaired(tuple(there))

    def purge(
        self, refs: Sequence[NodeRef], beginning: Beginning, bare: Collection[int], passing: Collection[int], renewed: Collection[int]
    ) -> tuple[str, ...]:
        """Have in these nodes what was in them at the beginning, whoever changed it. What could not be put right, in words, stays written down.

        What there is to do is not planned ahead: to find it is as much work as to do it, and what is found is done at once, object by object. It is
        verified in the same way: the kernel's answer to each, and every setting read again.
        """
        from ..kernel.purge import purge  # no lab needs it to be ready

        begun, self._begun = self._begun, None
        problems = (*self._unrepaired, *purge(refs, beginning, bare, passing, renewed, begun))
        if problems:
            self.ledger.write(NotRestored(problems))
        else:
            self.ledger.close()
        return problems

    def hang_up(self) -> None:
        """The internet's servers answer no more, and hold its namespace no more. Call it in the loop."""
        if self._servers is not None:
            self._servers.close()
            self._servers = None

    async def serve(self) -> None:
        """They answer again, in the namespace that the internet has now, with its addresses."""
        ref = next(own for own in self.refs() if own.role == "internet")
        assert self._outside is not None, "nothing is connected"
        loop = asyncio.get_running_loop()
        bound = await loop.run_in_executor(None, internet.listen, self._outside, ref.namespace)
        self._servers = await bound.serve()

    def repair(self) -> Repaired:
        """Put back what is missing of the lab's own files, and take away what was mounted over them; every node sees its own."""
        return self._room_files.put_back() + self._shown_own_files()

    def release(self) -> None:
        """Let go of the namespaces of nodes that have ended; call when nobody looks into them any more."""
        with self._lock:
            gone, self._gone = self._gone, []
        for ref in gone:
            ref.namespace.close()

    def way_into(self, ref: NodeRef) -> WayInto:
        """The way into a node, for as long as it is held open. Raises Refusal when it has gone.

        A namespace in which no process lives is entered by its entry in /run/netns, through the host, as ip-netns(8) does it: with the
        /sys and the files of /etc/netns that belong to it. That entry's name is the learner's; the lab may have had to call the node
        otherwise, because another node is called so.
        """
        within, lives_in, pid = "", ref.namespace.inode, ref.pid
        if pid is None:
            within = next((own.name for own in read_names() if own.netns == ref.namespace.inode), "")
            if not within:
                raise Refusal(f"there is no way into {ref.name}: its process has ended, if it had one, and nothing in /run/netns leads to it")
            lives_in, pid = self.refs()[0].namespace.inode, os.getpid()
        try:
            spaces = Spaces(pid, lives_in, self._outer)
        except (FileNotFoundError, ProcessLookupError):
            raise Refusal(f"the node {ref.name} is gone: its process {pid} has ended") from None
        return WayInto(Way(tuple(spaces.files), within, self._limits.for_visitors), spaces)

    def outside_pid(self, pid: int | None) -> int | None:
        """A process of the lab as the machine outside numbers it; None where that cannot be known."""
        return self.agent_pid if pid == os.getpid() else None

    def _add(self, made: container.Container, role: Role) -> NodeRef:
        ref = NodeRef(made.name, role, made.network, made.pid)
        life = _Life()
        with self._lock:
            self._refs[made.name] = ref
            self._lives[made.name] = life

        def gone(code: int) -> None:
            if role == "container":
                self._let_go(ref)
            else:
                with self._lock:
                    if self._is_node(ref):
                        self._refs[made.name] = msgspec.structs.replace(ref, pid=None)
            life.ended.set()
            self._on_end(made.name, life.wanted)

        self._reaper.watch(made.pid, gone)
        return ref
