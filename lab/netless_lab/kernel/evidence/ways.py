"""Which routing questions a journey raises, and what each node answers: there, back, and for every question that was heard.

Ask a node's routing what it would do with one packet (RTM_GETROUTE, rtnetlink(7)): sent by itself, or come in by a link.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ...model.addresses import is_address
from ...model.evidence import RouteAnswer
from ...model.journeys.assemble import Followed
from ...model.journeys.flow import Flow
from ...model.journeys.own import target
from ...model.probe import Connect, Lookup, Outcome, Ping, Probe, Udp
from ...model.snapshot import Snapshot
from ..namespace import Namespace
from ..netlink.route import RTM_GETROUTE, decode_way, encode_question
from ..netlink.socket import NetlinkError, NetlinkSocket
from ..read import NodeRef


class Query(NamedTuple):
    """One packet: to whom, from whom, and by which link it came in (None: the node sends it)."""

    dst: str
    src: str | None = None
    iif: str | None = None


def lookup(node: str, namespace: Namespace, queries: Iterable[Query], devices: Mapping[int, str]) -> tuple[RouteAnswer, ...]:
    """Answer every query in ``node``; those that make no sense (no address, a link that is gone) are left out.

    ``devices`` are its links by index. About 0.1 ms to open the socket, 5 us a question. Raises OSError when the node is gone.
    """
    indexes = {name: index for index, name in devices.items()}
    with contextlib.closing(NetlinkSocket(namespace)) as route:
        return tuple(
            _ask(route, node, query, indexes, devices)
            for query in queries
            if _same_family(query) and (query.iif is None or query.iif in indexes)
        )


def look(query: Query) -> str:
    """The command that asks the same."""
    words = ["ip", "route", "get", query.dst]
    words += ["from", query.src] if query.src else []
    words += ["iif", query.iif] if query.iif else []
    return " ".join(words)


def _ask(route: NetlinkSocket, node: str, query: Query, indexes: Mapping[str, int], devices: Mapping[int, str]) -> RouteAnswer:
    source = ipaddress.ip_address(query.src).packed if query.src else b""
    iif = indexes[query.iif] if query.iif else 0
    try:
        answer = route.request(RTM_GETROUTE, 0, encode_question(ipaddress.ip_address(query.dst).packed, source, iif))
    except NetlinkError as refused:
        name = errno.errorcode.get(refused.errno or 0, str(refused.errno))
        said = os.strerror(refused.errno or 0)
        return RouteAnswer(node, query.dst, query.src, query.iif, error=name, words=said, look=look(query))
    if answer is None:
        return RouteAnswer(node, query.dst, query.src, query.iif, error="ENODATA", words="no answer", look=look(query))
    way = decode_way(answer)
    return RouteAnswer(
        node=node,
        dst=query.dst,
        src=query.src,
        iif=query.iif,
        type=way.type,
        via=way.via,
        dev=devices.get(way.device),
        prefsrc=way.prefsrc,
        table=way.table,
        look=look(query),
        mtu=way.mtu,
        mtu_learned=way.learned,
    )


def _same_family(query: Query) -> bool:
    """Whether source and destination are addresses of one family."""
    try:
        target = ipaddress.ip_address(query.dst)
        return not query.src or ipaddress.ip_address(query.src).version == target.version
    except ValueError:
        return False


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
            told = lookup(node.name, ref.namespace, queries, {link.ifindex: link.name for link in node.links})
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
