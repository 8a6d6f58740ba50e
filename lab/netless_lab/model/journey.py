"""A journey: one packet's path through the lab, hop by hop, as the wire showed it. Pure values; ``journeys`` makes them of frames.

A hop is one frame seen at one interface of one node. Taps lie before netfilter's prerouting on the way in and after postrouting
on the way out, so "seen in at X, never out at Y" brackets exactly the routing, firewall and neighbour stages of that node.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .journeys.flow import Flow

Part = Literal["arp", "forward", "return"]
"""Of a journey: a question for a neighbour, the way there, the way back."""

Direction = Literal["in", "out", "broadcast", "multicast", "other"]
"""``other``: a unicast frame for somebody else's MAC, normal on a bridge port (PACKET_OTHERHOST, packet(7))."""


class Tunnel(msgspec.Struct, frozen=True):
    """The packet around a packet (VXLAN, RFC 7348): from whom, to whom and to which port it goes, and the number of the network it carries."""

    src: str
    dst: str
    port: int
    vni: int


class Hop(msgspec.Struct, frozen=True):
    """One sighting. ``at_us`` counts from the journey's first sighting; ``text`` is the packet in words at this place.

    ``kind`` is "arp-request", "arp-reply", "echo-request", "echo-reply", "icmp-error", "tcp", "udp", "ipv6-nd" ...;
    ``src`` and ``dst`` are network addresses as seen here (they change where NAT rewrites them). ``neighbour``: this frame asks who has
    ``dst``, or it answers such a question; a neighbour advertisement answers for ``dst``, an ARP answer for ``src``. ``tunnel`` is what carries it here.
    """

    node: str
    link: str
    direction: Direction
    at_us: float
    kind: str
    text: str
    src: str = ""
    dst: str = ""
    ttl: int | None = None
    mac_src: str = ""
    mac_dst: str = ""
    length: int = 0
    leg: Part = "forward"
    neighbour: Literal["", "question", "answer"] = ""
    tunnel: Tunnel | None = None


class Rewrite(msgspec.Struct, frozen=True):
    """A place where an address or port changed: between which sightings, what it was and what it became.

    ``after_hop`` is the index of the last sighting before it, -1 when it was rewritten before it was first seen (a node's own output).
    """

    node: str
    after_hop: int
    what: Literal["source", "destination"]
    before: str
    after: str


class Learned(msgspec.Struct, frozen=True):
    """A bridge learned from hop ``at_hop`` that ``mac`` lives behind ``port``."""

    node: str
    bridge: str
    port: str
    mac: str
    at_hop: int


class Flood(msgspec.Struct, frozen=True):
    """A bridge sent the frame of hop ``at_hop`` out of every other port: it was for everybody, or for a MAC the bridge did not know.

    ``ports`` are those it was seen to leave by; the bridge itself is among them when it took a copy.
    """

    node: str
    bridge: str
    at_hop: int
    ports: tuple[str, ...]
    unknown_mac: bool = False


class Death(msgspec.Struct, frozen=True):
    """Where a packet was last seen alive. ``gate`` names the gate of the picture when the place is one.

    ``link`` is "" and ``after_hop`` -1 when it was never on any wire: it died inside ``node``. Of a journey with sightings ``left_out``
    ``after_hop`` may be the number of one of those.
    """

    node: str
    link: str
    after_hop: int
    leg: Part
    gate: str | None = None


class Journey(msgspec.Struct, frozen=True):
    """All sightings of one probe, in true order, with what was lost said openly.

    ``complete`` is true when the answer came home. ``lost_frames`` counts frames the capture itself missed (PACKET_STATISTICS):
    when it is not 0, nothing may be declared dead. ``left_out`` counts sightings beyond what one journey keeps. ``unheard`` are nodes that it
    may have gone into and that nobody could listen to: then nothing is declared dead either.
    ``id`` names the journey within its lab (0: none), ``started`` is the wall clock in seconds, ``title`` says what it is.
    """

    source: str
    target: str
    hops: tuple[Hop, ...]
    rewrites: tuple[Rewrite, ...] = ()
    complete: bool = False
    death: Death | None = None
    lost_frames: int = 0
    started: float = 0.0
    learned: tuple[Learned, ...] = ()
    floods: tuple[Flood, ...] = ()
    left_out: int = 0
    unheard: tuple[str, ...] = ()
    id: int = 0
    title: str = ""


FactKind = Literal["said", "counted", "seen", "set", "inferred"]
"""How a fact is known, the strongest first: the kernel said it of this packet (an errno, an ICMP error, a trace); a counter rose with it; it
was seen on a wire; it is how the node is set, read from the kernel; it was worked out from such."""


class Fact(msgspec.Struct, frozen=True):
    """One piece of evidence: what it says, the command that shows it, and how it is known."""

    text: str
    look: str = ""
    kind: FactKind = "inferred"


class Explanation(msgspec.Struct, frozen=True):
    """Two sentences about a probe: what was seen, and the likely cause with the facts it rests on.

    ``cause`` is "" when unknown. ``certainty`` follows from the kinds of the facts: "certain" is only for causes that a fact proves (an errno, a
    nft trace verdict, a counter that rose with this very packet, what the wire showed, or a setting where the packet was lost); else "likely".
    ``lesson`` is the step that teaches it, ``fix`` a command that would mend it. ``flows`` are the probe's own entries in the connection tables, ``older``
    those from before it of flows in use that ask for the same.
    An answered probe may have a ``cause`` all the same: why an older flow that asks for the same is not treated like it.
    """

    answered: bool
    seen: str
    cause: str = ""
    certainty: Literal["certain", "likely", "unknown"] = "unknown"
    place: str = ""
    code: str = ""
    facts: tuple[Fact, ...] = ()
    lesson: str = ""
    fix: str = ""
    journey: Journey | None = None
    flows: tuple[Flow, ...] = ()
    older: tuple[Flow, ...] = ()
