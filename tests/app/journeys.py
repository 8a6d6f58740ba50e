"""Two followed packets: one that went out and came home, and one that died at the forwarding gate."""

from __future__ import annotations

import msgspec

from app import story
from netless_lab import protocol
from netless_lab.model.journey import Journey

(ANSWERED,) = story.events("masquerade-probe", of=protocol.ProbeEvent)
(SILENT,) = story.events("masquerade-probe-dead", of=protocol.ProbeEvent)
assert ANSWERED.journey is not None and SILENT.journey is not None
HOME, DEAD = ANSWERED.journey, SILENT.journey
ARP = tuple(hop for hop in HOME.hops if hop.leg == "arp")


def probe(journey: Journey, answered: bool) -> protocol.ProbeEvent:
    """The event that carries a journey."""
    event: protocol.ProbeEvent = ANSWERED if answered else SILENT
    return msgspec.structs.replace(event, journey=journey)
