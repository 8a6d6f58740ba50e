"""Send a probe that died once more, with nftables' tracing on where it may have met rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ...model import dns
from ...model.evidence import Trace
from ...model.journeys.assemble import Followed, follow
from ...model.journeys.converse import Sight
from ...model.journeys.decode import decode
from ...model.journeys.ground import Ground
from ...model.journeys.packet import ICMP, ICMP6, TCP, UDP
from ...model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp, asks_names
from ...model.snapshot import Node, Snapshot
from .. import probe as probing
from ..capture.sieve import EVERYTHING, echoes
from ..probe.echo import Identifiers
from ..probe.run import LAB_IDENTIFIERS
from ..read import NodeRef
from .conntrack_events import newest
from .lookout import Lookout, Watching
from .nft_trace import Match, Tracing

GRACE_S: Final = 0.015
"""Everything that rules do to a packet is done before sendto() returns; a neighbour's answer may take a moment more."""
LATE_S: Final = 0.15
"""Under a flood the kernel puts packets off: so long may the replay take to come as far as the first packet did."""
PATIENCE_S: Final = 0.15
ARP_ATTEMPT_S, ARP_ATTEMPTS = 0.06, 3
"""A question that has just been asked in vain is asked anew only when it was given up: after 0.1 s with the lab's timers."""
_HTTP_PORT: Final = 80


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
        deadline_s, grace_s = _patience(probe, followed, suspects)
        with lookout.watch(echoes(ident, ident) if isinstance(probe, Ping) else EVERYTHING) as watching:
            outcome = await probing.run(probe, refs, deadline_s=deadline_s, grace_s=grace_s, identifiers=_Reserved(ident))
            await _until_met(watching, _nodes_met(followed.sights) & frozenset(tracing.nodes))
            seen = watching.stop()
        again = follow(probe, outcome, seen.recording, newest(seen.flows), Ground.of(snapshot))
        numbers = frozenset({ident}) if isinstance(probe, Ping) else _client_ports(again) or _numbers(matches)
        return Trace(tracing.nodes, tracing.steps(numbers), outcome, again.journey), tracing.missing


async def _until_met(watching: Watching, nodes: frozenset[str]) -> None:
    """Wait until the replayed packet was seen where the first one was, ``nodes``; not at all when it was seen in none of them."""
    end = asyncio.get_running_loop().time() + LATE_S
    while nodes and asyncio.get_running_loop().time() < end:
        seen = (Sight(frame, decode(frame.data), 1) for frame in watching.so_far() if frame.node in nodes)
        if _nodes_met(seen):
            return
        await asyncio.sleep(0.005)


def _nodes_met(sights: Iterable[Sight]) -> frozenset[str]:
    """Where a packet was seen that is no neighbour question."""
    return frozenset(sight.frame.node for sight in sights if sight.packet.subject.kind not in ("arp-request", "arp-reply", "ipv6-nd"))


def _patience(probe: Probe, followed: Followed, suspects: Iterable[Node]) -> tuple[float, float]:
    """(deadline, grace) in seconds."""
    if asks_names(probe):
        return PATIENCE_S, PATIENCE_S
    asked_in_vain = followed.journey.death is not None and followed.journey.death.leg == "arp"
    if asked_in_vain and any(chain.family == "arp" for node in suspects for chain in node.chains):
        return ARP_ATTEMPTS * ARP_ATTEMPT_S, ARP_ATTEMPT_S
    return GRACE_S, GRACE_S


def _suspects(probe: Probe, followed: Followed, snapshot: Snapshot) -> list[Node]:
    """Nodes with rules that the packet, or a question it caused, was seen in or began in."""
    met = {sight.frame.node for sight in followed.sights} | {probe.node}
    return [node for node in snapshot.nodes if node.name in met and any(chain.hook is not None for chain in node.chains)]


def _matches(probe: Probe, followed: Followed, ident: int) -> Sequence[Match]:
    """How rules of ours tell the probe's packets: the ports it asks for, also as destination NAT has them."""
    if isinstance(probe, Ping):
        return Match(ICMP, frozenset({ident})), Match(ICMP6, frozenset({ident}))
    packets = [sight.packet.subject for own in followed.own for sight in own.sights if sight.leg > 0]
    tcp = {packet.dport for packet in packets if packet.proto == TCP and packet.dport}
    udp = {packet.dport for packet in packets if packet.proto == UDP and packet.dport}
    match probe:
        case Connect(port=port):
            tcp.add(port)
        case Udp(port=port):
            udp.add(port)
        case Lookup():
            udp.add(dns.PORT)
        case Fetch():
            udp.add(dns.PORT)
            tcp |= set() if tcp else {_HTTP_PORT}
    return tuple(Match(proto, frozenset(ports)) for proto, ports in ((TCP, tcp), (UDP, udp)) if ports)


def _client_ports(followed: Followed) -> frozenset[int]:
    """The ports of the probe's own end, as it chose them and as source NAT has them."""
    return frozenset(sight.packet.subject.sport for own in followed.own for sight in own.sights if sight.leg > 0) - {0}


def _numbers(matches: Iterable[Match]) -> frozenset[int]:
    return frozenset(number for match in matches for number in match.numbers)
