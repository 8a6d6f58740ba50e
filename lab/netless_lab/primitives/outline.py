"""Small steps for ``Action.outline``: change a snapshot as a sketch of what is to come."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..model.netfilter.rules import Condition
from ..model.snapshot import Chain, Link, Node, Rule, Snapshot

LO = Link(name="lo", ifindex=1, kind="loopback", up=False, carrier=False, mtu=65536)
"""What every new network namespace holds: one loopback, down (network_namespaces(7))."""


def next_ifindex(snapshot: Snapshot) -> int:
    """An ifindex that no link of the sketch has yet."""
    return max((link.ifindex for node in snapshot.nodes for link in node.links), default=1) + 1


def with_node(snapshot: Snapshot, name: str, change: Callable[[Node], Node]) -> Snapshot:
    """The sketch with one node changed; unchanged when it has no such node."""
    nodes = tuple(change(node) if node.name == name else node for node in snapshot.nodes)
    return msgspec.structs.replace(snapshot, nodes=nodes)


def add_node(snapshot: Snapshot, node: Node) -> Snapshot:
    """The sketch with one node more; unchanged when a node of that name is there."""
    if snapshot.node(node.name) is not None:
        return snapshot
    return msgspec.structs.replace(snapshot, nodes=(*snapshot.nodes, node))


def without_node(snapshot: Snapshot, name: str) -> Snapshot:
    """The sketch without a node, and without the cables whose one end lay in it."""
    rest = tuple(node for node in snapshot.nodes if node.name != name)

    def cut(node: Node) -> Node:
        links = tuple(link for link in node.links if link.kind != "veth" or link.peer is None or link.peer.node != name)
        return msgspec.structs.replace(node, links=links)

    return msgspec.structs.replace(snapshot, nodes=tuple(cut(node) for node in rest))


def with_links(snapshot: Snapshot, name: str, links: tuple[Link, ...]) -> Snapshot:
    """The sketch with links added to a node."""
    return with_node(snapshot, name, lambda node: msgspec.structs.replace(node, links=node.links + links))


def without_link(snapshot: Snapshot, name: str, link: str) -> Snapshot:
    """The sketch without a link, its routes and, when it is an end of a cable, the other end."""
    node = snapshot.node(name)
    gone = node.link(link) if node else None
    if node is None or gone is None:
        return snapshot
    far = gone.peer if gone.kind == "veth" else None

    def drop(this: Node) -> Node:
        lost = {link} if this.name == name else set()
        if far is not None and this.name == far.node:
            lost.add(far.name)
        links = tuple(freed(own) for own in this.links if own.name not in lost)
        routes = tuple(route for route in this.routes if route.dev not in lost)
        return msgspec.structs.replace(this, links=links, routes=routes)

    def freed(own: Link) -> Link:
        return msgspec.structs.replace(own, master=None, port=None) if own.master == link else own

    return msgspec.structs.replace(snapshot, nodes=tuple(drop(this) for this in snapshot.nodes))


def with_link(snapshot: Snapshot, name: str, link: str, change: Callable[[Link], Link]) -> Snapshot:
    """The sketch with one link of a node changed; unchanged when the node has no such link."""

    def edit(node: Node) -> Node:
        links = tuple(change(own) if own.name == link else own for own in node.links)
        return msgspec.structs.replace(node, links=links)

    return with_node(snapshot, name, edit)


def with_carriers(snapshot: Snapshot) -> Snapshot:
    """The sketch with the carrier of every cable set as the kernel would: live when both ends are up (veth(4))."""
    ends = {(node.name, link.name): link for node in snapshot.nodes for link in node.links}

    def live(link: Link) -> Link:
        if link.kind == "veth" and link.peer is not None:
            far = ends.get((link.peer.node, link.peer.name))
            return msgspec.structs.replace(link, carrier=link.up and far is not None and far.up)
        return link

    def edit(node: Node) -> Node:
        return msgspec.structs.replace(node, links=tuple(live(link) for link in node.links))

    return msgspec.structs.replace(snapshot, nodes=tuple(edit(node) for node in snapshot.nodes))


def with_sysctl(snapshot: Snapshot, name: str, key: str, value: str) -> Snapshot:
    """The sketch with one kernel setting of a node changed; ``key`` as a snapshot has it: ip_forward."""
    return with_node(snapshot, name, lambda node: msgspec.structs.replace(node, sysctls={**node.sysctls, key: value}))


def with_chain(snapshot: Snapshot, name: str, chain: Chain) -> Snapshot:
    """The sketch with a chain added to a node, or its policy replaced when the chain is there."""

    def edit(node: Node) -> Node:
        same = [own for own in node.chains if (own.family, own.table, own.name) == (chain.family, chain.table, chain.name)]
        kept = tuple(own for own in node.chains if own not in same)
        new = msgspec.structs.replace(same[0], policy=chain.policy) if same else chain
        return msgspec.structs.replace(node, chains=(*kept, new))

    return with_node(snapshot, name, edit)


def with_rule(snapshot: Snapshot, name: str, chain: str, rule: Rule) -> Snapshot:
    """The sketch with a rule appended to a chain of table ``ip lab``; unchanged when there is no such chain."""

    def edit(node: Node) -> Node:
        return msgspec.structs.replace(node, chains=tuple(append(own) if own.name == chain else own for own in node.chains))

    def append(own: Chain) -> Chain:
        return msgspec.structs.replace(own, rules=(*own.rules, rule)) if own.table == "lab" else own

    return with_node(snapshot, name, edit)


def without_rule(snapshot: Snapshot, name: str, chain: str, condition: Condition, *, tidy: bool) -> Snapshot:
    """The sketch without the first rule of a chain of table ``ip lab`` that has this condition; ``tidy``: an empty chain goes too."""

    def edit(node: Node) -> Node:
        chains = tuple(drop(own) if (own.table, own.name) == ("lab", chain) else own for own in node.chains)
        kept = tuple(own for own in chains if own.rules or not tidy or (own.table, own.name) != ("lab", chain))
        return msgspec.structs.replace(node, chains=kept)

    def drop(own: Chain) -> Chain:
        gone = next((rule for rule in own.rules if condition in rule.parts), None)
        return msgspec.structs.replace(own, rules=tuple(rule for rule in own.rules if rule is not gone))

    return with_node(snapshot, name, edit)


def without_chain(snapshot: Snapshot, name: str, chain: str) -> Snapshot:
    """The sketch without a chain of table ``ip lab``."""

    def edit(node: Node) -> Node:
        kept = tuple(own for own in node.chains if (own.table, own.name) != ("lab", chain))
        return msgspec.structs.replace(node, chains=kept)

    return with_node(snapshot, name, edit)


def unnamed(snapshot: Snapshot, name: str) -> Snapshot:
    """The sketch without a name in /run/netns."""
    names = tuple(own for own in snapshot.names if own.name != name)
    nodes = tuple(msgspec.structs.replace(node, names=tuple(own for own in node.names if own != name)) for node in snapshot.nodes)
    return msgspec.structs.replace(snapshot, names=names, nodes=nodes)
