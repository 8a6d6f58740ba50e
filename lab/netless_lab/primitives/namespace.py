"""Network namespaces that live: containers without a network, and empty ones that only have a name (namespaces(7)).

A container is a process in namespaces of its own, as ``docker run --net=none`` leaves it: with ``lo`` and nothing else.

Names for network namespaces: /run/netns, where ip(8) looks for them (ip-netns(8)).

A name is a file that leads to a namespace: a symbolic link into /proc/PID (dies with the process) or a bind mount (keeps the
namespace alive). ``ip netns add`` is another thing altogether: it makes a *new* namespace and names that.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..model.snapshot import Name, Node, Snapshot
from ..room import NETNS
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, literal, word
from .look import kind, listed, no_node, not_a_name, place
from .outline import LO, add_node, unnamed, with_node, without_node
from .roles import NetnsName, NodeName


class StartContainer(Action, frozen=True, rename={"node": "start"}):
    """``{ start = "c2" }``. Any process in a network namespace of its own, with the host name c2, is the node c2."""

    node: NodeName

    def sentence(self) -> str:
        return f"Start the container {self.node} with no network: a process in namespaces of its own."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """unshare(1); setsid(1) so that it outlives the terminal. There is no older way and no netlink in it."""
        inside = f"hostname {'-- ' * self.node.startswith('-')}{word(self.node)}; exec sleep infinity"
        if dialect == "pyroute2":
            words = f'["unshare", "--net", "--mount", "--uts", "--ipc", "sh", "-c", {literal(inside)}]'
            return ("import subprocess", f"subprocess.Popen({words}, start_new_session=True)")
        return (f"setsid unshare --net --mount --uts --ipc sh -c {word(inside)} &",)

    def inverse(self) -> tuple[Action, ...]:
        return (StopContainer(node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One box more, with nothing but lo in it."""
        return add_node(snapshot, Node(name=self.node, role="container", netns=0, links=(LO,)))


