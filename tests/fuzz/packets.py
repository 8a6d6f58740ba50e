"""Packets: every frame is decoded, worded, written down and made part of a journey, however broken it is; nothing raises."""

from __future__ import annotations

from random import Random

from capture import frames
from fuzz.mutate import flipped
from fuzz.target import Given, Target, steady
from netless_lab.kernel.capture.pcapng import pcapng
from netless_lab.model import dns
from netless_lab.model.journey import Direction
from netless_lab.model.journeys.assemble import traffic
from netless_lab.model.journeys.converse import converse, questions
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.frame import Frame, Ground
from netless_lab.model.journeys.words import layers, words

SEEDS = tuple(frames.samples().values())
_PLACES: tuple[tuple[str, str, Direction], ...] = (("c1", "eth0", "out"), ("host", "veth1", "in"), ("host", "br0", "multicast"))
_GROUND = Ground(ports={("host", "veth1"): "br0"}, peers={("c1", "eth0"): ("host", "veth1")}, owners={"10.0.0.2": ("c1",)})


def make(dice: Random) -> Given:
    """A frame, spoiled."""
    return Given(flipped(dice.choice(SEEDS), dice))


def check(given: Given) -> None:
    """Everything that is done with a frame that was recorded."""
    packet = decode(given.data)
    assert words(packet)
    for name, fields in layers(given.data):
        assert name and all(isinstance(value, str) for _, value in fields)
    seen = [
        Frame(1_000_000_000 + 1000 * number, node, link, number + 1, direction, given.data, len(given.data))
        for number, (node, link, direction) in enumerate(_PLACES)
    ]
    pcapng(seen, lost=1)
    found = converse(((frame, packet) for frame in seen), ())
    traffic(found.conversations, questions(found.neighbours), _GROUND)
    dns.decode(given.data)


TARGET = Target("packets", make, steady(check))
