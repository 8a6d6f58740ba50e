"""The pretend host as the session sees it: its own namespace, the internet behind it, and containers that come and go."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable

from ..errors import Refusal
from ..kernel.names import read_names
from ..kernel.namespace import Namespace
from ..kernel.read import NodeRef
from ..model.snapshot import Role
from ..sandbox import container, internet, limits
from ..sandbox.boot import Room
from ..sandbox.keepsakes import Keepsakes
from ..sandbox.reaper import Reaper
from ..sandbox.spaces import Spaces, WayInto
from ..sandbox.way import Way

STOP_S = 1.0
"""How long a killed container may take to be gone."""


class PretendHost:
    """Starts and ends what lives in the lab. It is the ``Launcher`` of the actions; its methods may be called from any thread."""

    def __init__(self, room: Room, reaper: Reaper) -> None:
        self.agent_pid = room.pid
        self.limits = str(room.limits)
        self._limits = room.limits
        self._outer = room.outer
        self.reaper = reaper
        self._keepsakes = Keepsakes()
        self.put_back: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._refs: dict[str, NodeRef] = {"host": NodeRef("host", "host", Namespace.own(), os.getpid())}
        self._ended: dict[str, threading.Event] = {}
        self._stopping: set[str] = set()
        self._gone: list[NodeRef] = []
        self._servers: internet.Servers | None = None
        self.on_end: Callable[[str, bool], None] = lambda name, expected: None

    async def build(self, containers: tuple[str, ...]) -> None:
        """The world before the first step."""
        net = internet.build()
        self._add(net.node, "internet")
        self._servers = await net.serve()
        for name in containers:
            self.launch(name)

    def refs(self) -> tuple[NodeRef, ...]:
        """The nodes the lab itself made, host first."""
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
            ended = self._ended.get(name)
        if ref is None or ref.pid is None or ref.role != "container":
            return
        self._stopping.add(name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(ref.pid, signal.SIGKILL)
        if ended is not None and threading.current_thread() is not threading.main_thread():
            ended.wait(STOP_S)

    def crowded(self) -> str:
        """That so many processes run here that no more may be started soon, in words; "" when not."""
        try:
            processes = len(limits.processes())
        except OSError:  # out of open files, which is another trouble
            return ""
        if not self._limits.processes or processes < self._limits.processes // 2:
            return ""
        return (
            f"The lab is full of processes ({self.limits}), so nothing new can start in it. `reset step` ends them all and puts the lab back to the start of this step."
        )

    def clear_the_crowd(self) -> None:
        """End everything but the nodes when the lab is crowded: a fork bomb, most likely. Takes a thread that may wait."""
        if self.crowded():
            limits.end_others(frozenset(ref.pid for ref in self.refs() if ref.pid is not None))

    def restore(self, containers: frozenset[str]) -> None:
        """Have exactly these containers run: end others, start those that died. Files of the lab that are missing are put back."""
        self.put_back = self.repair()
        for ref in self.refs():
            if ref.role == "container" and ref.name not in containers:
                self.stop(ref.name)
        for name in sorted(containers):
            self.launch(name)

    def repair(self) -> tuple[str, ...]:
        """Put back what is missing of the lab's own files, and take away what was mounted over them; the paths."""
        return self._keepsakes.put_back()

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
        within = ""
        if ref.pid is None:
            within = next((own.name for own in read_names() if own.netns == ref.namespace.inode), "")
            if not within:
                raise Refusal(f"the namespace {ref.name} has gone: nothing in /run/netns leads to it, and no process lives in it")
        try:
            spaces = Spaces(os.getpid() if ref.pid is None else ref.pid, self._outer)
        except (FileNotFoundError, ProcessLookupError):
            raise Refusal(f"the node {ref.name} is gone: its process {ref.pid} has ended") from None
        return WayInto(Way(tuple(spaces.files), within, self._limits.for_visitors), spaces)

    def outside_pid(self, pid: int | None) -> int | None:
        """A process of the lab as the machine outside numbers it; None where that cannot be known."""
        return self.agent_pid if pid == os.getpid() else None

    def _add(self, made: container.Container, role: Role) -> NodeRef:
        ref = NodeRef(made.name, role, Namespace.of_pid(made.pid), made.pid)
        ended = threading.Event()
        with self._lock:
            self._refs[made.name] = ref
            self._ended[made.name] = ended

        def gone(code: int) -> None:
            with self._lock:
                if self._refs.get(made.name) is ref and role == "container":
                    del self._refs[made.name]
                    self._gone.append(ref)
            ended.set()
            expected = made.name in self._stopping
            self._stopping.discard(made.name)
            self.on_end(made.name, expected)

        self.reaper.watch(made.pid, gone)
        return ref
