"""What happened on the way: addresses rewritten, frames flooded, MACs learned, and where the packet was last seen alive. Pure.

The packets of a journey one by one, and the ICMP errors about it: what ``explain`` asks before anything else. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..addresses import with_port
from ..evidence import IcmpError, Run
from ..journey import Death, Flood, Hop, Learned, Part, Rewrite
from .converse import NEIGHBOURS, Sight
from .frame import Ground
from .headers import flag_names
from .packet import TCP, UDP, Packet
from .words import error

Mark = tuple[int | bytes, ...]
_ASIDE = NEIGHBOURS | {"icmp-error"}
_GROUP_BIT = 0x01
"""The lowest bit of a MAC's first byte: for a group, or for everybody (IEEE 802)."""


def rewrites(sights: Sequence[Sight], places: Sequence[int]) -> tuple[Rewrite, ...]:
    """Where one packet left a node with another address or port than it came with. ``places`` are the hops' numbers of ``sights``."""
    found: list[Rewrite] = []
    last: dict[tuple[int, Mark], int] = {}
    for number, sight in enumerate(sights):
        packet = sight.packet.subject
        if packet.kind in ("icmp-error", "fragment"):
            continue
        key = (sight.leg, packet.mark)
        before = last.get(key)
        last[key] = number
        if before is not None:
            found += _changes(sights[before], sight, places[before])
    return tuple(found)


def _changes(earlier: Sight, later: Sight, after_hop: int) -> Iterator[Rewrite]:
    one, two = earlier.packet.subject, later.packet.subject
    node = later.frame.node
    ports = (one.sport, one.dport) != (two.sport, two.dport)
    if one.src != two.src or one.sport != two.sport:
        yield Rewrite(node, after_hop, "source", _end(one, one.src, one.sport, ports), _end(two, two.src, two.sport, ports))
    if one.dst != two.dst or one.dport != two.dport:
        yield Rewrite(node, after_hop, "destination", _end(one, one.dst, one.dport, ports), _end(two, two.dst, two.dport, ports))


def _end(packet: Packet, address: str, port: int, ports: bool) -> str:
    return with_port(address, port) if ports and packet.proto in (TCP, UDP) else address


def learned(sights: Sequence[Sight], ground: Ground) -> tuple[Learned, ...]:
    """Which MACs a bridge saw behind a port for the first time."""
    known = set(ground.learned)
    found: list[Learned] = []
    for number, sight in enumerate(sights):
        frame, source = sight.frame, sight.packet.mac_src
        bridge = ground.ports.get((frame.node, frame.link))
        if bridge is None or frame.direction == "out" or not source or source[0] & _GROUP_BIT:
            continue
        entry = (frame.node, bridge, source.hex(":"))
        if entry not in known:
            known.add(entry)
            found.append(Learned(frame.node, bridge, frame.link, entry[2], number))
    return tuple(found)


def floods(sights: Sequence[Sight], ground: Ground) -> tuple[Flood, ...]:
    """Which frames a bridge sent out of all its other ports."""
    known = {(node, bridge, mac) for node, bridge, mac in ground.learned}
    found: list[Flood] = []
    for number, sight in enumerate(sights):
        frame, packet = sight.frame, sight.packet
        bridge = ground.ports.get((frame.node, frame.link))
        if bridge is None or frame.direction == "out" or not packet.mac_dst:
            continue
        known.add((frame.node, bridge, packet.mac_src.hex(":")))
        group = bool(packet.mac_dst[0] & _GROUP_BIT)
        unknown = not group and (frame.node, bridge, packet.mac_dst.hex(":")) not in known
        if group or unknown:
            ports = _copies(sights, number, ground, bridge)
            if ports and (group or any(port != bridge for port in ports)):
                found.append(Flood(frame.node, bridge, number, ports, unknown))
    return tuple(found)


def _copies(sights: Sequence[Sight], number: int, ground: Ground, bridge: str) -> tuple[str, ...]:
    """The other ports, and the bridge itself, where the same frame was seen next in the same node."""
    origin = sights[number]
    node, mark = origin.frame.node, origin.packet.mark
    ports: list[str] = []
    for sight in sights[number + 1 :]:
        frame = sight.frame
        if frame.node != node or sight.packet.mark != mark or sight.packet.mac_src != origin.packet.mac_src:
            continue
        leaves = frame.direction == "out" and ground.ports.get((node, frame.link)) == bridge
        taken = frame.link == bridge and frame.direction != "out"
        if (leaves or taken) and frame.link not in ports:
            ports.append(frame.link)
    return tuple(ports)


def part_of(sight: Sight) -> Part:
    """Which part of the way a packet is on."""
    if sight.packet.subject.kind in NEIGHBOURS:
        return "arp"
    return "return" if sight.leg < 0 else "forward"


