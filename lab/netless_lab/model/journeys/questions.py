"""Which neighbour questions (ARP, or neighbour discovery) belong to a packet's way: those its nodes asked because of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .converse import Conversation, Sight
from .frame import Ground

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
