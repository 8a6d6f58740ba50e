"""One probe's evidence, and the questions that every rule asks of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from ..model.evidence import Evidence, RouteAnswer, TraceStep
from ..model.journey import Hop, Rewrite
from ..model.probe import Connect, Fetch, Lookup
from ..model.snapshot import Link, Node, Snapshot
from ..primitives.base import Where
from . import routes
from .spot import NEIGHBOUR_KINDS, Spot, locate

_DNS: Final = "53"
_PROTOCOLS: Final = {"tcp": "tcp", "udp": "udp"}


class Case:
    """The evidence under examination. ``expected`` says whose an address should be, as far as a lesson says so."""

    def __init__(self, evidence: Evidence, where: Where, expected: Mapping[str, str]) -> None:
        self.evidence = evidence
        self.where = where
        self.expected = expected
        self.before: Snapshot = evidence.before
        self.outcome = evidence.outcome
        self.probe = evidence.probe
        self.hops = evidence.journey.hops

    @cached_property
    def spot(self) -> Spot:
        """Where the packet was last seen."""
        return locate(self.evidence)

    @cached_property
    def blind(self) -> bool:
        """Whether the capture missed frames: then what was not seen may have been there."""
        return bool(self.evidence.lost or self.evidence.journey.lost_frames)

    @property
    def sender(self) -> Node:
        """The node the probe was sent from; an empty one when it is not in the snapshot."""
        return self.node(self.probe.node)

    def node(self, name: str) -> Node:
        """A node by name; an empty one when there is none of that name."""
        return self.before.node(name) or Node(name, "unknown", 0)

    def after(self, name: str) -> Node:
        """The same node just after the probe."""
        return self.evidence.after.node(name) or self.node(name)

    def link(self, node: str, link: str) -> Link | None:
        """A link by its place."""
        return self.node(node).link(link)

    def owners(self, address: str) -> tuple[tuple[Node, Link], ...]:
        """Every interface that holds ``address``, in any node."""
        return tuple(
            (node, link) for node in self.before.nodes for link in node.links if any(own.address == address for own in link.v4)
        )

    def route(self, node: str, dst: str, src: str | None = None, iif: str | None = None) -> RouteAnswer:
        """What ``node``'s routing does with a packet."""
        return routes.answer(self.evidence, self.node(node), dst, src, iif)

    def rose(self, node: str, counter: str) -> int:
        """By how much a counter of the kernel rose while the probe was on its way."""
        return self.evidence.count(node, counter)

    def ip(self, node: str, rest: str) -> str:
        """An ip(8) command for ``node``, as typed in the shell at hand."""
        return self.where.ip(node, rest)

    def run(self, node: str, command: str) -> str:
        """Any command for ``node``; those of ip(8) in the shorter form."""
        return self.where.ip(node, command[3:]) if command.startswith("ip ") else self.where.run(node, command)

    @cached_property
    def port(self) -> int | None:
        """The port the probe is for; None for a ping."""
        match self.probe:
            case Connect(port=port):
                return port
            case Lookup():
                return 53
            case Fetch(url=url):
                if self.spot.kind == "udp":
                    return 53
                place = url.partition("://")[2].partition("/")[0]
                return int(place.rpartition(":")[2]) if ":" in place and place.rpartition(":")[2].isdecimal() else 80
        return 53 if self.spot.kind == "udp" else None

    def packet(self, leg: str, kind: str, src: str, dst: str, iif: str | None = None, oif: str | None = None) -> dict[str, str]:
        """What is known of a packet at one place, in nft's words."""
        known = {"ether type": "ip", "meta protocol": "ip", "meta nfproto": "ipv4", "meta nftrace": "0"}
        known |= {"ip saddr": src} if src else {}
        known |= {"ip daddr": dst} if dst else {}
        known |= {"iifname": iif} if iif else {}
        known |= {"oifname": oif} if oif else {}
        known["ct state"] = "new" if leg == "forward" and not self._talking else "established"
        known["ct direction"] = "original" if leg == "forward" else "reply"
        protocol = _PROTOCOLS.get(kind, "icmp")
        known["meta l4proto"] = known["ip protocol"] = protocol
        if protocol == "icmp":
            known |= {"icmp type": "destination-unreachable" if kind == "icmp-error" else kind} if kind else {}
        elif self.port is not None:
            known[f"{protocol} {'dport' if leg == 'forward' else 'sport'}"] = str(self.port)
        return known

    @cached_property
    def _talking(self) -> bool:
        """Whether an answer has been seen already: later packets of the way there are then part of an established connection."""
        return any(run.leg == "return" for run in self.evidence.runs)

    @cached_property
    def redirects(self) -> tuple[Rewrite, ...]:
        """Where the packet was given another destination on its way there: a published port, not the undoing of NAT on the way back."""
        changes = self.evidence.journey.rewrites
        return tuple(
            change
            for change in changes
            if change.what == "destination" and (change.after_hop < 0 or self.hops[change.after_hop].leg == "forward")
        )

    @cached_property
    def traced_drop(self) -> TraceStep | None:
        """The step at which nftables dropped or rejected the replayed packet."""
        return self.evidence.trace.dropped if self.evidence.trace is not None else None

    def seen(self, node: str, link: str | None = None, direction: str | None = None) -> tuple[Hop, ...]:
        """Sightings of the packet itself at a place."""
        return tuple(
            hop
            for hop in self.hops
            if hop.node == node
            and (link is None or hop.link == link)
            and (direction is None or hop.direction == direction)
            and hop.kind not in NEIGHBOUR_KINDS
        )

    def setting(self, node: str, key: str) -> str:
        """A sysctl by its short key, "" when the snapshot does not hold it."""
        return self.node(node).sysctls.get(key, "")

    def knob(self, node: str, key: str) -> str:
        """A sysctl that was read for this probe (``net/ipv4/conf/br0/arp_ignore``), "" when it was not."""
        return self.evidence.knobs.get(node, {}).get(key, "")

    @cached_property
    def talks_dns(self) -> bool:
        """Whether the packet that is stuck is a question for a name."""
        return str(self.port) == _DNS and self.spot.kind == "udp"
