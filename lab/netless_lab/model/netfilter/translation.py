"""What NAT makes of a packet that a node passes on, whoever lets it through: the forward hook counts for the marks that it sets, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ..snapshot import Node
from .packet import Packet
from .run import FAMILIES, Budget, Way, onward, through

_MARKS: Final = ("meta mark", "ct mark")


def translated(node: Node, packet: Packet) -> tuple[Way, ...]:
    """Every way there is through prerouting and postrouting, and never none. A packet that a rule at the forward hook drops goes on: whether it gets
    through there is for others to say.
    """
    budget, families = Budget(), FAMILIES[packet.family]
    arrived = through(node, ("prerouting",), packet)
    passed = tuple(after for way in arrived for after in (_marked(node, way, budget) if way.end == "accept" else (way,)))
    return onward(node, ("postrouting",), passed, families, budget)


def translates(node: Node, packet: Packet) -> bool:
    """Whether the sender of a packet that is passed on may be rewritten."""
    return any(way.source_rewritten for way in translated(node, packet))


def _marked(node: Node, way: Way, budget: Budget) -> Iterator[Way]:
    """The way as it was, where the forward hook marks nothing that goes it: what else is asked there, and guessed, changes nothing of it."""
    passed = onward(node, ("forward",), (way,), FAMILIES[way.packet.family], budget)
    if all(after.packet.possible(mark) == way.packet.possible(mark) for after in passed for mark in _MARKS):
        yield way
        return
    for after in passed:
        yield msgspec.structs.replace(after, end="accept") if after.end == "drop" else after
