"""Sort packets into conversations: one echo with its reply, one TCP connection, one question with its answer, over every hop and NAT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .flow import Flow, Groups
from .frame import Frame
from .packet import ICMP, ICMP6, TCP, UDP, Packet, Tuple

Leg = int
"""+1 on the way from who began, -1 on the way back."""
_STRONG: Final = frozenset({TCP, UDP, ICMP, ICMP6})
_ECHOES: Final = frozenset({"echo-request", "echo-reply"})
_NEIGHBOURS: Final = frozenset({"arp-request", "arp-reply", "ipv6-nd"})
_CROSSING_NS: Final = 200_000_000
"""How long a packet may take through a node: its neighbour may have to be found first."""


class Sight(NamedTuple):
    """One packet at one place. ``leg`` is its direction within its conversation."""

    frame: Frame
    packet: Packet
    leg: Leg


class Conversation:
    """Packets that belong together, in true order. ``tracked`` are the addresses that connection tables have for it."""

    def __init__(self, tracked: frozenset[str] = frozenset()) -> None:
        self.sights: list[Sight] = []
        self.tracked = tracked

    def reversed(self) -> Conversation:
        """The same, taken for the answer to another."""
        turned = Conversation(self.tracked)
        turned.sights = [sight._replace(leg=-sight.leg) for sight in self.sights]
        return turned

    @property
    def first(self) -> Sight:
        """How it was first seen."""
        return self.sights[0]

    @property
    def home(self) -> str:
        """The node that it began in; "" when it came from where nobody looks, so that no node was seen to send its first packet."""
        return self.first.frame.node if self.first.frame.direction == "out" else ""

    @property
    def addresses(self) -> frozenset[str]:
        """Every network address it had anywhere, in a tunnel its own and the tunnel's, or that NAT has given it but no wire has seen."""
        packets = [packet for sight in self.sights for packet in (sight.packet, sight.packet.subject)]
        return self.tracked.union(address for packet in packets for address in (packet.src, packet.dst))

    @property
    def path(self) -> frozenset[str]:
        """The nodes that it began in or that took it in for themselves or to route it; not those it only rushed past."""
        found = {self.first.frame.node}
        found |= {sight.frame.node for sight in self.sights if sight.frame.direction in ("in", "broadcast", "multicast")}
        return frozenset(found)


class Sorted(NamedTuple):
    """What ``converse`` makes of frames. Those without a conversation, because they hold no IP or are broken, are in neither."""

    conversations: tuple[Conversation, ...]
    neighbours: tuple[Sight, ...]


def converse(packets: Iterable[tuple[Frame, Packet]], flows: Sequence[Flow] = ()) -> Sorted:
    """Sort ``packets``, which must be in true order, into conversations, in the order they began. ``flows`` tell of NAT."""
    return Sorter(flows).sort(packets)


class Sorter:
    """Keeps what it learned of NAT, so that traffic may come in portions."""

    def __init__(self, flows: Iterable[Flow] = ()) -> None:
        self.groups = Groups(flows)
        self._recent: dict[tuple[int, tuple[int | bytes, ...]], tuple[Frame, int, int]] = {}
        self._pieces: dict[tuple[str, str, int, int], tuple[tuple[int, int], int]] = {}

    def sort(self, packets: Iterable[tuple[Frame, Packet]]) -> Sorted:
        """One portion."""
        found: dict[tuple[int, int], Conversation] = {}
        neighbours: list[Sight] = []
        for frame, outer in packets:
            packet = outer.subject
            if packet.kind in _NEIGHBOURS:
                neighbours.append(Sight(frame, outer, 1))
                continue
            place = self._place(frame, packet)
            if place is not None:
                key, leg = place
                if key not in found:
                    found[key] = Conversation(self.groups.addresses(key[0]))
                found[key].sights.append(Sight(frame, outer, leg))
        return Sorted(tuple(found.values()), tuple(neighbours))

    def _place(self, frame: Frame, packet: Packet) -> tuple[tuple[int, int], Leg] | None:
        """(which conversation, which direction) of a packet; None when it has none."""
        if packet.kind == "icmp-error":
            about = packet.quoted
            if about is None:
                return None
            key, leg = self._find(about.talk, about)
            return key, -leg
        if packet.kind == "fragment":
            return self._pieces.get((packet.src, packet.dst, packet.proto, packet.ident))
        if not packet.src:
            return None
        if not self.groups.known(packet.talk):
            self._follow_through(frame, packet)
        key, leg = self._find(packet.talk, packet)
        if packet.proto in _STRONG and packet.mark:
            self._recent[packet.proto, packet.mark] = (frame, key[0], leg)
        if packet.ident:
            self._pieces[packet.src, packet.dst, packet.proto, packet.ident] = (key, leg)
        return key, leg

    def _find(self, talk: Tuple, packet: Packet) -> tuple[tuple[int, int], Leg]:
        group, leg = self.groups.find(talk)
        if packet.kind in _ECHOES:  # each sequence number is a journey of its own; to one's own address both ways look the same
            return (group, packet.seq), 1 if packet.kind == "echo-request" else -1
        return (group, 0), leg

    def _follow_through(self, frame: Frame, packet: Packet) -> None:
        """A tuple never seen, leaving a node that the very same packet has just entered as another: NAT without a table to tell of it."""
        seen = self._recent.get((packet.proto, packet.mark)) if packet.proto in _STRONG else None
        if seen is None or frame.direction != "out":
            return
        earlier, group, leg = seen
        if earlier.node == frame.node and earlier.direction != "out" and frame.at_ns - earlier.at_ns < _CROSSING_NS:
            self.groups.join(packet.talk, group, leg)
