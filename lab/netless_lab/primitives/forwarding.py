"""Forwarding: whether a node passes packets that are not for itself, that is, whether it is a router (RFC 1812; ip-sysctl)."""

from __future__ import annotations

from ..model.gates import networks, passes_on, switched_on
from ..model.netfilter.spans import common, network, spans
from ..model.snapshot import Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where
from .look import inside, no_node, place
from .outline import with_sysctl
from .roles import NodeName
from .sysctl import sysctl_of, write_lines

KEY = "net.ipv4.ip_forward"


class SetForwarding(Action, frozen=True, rename={"on": "forwarding", "node": "in"}):
    """``{ forwarding = true }``."""

    on: bool
    node: NodeName = "host"

    def sentence(self) -> str:
        who = "The host" if self.node == "host" else self.node
        return f"{who} {'now passes on' if self.on else 'no longer passes on'} packets that are not for itself."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``sysctl -w``, or plainly into the file."""
        return write_lines(dialect, where, self.node, KEY, "1" if self.on else "0")

    def inverse(self) -> tuple[Action, ...]:
        """The other way round."""
        return (SetForwarding(on=not self.on, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate opens or closes."""
        return with_sysctl(snapshot, self.node, "ip_forward", "1" if self.on else "0")


class Forwards(Expectation, frozen=True, rename={"on": "forwarding", "node": "in"}):
    """``{ forwarding = true }``."""

    on: bool
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """What the kernel asks: the switch of each interface that packets may come in by. ip_forward only writes them all."""
        claim = f"{self.node} {'passes on' if self.on else 'does not pass on'} packets that are not for itself"
        expected = f"{KEY} = {int(self.on)}{inside(self.node)}"
        look = where.run(self.node, f"sysctl {KEY}")
        node = snapshot.node(self.node)
        if node is None:
            return no_node(self.node, claim, expected)
        value = sysctl_of(node, KEY)
        devices = _travelled(snapshot, node) or ("",)
        passing = {device: passes_on(node, device) for device in devices}
        if all(on is not None and on == self.on for on in passing.values()):
            return Met(claim)
        if value is None or switched_on(value) != self.on:
            near = ""
            if self.on:
                routers = (other for other in snapshot.nodes if other.role == "container" and switched_on(sysctl_of(other, KEY) or ""))
                wrong = next(routers, None)
                if wrong is not None:
                    near = f"It is on in {place(wrong)}; but the packets pass through {place(node)}, which has a setting of its own."
            return NotMet(claim, expected, f"{KEY} is {value if value is not None else 'not readable'}", look, near)
        device = next(device for device, on in passing.items() if on != self.on)
        key, word = f"net/ipv4/conf/{device}/forwarding", "on" if self.on else "off"
        near = f"ip_forward is {word}, but {device} has a switch of its own, and it is {'off' if self.on else 'on'}."
        return NotMet(claim, expected, f"{key} is {int(not self.on)}", where.run(self.node, f"sysctl {key}"), near)


def _travelled(snapshot: Snapshot, node: Node) -> tuple[str, ...]:
    """The devices in whose networks somebody else is, so that packets for others may come in by them; all with a network when nobody is anywhere."""
    others = spans(pair for other in snapshot.nodes if other.netns != node.netns for link in other.links for own in link.v4 for pair in network(own.address))
    linked = tuple(link for link in node.links if link.name != "lo" and link.v4)
    return tuple(link.name for link in linked if common(networks(link), others)) or tuple(link.name for link in linked)
