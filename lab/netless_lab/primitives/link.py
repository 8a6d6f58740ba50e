"""Interfaces as such: that they exist, what they are called, how they go, how large their packets may be (ip-link(8))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec.structs import replace

from ..model.snapshot import Link, Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, device, in_host, literal, on_link, word
from .look import inside, no_link, no_node, place
from .outline import with_link, with_nodes, without_link
from .roles import LinkName, NodeName

Mtu = Annotated[int, msgspec.Meta(ge=68, le=65535)]
"""Bytes of the largest IP packet; 68 is the least IPv4 allows (RFC 791)."""


class DeleteLink(Action, frozen=True, rename={"name": "delete-link", "node": "in"}):
    """``{ delete-link = "veth1" }``: the interface goes, and when it is an end of a cable the other end goes with it."""

    name: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Delete the interface {self.name}{in_host(self.node)}, with its addresses and routes."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """iproute2 in both command dialects: brctl deletes bridges only, and nothing older deletes a cable."""
        if dialect == "pyroute2":
            return on_link(where, self.node, self.name, 'ipr.link("del", index=index)')
        return (where.ip(self.node, f"link delete {device(self.name)}"),)

    def needs(self) -> tuple[Expectation, ...]:
        return (LinkExists(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The link and its far end vanish."""
        return without_link(snapshot, self.node, self.name)