class StopContainer(Action, frozen=True, rename={"node": "stop"}):
    """``{ stop = "c2" }``: its process ends, and with it the namespace, unless a mounted name keeps it."""

    node: NodeName

    def sentence(self) -> str:
        return f"Stop the container {self.node}: with its last process the namespace and all its interfaces go."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """kill(1)."""
        if dialect == "pyroute2":
            return ("import os, signal", f"os.kill({where.pid(self.node)}, signal.SIGKILL)")
        return (f"kill -KILL {where.pid(self.node)}",)

    def inverse(self) -> tuple[Action, ...]:
        """A fresh one of the same name; what was in the old one is lost."""
        return (StartContainer(node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (ContainerRuns(node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The box vanishes."""
        return without_node(snapshot, self.node)


class AddNetns(Action, frozen=True, rename={"name": "netns"}):
    """``{ netns = "decoy" }``: a new, empty namespace with a name. No process is in it."""

    name: NetnsName

    def sentence(self) -> str:
        return f"Make a new, empty namespace and name it {self.name}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip netns add``."""
        if dialect == "pyroute2":
            return ("from pyroute2 import netns", f"netns.create({literal(self.name)})")
        return (f"ip netns add {word(self.name)}",)

    def inverse(self) -> tuple[Action, ...]:
        return (DeleteNetns(name=self.name),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One box more, with nothing but lo in it."""
        return add_node(snapshot, Node(name=self.name, role="unknown", netns=0, names=(self.name,), links=(LO,)))


def _delete(name: str, dialect: Dialect) -> tuple[str, ...]:
    """What takes away a name in /run/netns, of either kind (ip-netns(8)); a namespace that nothing else holds goes with it."""
    if dialect == "pyroute2":
        return ("from pyroute2 import netns", f"netns.remove({literal(name)})")
    return (f"ip netns delete {word(name)}",)


class DeleteNetns(Action, frozen=True, rename={"name": "delete-netns"}):
    """``{ delete-netns = "decoy" }``: where nothing else holds it, its interfaces go with it, and so do the far ends of their cables."""

    name: NetnsName

    def sentence(self) -> str:
        return f"Take the name {self.name} off its namespace, which ends with all that is in it unless something else holds it."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip netns delete``."""
        return _delete(self.name, dialect)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The box vanishes."""
        return without_node(unnamed(snapshot, self.name), self.name)


class ContainerRuns(Expectation, frozen=True, rename={"node": "container"}):
    """``{ container = "c2" }``: a process lives in a namespace of its own under that host name."""

    node: NodeName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A node of that name with the role of a container."""
        claim = f"the container {self.node} runs"
        expected = f"a process in a network namespace of its own, with the host name {self.node}"
        node = snapshot.node(self.node)
        if node is not None and node.role == "container":
            return Met(claim)
        running = listed(tuple(own.name for own in snapshot.nodes if own.role == "container"), "none")
        return NotMet(claim, expected, f"containers: {running}", "lsns -t net", self._near(snapshot, node))

    def _near(self, snapshot: Snapshot, node: Node | None) -> str:
        """About a process that was given no host name of its own, in the namespace of that name or in any; else about a name without a process;
        else about a container that nobody has done anything with, which may be the one."""
        strangers = (own for own in (node, *snapshot.nodes) if own is not None and own.role == "unknown")
        if (pid := next((own.pid for own in strangers if own.pid is not None), None)) is not None:
            return (f"Process {pid} lives in a network namespace of its own, but under the host's host name: "
                    f"`unshare --uts`, and then `hostname {self.node}` in there, gives it its own.")
        if node is not None or snapshot.named(self.node) is not None:
            return _only_a_name(self.node)
        bare = [own for own in snapshot.nodes if own.role == "container" and own.pid is not None and len(own.links) == 1 and not own.names]
        other = max(bare, key=lambda own: own.pid or 0, default=None)
        if other is None:
            return ""
        return f"A container is known by its host name. If {other.name} is meant: `nsenter -t {other.pid} -u hostname {word(self.node)}` makes it {self.node}."


class OnlyLo(Expectation, frozen=True, rename={"node": "only-lo"}):
    """``{ only-lo = "c1" }``: the container has no interface but its loopback."""

    node: NodeName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Exactly one link, lo."""
        claim = f"{self.node} has nothing but lo"
        expected = f"lo as the only interface in {self.node}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        names = tuple(link.name for link in node.links)
        if names == ("lo",):
            return Met(claim)
        seen = f"{place(node)} has {listed(names, 'no interface at all')}"
        return NotMet(claim, expected, seen, where.ip(self.node, "-br link show"))


class NetnsExists(Expectation, frozen=True, rename={"name": "netns"}):
    """``{ netns = "decoy" }``: a namespace of that name exists, and it is no container's."""

    name: NetnsName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The name leads to a namespace that is not a node of the lab."""
        claim = f"there is a namespace named {self.name}, and no container lives in it"
        expected = f"a namespace {self.name} of its own"
        entry = next((name for name in snapshot.names if name.name == self.name), None)
        if entry is None:
            seen = f"names: {listed(tuple(name.name for name in snapshot.names), 'none')}"
            return NotMet(claim, expected, seen, "ip netns list")
        if entry.netns is None:
            near = f"`ip netns add` makes no namespace under a name that is taken: remove {self.name} first."
            return NotMet(claim, expected, f"{self.name} {not_a_name(entry)}", "ls -l /run/netns", near)
        if is_stranger(snapshot, entry):
            return Met(claim)
        owner = snapshot.by_netns(entry.netns)
        near = f"{self.name} is a second name for a namespace that was there already; `ip netns add` makes a new one."
        seen = f"{self.name} leads to the namespace of {place(owner) if owner else 'somebody'}"
        return NotMet(claim, expected, seen, f"ip netns pids {word(self.name)}", near)


class NoNetns(Expectation, frozen=True, rename={"name": "no-netns"}):
    """``{ no-netns = "decoy" }``: nothing in /run/netns is called so any more."""

    name: NetnsName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """No entry of that name, not even one that leads nowhere."""
        claim = f"no namespace is named {self.name}"
        entry = next((name for name in snapshot.names if name.name == self.name), None)
        if entry is None:
            return Met(claim)
        seen = f"{self.name} is there" if entry.netns is not None else f"{self.name} is there, though it {not_a_name(entry)}"
        died = entry.netns is None and entry.instead is None
        near = "The name of a namespace that died stays behind: it has to be taken away too." if died else ""
        return NotMet(claim, f"no {self.name} in /run/netns", seen, "ip netns list", near)


def is_stranger(snapshot: Snapshot, name: Name) -> bool:
    """Whether a name leads to a namespace that is no node of the lab."""
    node = snapshot.by_netns(name.netns) if name.netns is not None else None
    return node is None or node.role == "unknown"


class NameSymlink(Action, frozen=True, rename={"name": "name-symlink", "node": "of"}):
    """``{ name-symlink = "c1", of = "c1" }``: the post's way."""

    name: NetnsName
    node: NodeName

    def sentence(self) -> str:
        return f"Give the namespace of {self.node} the name {self.name}, by a symbolic link to its process's namespace file."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ln -s``, in a folder that may not exist yet."""
        source, target = f"/proc/{where.pid(self.node)}/ns/net", f"{NETNS}/{self.name}"
        if dialect == "pyroute2":
            return ("import os", f'os.makedirs("{NETNS}", exist_ok=True)', f'os.symlink("{source}", {literal(target)})')
        return (f"mkdir -p {NETNS}", f"ln -s {source} {word(target)}")

    def inverse(self) -> tuple[Action, ...]:
        """The name goes, the namespace stays."""
        return (Unname(name=self.name),)

    def needs(self) -> tuple[Expectation, ...]:
        return (ContainerRuns(node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The name beside the box."""
        return _named(snapshot, self.node, Name(self.name, None, "symlink"))


class NameAttach(Action, frozen=True, rename={"name": "name-attach", "node": "of"}):
    """``{ name-attach = "c1", of = "c1" }``: the way of today, iproute2 5.1 and later."""

    name: NetnsName
    node: NodeName

    def sentence(self) -> str:
        return f"Give the namespace of {self.node} the name {self.name}, and keep it alive by that name."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip netns attach``; legacy is what it does: a bind mount of the namespace file."""
        source, target = f"/proc/{where.pid(self.node)}/ns/net", f"{NETNS}/{self.name}"
        if dialect == "pyroute2":
            return ("from pyroute2 import netns", f"netns.attach({literal(self.name)}, {where.pid(self.node)})")
        if dialect == "legacy":
            return (f"mkdir -p {NETNS}", f"touch {word(target)}", f"mount --bind {source} {word(target)}")
        return (f"ip netns attach {word(self.name)} {where.pid(self.node)}",)

    def inverse(self) -> tuple[Action, ...]:
        """The name goes, the namespace stays."""
        return (Unname(name=self.name),)

    def needs(self) -> tuple[Expectation, ...]:
        return (ContainerRuns(node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The name beside the box."""
        return _named(snapshot, self.node, Name(self.name, None, "mount"))


class Unname(Action, frozen=True, rename={"name": "unname"}):
    """``{ unname = "c1" }``: a namespace in which a process lives goes on without the name."""

    name: NetnsName

    def sentence(self) -> str:
        return f"Take away the name {self.name}; the namespace lives on as long as a process is in it."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip netns delete`` removes a name of either kind."""
        return _delete(self.name, dialect)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The name vanishes."""
        return unnamed(snapshot, self.name)


class Named(Expectation, frozen=True, rename={"node": "named"}):
    """``{ named = "c1" }``: some name in /run/netns, whichever, leads to the namespace of c1. With ``kept = true`` one that keeps the namespace
    when its processes are gone: it is mounted there, and no symbolic link (ip-netns(8), network_namespaces(7)).
    """

    node: NodeName
    kept: bool = False

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The inode behind a name equals the inode of the node; the look is the comparison itself."""
        claim = f"the namespace of {self.node} has a name{' that keeps it' if self.kept else ''}"
        expected = f"a name in {NETNS} that leads to the namespace of {self.node}{', mounted there' if self.kept else ''}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        seen = f"names: {listed(tuple(_leads(snapshot, name) for name in snapshot.names), 'none')}"
        if node.role == "unknown" and node.pid is None:  # a node only because of the name, which leads to nobody else
            return NotMet(claim, expected, seen, f"ip netns pids {word(self.node)}", _only_a_name(self.node))
        look = f"stat -Lc '%i %n' /proc/{where.pid(self.node)}/ns/net {NETNS}/*" if snapshot.names else "ip netns list"
        own = [name for name in snapshot.names if name.netns == node.netns]
        if any(name.how == "mount" or not self.kept for name in own):
            return Met(claim)
        taken = next((name for name in snapshot.names if name.name == self.node), None)
        free = f" {_taken_away(taken)}" if taken is not None else ""
        if own:
            return NotMet(claim, expected, seen, f"ls -l {NETNS}", f"{own[0].name} is a symbolic link, which does not keep the namespace.{free}")
        return NotMet(claim, expected, seen, look, f"{self._near(snapshot, node)}{free}")

    def _near(self, snapshot: Snapshot, node: Node) -> str:
        """About the entry of the node's own name, else one that is nobody's, else one that is no name at all."""
        ranks = {name: (name.name != self.node, name.netns is None) for name in snapshot.names if is_stranger(snapshot, name)}
        ranks |= {name: (False, False) for name in snapshot.names if name.name == self.node}
        same = min(ranks, key=lambda name: ranks[name], default=None)
        if same is None:
            return ""
        if same.netns is None:
            return _no_namespace(same, node)
        other = snapshot.by_netns(same.netns)
        if (same.target or "").startswith(("/proc/self/", "/proc/thread-self/")):
            return f"{same.name} leads to {same.target}, and /proc/self is whoever looks: {_file(node)} is the file of {node.name}."
        if other is not None and other.role != "unknown":
            return f"{same.name} leads to the namespace of {place(other)}: check the process id."
        return f"{same.name} names another, empty namespace: `ip netns add` makes a new one (a decoy); it does not name the one that {node.name} lives in."


def _only_a_name(node: str) -> str:
    return f"There is a namespace named {node}, but no process lives in it: a name alone is no container."


def _no_namespace(name: Name, node: Node) -> str:
    """What is wrong with an entry that leads to no network namespace: the number of a process only where that is the matter."""
    if name.instead is None and name.pid is not None:
        return f"{name.name} leads to {name.target}, where no namespace is (any more): check the process id."
    return f"{name.name} {not_a_name(name)}. A name of {node.name} is a link to {_file(node)}, or a mount of that file."


def _taken_away(name: Name) -> str:
    """How an entry goes that is in the way of one of its name: neither ln(1) nor ip(8) makes one where one is."""
    command = f"rmdir {word(f'{NETNS}/{name.name}')}" if name.instead == "folder" and name.how != "symlink" else _delete(name.name, "ip")[0]
    return f"Take it away first: `{command}`."


def _file(node: Node) -> str:
    """The file of a node's network namespace."""
    return f"/proc/{node.pid or 'PID'}/ns/net"


def _leads(snapshot: Snapshot, name: Name) -> str:
    node = snapshot.by_netns(name.netns) if name.netns is not None else None
    if name.netns is None:
        return f"{name.name} ({kind(name)})"
    return f"{name.name} (of {node.name})" if node is not None and node.role != "unknown" else f"{name.name} (of no container)"


def _named(snapshot: Snapshot, node: str, name: Name) -> Snapshot:
    if (owner := snapshot.node(node)) is None:
        return snapshot
    entry = replace(name, netns=owner.netns)
    kept = tuple(own for own in snapshot.names if own.name != name.name)
    changed = with_node(snapshot, node, lambda own: replace(own, names=(*own.names, name.name)))
    return replace(changed, names=(*kept, entry))
