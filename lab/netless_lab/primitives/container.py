"""A container without a network: a process in namespaces of its own, as ``docker run --net=none`` leaves it (namespaces(7))."""

from __future__ import annotations

from typing import ClassVar

from ..model.snapshot import Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Where
from .look import listed, no_node, place
from .outline import LO, add_node, without_node
from .roles import NodeName


class StartContainer(Action, frozen=True, rename={"name": "start"}):
    """``{ start = "c2" }``. Any process in a network namespace of its own, with the host name c2, is the node c2."""

    verb: ClassVar[str] = "start"
    name: NodeName

    def sentence(self) -> str:
        """What happens, in one sentence."""
        return f"Start the container {self.name} with no network: a process in namespaces of its own."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """unshare(1); setsid(1) so that it outlives the terminal. There is no older way and no netlink in it."""
        inside = f"hostname {self.name}; exec sleep infinity"
        if dialect == "pyroute2":
            words = f'["unshare", "--net", "--mount", "--uts", "--ipc", "sh", "-c", "{inside}"]'
            return ("import subprocess", f"subprocess.Popen({words}, start_new_session=True)")
        return (f"setsid unshare --net --mount --uts --ipc sh -c '{inside}' &",)

    def inverse(self) -> tuple[Action, ...]:
        """End it."""
        return (StopContainer(name=self.name),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One box more, with nothing but lo in it."""
        return add_node(snapshot, Node(name=self.name, role="container", netns=0, links=(LO,)))


class StopContainer(Action, frozen=True, rename={"name": "stop"}):
    """``{ stop = "c2" }``: its process ends, and with it the namespace, unless a mounted name keeps it."""

    verb: ClassVar[str] = "stop"
    name: NodeName

    def sentence(self) -> str:
        """What happens, in one sentence."""
        return f"Stop the container {self.name}: with its last process the namespace and all its interfaces go."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """kill(1)."""
        if dialect == "pyroute2":
            return ("import os, signal", f"os.kill({where.pid(self.name)}, signal.SIGKILL)")
        return (f"kill -KILL {where.pid(self.name)}",)

    def inverse(self) -> tuple[Action, ...]:
        """A fresh one of the same name; what was in the old one is lost."""
        return (StartContainer(name=self.name),)

    def needs(self) -> tuple[Expectation, ...]:
        """It must run."""
        return (ContainerRuns(name=self.name),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The box vanishes."""
        return without_node(snapshot, self.name)


class ContainerRuns(Expectation, frozen=True, rename={"name": "container"}):
    """``{ container = "c2" }``: a process lives in a namespace of its own under that host name."""

    verb: ClassVar[str] = "container"
    name: NodeName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A node of that name with the role of a container."""
        claim = f"the container {self.name} runs"
        expected = f"a process in a network namespace of its own, with the host name {self.name}"
        node = snapshot.node(self.name)
        if node is not None and node.role == "container":
            return Finding(True, claim)
        running = listed(tuple(own.name for own in snapshot.nodes if own.role == "container"), "none")
        near = ""
        if snapshot.named(self.name) is not None or (node is not None and node.role == "unknown"):
            near = f"There is a namespace named {self.name}, but no process lives in it: a name alone is no container."
        return Finding(False, claim, expected, f"containers: {running}", "lsns -t net", near)


class OnlyLo(Expectation, frozen=True, rename={"name": "only-lo"}):
    """``{ only-lo = "c1" }``: the container has no interface but its loopback."""

    verb: ClassVar[str] = "only-lo"
    name: NodeName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Exactly one link, lo."""
        claim = f"{self.name} has nothing but lo"
        expected = f"lo as the only interface in {self.name}"
        node = snapshot.node(self.name)
        if node is None:
            return no_node(self.name, claim, expected)
        names = tuple(link.name for link in node.links)
        if names == ("lo",):
            return Finding(True, claim)
        seen = f"{place(node)} has {listed(names, 'no interface at all')}"
        return Finding(False, claim, expected, seen, where.ip(self.name, "-br link show"))
