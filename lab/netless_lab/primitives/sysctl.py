"""One setting of a node's network stack (sysctl(8)): a small file below /proc/sys/net; every node has its own copy."""

from __future__ import annotations

from ..model.snapshot import Node, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, in_host, literal
from .look import inside, no_node
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
        """The value changes."""
        return with_sysctl(snapshot, self.node, short(self.key), self.value)


class SysctlIs(Expectation, frozen=True, rename={"key": "sysctl", "node": "in"}):
    """``{ sysctl = "net.ipv4.icmp_echo_ignore_all", value = "0", in = "c1" }``, for the settings a snapshot holds."""

    key: str
    value: str
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The value in the snapshot; a setting the snapshot does not hold is not met."""
        claim = f"{self.key}{inside(self.node)} is {self.value}"
        node = snapshot.node(self.node)
        if node is None:
            return no_node(self.node, claim, claim)
        value = sysctl_of(node, self.key)
        if value == self.value:
            return Met(claim)
        seen = f"{self.key} is {value}" if value is not None else f"{self.key} is not there"
        return NotMet(claim, f"{self.key} = {self.value}{inside(self.node)}", seen, where.run(self.node, f"sysctl {self.key}"))


def slashed(key: str) -> str:
    """``net/ipv4/ip_forward``: the spelling in which a dot is a dot of a device's name (sysctl(8))."""
    return key if "/" in key else key.replace(".", "/")


def short(key: str) -> str:
    """The key under which a snapshot holds a setting: ``ip_forward``, ``rp_filter`` (of all), ``forwarding/br0``, ``v6.forwarding``."""
    match slashed(key).split("/"):
        case ["net", "ipv4", "conf", "all", knob]:
            return knob
        case ["net", "ipv4", "conf", "default", knob]:
            return f"default.{knob}"
        case ["net", "ipv4", "conf", device, knob]:
            return f"{knob}/{device}"
        case ["net", "ipv6", "conf", "all", knob]:
            return {"disable_ipv6": "v6.disabled"}.get(knob, f"v6.{knob}")
        case [*_, knob]:
            return knob
    return key


def whole(key: str) -> str:
    """The key for sysctl(8) of what a snapshot calls ``key``: the opposite of ``short``."""
    if key.startswith(("net/", "net.")):
        return key
    knob, _, device = key.partition("/")
    if device:
        slash = "/" if "." in device else "."
        return slash.join(("net", "ipv4", "conf", device, knob))
    if key.startswith("default."):
        return f"net.ipv4.conf.{key}"
    if key.startswith("v6."):
        return "net.ipv6.conf.all." + {"v6.disabled": "disable_ipv6"}.get(key, key[3:])
    if key in ("rp_filter", "proxy_arp", "route_localnet"):
        return f"net.ipv4.conf.all.{key}"
    return f"net.bridge.{key}" if key.startswith("bridge-") else f"net.ipv4.{key}"


def sysctl_of(node: Node, key: str) -> str | None:
    """The value of a setting in a node, however its key is spelt; None when the snapshot does not hold it.

    A device's own forwarding is in a snapshot only where it differs from the node's.
    """
    found = node.sysctls.get(short(key))
    if found is None and short(key).startswith("forwarding/"):
        return node.sysctls.get("ip_forward")
    return found


def write_lines(dialect: Dialect, where: Where, node: str, key: str, value: str) -> tuple[str, ...]:
    """The lines that set a sysctl of ``node``."""
    path = f"/proc/sys/{slashed(key)}"
    if dialect == "legacy":
        return (where.shell(node, f"echo {value} > {path}"),)
    if dialect == "ip":
        return (where.run(node, f"sysctl -w {key}={value}"),)
    if node == where.node:
        return (f'open("{path}", "w").write("{value}")',)
    if node in where.names:
        enter = f"netns.setns({literal(where.names[node])}, flags=0)"
    else:
        enter = f'netns.setns("/proc/{where.pid(node)}/ns/net", flags=0)'
    return ("from pyroute2 import netns", enter, f'open("{path}", "w").write("{value}")')
