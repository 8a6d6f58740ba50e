"""Where a packet can die, as faults name it: a node, one of its links, or one of its gates."""

from __future__ import annotations

from typing import Final

import msgspec

from ..course.fields import objection
from ..course.problems import Report, did_you_mean

GATES: Final = {
    "fwd": "whether {node} forwards",
    "fw": "at the firewall rules of {node}",
    "NAT": "at the address translation of {node}",
    "routing": "at the routes and routing rules of {node}",
    "neighbour": "at the neighbour table of {node}: who has which MAC address",
    "names": "at how {node} finds names",
    "service": "at who listens in {node}",
}
"""The places inside a node: the three gates of the picture, and what every sender and receiver has."""


class Place(msgspec.Struct, frozen=True):
    """Where packets die: somewhere in ``node``, at one of its links, or at one of its gates."""

    node: str
    link: str = ""
    gate: str = ""

    def __str__(self) -> str:
        """``host``, ``host:veth2``, ``host:fwd``"""
        return ":".join(part for part in (self.node, self.link or self.gate) if part)


def in_words(place: Place) -> str:
    """After "look": ``at veth2 in the host``."""
    node = "the host" if place.node == "host" else "the internet" if place.node == "internet" else place.node
    if place.gate:
        return GATES[place.gate].format(node=node)
    return f"at {place.link} in {node}" if place.link else f"at {node} as a whole"


def read_place(text: str, line: int, report: Report) -> Place:
    """``host``, ``host:veth2``, ``host:fwd``: a word after the colon that is no gate is a link."""
    advice = f'Write place = "host:fwd": a node, node:link or node:gate, the gates being {", ".join(GATES)}.'
    node, colon, rest = text.partition(":")
    if rest in GATES and not objection("node", node):
        return Place(node, gate=rest)
    if objection("node", node) or (colon and not rest):
        report.add(line, f'"{text}" is no place.', advice)
    elif rest.lower() in {gate.lower() for gate in GATES}:
        report.add(line, f'there is no gate "{rest}".', did_you_mean(rest, GATES))
    elif rest and objection("link", rest):
        report.add(line, f'"{rest}" is neither a gate nor a link.', advice)
    return Place(node, rest)