def death(sights: Sequence[Sight], ground: Ground, home: str, asked: bool) -> Death | None:
    """The last place of the last packet that did not arrive, or of the last that did when the far end kept silent.

    ``home`` is the node where it all began. ``asked``: a neighbour question stands last and nobody answered it.
    """
    place = _unanswered(sights, ground) if asked else _front(sights, ground, home)
    if place is None:
        return None
    frame = sights[place].frame
    return Death(frame.node, frame.link, place, part_of(sights[place]))


def unheard(hops: Sequence[Hop], ground: Ground, deaf: frozenset[str], home: str) -> tuple[str, ...]:
    """Which of the nodes that nobody listened to (``deaf``) the packet may have gone into: it began in one, or was seen leaving towards it.

    A question who has an address goes to everybody; what counts is whether it came to whom it asked for.
    """
    found = {home} & deaf
    for hop in hops:
        far = ground.peers.get((hop.node, hop.link)) if hop.direction == "out" else None
        if far is not None and far[0] in deaf and (hop.neighbour != "question" or far[0] in ground.owners.get(hop.dst, ())):
            found.add(far[0])
    return tuple(sorted(found))


def _unanswered(sights: Sequence[Sight], ground: Ground) -> int | None:
    """Where the question was heard last on the way to whom it asked for; where it was asked when nobody has that address."""
    numbers = [number for number, sight in enumerate(sights) if sight.packet.subject.neighbour == "question"]
    if not numbers:
        return None
    last = sights[numbers[-1]].packet.subject
    numbers = [number for number in numbers if sights[number].packet.subject.dst == last.dst]
    owners = ground.owners.get(last.dst, ())
    if not owners:
        return next((number for number in numbers if sights[number].frame.direction == "out"), numbers[0])
    at_owner = [number for number in numbers if sights[number].frame.node in owners]
    return (at_owner or numbers)[-1]


def _front(sights: Sequence[Sight], ground: Ground, home: str) -> int | None:
    """The last sighting of the last packet that did not reach its end."""
    ends = [_last_alive(sights, run, ground) for run in _packets(sights)]
    if not ends:
        return None
    stuck = [end for end in ends if not arrived(sights[end], ground, home)]
    return (stuck or ends)[-1]


def arrived(sight: Sight, ground: Ground, home: str) -> bool:
    """Whether this is a packet being taken in by the node it was sent to.

    An answer has arrived only in ``home``, the node of who asked ("" when that is not known): a node that masquerades has the address
    that answers are sent to, and passes them on.
    """
    taken_in = sight.frame.direction == "in" and sight.frame.node in ground.owners.get(sight.packet.subject.dst, ())
    return taken_in and (sight.leg >= 0 or home in ("", sight.frame.node))


def _last_alive(sights: Sequence[Sight], run: Sequence[int], ground: Ground) -> int:
    """The last sighting of one packet that is not a copy thrown away: a flood ends in nodes that do not want it."""
    discarded = {number for number in run if _thrown_away(sights[number], ground) and _is_copy(sights[number], ground)}
    for number in run:
        frame = sights[number].frame
        far = ground.peers.get((frame.node, frame.link)) if frame.direction == "out" else None
        if far is not None and any((sights[n].frame.node, sights[n].frame.link) == far for n in discarded):
            discarded = discarded | {number}
    alive = [number for number in run if number not in discarded]
    return (alive or list(run))[-1]


def _is_copy(sight: Sight, ground: Ground) -> bool:
    """Whether a bridge may have flooded the frame to where it was seen; what a node itself put on a cable is the packet, not a copy."""
    far = ground.peers.get((sight.frame.node, sight.frame.link))
    return far is None or far in ground.ports


def _thrown_away(sight: Sight, ground: Ground) -> bool:
    """A frame for another MAC at an interface that belongs to no bridge."""
    frame = sight.frame
    return frame.direction == "other" and bool(ground.ports) and (frame.node, frame.link) not in ground.ports


def runs(sights: Sequence[Sight], ground: Ground, home: str) -> tuple[Run, ...]:
    """Every packet in the order they were first seen; questions and errors left out. ``home`` is the node that the probe was sent from."""
    return tuple(_run(sights, own, ground, home) for own in _packets(sights))


def _packets(sights: Sequence[Sight]) -> Iterable[list[int]]:
    """The numbers of the sightings of each packet, questions and errors left out."""
    numbers: dict[tuple[int, Mark], list[int]] = {}
    for number, sight in enumerate(sights):
        packet = sight.packet.subject
        if packet.kind not in _ASIDE:
            numbers.setdefault((sight.leg, packet.mark), []).append(number)
    return numbers.values()


def _run(sights: Sequence[Sight], numbers: Sequence[int], ground: Ground, home: str) -> Run:
    first = sights[numbers[0]]
    packet = first.packet.subject
    said = flag_names(packet.flags) if packet.kind == "tcp" else ""
    taken_in = any(arrived(sights[number], ground, home) for number in numbers)
    return Run("forward" if first.leg > 0 else "return", packet.kind, said, packet.size, tuple(numbers), taken_in)


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
