"""Which routing questions a journey raises, and what each node answers: there, back, and for every question that was heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ...model.addresses import is_address
from ...model.evidence import RouteAnswer
from ...model.journeys.assemble import Followed
from ...model.journeys.converse import target
from ...model.journeys.flow import Flow
from ...model.probe import Connect, Lookup, Outcome, Ping, Probe, Udp
from ...model.snapshot import Snapshot
from ..read import NodeRef
from . import fib
from .fib import Query

_MOST: Final = 48


def ways(
    probe: Probe, outcome: Outcome, followed: Followed, flows: Sequence[Flow], refs: Mapping[str, NodeRef], snapshot: Snapshot
) -> tuple[RouteAnswer, ...]:
    """Every routing decision about the probe, in the order the packet met them, each asked once."""
    asked = tuple(dict.fromkeys(_questions(probe, outcome, followed, flows, snapshot)))[:_MOST]
    answers: list[RouteAnswer] = []
    found: dict[tuple[str, Query], RouteAnswer] = {}
    for node in snapshot.nodes:
        queries = [query for name, query in asked if name == node.name]
        ref = refs.get(node.name)
        if not queries or ref is None:
            continue
        try:
            told = fib.lookup(node.name, ref.namespace, queries, {link.ifindex: link.name for link in node.links})
        except OSError:  # the node has just gone
            continue
        found |= {(node.name, Query(answer.dst, answer.src, answer.iif)): answer for answer in told}
    for place in asked:
        if place in found:
            answers.append(found[place])
    return tuple(answers)


def _questions(
    probe: Probe, outcome: Outcome, followed: Followed, flows: Sequence[Flow], snapshot: Snapshot
) -> Iterator[tuple[str, Query]]:
    for address in _targets(probe, outcome, snapshot):
        yield probe.node, Query(address)
    for sight in followed.sights:
        packet, frame = sight.packet.subject, sight.frame
        if packet.kind in ("arp-reply", "icmp-error", "frame") or not packet.src or packet.src in ("0.0.0.0", "::"):
            continue
        here = snapshot.node(frame.node)
        if here is None or frame.direction == "other":
            continue
        if frame.direction == "out":
            if packet.kind != "arp-request":
                yield frame.node, Query(packet.dst)
            continue
        iif = here.ip_device(frame.link)
        if packet.kind == "arp-request":
            # a node that will not answer a question often says why by its routing of it (rp_filter)
            if here.owner(packet.dst) is not None:
                yield frame.node, Query(packet.dst, packet.src, iif)
                yield frame.node, Query(packet.src)
            continue
        yield frame.node, Query(packet.dst, packet.src, iif)
        if here.owner(packet.dst) is not None:
            yield frame.node, Query(packet.src)
            yield frame.node, Query(packet.src, packet.dst)
        for flow in flows:  # rewritten on arrival: routing decides about the new destination
            if flow.node == frame.node and flow.original == packet.talk and flow.reply.src != packet.dst:
                yield frame.node, Query(flow.reply.src, packet.src, iif)


def _targets(probe: Probe, outcome: Outcome, snapshot: Snapshot) -> Iterator[str]:
    """The addresses that the probe's own node has to find a way to."""
    node = snapshot.node(probe.node)
    words: tuple[str, ...] = (outcome.answer or "", outcome.by or "")
    match probe:
        case Ping(to=to) | Connect(to=to) | Udp(to=to):
            words = (to, *words)
        case Lookup(server=server) if server:
            words = (server, *words)
        case _:
            words = (target(probe).removeprefix("http://").partition("/")[0].partition(":")[0], *words)
    if not isinstance(probe, Ping | Connect | Udp) or not is_address(probe.to):
        words = (*words, *(node.resolvers if node is not None else ()))
    for word in words:
        if is_address(word):
            yield word
