"""Neighbours: which MAC address answers for an IP address on the same cable (ARP, RFC 826; ip-neighbour(8))."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from ..model.addresses import same
from ..model.snapshot import Neighbour, Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, in_host, on_link, word
from .link import LinkExists
from .look import inside, no_node, opening, place
from .outline import with_node
from .roles import Ip, LinkName, NodeName

KNOWN = frozenset({"reachable", "stale", "delay", "probe", "permanent"})
"""States in which the kernel has a MAC it will use (NUD_VALID, <linux/neighbour.h>)."""


class SetNeighbour(Action, frozen=True, rename={"ip": "neighbour", "link": "dev", "node": "in"}):
    """``{ neighbour = "10.0.0.1", mac = "02:00:00:00:00:01", dev = "veth1", in = "c1" }``: written by hand, never asked again."""

    ip: Ip
    mac: str
    link: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Tell the ARP table{in_host(self.node)} for good that {self.ip} is at {self.mac}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip neigh replace ... nud permanent`` or ``arp -s``."""
        if dialect == "pyroute2":
            call = f'ipr.neigh("replace", dst="{self.ip}", lladdr="{self.mac}", ifindex=index, state="permanent")'
            return on_link(where, self.node, self.link, call)
        if dialect == "legacy":
            return (where.run(self.node, f"arp -i {word(self.link)} -s {self.ip} {self.mac}"),)
        return (where.ip(self.node, f"neigh replace {self.ip} lladdr {self.mac} dev {word(self.link)} nud permanent"),)

    def inverse(self) -> tuple[Action, ...]:
        return (DeleteNeighbour(ip=self.ip, link=self.link, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (LinkExists(name=self.link, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One permanent entry more."""
        entry = Neighbour(self.ip, self.link, self.mac, "permanent", 6 if ":" in self.ip else 4)
        forgotten = DeleteNeighbour(ip=self.ip, link=self.link, node=self.node).outline(snapshot)
        return with_node(forgotten, self.node, lambda node: replace(node, neighbours=(*node.neighbours, entry)))


class DeleteNeighbour(Action, frozen=True, rename={"ip": "unneighbour", "link": "dev", "node": "in"}):
    """``{ unneighbour = "10.0.0.1", dev = "veth1", in = "c1" }``."""

    ip: Ip
    link: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Delete {self.ip} from the ARP table{in_host(self.node)}; it will be asked for when needed."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip neigh del`` or ``arp -d``."""
        if dialect == "pyroute2":
            return on_link(where, self.node, self.link, f'ipr.neigh("del", dst="{self.ip}", ifindex=index)')
        if dialect == "legacy":
            return (where.run(self.node, f"arp -i {word(self.link)} -d {self.ip}"),)
        return (where.ip(self.node, f"neigh del {self.ip} dev {word(self.link)}"),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One entry less."""

        def edit(node: Node) -> Node:
            kept = tuple(own for own in node.neighbours if own.dev != self.link or not same(own.address, self.ip))
            return replace(node, neighbours=kept)

        return with_node(snapshot, self.node, edit)


class KnowsNeighbour(Expectation, frozen=True, rename={"ip": "neighbour", "node": "in"}):
    """``{ neighbour = "10.0.0.3", in = "c1" }``: the node knows a MAC for it, fresh or a little old."""

    learned: ClassVar[bool] = True
    ip: Ip
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """An entry with a MAC, in a state in which the kernel uses it; and the MAC is that of the address's owner."""
        claim = f"{self.node} knows the MAC of {self.ip}"
        expected = f"an ARP entry for {self.ip} with a MAC{inside(self.node)}"
        look = where.ip(self.node, "neigh show")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        entries = tuple(entry for entry in node.neighbours if same(entry.address, self.ip))
        known = tuple(entry for entry in entries if entry.mac and entry.state in KNOWN)
        owners = tuple((other, link) for other in snapshot.nodes if (link := other.owner(self.ip)) is not None)
        wrong = tuple(entry for entry in known if owners and all(link.mac and entry.mac != link.mac for _, link in owners))
        if known and not wrong:
            return Met(claim)
        if wrong:
            seen = f"{self.ip} is thought to be at {wrong[0].mac} ({wrong[0].state})"
            near = f"{self.ip} belongs to {owners[0][1].name} in {place(owners[0][0])}, whose MAC is {owners[0][1].mac}."
            return NotMet(claim, expected, seen, look, near)
        if entries:
            near = f"{opening(place(node))} asked who has {self.ip}, and nobody answered."
            return NotMet(claim, expected, f"{self.ip} is {entries[0].state}", look, near)
        near = "An entry appears with the first packet to a neighbour: ping it once."
        return NotMet(claim, expected, f"no entry for {self.ip}", look, near)
