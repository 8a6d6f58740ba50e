"""Name servers a node asks: the ``nameserver`` lines of its own /etc/resolv.conf (resolv.conf(5))."""

from __future__ import annotations

from msgspec.structs import replace

from ..model.addresses import is_address, same
from ..model.snapshot import Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, as_python
from .look import inside, listed, no_node, place
from .outline import with_node
from .roles import Ip, NodeName

FILE = "/etc/resolv.conf"


class SetResolver(Action, frozen=True, rename={"server": "resolver", "node": "in"}):
    """``{ resolver = "198.51.100.53", in = "c1" }``: the file of the container itself, whatever enters it."""

    server: Ip
    node: NodeName

    def sentence(self) -> str:
        return f"Tell {self.node} to ask the name server {self.server}: one line in its {FILE}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A file is a file: the same shell line for both tools."""
        line = f"nameserver {self.server}"
        return _written(dialect, where, self.node, f"echo {line} > {FILE}", f'open("{FILE}", "w").write("{line}\\n")')

    def inverse(self) -> tuple[Action, ...]:
        """An empty file."""
        return (ClearResolver(server=self.server, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The node knows the server."""
        return with_node(snapshot, self.node, lambda node: replace(node, resolvers=(self.server,)))


class ClearResolver(Action, frozen=True, rename={"server": "unresolver", "node": "in"}):
    """``{ unresolver = "198.51.100.53", in = "c1" }``: the file is empty again."""

    server: Ip
    node: NodeName

    def sentence(self) -> str:
        return f"Empty {FILE} of {self.node}: it no longer knows a name server."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """Truncate the file."""
        return _written(dialect, where, self.node, f": > {FILE}", f'open("{FILE}", "w").close()')

    def inverse(self) -> tuple[Action, ...]:
        return (SetResolver(server=self.server, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The node knows no server."""
        return with_node(snapshot, self.node, lambda node: replace(node, resolvers=()))


class HasResolver(Expectation, frozen=True, rename={"server": "resolver", "node": "in"}):
    """``{ resolver = "198.51.100.53", in = "c1" }``."""

    server: Ip
    node: NodeName

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The server is among the first three of the file: the C library asks no more (resolv.conf(5), MAXNS)."""
        claim = f"{self.node} asks the name server {self.server}"
        expected = f"nameserver {self.server} in the {FILE} of {self.node}"
        look = where.files(self.node, f"cat {FILE}")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        if any(same(self.server, own) for own in _asked(node)):
            return Met(claim)
        seen = f"{FILE}{inside(self.node)} names {listed(node.resolvers, 'no server')}"
        return NotMet(claim, expected, seen, look, self._near(snapshot, node))

    def _near(self, snapshot: Snapshot, node: Node) -> str:
        if any(same(self.server, own) for own in node.resolvers):
            return "It stands too far down: programs ask the first three servers of the file and no more."
        if (odd := next((own for own in node.resolvers if own.startswith(self.server) and not is_address(own)), None)) is not None:
            return f"`{odd}` is no address, so the line counts for nothing: behind {self.server} there may only be a space or the end of the line."
        if any(server.startswith("127.") for server in node.resolvers):
            return f"127.x means {self.node} itself, and nothing there answers questions: each node has a loopback of its own."
        if any(same(self.server, own) for own in node.resolvers_by_name):
            folder = f"/etc/netns/{next(iter(node.names), self.node)}"
            return (
                f"The server is in {folder}, and that file is read only by what is started with `ip netns exec`: programs of {self.node} "
                f"itself read their own {FILE}."
            )
        for other in snapshot.nodes:
            if other.name != self.node and other.role in ("host", "container") and any(same(self.server, own) for own in other.resolvers):
                return f"The server is in the file of {place(other)}; {self.node} reads a file of its own."
        return ""


def _asked(node: Node) -> tuple[str, ...]:
    """The servers that the C library asks: the first three that are addresses."""
    return tuple(own for own in node.resolvers if is_address(own))[:3]


def _written(dialect: Dialect, where: Where, node: str, shell: str, python: str) -> tuple[str, ...]:
    """How the file is written. From another node Python goes into that one's mount namespace as the shell does: below /proc/PID/root the kernel would
    look for what a symbolic link says on the side of whoever writes (path_resolution(7)).
    """
    if dialect == "pyroute2":
        return (python,) if node == where.node else as_python(where.files(node, shell))
    return (where.files(node, shell),)
