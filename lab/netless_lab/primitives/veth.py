"""The virtual cable: a veth pair, two interfaces of which each is the other's far end (veth(4))."""

from __future__ import annotations

from typing import ClassVar

from ..model.snapshot import Link, Node, Peer, Snapshot
from .base import Action, Dialect, Expectation, Finding, Where, in_host, python_program
from .outline import next_ifindex, with_links
from .roles import LinkName, NodeName


class CreateVeth(Action, frozen=True, rename={"name": "veth", "node": "in"}):
    """``{ veth = "veth1", peer = "veth2" }``: both ends are born in one node, both down."""

    verb: ClassVar[str] = "veth"
    name: LinkName
    peer: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        return f"Create the veth pair {self.name} and {self.peer}{in_host(self.node)}: one cable, two ends."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """iproute2 is the only tool for it; the legacy tools never learned to make one."""
        if dialect == "pyroute2":
            return python_program(where, self.node, f'ipr.link("add", ifname="{self.name}", kind="veth", peer="{self.peer}")')
        return (where.ip(self.node, f"link add name {self.name} type veth peer name {self.peer}"),)

    def inverse(self) -> tuple[Action, ...]:
        """Deleting one end deletes the other."""
        from .link import DeleteLink

        return (DeleteLink(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """Two loose ends in the node."""
        first = next_ifindex(snapshot)
        ends = ((self.name, self.peer, first + 1, first), (self.peer, self.name, first, first + 1))
        links = tuple(
            Link(name=name, ifindex=index, kind="veth", up=False, carrier=False, peer=Peer(self.node, other, far))
            for name, other, index, far in ends
        )
        return with_links(snapshot, self.node, links)


class VethPair(Expectation, frozen=True, rename={"name": "pair", "node": "in", "peer_node": "peer-in"}):
    """``{ pair = "veth1", peer = "veth2" }``: both exist, and each is the other's far end, wherever they lie."""

    verb: ClassVar[str] = "pair"
    name: LinkName
    peer: LinkName
    node: NodeName | None = None
    peer_node: NodeName | None = None

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Find an end called ``name`` whose peer is called ``peer``."""
        claim = f"{self.name} and {self.peer} are the two ends of one cable"
        expected = f"a veth pair {self.name} <-> {self.peer}"
        ends = [(node, link) for node in snapshot.nodes for link in node.links if link.name == self.name]
        for node, link in ends:
            if self._fits(node, link):
                return Finding(True, claim)
        if not ends:
            seen = f"no interface called {self.name} in any node"
        else:
            node, link = ends[0]
            far = f"its far end is {link.peer.name} in {link.peer.node or 'an unknown place'}" if link.peer else "no far end"
            seen = f"{self.name} in {node.name} is a {link.kind}, {far}"
        return Finding(False, claim, expected, seen, where.ip(self.node or "host", "-d link show type veth"))

    def _fits(self, node: Node, link: Link) -> bool:
        if link.kind != "veth" or link.peer is None or link.peer.name != self.peer:
            return False
        here = self.node is None or node.name == self.node
        there = self.peer_node is None or link.peer.node == self.peer_node
        return here and there


__all__ = ["CreateVeth", "VethPair"]
