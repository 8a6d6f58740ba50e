"""Send a probe that died once more, with nftables' tracing on where it may have met rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ...model import dns
from ...model.evidence import Trace
from ...model.journey import Direction
from ...model.journeys.assemble import Followed, follow
from ...model.journeys.converse import Sight
from ...model.journeys.decode import decode
from ...model.journeys.frame import Ground
from ...model.journeys.packet import FIN, ICMP, ICMP6, RST, TCP, UDP, Kind, Packet
from ...model.probe import Connect, Fetch, Ping, Probe, Udp, asks_names
from ...model.snapshot import Node, Snapshot
from .. import probe as probing
from ..capture.sieve import echoes, no_echoes
from ..probe.echo import Identifiers
from ..probe.run import LAB_IDENTIFIERS
from ..read import NodeRef
from .conntrack import newest
from .lookout import Lookout, Watching
from .nft_trace import Match, Tracing

GRACE_S: Final = 0.015
"""Everything that rules do to a packet is done before sendto() returns; a neighbour's answer may take a moment more."""
LATE_S: Final = 0.15
"""Under a flood the kernel puts packets off, and programs must be scheduled: so much longer may the replay take to come as far as the first packet did."""
_LOOK_S: Final = 0.001
ARP_ATTEMPT_S, ARP_ATTEMPTS = 0.06, 3
"""A question that has just been asked in vain is asked anew only when it was given up: after 0.1 s with the lab's timers."""
_HTTP_PORT: Final = 80
_BELOW_IP: Final = frozenset({"arp", "bridge", "netdev"})


class _Reserved(Identifiers):
    """One id, known before it is used: later attempts have it too."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def next(self) -> int:
        """Always the same."""
        return self._number


async def replay(
    probe: Probe, followed: Followed, refs: Mapping[str, NodeRef], lookout: Lookout, snapshot: Snapshot
) -> tuple[Trace | None, list[str]]:
    """(the trace, what could not be traced in words). None when no node on the way has rules."""
    suspects = _suspects(probe, followed, snapshot)
    if not suspects:
        return None, []
    ident = LAB_IDENTIFIERS.next()
    matches = _matches(probe, followed, ident)
    async with Tracing(refs, suspects, matches) as tracing:
        if not tracing.nodes:
            return None, tracing.missing
        with lookout.watch(echoes(ident, ident) if isinstance(probe, Ping) else no_echoes()) as watching:
            if _asked_in_vain(followed, suspects):
                deadline_s, grace_s, hope = ARP_ATTEMPTS * ARP_ATTEMPT_S, ARP_ATTEMPT_S, None
            else:
                deadline_s = LATE_S + _took_s(followed)
                grace_s, hope = deadline_s, AsFar(followed, watching, GRACE_S)
            outcome = await probing.run(probe, refs, deadline_s=deadline_s, grace_s=grace_s, identifiers=_Reserved(ident), hope=hope)
            seen = watching.stop()
        again = follow(probe, outcome, seen.recording, newest(seen.flows), Ground.of(snapshot))
        return Trace(tracing.nodes, tracing.steps(_numbers(again, matches)), outcome, again.journey), tracing.missing


class AsFar:
    """The hope of a replay (``probe.patience.Hope``): each of its conversations, the questions for its name too, is to be seen where that of the
    first packet was seen last: an answer that came late the first time may come before all else now. What may then follow takes ``grace_s``.
    """

    def __init__(self, followed: Followed, watching: Watching, grace_s: float) -> None:
        """``watching`` sees the replay."""
        ways = [[sight for sight in own.sights if not _is_an_end(sight.packet.subject)] for own in followed.own]
        self._lasts = {_place(max(way, key=lambda sight: sight.frame.at_ns)) for way in ways if way}
        self._watching, self._grace_s, self._ends = watching, grace_s, 0.0

    def more_s(self, waited_s: float, *, program: bool) -> float:
        """A moment until it has come so far, then what is left of the grace."""
        now = asyncio.get_running_loop().time()
        if not self._ends:
            if not self.has_come:
                return _LOOK_S
            self._ends = now + self._grace_s
        return max(0.0, self._ends - now)

    @property
    def has_come(self) -> bool:
        """Whether each was seen there; a packet that was seen nowhere has come as far at once."""
        places = {last[:3] for last in self._lasts}  # all frames each time: only those are decoded that were heard at such a place
        heard = (frame for frame in self._watching.so_far() if (frame.node, frame.link, frame.direction) in places)
        return self._lasts <= {_place(Sight(frame, decode(frame.data), 1)) for frame in heard}


def _took_s(followed: Followed) -> float:
    """How long the first packets were under way, programs that answered some of them included: a name server may be slow."""
    times = [sight.frame.at_ns for own in followed.own for sight in own.sights]
    return (max(times) - min(times)) / 1e9 if times else 0.0


def _place(sight: Sight) -> tuple[str, str, Direction, Kind, str, str, int, int]:
    """What is the same of a packet and of its replay, whose port or echo id is another."""
    frame, packet = sight.frame, sight.packet.subject
    return frame.node, frame.link, frame.direction, packet.kind, packet.src, packet.dst, packet.flags, packet.size


def _is_an_end(packet: Packet) -> bool:
    """Whether it is no part of the question and its answer, but says that it is over."""
    return packet.kind == "icmp-error" or bool(packet.flags & (FIN | RST))


def _asked_in_vain(followed: Followed, suspects: Iterable[Node]) -> bool:
    """Whether a neighbour's answer, or the question, may have died of rules for ARP."""
    death = followed.journey.death
    return death is not None and death.leg == "arp" and any(chain.family == "arp" for node in suspects for chain in node.chains)


