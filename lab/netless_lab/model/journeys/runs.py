"""The packets of a journey one by one, and the ICMP errors about it: what ``explain`` asks before anything else. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..evidence import IcmpError, Run
from .converse import Sight
from .frame import Ground
from .packet import Packet
from .path import Mark, arrived
from .words import error, flags

_NEIGHBOURS = frozenset({"arp-request", "arp-reply", "ipv6-nd"})


def runs(sights: Sequence[Sight], ground: Ground, home: str) -> tuple[Run, ...]:
    """Every packet in the order they were first seen; questions and errors left out. ``home`` is the node that the probe was sent from."""
    numbers: dict[tuple[int, Mark], list[int]] = {}
    for number, sight in enumerate(sights):
        packet = sight.packet.subject
        if packet.kind not in _NEIGHBOURS and packet.kind != "icmp-error":
            numbers.setdefault((sight.leg, packet.mark), []).append(number)
    return tuple(_run(sights, own, ground, home) for own in numbers.values())


def _run(sights: Sequence[Sight], numbers: Sequence[int], ground: Ground, home: str) -> Run:
    first = sights[numbers[0]]
    packet = first.packet.subject
    return Run(
        leg="forward" if first.leg > 0 else "return",
        kind=packet.kind,
        flags=flags(packet) if packet.kind == "tcp" else "",
        size=packet.size,
        largest=max(sights[number].frame.length for number in numbers),
        hops=tuple(numbers),
        arrived=any(arrived(sights[number], ground, home) for number in numbers),
    )


def errors(sights: Sequence[Sight], home: str) -> tuple[IcmpError, ...]:
    """Every ICMP error, once. ``home`` is the node that the probe was sent from."""
    found: dict[Mark, list[Sight]] = {}
    for sight in sights:
        if sight.packet.subject.kind == "icmp-error":
            found.setdefault(sight.packet.subject.mark, []).append(sight)
    return tuple(_error(own, home) for own in found.values())


def _error(sights: Sequence[Sight], home: str) -> IcmpError:
    packet: Packet = sights[0].packet.subject
    came_home = any(sight.frame.node == home and sight.frame.direction == "in" for sight in sights)
    return IcmpError(sights[0].frame.node, packet.src, *packet.code, error(packet), packet.seq, came_home)
