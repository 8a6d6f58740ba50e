"""The switch in the kernel: a bridge, an interface that passes frames between its ports (bridge(8), IEEE 802.1D).

A bridge's port: an interface whose frames go to the bridge, and to no one else (ip-link(8), ``master``).

What a bridge has learned: behind which port each MAC address was last seen (bridge(8), ``fdb``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from msgspec.structs import replace

from ..model.snapshot import BridgePort, Link, Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, device, in_host, literal, on_link, python_program, word
from .link import DeleteLink, LinkExists, NoLink
from .look import inside, listed, no_link, no_node, place
from .outline import next_ifindex, with_link, with_links
from .roles import LinkName, NodeName


class CreateBridge(Action, frozen=True, rename={"name": "bridge", "node": "in"}):
    """``{ bridge = "br0" }``: born down, without ports, spanning tree off."""

    name: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
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
        return (NoLink(name=self.name, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """An empty switch in the node."""
        bridge = Link(name=self.name, ifindex=next_ifindex(snapshot), kind="bridge", up=False, carrier=False)
        return with_links(snapshot, self.node, (bridge,))


class BridgeExists(Expectation, frozen=True, rename={"name": "bridge", "node": "in"}):
    """``{ bridge = "br0" }``, and when said also ``up``."""

    name: LinkName
    node: NodeName = "host"
    up: bool | None = None

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """An interface of that name and of kind bridge."""
        asked = "" if self.up is None else " that is up" if self.up else " that is down"
        claim = f"{self.name}{inside(self.node)} is a bridge{asked}"
        expected = f"a bridge {self.name}{inside(self.node)}{asked}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        if (link := node.link(self.name)) is None:
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

    def kinds(self) -> Mapping[str, str]:
        return {self.name: "bridge"}


PortState = Literal["disabled", "listening", "learning", "forwarding", "blocking"]


class AddPort(Action, frozen=True, rename={"name": "port", "bridge": "of", "node": "in"}):
    """``{ port = "veth2", of = "br0" }``."""

    name: LinkName
    bridge: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Plug {self.name} into the bridge {self.bridge}{in_host(self.node)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link set master`` or ``brctl addif``."""
        if dialect == "pyroute2":
            bridge = f"bridge = ipr.link_lookup(ifname={literal(self.bridge)})[0]"
            return on_link(where, self.node, self.name, bridge, 'ipr.link("set", index=index, master=bridge)')
        if dialect == "legacy":
            return (where.run(self.node, f"brctl addif {word(self.bridge)} {word(self.name)}"),)
        return (where.ip(self.node, f"link set {device(self.name)} master {word(self.bridge)}"),)

    def inverse(self) -> tuple[Action, ...]:
        return (RemovePort(name=self.name, bridge=self.bridge, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        """Both must be in the same node."""
        return (LinkExists(name=self.name, node=self.node), BridgeExists(name=self.bridge, node=self.node))

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The wire ends at the switch."""
        return with_link(
            snapshot, self.node, self.name, lambda link: replace(link, master=self.bridge, port=BridgePort("forwarding" if link.up else "disabled"))
        )


class RemovePort(Action, frozen=True, rename={"name": "unport", "bridge": "of", "node": "in"}):
    """``{ unport = "veth2", of = "br0" }``."""

    name: LinkName
    bridge: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Pull {self.name} out of the bridge {self.bridge}{in_host(self.node)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip link set nomaster`` or ``brctl delif``."""
        if dialect == "pyroute2":
            return on_link(where, self.node, self.name, 'ipr.link("set", index=index, master=0)')
        if dialect == "legacy":
            return (where.run(self.node, f"brctl delif {word(self.bridge)} {word(self.name)}"),)
        return (where.ip(self.node, f"link set {device(self.name)} nomaster"),)

    def inverse(self) -> tuple[Action, ...]:
        return (AddPort(name=self.name, bridge=self.bridge, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (IsPort(name=self.name, bridge=self.bridge, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The wire's end is loose again."""
        return with_link(snapshot, self.node, self.name, lambda link: replace(link, master=None, port=None))


class IsPort(Expectation, frozen=True, rename={"name": "port", "bridge": "of", "node": "in"}):
    """``{ port = "veth2", of = "br0" }``, and when said also in which ``state`` (a live one is forwarding)."""

    name: LinkName
    bridge: LinkName
    node: NodeName = "host"
    state: PortState | None = None

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The link's master is the bridge, and the port is in the state asked for."""
        asked = f", {self.state}" if self.state else ""
        claim = f"{self.name} is a port of {self.bridge}{inside(self.node)}{asked}"
        expected = f"{self.name} plugged into {self.bridge}{asked}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        look = where.run(self.node, "bridge link show")
        if (link := node.link(self.name)) is None:
            seen, near = no_link(snapshot, node, self.name)
            return NotMet(claim, expected, seen, look, near)
        if link.master != self.bridge:
            seen = f"{self.name} is {'a port of ' + link.master if link.master else 'no port of anything'}"
            return NotMet(claim, expected, seen, look, self._near(node, link))
        state = link.port.state if link.port else "disabled"
        if self.state is not None and state != self.state:
            return NotMet(claim, expected, f"the port {self.name} is {state}", look, self._stuck(snapshot, node, link))
        return Met(claim)

    def kinds(self) -> Mapping[str, str]:
        return {self.bridge: "bridge"}

    def _near(self, node: Node, link: Link) -> str:
        if node.link(self.bridge) is None:
            return f"{place(node)} has no bridge {self.bridge} to plug it into."
        if link.peer is not None and link.peer.node == node.name:
            far = node.link(link.peer.name)
            if far is not None and far.master == self.bridge:
                return f"{far.name}, the other end of the same cable, is plugged in instead."
        return ""

    def _stuck(self, snapshot: Snapshot, node: Node, link: Link) -> str:
        bridge = node.link(self.bridge)
        if bridge is not None and not bridge.up:
            return f"{self.bridge} itself is down: a switch that is off forwards nothing on any port."
        if not link.up:
            return f"{link.name} is still down."
        far_node = snapshot.node(link.peer.node) if link.peer else None
        far = far_node.link(link.peer.name) if far_node and link.peer else None
        if far is not None and far_node is not None and not far.up:
            return f"The other end, {far.name} in {place(far_node)}, is still down, so the port has no carrier."
        if bridge is not None and bridge.stp and self.state == "forwarding":
            wait = f"{2 * bridge.forward_delay_s} seconds" if bridge.forward_delay_s is not None else "a while"
            return f"{self.bridge} runs the spanning tree protocol: a port listens and learns for {wait} before it forwards."
        return ""


class Learned(Expectation, frozen=True, rename={"who": "learned", "port": "behind", "node": "in"}):
    """``{ learned = "c1", behind = "veth2" }``: the bridge has seen a frame from an interface of c1 arrive at that port."""

    learned: ClassVar[bool] = True
    who: NodeName
    port: LinkName
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A learned entry (neither local nor permanent) whose MAC belongs to a link of ``who``."""
        claim = f"the bridge has learned that {self.who} is behind {self.port}"
        expected = f"a MAC of {self.who} learned at the port {self.port}{inside(self.node)}"
        look = where.run(self.node, "bridge fdb show dynamic")
        node, who = snapshot.node(self.node), snapshot.node(self.who)
        if node is None or who is None:
            return no_node(self.node if node is None else self.who, claim, expected)
        macs = {link.mac for link in who.links if link.mac and link.name != "lo"}
        if not macs:
            return NotMet(claim, expected, f"{place(who)} has no interface with a MAC yet", where.ip(self.who, "link show"))
        learned = tuple(entry for entry in node.fdb if entry.mac in macs and not entry.local and entry.state != "permanent")
        if any(entry.dev == self.port for entry in learned):
            return Met(claim)
        if learned:
            seen = f"{learned[0].mac} was learned behind {listed(tuple(entry.dev for entry in learned), '')}"
            return NotMet(claim, expected, seen, look, "It is the same container behind another port.")
        near = f"A bridge learns from what it hears: {self.who} has not sent a frame lately. Ping from it once."
        return NotMet(claim, expected, f"no entry for {listed(tuple(sorted(macs)), '')}", look, near)
