"""Switching an interface on and off: IFF_UP, what was asked of it, beside the carrier, what the cable gives (netdevice(7))."""

from __future__ import annotations

from msgspec.structs import replace

from ..model.snapshot import Address, Link, Node, Snapshot
from .address import DeleteAddress
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, device, in_host, on_link, word
from .link import LinkExists
from .look import inside, no_link, no_node
from .outline import with_carriers, with_link, without_routes
from .roles import LinkName, NodeName


class LinkUp(Action, frozen=True, rename={"name": "up", "node": "in"}):
    """``{ up = "veth2" }``."""

    name: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Switch {self.name}{in_host(self.node)} on."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link set up`` or ``ifconfig up``."""
        return _switch(dialect, where, self.node, self.name, "up")

    def inverse(self) -> tuple[Action, ...]:
        """Off again. The address that ``lo`` got with it does not go by itself."""
        down = LinkDown(name=self.name, node=self.node)
        return (down, DeleteAddress(cidr="127.0.0.1/8", link="lo", node=self.node)) if self.name == "lo" else (down,)

    def needs(self) -> tuple[Expectation, ...]:
        return (LinkExists(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The link is on; ``lo`` also gets its address (RFC 5735: 127.0.0.1)."""
        return with_carriers(with_link(snapshot, self.node, self.name, _on))


class LinkDown(Action, frozen=True, rename={"name": "down", "node": "in"}):
    """``{ down = "veth2" }``. The routes through it vanish, and do not come back with ``up`` unless the kernel made them."""

    name: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Switch {self.name}{in_host(self.node)} off."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link set down`` or ``ifconfig down``."""
        return _switch(dialect, where, self.node, self.name, "down")

    def inverse(self) -> tuple[Action, ...]:
        """On again; routes that were lost are not in it."""
        return (LinkUp(name=self.name, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (LinkExists(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The link is off, its routes are gone."""
        off = with_link(snapshot, self.node, self.name, lambda link: replace(link, up=False, carrier=False))
        return with_carriers(without_routes(off, self.node, lambda route: route.dev == self.name))


class IsUp(Expectation, frozen=True, rename={"name": "up", "node": "in"}):
    """``{ up = "veth2", in = "host" }``: switched on, whatever the other end of the cable does."""

    name: LinkName
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """IFF_UP of the link; a loopback that is off gets the sentence that explains what it breaks."""
        claim = f"{self.name}{inside(self.node)} is up"
        expected = f"{self.name}{inside(self.node)} switched on"
        look = where.ip(self.node, f"-br link show {device(self.name)}")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        if (link := node.link(self.name)) is None:
            seen, near = no_link(snapshot, node, self.name)
            return NotMet(claim, expected, seen, where.ip(self.node, "-br link show"), near)
        if link.up:
            return Met(claim)
        return NotMet(claim, expected, f"{self.name} is down", look, _near(snapshot, node, link))


def _near(snapshot: Snapshot, node: Node, link: Link) -> str:
    if link.name == "lo":
        return "While lo is down, a node cannot even reach its own addresses: packets to oneself travel through lo."
    far_node = snapshot.node(link.peer.node) if link.peer else None
    far = far_node.link(link.peer.name) if far_node and link.peer else None
    if link.kind == "veth" and far is not None and far.up:
        return f"Its other end, {far.name}, is up; each end has a switch of its own."
    if any(address.family == 4 for address in link.addresses):
        return f"{link.name} has its address, but `ip addr add` does not switch a link on (ifconfig does)."
    return ""


def _switch(dialect: Dialect, where: Where, node: str, name: str, state: str) -> tuple[str, ...]:
    if dialect == "pyroute2":
        return on_link(where, node, name, f'ipr.link("set", index=index, state="{state}")')
    if dialect == "legacy":
        return (where.run(node, f"ifconfig {word(name)} {state}"),)
    return (where.ip(node, f"link set {device(name)} {state}"),)


def _on(link: Link) -> Link:
    if link.name == "lo" and not link.addresses:
        return replace(link, up=True, carrier=True, addresses=(Address("127.0.0.1", 8, 4, "host"),))
    return replace(link, up=True, carrier=link.kind != "veth" or link.carrier)