class RenameLink(Action, frozen=True, rename={"name": "rename", "new": "to", "node": "in"}):
    """``{ rename = "veth1", to = "eth0", in = "c1" }``: only the label changes; the ifindex stays.

    Kernels before 6.2 refuse it while the link is up (EBUSY).
    """

    name: LinkName
    new: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Rename {self.name}{in_host(self.node)} to {self.new}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """iproute2 in both command dialects: ifconfig cannot rename."""
        if dialect == "pyroute2":
            return on_link(where, self.node, self.name, f'ipr.link("set", index=index, ifname={literal(self.new)})')
        return (where.ip(self.node, f"link set {device(self.name)} name {word(self.new)}"),)

    def inverse(self) -> tuple[Action, ...]:
        return (RenameLink(name=self.new, new=self.name, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        """The old name must be there and the new one free."""
        return (LinkExists(name=self.name, node=self.node), NoLink(name=self.new, node=self.node))

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The chip's label changes, and so does what others call it."""

        def edit(node: Node) -> Node:
            here = node.name == self.node
            routes = tuple(replace(route, dev=self.new) if here and route.dev == self.name else route for route in node.routes)
            return replace(node, links=tuple(self._renamed(node, link) for link in node.links), routes=routes)

        return with_nodes(snapshot, edit)

    def _renamed(self, node: Node, link: Link) -> Link:
        if node.name == self.node and link.name == self.name:
            return replace(link, name=self.new)
        if node.name == self.node and link.master == self.name:
            return replace(link, master=self.new)
        if link.peer is not None and (link.peer.node, link.peer.name) == (self.node, self.name):
            return replace(link, peer=replace(link.peer, name=self.new))
        return link


class SetMtu(Action, frozen=True, rename={"size": "mtu", "name": "dev", "node": "in"}):
    """``{ mtu = 1450, dev = "eth0", in = "c1" }``; ``was`` is what the inverse puts back."""

    size: Mtu
    name: LinkName
    node: NodeName = "host"
    was: Mtu = 1500

    def sentence(self) -> str:
        return f"Set the largest packet of {self.name}{in_host(self.node)} to {self.size} bytes."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link set mtu``, or ``ifconfig mtu``."""
        if dialect == "pyroute2":
            return on_link(where, self.node, self.name, f'ipr.link("set", index=index, mtu={self.size})')
        if dialect == "legacy":
            return (where.run(self.node, f"ifconfig {word(self.name)} mtu {self.size}"),)
        return (where.ip(self.node, f"link set {device(self.name)} mtu {self.size}"),)

    def inverse(self) -> tuple[Action, ...]:
        return (SetMtu(size=self.was, name=self.name, node=self.node, was=self.size),)

    def needs(self) -> tuple[Expectation, ...]:
        return (LinkExists(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The number changes."""
        return with_link(snapshot, self.node, self.name, lambda link: replace(link, mtu=self.size))


class LinkExists(Expectation, frozen=True, rename={"name": "link", "node": "in"}):
    """``{ link = "veth1", in = "c1" }``, and when said also of what ``kind``, ``up``, with ``carrier``, with which ``mtu``."""

    name: LinkName
    node: NodeName = "host"
    kind: str | None = None
    up: bool | None = None
    carrier: bool | None = None
    mtu: int | None = None

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Find the link in its node and compare what was asked of it."""
        claim = f"{self.name} is{inside(self.node)}" + self._asked()
        expected = f"{'a ' + self.kind if self.kind else 'an interface'} {self.name}{inside(self.node)}" + self._asked()
        look = where.ip(self.node, "-d link show")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        if (link := node.link(self.name)) is None:
            seen, near = no_link(snapshot, node, self.name)
            return NotMet(claim, expected, seen, look, near)
        if (wrong := self._wrong(snapshot, node, link)) is None:
            return Met(claim)
        return NotMet(claim, expected, wrong[0], where.ip(self.node, f"-d link show {device(self.name)}"), wrong[1])

    def kinds(self) -> Mapping[str, str]:
        return {self.name: self.kind} if self.kind is not None else {}

    def _asked(self) -> str:
        words = [
            "" if self.up is None else " and is up" if self.up else " and is down",
            "" if self.carrier is None else " and its cable is live" if self.carrier else " and its cable is dead",
            "" if self.mtu is None else f" and takes packets of {self.mtu} bytes",
        ]
        return "".join(words)

    def _wrong(self, snapshot: Snapshot, node: Node, link: Link) -> tuple[str, str] | None:
        if self.kind is not None and link.kind != self.kind:
            return f"{self.name} is a {link.kind}, not a {self.kind}", ""
        if self.up is not None and link.up != self.up:
            return f"{self.name}{inside(self.node)} is {'up' if link.up else 'down'}", ""
        if self.carrier is not None and link.carrier != self.carrier:
            return f"{self.name} has {'a' if link.carrier else 'no'} carrier", why_no_carrier(snapshot, node, link)
        if self.mtu is not None and link.mtu != self.mtu:
            return f"{self.name} takes packets of {link.mtu} bytes", ""
        return None


class NoLink(Expectation, frozen=True, rename={"name": "no-link", "node": "in"}):
    """``{ no-link = "veth1", in = "host" }``: the node has no interface of that name."""

    name: LinkName
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Absent is what is wanted; a node that does not exist is no proof of it."""
        claim = f"{self.name} is not{inside(self.node)}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, claim)
        if (link := node.link(self.name)) is None:
            return Met(claim)
        seen = f"{place(node)} has a {link.kind} called {self.name}"
        return NotMet(claim, f"no interface {self.name}{inside(self.node)}", seen, where.ip(self.node, "link show"))


def why_no_carrier(snapshot: Snapshot, node: Node, link: Link) -> str:
    """The sentence for a link that is up and yet dead; "" when nothing explains it."""
    if link.carrier:
        return ""
    if not link.up:
        return f"{link.name} is itself still down."
    far_node = snapshot.node(link.peer.node) if link.peer else None
    far = far_node.link(link.peer.name) if far_node and link.peer else None
    if link.kind == "veth" and far is not None and far_node is not None and not far.up:
        return f"The other end, {far.name} in {place(far_node)}, is still down: a cable is live only when both ends are up."
    ports = tuple(own for own in node.links if own.master == link.name)
    if link.kind == "bridge" and not any(port.up and port.carrier for port in ports):
        return f"None of the ports of {link.name} is live: a bridge has a carrier only through its ports."
    return ""
