"""Small steps for ``Action.outline``: change a snapshot as a sketch of what is to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from ..model.knobs import written
from ..model.netfilter.rules import Condition
from ..model.snapshot import Chain, Link, Node, Route, Rule, Snapshot

Engine = Literal["nft", "legacy"]
"""Whose chain: of nftables, or of the old iptables."""
LO = Link(name="lo", ifindex=1, kind="loopback", up=False, carrier=False, mtu=65536)
"""What every new network namespace holds: one loopback, down (network_namespaces(7))."""


def next_ifindex(snapshot: Snapshot) -> int:
    """An ifindex that no link of the sketch has yet."""
    return max((link.ifindex for node in snapshot.nodes for link in node.links), default=1) + 1


def with_nodes(snapshot: Snapshot, change: Callable[[Node], Node]) -> Snapshot:
    """The sketch with every node changed."""
    return replace(snapshot, nodes=tuple(map(change, snapshot.nodes)))


def with_node(snapshot: Snapshot, name: str, change: Callable[[Node], Node]) -> Snapshot:
    """The sketch with one node changed; unchanged when it has no such node."""
    return with_nodes(snapshot, lambda node: change(node) if node.name == name else node)


def add_node(snapshot: Snapshot, node: Node) -> Snapshot:
    """The sketch with one node more; unchanged when a node of that name is there."""
    return snapshot if snapshot.node(node.name) is not None else replace(snapshot, nodes=(*snapshot.nodes, node))


def without_node(snapshot: Snapshot, name: str) -> Snapshot:
    """The sketch without a node, and without the cables whose one end lay in it."""

    def kept(link: Link) -> bool:
        return link.kind != "veth" or link.peer is None or link.peer.node != name

    rest = replace(snapshot, nodes=tuple(node for node in snapshot.nodes if node.name != name))
    return with_nodes(rest, lambda node: replace(node, links=tuple(filter(kept, node.links))))


def with_links(snapshot: Snapshot, name: str, links: tuple[Link, ...]) -> Snapshot:
    """The sketch with links added to a node."""
    return with_node(snapshot, name, lambda node: replace(node, links=node.links + links))


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
        return replace(this, links=links, routes=routes)

    def freed(own: Link) -> Link:
        return replace(own, master=None, port=None) if own.master == link else own

    return with_nodes(snapshot, drop)


def without_routes(snapshot: Snapshot, name: str, gone: Callable[[Route], bool]) -> Snapshot:
    """The sketch without some routes of a node."""
    return with_node(snapshot, name, lambda node: replace(node, routes=tuple(route for route in node.routes if not gone(route))))


def with_link(snapshot: Snapshot, name: str, link: str, change: Callable[[Link], Link]) -> Snapshot:
    """The sketch with one link of a node changed; unchanged when the node has no such link."""
    return with_node(snapshot, name, lambda node: replace(node, links=tuple(change(own) if own.name == link else own for own in node.links)))


def with_carriers(snapshot: Snapshot) -> Snapshot:
    """The sketch with the carrier of every cable set as the kernel would: live when both ends are up (veth(4))."""
    ends = {(node.name, link.name): link for node in snapshot.nodes for link in node.links}

    def live(link: Link) -> Link:
        if link.kind == "veth" and link.peer is not None:
            far = ends.get((link.peer.node, link.peer.name))
            return replace(link, carrier=link.up and far is not None and far.up)
        return link

    return with_nodes(snapshot, lambda node: replace(node, links=tuple(map(live, node.links))))


def with_sysctl(snapshot: Snapshot, name: str, key: str, value: str) -> Snapshot:
    """The sketch with one kernel setting of a node changed; ``key`` as a snapshot has it: ip_forward."""
    return with_node(snapshot, name, lambda node: replace(node, sysctls=written(node.sysctls, key, value)))


def with_chain(snapshot: Snapshot, name: str, chain: Chain) -> Snapshot:
    """The sketch with a chain added to a node, or its policy replaced when the chain is there."""

    def edit(node: Node) -> Node:
        same = [own for own in node.chains if (own.family, own.table, own.name) == (chain.family, chain.table, chain.name)]
        kept = tuple(own for own in node.chains if own not in same)
        new = replace(same[0], policy=chain.policy) if same else chain
        return replace(node, chains=(*kept, new))

    return with_node(snapshot, name, edit)


def with_rule(snapshot: Snapshot, name: str, chain: str, rule: Rule, *, before: int | None = None, engine: Engine = "nft") -> Snapshot:
    """The sketch with a rule put into a chain (``ip lab forward``), at its end or ``before`` another; unchanged when there is no such chain."""

    def put(own: Chain) -> Chain:
        at = len(own.rules) if before is None else before
        return replace(own, rules=(*own.rules[:at], rule, *own.rules[at:]))

    return _with_chains(snapshot, name, engine, lambda own: put(own) if _is(own, chain) else own)


def without_rule(snapshot: Snapshot, name: str, chain: str, condition: Condition, *, tidy: bool, engine: Engine = "nft") -> Snapshot:
    """The sketch without the first rule of a chain (``ip lab forward``) that has this condition; ``tidy``: an empty chain goes too."""

    def drop(own: Chain) -> Chain | None:
        if not _is(own, chain):
            return own
        gone = next((rule for rule in own.rules if condition in rule.parts), None)
        left = tuple(rule for rule in own.rules if rule is not gone)
        return replace(own, rules=left) if left or not tidy else None

    return _with_chains(snapshot, name, engine, drop)


def without_chain(snapshot: Snapshot, name: str, chain: str) -> Snapshot:
    """The sketch without a chain (``ip lab forward``)."""
    return _with_chains(snapshot, name, "nft", lambda own: None if _is(own, chain) else own)


def _with_chains(snapshot: Snapshot, name: str, engine: Engine, change: Callable[[Chain], Chain | None]) -> Snapshot:
    """The sketch with each chain of a node changed; None for one that goes."""

    def changed(chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
        return tuple(now for own in chains if (now := change(own)) is not None)

    def edit(node: Node) -> Node:
        return replace(node, chains=changed(node.chains)) if engine == "nft" else replace(node, legacy=changed(node.legacy))

    return with_node(snapshot, name, edit)


def _is(own: Chain, place: str) -> bool:
    return f"{own.family} {own.table} {own.name}" == place


def unnamed(snapshot: Snapshot, name: str) -> Snapshot:
    """The sketch without a name in /run/netns."""
    rest = replace(snapshot, names=tuple(own for own in snapshot.names if own.name != name))
    return with_nodes(rest, lambda node: replace(node, names=tuple(own for own in node.names if own != name)))
