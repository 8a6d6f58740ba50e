"""The nodes of one lab and everything that touches them: look, change, probe, purge. The session's only door to the kernel.

Changing happens on one thread of its own (netlink runs the whole operation inside send()); looking and probing on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import os
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..errors import Refusal
from ..kernel import probe as probing
from ..kernel.apply import Applier, ApplyError
from ..kernel.beginning import UNKNOWN, Beginning, begin, remember
from ..kernel.discover import Discovery
from ..kernel.namespace import Namespace
from ..kernel.probe.ready import pending
from ..kernel.prompt import type_in
from ..kernel.purge import purge
from ..kernel.read import NodeRef, Reader
from ..kernel.unseen import unseen
from ..kernel.watch import Watch
from ..model.evidence import Evidence
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from ..primitives.base import Action
from ..sandbox import limits, tune
from ..sandbox.container import in_new_netns
from ..sandbox.spaces import WayInto
from .following import Following
from .host import PretendHost
from .storm import StormGuard

T = TypeVar("T")


class Cleaned(NamedTuple):
    """What came of a purge: files of the lab that were missing and are there again, and what could not be put right, in words."""

    lost: tuple[str, ...]
    problems: tuple[str, ...]


class World:
    """The pretend host with all in it."""

    apply_failed = ApplyError

    def __init__(self, host: PretendHost) -> None:
        self._host = host
        self._refs: dict[str, NodeRef] = {ref.name: ref for ref in host.refs()}
        self._discovery = Discovery()
        self._reader = Reader()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mutator")
        self._applier = Applier(self._resolve, host)
        self._news = asyncio.Event()
        self._watch = Watch(asyncio.get_running_loop(), self._news.set)
        self._tuned: set[tuple[int, int]] = set()
        self.agent_pid = host.agent_pid
        self.limits = host.limits
        self.baseline = Snapshot()
        self._beginning = Beginning(self.baseline, {}, UNKNOWN)
        self.following = Following()
        self.storms = StormGuard()
        self._seen = Snapshot()
        self.on_death: Callable[[str], None] = lambda name: None
        host.on_end = self._ended

    async def begin(self) -> None:
        """Listen to every node, and keep the picture of the world before anything was done."""
        await self._in_thread(lambda: None)  # its thread must be there before a fork bomb lets nobody have one
        self._watch.add(*self._refs.values())
        self.baseline = await self.look()
        self._beginning = await self._in_thread(self._begun)

    def _begun(self) -> Beginning:
        """How every node is now, and how a container is that nobody has touched."""
        refs = self._host.refs()
        if any(ref.role == "container" for ref in refs):
            return begin(refs, self.baseline)
        return begin(refs, self.baseline, in_new_netns(lambda: remember(Namespace.own())))

    async def look(self) -> Snapshot:
        """Every node as the kernel has it now; nodes that came or went are noticed here."""
        found = {ref.name: ref for ref in self._discovery.scan(self._host.refs())}
        for name, ref in self._refs.items():
            if found.get(name) != ref:
                self._watch.remove(ref)
        self._watch.add(*(ref for name, ref in found.items() if self._refs.get(name) != ref))
        self._refs = found
        self._host.release()
        snapshot = self._seen = self._reader.snapshot(tuple(found.values()))
        self._tune_new(snapshot)
        self.following.nodes(found, snapshot)
        self.storms.consider(snapshot, found)
        return snapshot

    async def changed(self, timeout_s: float | None) -> bool:
        """Wait for the next news from the kernel; False when the time passed without any."""
        try:
            await asyncio.wait_for(self._news.wait(), timeout_s)
        except TimeoutError:
            return False
        self._news.clear()
        return True

    async def warm_up(self) -> None:
        """Make the first action as quick as the others."""
        await self._in_thread(self._applier.warm_up)

    async def apply_all(self, actions: Iterable[Action]) -> None:
        """Do these actions, in order. Raises ApplyError at the first that fails."""
        with self._host.reaper.hands_off():
            await self._in_thread(lambda: self._applier.apply_all(actions))
        await self.look()

    async def purge(self, containers: frozenset[str]) -> Cleaned:
        """Back to the world before the first step, with exactly these containers running."""
        known = {ref.namespace.inode for ref in self._host.refs()}
        await self._in_thread(self._host.clear_the_crowd)
        self._end_strangers()
        await self._in_thread(lambda: self._host.restore(containers))
        self._end_strangers()  # those who were guests of a container that has just ended
        await self.look()
        own = {ref.namespace.inode for ref in self._host.refs()}
        refs = tuple(self._refs.values())
        passing = {ref.namespace.inode for ref in refs if ref.pid is None} - own
        purged = await self._in_thread(lambda: purge(refs, self._beginning, own - known, passing))
        if purged.remade:
            self._tuned.clear()  # a link made again has its old index and none of our timers
        return Cleaned(self._host.put_back, purged.problems)

    async def repair(self) -> tuple[str, ...]:
        """Put back what is missing or covered of the lab's own files; the paths."""
        return await self._in_thread(self._host.repair)

    async def unseen(self) -> tuple[str, ...]:
        """What a purge would take away though no snapshot shows it, in words."""
        return await self._in_thread(lambda: unseen(self._host.refs(), self._beginning, self._seen))

    async def probe(self, probe: Probe, *, deadline_s: float, grace_s: float) -> Outcome:
        """Send one probe from its node, and follow it when the nodes are listened to."""
        refs = self._refs
        self._reader.catch_up()
        return await self.following.probe(probe, lambda: probing.run(probe, refs, deadline_s=deadline_s, grace_s=grace_s), self._seen)

    async def investigate(self, probe: Probe) -> Evidence:
        """Send one probe once and gather every fact about what became of it."""
        self._reader.catch_up()
        return await self.following.investigate(probe, self._refs, self._reader)

    async def type_in_host(self, text: str, *, python: bool) -> str:
        """Type lines at a shell prompt of the host, or a program at Python's; what went wrong, in words, or ""."""
        with self._host.reaper.hands_off():
            return await self._in_thread(lambda: type_in(text, python=python))

    def pending(self, snapshot: Snapshot) -> tuple[str, ...]:
        """What is not ready for packets yet, in words; what only waits for the kernel's attention is ready at the next look."""
        self._reader.catch_up()
        return pending(snapshot)

    def ref(self, name: str) -> NodeRef | None:
        """The way to a node, or None."""
        return self._refs.get(name)

    def refs(self) -> dict[str, NodeRef]:
        """Every node by name."""
        return dict(self._refs)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Names of nodes that were perhaps meant."""
        return tuple(difflib.get_close_matches(name, self._refs, n=3, cutoff=0.3)) or tuple(self._refs)

    def way_into(self, name: str) -> WayInto:
        """The way into a node. Raises Refusal."""
        return self._host.way_into(self._resolve(name))

    def outside_pid(self, pid: int | None) -> int | None:
        """A process of the lab as the machine outside numbers it."""
        return self._host.outside_pid(pid)

    def attend(self, watched: bool) -> None:
        """Whether somebody looks: only then are the silent changes polled for."""
        self._watch.attend(watched)
        self.following.attend(watched)

    def at_work(self) -> str:
        """That somebody in the lab interferes, and which processes it may be, in a sentence."""
        nodes = {ref.pid for ref in self._host.refs()}
        found = []
        for pid in limits.processes():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if pid not in nodes and words:
                    found.append(f"{words[:60]} (pid {pid})")
        who = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        return f"something in the lab makes it again and again. End it first; at work now: {who or 'nobody that can be seen'}."

    def crowded(self) -> str:
        """That the lab is too full of processes to start another, in words; "" when it is not."""
        return self._host.crowded()

    def _ended(self, name: str, expected: bool) -> None:
        self._news.set()
        if not expected:
            self.on_death(name)

    def _resolve(self, name: str) -> NodeRef:
        ref = self._refs.get(name)
        if ref is None:
            raise Refusal(f"there is no node {name} in this lab", nearest=self.nearest(name))
        return ref

    def end_marked(self, mark: str) -> None:
        """End the processes that were started with this variable in their environment."""
        wanted = f"{mark}=".encode()
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdecimal() and int(entry) != os.getpid() and wanted in Path(f"/proc/{entry}/environ").read_bytes():
                    os.kill(int(entry), signal.SIGKILL)

    def _end_strangers(self) -> None:
        """End the processes that hold namespaces no lesson made; names of such namespaces go with the purge."""
        own = {ref.namespace.inode for ref in self._host.refs()}
        for entry in os.listdir("/proc"):
            if not entry.isdecimal():
                continue
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{entry}/ns/net").st_ino not in own:
                    os.kill(int(entry), signal.SIGKILL)

    def _tune_new(self, snapshot: Snapshot) -> None:
        """Give every device that has just appeared the lab's neighbour timers: an unanswered ARP takes 0.1 s, not 3 s."""
        there = {(node.netns, link.ifindex) for node in snapshot.nodes for link in node.links}
        self._tuned &= there
        for node in snapshot.nodes:
            new = [link for link in node.links if (node.netns, link.ifindex) not in self._tuned]
            names = [link.name for link in new if link.kind != "loopback"]
            with contextlib.suppress(OSError):  # out of files, or the node has gone: if it is there at the next look, then
                if names:
                    tune.tune_all(names, self._refs[node.name].namespace.fileno())
                self._tuned |= {(node.netns, link.ifindex) for link in new}

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
