"""Which node and which link of one snapshot is which of the other.

A namespace is its inode. A link is (namespace, ifindex) as long as it stays; when it moves to another namespace the kernel may give it
another ifindex, but it keeps its MAC, its kind and its peer, and those tell that it is the same one (RTM_NEWLINK with IFLA_NET_NS_*).
"""

from __future__ import annotations

import msgspec

from .snapshot import Link, Node, Snapshot

NO_MAC = ("", "00:00:00:00:00:00")


class Pair(msgspec.Struct, frozen=True):
    """One link before and after, and the nodes it was and is in."""

    node_before: Node
    before: Link
    node: Node
    after: Link

    @property
    def moved(self) -> bool:
        """Whether it changed its namespace."""
        return inode(self.node_before) != inode(self.node)


class Identity(msgspec.Struct, frozen=True):
    """Everything matched: nodes that stayed, links that stayed or moved, and what came and went."""

    nodes: tuple[tuple[Node, Node], ...]
    nodes_new: tuple[Node, ...]
    nodes_gone: tuple[Node, ...]
    links: tuple[Pair, ...]
    links_new: tuple[tuple[Node, Link], ...]
    links_gone: tuple[tuple[Node, Link], ...]

    def renamed(self, node: Node) -> dict[str, str]:
        """Old name to new name of the links that stayed in a node and are called otherwise now."""
        return {
            pair.before.name: pair.after.name
            for pair in self.links
            if pair.node is node and not pair.moved and pair.before.name != pair.after.name
        }


def inode(node: Node) -> tuple[int, str]:
    """What identifies a node: its inode, or its name in a sketch that has none."""
    return (node.netns, "") if node.netns else (0, node.name)


def match(before: Snapshot, after: Snapshot) -> Identity:
    """Match everything."""
    old = {inode(node): node for node in before.nodes}
    new = {inode(node): node for node in after.nodes}
    nodes = tuple((old[key], node) for key, node in new.items() if key in old)
    pairs: list[Pair] = []
    gone: list[tuple[Node, Link]] = []
    came: list[tuple[Node, Link]] = []
    for key, node in new.items():
        was = {link.ifindex: link for link in old[key].links} if key in old else {}
        for link in node.links:
            earlier = was.get(link.ifindex)
            if earlier is not None and _same(earlier, link):
                pairs.append(Pair(old[key], was.pop(link.ifindex), node, link))
            else:
                came.append((node, link))
        if key in old:
            gone += [(old[key], link) for link in was.values()]
    for key, node in old.items():
        if key not in new:
            gone += [(node, link) for link in node.links]
    pairs += _moves(gone, came)
    return Identity(
        nodes=nodes,
        nodes_new=tuple(node for key, node in new.items() if key not in old),
        nodes_gone=tuple(node for key, node in old.items() if key not in new),
        links=tuple(pairs),
        links_new=tuple(came),
        links_gone=tuple(gone),
    )


def _same(before: Link, after: Link) -> bool:
    """Whether a link with the same ifindex is the same link: an ifindex may be used again after a removal or a move."""
    if before.kind != after.kind:
        return False
    return before.mac == after.mac or before.name == after.name


def _moves(gone: list[tuple[Node, Link]], came: list[tuple[Node, Link]]) -> list[Pair]:
    """Take out of both lists what only moved, the best match first: same MAC and kind always, then same peer, then same name."""
    found: list[Pair] = []
    left: dict[tuple[str, str], list[tuple[Node, Link]]] = {}
    for there, earlier in gone:
        left.setdefault((earlier.mac, earlier.kind), []).append((there, earlier))
    moved: set[int] = set()
    for node, link in came:
        alike = left.get((link.mac, link.kind), []) if link.mac not in NO_MAC else []
        choices = [choice for choice in alike if inode(choice[0]) != inode(node)]
        if choices:
            best = max(choices, key=lambda choice: (_same_peer(choice[1], link), choice[1].name == link.name))
            alike.remove(best)
            moved |= {id(best[1]), id(link)}
            found.append(Pair(best[0], best[1], node, link))
    for links in (gone, came):
        links[:] = [(node, link) for node, link in links if id(link) not in moved]
    return found


def _same_peer(before: Link, after: Link) -> bool:
    return before.peer is not None and after.peer is not None and before.peer.name == after.peer.name
