"""Carrying an interface into another namespace (ip-link(8), ``netns``). It arrives down, without addresses and routes."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..model.snapshot import Link, Node, Peer, Snapshot
from .base import Action, Dialect, Expectation, Where, on_link
from .link import LinkExists, NoLink
from .outline import with_carriers
from .quoting import device
from .roles import LinkName, NodeName


class MoveLink(Action, frozen=True, rename={"name": "move", "target": "to", "source": "from"}):
    """``{ move = "veth1", to = "c1" }``; ``from`` is the host when not said."""

    verb: ClassVar[str] = "move"
    name: LinkName
    target: NodeName
    source: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
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
        bare = msgspec.structs.replace(link, up=False, carrier=False, addresses=(), master=None, port=None)

        def follow(own: Link) -> Link:
            if own.peer is not None and (own.peer.node, own.peer.name) == (self.source, self.name):
                return msgspec.structs.replace(own, peer=Peer(self.target, self.name, own.peer.ifindex))
            return own

        def edit(node: Node) -> Node:
            links = tuple(follow(own) for own in node.links if not (node.name == self.source and own.name == self.name))
            routes = tuple(route for route in node.routes if not (node.name == self.source and route.dev == self.name))
            moved = (follow(bare),) if node.name == self.target else ()
            return msgspec.structs.replace(node, links=links + moved, routes=routes)

        return with_carriers(msgspec.structs.replace(snapshot, nodes=tuple(edit(node) for node in snapshot.nodes)))


def _place(node: str) -> str:
    return "the host" if node == "host" else node