def _suspects(probe: Probe, followed: Followed, snapshot: Snapshot) -> list[Node]:
    """Nodes with rules that the packet, or a question it caused, was seen in or began in. A question meets no rules for IP."""
    met = {sight.frame.node for own in followed.own for sight in own.sights} | {probe.node}
    heard = {sight.frame.node for sight in followed.sights}
    return [
        node
        for node in snapshot.nodes
        if any(chain.hook is not None and (node.name in met or (node.name in heard and chain.family in _BELOW_IP)) for chain in node.chains)
    ]


def _matches(probe: Probe, followed: Followed, ident: int) -> Sequence[Match]:
    """How rules of ours tell the probe's packets: a ping's id, the ports it asks for, also as destination NAT has them, and that of a name server."""
    echo = (Match(ICMP, frozenset({ident})), Match(ICMP6, frozenset({ident}))) if isinstance(probe, Ping) else ()
    packets = [sight.packet.subject for own in followed.own for sight in own.sights if sight.leg > 0]
    tcp = {packet.dport for packet in packets if packet.proto == TCP and packet.dport}
    udp = {packet.dport for packet in packets if packet.proto == UDP and packet.dport}
    if asks_names(probe):
        udp.add(dns.PORT)
    match probe:
        case Connect(port=port):
            tcp.add(port)
        case Udp(port=port):
            udp.add(port)
        case Fetch():
            tcp |= set() if tcp else {_HTTP_PORT}
    return *echo, *(Match(proto, frozenset(ports)) for proto, ports in ((TCP, tcp), (UDP, udp)) if ports)


def _numbers(followed: Followed, matches: Iterable[Match]) -> frozenset[int]:
    """The ports of the probe's own end and its echo id, as it chose them and as source NAT has them; for a protocol of which no packet left, and so
    none was seen, what its rules of ours tell it by.
    """
    own: dict[int, set[int]] = {}
    for packet in (sight.packet.subject for conversation in followed.own for sight in conversation.sights if sight.leg > 0):
        own.setdefault(packet.proto, set()).add(packet.sport)
    return frozenset().union(*(own.get(match.proto, match.numbers) for match in matches))
