"""One setting of a node's network stack (sysctl(8)): a small file below /proc/sys/net; every node has its own copy.

Forwarding: whether a node passes packets that are not for itself, that is, whether it is a router (RFC 1812; ip-sysctl).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..model.gates import networks, passes_on, switched_on
from ..model.knobs import KNOBS, held, short, slashed, whole
from ..model.netfilter.packet import common, network, spans
from ..model.snapshot import Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, in_host, literal, word
from .look import inside, listed, no_node, place
from .outline import with_sysctl
from .roles import NodeName


class SetSysctl(Action, frozen=True, rename={"key": "sysctl", "node": "in"}):
    """``{ sysctl = "net.ipv4.icmp_echo_ignore_all", value = "1", in = "c1" }``; ``was`` is what the inverse puts back."""

    key: str
    value: str
    node: NodeName = "host"
    was: str | None = None

    def __post_init__(self) -> None:
        if not self.key.startswith(("net.", "net/")):
            raise ValueError(f"{self.key} is not a setting of a network namespace: only those below net. are")

    def sentence(self) -> str:
        return f"Set {self.key}{in_host(self.node)} to {self.value}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``sysctl -w``, or plainly into the file."""
        return write_lines(dialect, where, self.node, self.key, self.value)

    def inverse(self) -> tuple[Action, ...]:
        """The old value, when it is known."""
        return () if self.was is None else (SetSysctl(key=self.key, value=self.was, node=self.node, was=self.value),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The value changes, where it is one that a snapshot holds."""
        key = short(self.key)
        return with_sysctl(snapshot, self.node, key, self.value) if key is not None else snapshot


class SysctlIs(Expectation, frozen=True, rename={"key": "sysctl", "node": "in"}):
    """``{ sysctl = "net.ipv4.icmp_echo_ignore_all", value = "0", in = "c1" }``, for the settings a snapshot holds."""

    key: str
    value: str
    node: NodeName = "host"

    def __post_init__(self) -> None:
        if short(self.key) is None:
            raise ValueError(f"{self.key} is in no snapshot, so nobody can tell what it is; those that are: {', '.join(map(whole, KNOBS))}")

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The value in the snapshot: of a device its own. What the node does not have is not met."""
        claim = f"{self.key}{inside(self.node)} is {self.value}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, claim)
        value = sysctl_of(node, self.key)
        if value == self.value:
            return Met(claim)
        seen = f"{self.key} is {value}" if value is not None else f"{self.key} is not there"
        return NotMet(claim, f"{self.key} = {self.value}{inside(self.node)}", seen, where.run(self.node, f"sysctl {word(self.key)}"))


def sysctl_of(node: Node, key: str) -> str | None:
    """The value of a setting in a node, however its key is spelt; None when the node does not have it, or a snapshot does not hold it."""
    own = short(key)
    device = own.partition("/")[2] if own is not None else ""
    if own is None or (device and all(link.name != device for link in node.links)):
        return None
    return held(node.sysctls, own)


def write_lines(dialect: Dialect, where: Where, node: str, key: str, value: str) -> tuple[str, ...]:
    """The lines that set a sysctl of ``node``."""
    path = f"/proc/sys/{slashed(key)}"
    if dialect == "legacy":
        return (where.shell(node, f"echo {word(value)} > {word(path)}"),)
    if dialect == "ip":
        return (where.run(node, f"sysctl -w {word(f'{key}={value}')}"),)
    write = f'open({literal(path)}, "w").write({literal(value)})'
    if node == where.node:
        return (write,)
    if node in where.names:
        enter = f"netns.setns({literal(where.names[node])}, flags=0)"
    else:
        enter = f'netns.setns("/proc/{where.pid(node)}/ns/net", flags=0)'
    return ("from pyroute2 import netns", enter, write)


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

    passing: ClassVar[bool] = True
    on: bool
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """What the kernel asks: the switch of each interface that packets may come in by. ip_forward only writes them all."""
        claim = f"{'the host' if self.node == 'host' else self.node} {'passes on' if self.on else 'does not pass on'} packets that are not for itself"
        expected = f"{KEY} = {int(self.on)}{inside(self.node)}"
        look = where.run(self.node, f"sysctl {KEY}")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        value = sysctl_of(node, KEY)
        devices = _travelled(snapshot, node) or ("",)
        passing = {device: passes_on(node, device) for device in devices}
        if all(on is not None and on == self.on for on in passing.values()):
            return Met(claim)
        if value is None or switched_on(value) != self.on:
            near = self._near(snapshot, node, passing) if self.on else ""
            return NotMet(claim, expected, f"{KEY} is {value if value is not None else 'not readable'}", look, near)
        device = next(device for device, on in passing.items() if on != self.on)
        key, switch = f"net/ipv4/conf/{device}/forwarding", "on" if self.on else "off"
        near = f"ip_forward is {switch}, but {device} has a switch of its own, and it is {'off' if self.on else 'on'}."
        return NotMet(claim, expected, f"{key} is {int(not self.on)}", where.run(self.node, f"sysctl {word(key)}"), near)

    def _near(self, snapshot: Snapshot, node: Node, passing: Mapping[str, bool | None]) -> str:
        """Where it is on instead."""
        routers = (other for other in snapshot.nodes if other.role == "container" and switched_on(sysctl_of(other, KEY) or ""))
        if (wrong := next(routers, None)) is not None:
            return f"It is on in {place(wrong)}; but the packets pass through {place(node)}, which has a setting of its own."
        on, off = (tuple(device for device, own in passing.items() if bool(own) is wanted) for wanted in (True, False))
        if on:
            return f"It is on for {listed(on, '')}, but not for {listed(off, '')}: what comes in by that is not passed on."
        if switched_on(sysctl_of(node, "net.ipv6.conf.all.forwarding") or ""):
            return "It is on for IPv6; IPv4 has a switch of its own."
        return ""


def _travelled(snapshot: Snapshot, node: Node) -> tuple[str, ...]:
    """The devices in whose networks somebody else is, so that packets for others may come in by them; all with a network when nobody is anywhere."""
    others = spans(pair for other in snapshot.nodes if other.netns != node.netns for link in other.links for own in link.v4 for pair in network(own.address))
    linked = tuple(link for link in node.links if link.name != "lo" and link.v4)
    return tuple(link.name for link in linked if common(networks(link), others)) or tuple(link.name for link in linked)
