"""The virtual cable: a veth pair, two interfaces of which each is the other's far end (veth(4)); and carrying an end, or any interface, into
another namespace (ip-link(8), ``netns``), where it arrives down, without addresses and routes.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ..model.snapshot import Link, Node, Peer, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, device, in_host, literal, on_link, python_program, word
from .link import DeleteLink, LinkExists, NoLink
from .outline import next_ifindex, with_carriers, with_links, with_nodes
from .roles import LinkName, NodeName


class CreateVeth(Action, frozen=True, rename={"name": "veth", "node": "in", "peer_node": "peer-in"}):
    """``{ veth = "veth1", peer = "veth2" }``: both ends are born in one node, both down.

    With ``peer-in`` the other end is born in another node at once; a move costs the kernel 25 ms, this nothing.
    """

    name: LinkName
    peer: LinkName
    node: NodeName = "host"
    peer_node: NodeName | None = None

    def sentence(self) -> str:
        if self.peer_node is not None:
            return f"Create a cable: one end {self.name} in {self.node}, the other end {self.peer} in {self.peer_node}."
        return f"Create the veth pair {self.name} and {self.peer}{in_host(self.node)}: one cable, two ends."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """iproute2 is the only tool for it; the legacy tools never learned to make one."""
        if dialect == "pyroute2":
            peer = literal(self.peer)
            if self.peer_node is not None:
                key, value = where.python_target(self.peer_node)
                peer = f'{{"ifname": {literal(self.peer)}, "{key}": {value}}}'
            return python_program(where, self.node, f'ipr.link("add", ifname={literal(self.name)}, kind="veth", peer={peer})')
        away = f" netns {where.target(self.peer_node)}" if self.peer_node is not None else ""
        return (where.ip(self.node, f"link add name {word(self.name)} type veth peer name {word(self.peer)}{away}"),)

    def inverse(self) -> tuple[Action, ...]:
        """Deleting one end deletes the other."""
        return (DeleteLink(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """Two loose ends in the node."""
        first = next_ifindex(snapshot)
        far = self.peer_node or self.node
        near_end = Link(self.name, first + 1, "veth", up=False, carrier=False, peer=Peer(far, self.peer, first))
        far_end = Link(self.peer, first, "veth", up=False, carrier=False, peer=Peer(self.node, self.name, first + 1))
        return with_links(with_links(snapshot, self.node, (near_end,)), far, (far_end,))


class VethPair(Expectation, frozen=True, rename={"name": "pair", "node": "in", "peer_node": "peer-in"}):
    """``{ pair = "veth1", peer = "veth2" }``: both exist, and each is the other's far end, wherever they lie."""

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
                return Met(claim)
        if not ends:
            seen = f"no interface called {self.name} in any node"
        else:
            node, link = ends[0]
            far = f"its far end is {link.peer.name} in {link.peer.node or 'an unknown place'}" if link.peer else "no far end"
            seen = f"{self.name} in {node.name} is a {link.kind}, {far}"
        return NotMet(claim, expected, seen, where.ip(self.node or "host", "-d link show type veth"))

    def kinds(self) -> Mapping[str, str]:
        return {self.name: "veth", self.peer: "veth"}

    def _fits(self, node: Node, link: Link) -> bool:
        if link.kind != "veth" or link.peer is None or link.peer.name != self.peer:
            return False
        here = self.node is None or node.name == self.node
        there = self.peer_node is None or link.peer.node == self.peer_node
        return here and there


class MoveLink(Action, frozen=True, rename={"name": "move", "target": "to", "source": "from"}):
    """``{ move = "veth1", to = "c1" }``; ``from`` is the host when not said."""

    name: LinkName
    target: NodeName
    source: NodeName = "host"

    def sentence(self) -> str:
        return f"Move {self.name} from {_place(self.source)} into {_place(self.target)}; {_place(self.source)} no longer sees it."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link set netns``, by name when the target has one, else by process id; no legacy tool can do it."""
        if dialect == "pyroute2":
            key, value = where.python_target(self.target)
            return on_link(where, self.source, self.name, f'ipr.link("set", index=index, {key}={value})')
        return (where.ip(self.source, f"link set {device(self.name)} netns {where.target(self.target)}"),)

    def inverse(self) -> tuple[Action, ...]:
        """Back where it was; addresses it had before the move stay lost."""
        return (MoveLink(name=self.name, target=self.source, source=self.target),)

    def needs(self) -> tuple[Expectation, ...]:
        """The link is where it is said to be, and its name is free where it goes."""
        return (LinkExists(name=self.name, node=self.source), NoLink(name=self.name, node=self.target))

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The chip changes its box and its far end remembers it there."""
        source = snapshot.node(self.source)
        link = source.link(self.name) if source else None
        if link is None or snapshot.node(self.target) is None:
            return snapshot
        bare = replace(link, up=False, carrier=False, addresses=(), master=None, port=None)

        def follow(own: Link) -> Link:
            if own.peer is not None and (own.peer.node, own.peer.name) == (self.source, self.name):
                return replace(own, peer=Peer(self.target, self.name, own.peer.ifindex))
            return own

        def edit(node: Node) -> Node:
            links = tuple(follow(own) for own in node.links if not (node.name == self.source and own.name == self.name))
            routes = tuple(route for route in node.routes if not (node.name == self.source and route.dev == self.name))
            moved = (follow(bare),) if node.name == self.target else ()
            return replace(node, links=links + moved, routes=routes)

        return with_carriers(with_nodes(snapshot, edit))


def _place(node: str) -> str:
    return "the host" if node == "host" else node
