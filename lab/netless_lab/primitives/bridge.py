"""The switch in the kernel: a bridge, an interface that passes frames between its ports (bridge(8), IEEE 802.1D)."""

from __future__ import annotations

from typing import ClassVar

from ..model.snapshot import Link, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, in_host, python_program
from .link import DeleteLink, NoLink
from .look import inside, no_link, no_node
from .outline import next_ifindex, with_links
from .quoting import device, literal, word
from .roles import LinkName, NodeName


class CreateBridge(Action, frozen=True, rename={"name": "bridge", "node": "in"}):
    """``{ bridge = "br0" }``: born down, without ports, spanning tree off."""

    verb: ClassVar[str] = "bridge"
    name: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        return f"Create the bridge {self.name}{in_host(self.node)}: a switch with no cable in it yet."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link add type bridge`` or ``brctl addbr``."""
        if dialect == "pyroute2":
            return python_program(where, self.node, f'ipr.link("add", ifname={literal(self.name)}, kind="bridge")')
        if dialect == "legacy":
            return (where.run(self.node, f"brctl addbr {word(self.name)}"),)
        return (where.ip(self.node, f"link add name {word(self.name)} type bridge"),)

    def inverse(self) -> tuple[Action, ...]:
        """Delete it; its ports stay as loose ends."""
        return (DeleteLink(name=self.name, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        """The name must be free."""
        return (NoLink(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """An empty switch in the node."""
        bridge = Link(name=self.name, ifindex=next_ifindex(snapshot), kind="bridge", up=False, carrier=False)
        return with_links(snapshot, self.node, (bridge,))


class BridgeExists(Expectation, frozen=True, rename={"name": "bridge", "node": "in"}):
    """``{ bridge = "br0" }``, and when said also ``up``."""

    verb: ClassVar[str] = "bridge"
    name: LinkName
    node: NodeName = "host"
    up: bool | None = None

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """An interface of that name and of kind bridge."""
        asked = "" if self.up is None else " that is up" if self.up else " that is down"
        claim = f"{self.name}{inside(self.node)} is a bridge{asked}"
        expected = f"a bridge {self.name}{inside(self.node)}{asked}"
        node = snapshot.node(self.node)
        if node is None:
            return no_node(self.node, claim, expected)
        link = node.link(self.name)
        if link is None:
            seen, near = no_link(snapshot, node, self.name)
            others = tuple(own.name for own in node.links if own.kind == "bridge")
            if others and not near:
                near = f"There is a bridge called {others[0]}; this step calls it {self.name}."
            return NotMet(claim, expected, seen, where.ip(self.node, "link show type bridge"), near)
        look = where.ip(self.node, f"-d link show {device(self.name)}")
        if link.kind != "bridge":
            near = f"`ip link add {self.name} type bridge` makes a bridge; {self.name} was made as something else."
            return NotMet(claim, expected, f"{self.name} is a {link.kind}", look, near)
        if self.up is not None and link.up != self.up:
            return NotMet(claim, expected, f"{self.name} is {'up' if link.up else 'down'}", look)
        return Met(claim)
