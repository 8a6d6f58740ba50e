"""Sort packets into conversations: one echo with its reply, one TCP connection, one question with its answer, over every hop and NAT.

Which neighbour questions (ARP, or neighbour discovery) belong to a packet's way: those its nodes asked because of it. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from .flow import Flow, Groups
from .frame import Frame, Ground
from .packet import ICMP, ICMP6, TCP, UDP, Kind, Packet, Tuple

Leg = int
"""+1 on the way from who began, -1 on the way back."""
_STRONG: Final = frozenset({TCP, UDP, ICMP, ICMP6})
_ECHOES: Final = frozenset({"echo-request", "echo-reply"})
NEIGHBOURS: Final = frozenset({"arp-request", "arp-reply", "ipv6-nd"})
_CROSSING_NS: Final = 200_000_000
"""How long a packet may take through a node: its neighbour may have to be found first."""


class Sight(NamedTuple):
    """One packet at one place. ``leg`` is its direction within its conversation."""

    frame: Frame
    packet: Packet
    leg: Leg


class Conversation:
    """Packets that belong together, in true order. ``talks`` are all tuples it has anywhere, those included that only connection tables know."""

    def __init__(self, talks: tuple[Tuple, ...] = ()) -> None:
        self.sights: list[Sight] = []
        self.talks = talks

    def reversed(self) -> Conversation:
        """The same, taken for the answer to another."""
        turned = Conversation(self.talks)
        turned.sights = [sight._replace(leg=-sight.leg) for sight in self.sights]
        return turned

    def begun(self) -> Conversation | None:
        """Without what is said, before its first packet, of others that were sent before anybody recorded; None when nothing else was seen."""
        at = next((at for at, sight in enumerate(self.sights) if sight.packet.kind != "icmp-error"), None)
        if not at:
            return None if at is None else self
        later = Conversation(self.talks)
        later.sights = self.sights[at:]
        return later

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
        tuples: list[Packet | Tuple] = [*packets, *self.talks]
        return frozenset(address for own in tuples for address in (own.src, own.dst))

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


_PIECES_NS: Final = 30_000_000_000
"""How long a kernel waits for the later pieces of a packet: ipfrag_time, ip6frag_time."""
_MOST_CUT: Final = 2048
"""As many as a kernel keeps unfinished: ipfrag_high_thresh is 4 MiB, and a piece of 1500 bytes takes 2 KiB."""


class _Came(NamedTuple):
    """A packet as it was seen somewhere, to know it by when it leaves there."""

    at_ns: int
    node: str
    left: bool
    talk: Tuple


class _Cut(NamedTuple):
    """The first piece of a packet: what the later ones do not tell."""

    at_ns: int
    talk: Tuple
    kind: Kind
    seq: int


class Sorter:
    """Keeps what it learned of NAT, so that traffic may come in portions. Each portion holds all packets of the conversations under way."""

    def __init__(self, flows: Iterable[Flow] = ()) -> None:
        self.groups = Groups(flows)
        self._recent: OrderedDict[tuple[int, tuple[int | bytes, ...]], _Came] = OrderedDict()
        self._pieces: OrderedDict[tuple[str, str, int, int], _Cut] = OrderedDict()

    def sort(self, packets: Iterable[tuple[Frame, Packet]]) -> Sorted:
        """One portion."""
        found: dict[tuple[int, int], Conversation] = {}
        neighbours: list[Sight] = []
        now = 0
        for frame, outer in packets:
            now = frame.at_ns
            if outer.subject.kind in NEIGHBOURS:
                neighbours.append(Sight(frame, outer, 1))
            elif (place := self._place(frame, outer)) is not None:
                key, leg = place
                if key not in found:
                    found[key] = Conversation()
                found[key].sights.append(Sight(frame, outer, leg))
        for (group, _), conversation in found.items():
            conversation.talks = self.groups.talks(group)
        self.groups.forget({group for group, _ in found})
        _forget(self._recent, now - _CROSSING_NS, len(self._recent))
        _forget(self._pieces, now - _PIECES_NS, _MOST_CUT)
        return Sorted(tuple(found.values()), tuple(neighbours))

    def _place(self, frame: Frame, outer: Packet) -> tuple[tuple[int, int], Leg] | None:
        """(which conversation, which direction) of a packet; None when it has none."""
        packet = outer.subject
        if packet.kind == "icmp-error":
            if (about := packet.quoted) is None:
                return None
            key, leg = self._find(about.talk, about.kind, about.seq)
            return key, -leg
        if packet.kind == "fragment":
            first = self._pieces.get((packet.src, packet.dst, packet.proto, packet.ident))
            return self._find(first.talk, first.kind, first.seq) if first is not None else None
        if not packet.src:
            return None
        talk = packet.talk
        if packet.proto in _STRONG and packet.mark:
            if not self.groups.known(talk):
                self._follow_through(frame, packet)
            _put(self._recent, (packet.proto, packet.mark), _Came(frame.at_ns, frame.node, frame.direction == "out", talk))
        layer: Packet | None = outer
        while layer is not None:
            if layer.ident:
                _put(self._pieces, (layer.src, layer.dst, layer.proto, layer.ident), _Cut(frame.at_ns, talk, packet.kind, packet.seq))
            layer = layer.inner
        return self._find(talk, packet.kind, packet.seq)

    def _find(self, talk: Tuple, kind: Kind, seq: int) -> tuple[tuple[int, int], Leg]:
        group, leg = self.groups.find(talk)
        if kind in _ECHOES:  # each sequence number is a journey of its own; to one's own address both ways look the same
            return (group, seq), 1 if kind == "echo-request" else -1
        return (group, 0), leg

    def _follow_through(self, frame: Frame, packet: Packet) -> None:
        """A tuple never seen, leaving a node that the very same packet has just entered as another: NAT without a table to tell of it."""
        came = self._recent.get((packet.proto, packet.mark))
        if came is None or frame.direction != "out" or came.left or came.node != frame.node or frame.at_ns - came.at_ns >= _CROSSING_NS:
            return
        group, sign = self.groups.find(came.talk)
        self.groups.join(packet.talk, group, sign)


_Key = TypeVar("_Key", bound=Hashable)
_Remembered = TypeVar("_Remembered", _Came, _Cut)


def _put(kept: OrderedDict[_Key, _Remembered], key: _Key, own: _Remembered) -> None:
    """The newest last."""
    kept[key] = own
    kept.move_to_end(key)


def _forget(kept: OrderedDict[_Key, _Remembered], until_ns: int, most: int) -> None:
    """The oldest first: what came at that time or before, and what is more than so many."""
    while kept and (len(kept) > most or next(iter(kept.values())).at_ns <= until_ns):
        kept.popitem(last=False)


_WAITING_NS = 4_000_000_000
"""An unanswered question is asked for at most about three seconds (arp(7): mcast_solicit, retrans_time)."""


Asked = tuple[str, str]
"""(the address that asks, "" when it is not known; the one that is asked for)"""


class Question:
    """One question with its repetitions and its answers, in order. ``asker`` is the node that asked, "" when only the answer was seen."""

    def __init__(self, key: Asked) -> None:
        self.key = key
        self.asked = key[1]
        self.asker = ""
        self.source = ""
        self.sights: list[Sight] = []

    @property
    def answered(self) -> bool:
        """Whether an answer came home to the asker."""
        return self._came_home is not None

    def answered_by(self, at_ns: int) -> bool:
        """Whether an answer had come home to the asker at that time."""
        return self._came_home is not None and self._came_home <= at_ns

    @property
    def _came_home(self) -> int | None:
        """When the first answer did; None when none has."""
        home = (sight for sight in self.sights if sight.frame.node == self.asker and sight.packet.subject.neighbour != "question" and sight.frame.direction != "out")
        return min((sight.frame.at_ns for sight in home), default=None)

    @property
    def is_check(self) -> bool:
        """Whether it only asks if an address is free (RFC 4862, RFC 5227): silence is the good answer."""
        return self.sights[0].packet.subject.src in ("::", "0.0.0.0")

    @property
    def is_announcement(self) -> bool:
        """Whether somebody asks for his own address, to tell everybody that it is his (RFC 5227)."""
        return self.sights[0].packet.subject.src == self.asked

    @property
    def began(self) -> int:
        """When it was first seen, in nanoseconds."""
        return self.sights[0].frame.at_ns


def questions(neighbours: Iterable[Sight]) -> list[Question]:
    """Sort neighbour packets into questions."""
    found: dict[Asked, Question] = {}
    for sight in neighbours:
        packet = sight.packet.subject
        if packet.kind == "ipv6-nd" and not packet.neighbour:
            continue
        key = _key(sight, found)
        question = found.setdefault(key, Question(key))
        question.sights.append(sight)
        if packet.neighbour == "question" and not question.asker and sight.frame.direction == "out":
            question.asker, question.source = sight.frame.node, packet.src
    return list(found.values())


def _key(sight: Sight, found: Iterable[Asked]) -> Asked:
    """The same for a question and its answer."""
    packet = sight.packet.subject
    if packet.kind == "arp-request":
        return packet.src, packet.dst
    if packet.kind == "arp-reply":
        return packet.dst, packet.src
    if packet.code[0] == 135:
        return packet.src, packet.dst
    return next((key for key in found if key[1] == packet.dst), ("", packet.dst))


def belonging(conversation: Conversation | None, asked: Sequence[Question], ground: Ground, source: str = "") -> list[Question]:
    """The questions of a conversation's way. ``source`` is the node it starts in, needed while it has no packet on any wire.

    A neighbour is asked for by the protocol of the packet's own family: ARP for IPv4, neighbour discovery for IPv6; in a tunnel, of either.
    """
    caused = [question for question in asked if not question.is_check and not question.is_announcement]  # no packet is their cause
    if conversation is None:
        return [question for question in caused if question.asker == source]
    path = conversation.path | ({source} if source else set())
    addresses = conversation.addresses
    families = {":" in address for address in addresses}
    return [
        own for own in caused
        if own.asker in path and (":" in own.asked) in families and (_because_of(own, conversation, addresses) or joined(own, conversation, ground))
    ]  # fmt: skip


def _because_of(question: Question, conversation: Conversation, addresses: frozenset[str]) -> bool:
    """It asks for one of the packet's own addresses, or the packet stood in the asking node, not yet at home, when it was asked."""
    sights = conversation.sights
    if question.asked in addresses:
        return question.began <= sights[-1].frame.at_ns + _WAITING_NS
    before = [sight for sight in sights if sight.frame.at_ns <= question.began]
    if not before:
        return question.asker == conversation.first.frame.node and sights[0].frame.at_ns - question.began < _WAITING_NS
    last = before[-1]
    at_home = last.leg < 0 and question.asker == conversation.first.frame.node
    # taken in: what came for everybody or for a group is not sent on, and an answer to it asks for its sender
    stands_there = last.frame.node == question.asker and last.frame.direction == "in"
    return stands_there and not at_home and question.began - last.frame.at_ns < _WAITING_NS


def joined(question: Question, conversation: Conversation, ground: Ground) -> bool:
    """The packet waits for the answer to a question that its node was asking before it came, because of another packet.

    The kernel asks once and lets all packets for a neighbour wait for that answer (neigh_event_send(), net/core/neighbour.c).
    """
    last = conversation.sights[-1]
    came = last.frame.at_ns
    if last.frame.node != question.asker or last.frame.direction != "in" or not question.began <= came < question.began + _WAITING_NS:
        return False
    addresses = conversation.addresses
    wanted = question.asked in addresses or ground.gateway_of(question.asker, question.asked, addresses - {last.packet.subject.src})
    return wanted and not question.answered_by(came)
