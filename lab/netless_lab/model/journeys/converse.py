"""Sort packets into conversations: one echo with its reply, one TCP connection, one question with its answer, over every hop and NAT.

Which neighbour questions (ARP, or neighbour discovery) belong to a packet's way: those its nodes asked because of it. Pure.

Which of all recorded conversations are the probe's own. Pure.

A ping is known by its id, a connection and a datagram by the port they were sent from: a learner may do the very same thing at the same
time, and so may the judge. A look-up is known by the name it asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from .. import dns
from ..addresses import with_port
from ..probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from .flow import Flow, Groups
from .frame import Frame, Ground
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
            if (place := self._place(frame, packet)) is not None:
                key, leg = place
                if key not in found:
                    found[key] = Conversation(self.groups.addresses(key[0]))
                found[key].sights.append(Sight(frame, outer, leg))
        return Sorted(tuple(found.values()), tuple(neighbours))

    def _place(self, frame: Frame, packet: Packet) -> tuple[tuple[int, int], Leg] | None:
        """(which conversation, which direction) of a packet; None when it has none."""
        if packet.kind == "icmp-error":
            if (about := packet.quoted) is None:
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


_WAITING_NS = 4_000_000_000
"""An unanswered question is asked for at most about three seconds (arp(7): mcast_solicit, retrans_time)."""


class Question:
    """One question with its repetitions and its answers, in order. ``asker`` is the node that asked, "" when only the answer was seen."""

    def __init__(self, asked: str) -> None:
        self.asked = asked
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
    found: dict[tuple[str, str], Question] = {}
    for sight in neighbours:
        packet = sight.packet.subject
        if packet.kind == "ipv6-nd" and not packet.neighbour:
            continue
        key = _key(sight, found)
        question = found.setdefault(key, Question(key[1]))
        question.sights.append(sight)
        if packet.neighbour == "question" and not question.asker and sight.frame.direction == "out":
            question.asker, question.source = sight.frame.node, packet.src
    return list(found.values())


def _key(sight: Sight, found: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """(who asks, whom for), the same for a question and its answer."""
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


def target(probe: Probe) -> str:
    """Whom it asks for, as it was written."""
    match probe:
        case Ping(to=to):
            return to
        case Connect(to=to, port=port) | Udp(to=to, port=port):
            return with_port(to, port)
        case Lookup(name=name):
            return name
        case Fetch(url=url):
            return url


def of_probe(probe: Probe, outcome: Outcome, conversations: Sequence[Conversation], flows: Sequence[Flow] = ()) -> tuple[Conversation, ...]:
    """The conversations of ``probe``: none when it never left, two when a name had to be looked up first.

    ``flows`` say which port its own node's firewall may have given it before it was seen on any link.
    """
    found = _asked(probe, outcome, conversations, flows)
    return (*found, *_from_elsewhere(probe, found, conversations))


def _from_elsewhere(probe: Probe, own: Sequence[Conversation], conversations: Sequence[Conversation]) -> Iterator[Conversation]:
    """Datagrams to the port that one of the probe's was sent from, from the port that it was sent to, but another address: an answer, if a wrong one."""
    sent = [one.first.packet.subject for one in own]
    for other in conversations:
        packet = other.first.packet.subject
        ends = (packet.proto, packet.dst, packet.dport, packet.sport)
        if other.first.frame.node != probe.node and packet.proto == UDP and any(ends == (one.proto, one.src, one.sport, one.dport) for one in sent):
            yield other.reversed()


def _asked(probe: Probe, outcome: Outcome, conversations: Sequence[Conversation], flows: Sequence[Flow]) -> tuple[Conversation, ...]:
    mine = [conversation for conversation in conversations if conversation.first.frame.node == probe.node]
    match probe:
        case Ping():
            return (*_lookups(mine, _name_in(probe.to)), *_pings(conversations, outcome.ident))
        case Connect():
            return (*_lookups(mine, _name_in(probe.to)), *_talks(mine, TCP, _ports(TCP, probe, outcome, flows)))
        case Udp():
            return (*_lookups(mine, _name_in(probe.to)), *_talks(mine, UDP, _ports(UDP, probe, outcome, flows)))
        case Lookup():
            return _lookups(mine, probe.name)
        case Fetch():
            return (*_lookups(mine, _name_in(_host(probe.url))), *_talks(mine, TCP, _ports(TCP, probe, outcome, flows)))


def _pings(conversations: Sequence[Conversation], ident: int | None) -> tuple[Conversation, ...]:
    """The echo with this id, wherever it was seen first; NAT may have given it another id later on."""
    found = [own for own in conversations if any(_is_echo(sight, ident) for sight in own.sights)]
    return tuple(found[-1:])


def _is_echo(sight: Sight, ident: int | None) -> bool:
    packet = sight.packet.subject
    about = packet.quoted if packet.kind == "icmp-error" else packet
    return about is not None and about.kind in ("echo-request", "echo-reply") and about.sport == ident


def _talks(mine: Sequence[Conversation], proto: int, ports: Collection[int]) -> tuple[Conversation, ...]:
    """The connection, or datagram, from one of these ports: the last, when several attempts were made from the same."""
    begun = [(own, own.first.packet.subject) for own in mine if own.first.leg > 0]
    return tuple([own for own, packet in begun if packet.proto == proto and packet.sport in ports][-1:])


def _ports(proto: int, probe: Probe, outcome: Outcome, flows: Sequence[Flow]) -> frozenset[int]:
    """The port that was sent from, and the one that the sender's own masquerade put in its place."""
    if outcome.ident is None:
        return frozenset()
    given = (own.reply.dport for own in flows if own.node == probe.node and (own.original.proto, own.original.sport) == (proto, outcome.ident))
    return frozenset((outcome.ident, *given))


def _lookups(mine: Sequence[Conversation], name: str) -> tuple[Conversation, ...]:
    """Every DNS question for this name, in the order they were asked."""
    return tuple(own for own in mine if name and _asks_for(own.first, name))


def _asks_for(sight: Sight, name: str) -> bool:
    packet = sight.packet.subject
    if packet.proto != UDP:
        return False
    message = dns.decode(packet.payload)
    return message is not None and [dns.text(own.name).lower() for own in message.questions] == [name.rstrip(".").lower()]


def _name_in(to: str) -> str:
    """``to`` when it is a name, "" when it is an address."""
    return "" if ":" in to or all(part.isdecimal() for part in to.split(".")) else to


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        return ""
