"""Small steps for ``Action.outline``: change a snapshot as a sketch of what is to come."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..model.snapshot import Link, Node, Snapshot


def next_ifindex(snapshot: Snapshot) -> int:
    """An ifindex that no link of the sketch has yet."""
    return max((link.ifindex for node in snapshot.nodes for link in node.links), default=1) + 1


def with_node(snapshot: Snapshot, name: str, change: Callable[[Node], Node]) -> Snapshot:
    """The sketch with one node changed; unchanged when it has no such node."""
    nodes = tuple(change(node) if node.name == name else node for node in snapshot.nodes)
    return msgspec.structs.replace(snapshot, nodes=nodes)


def with_links(snapshot: Snapshot, name: str, links: tuple[Link, ...]) -> Snapshot:
    """The sketch with links added to a node."""
    return with_node(snapshot, name, lambda node: msgspec.structs.replace(node, links=node.links + links))


def with_link(snapshot: Snapshot, name: str, link: str, change: Callable[[Link], Link]) -> Snapshot:
    """The sketch with one link of a node changed; unchanged when the node has no such link."""

    def edit(node: Node) -> Node:
        links = tuple(change(own) if own.name == link else own for own in node.links)
        return msgspec.structs.replace(node, links=links)

    return with_node(snapshot, name, edit)
