"""The kernel's own reasons for the packets of one probe, when the lab's starter, being root, could hand us its program."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ...model.evidence import Drop
from ...model.journeys.assemble import Followed
from ...model.journeys.packet import ICMP, ICMP6, Packet, Tuple
from ...model.journeys.words import words as in_words
from ...model.snapshot import Snapshot
from .drop_reasons import is_noise, words
from .drop_ring import Dropped, DropRing

_ARP = frozenset({"arp-request", "arp-reply"})


class DropEar:
    """Hears of every packet that is thrown away in the lab. ``skip`` before a probe, ``take`` after it."""

    def __init__(self, ring: DropRing, reasons: Mapping[int, str]) -> None:
        """``reasons`` are this kernel's names by number."""
        self._ring = ring
        self._reasons = dict(reasons)

    def close(self) -> None:
        """Let the ring go."""
        self._ring.close()

    def skip(self) -> None:
        """Forget what was dropped so far."""
        for _ in self._ring.take():
            pass

    def take(self, snapshot: Snapshot, followed: Followed) -> tuple[Drop, ...]:
        """What was dropped of this probe since ``skip``, in order; the noise that every ping makes left out."""
        began = followed.journey.started * 1e9 - (time.time_ns() - time.monotonic_ns())
        mine = _Mine(followed)
        found = []
        for dropped in self._ring.take():
            reason = self._reasons.get(dropped.reason, str(dropped.reason))
            if mine.has(dropped.packet) and not is_noise(reason, dropped.function):
                found.append(_drop(dropped, reason, snapshot, began if followed.journey.started else dropped.at_ns))
        return tuple(found)


class _Mine:
    """Which packets are the probe's."""

    def __init__(self, followed: Followed) -> None:
        own = [sight.packet.subject for conversation in followed.own for sight in conversation.sights]
        self._talks = {packet.talk for packet in own} | {packet.talk.reverse for packet in own}
        self._idents = {packet.sport for packet in own if packet.proto in (ICMP, ICMP6) and packet.sport}
        arps = [sight.packet.subject for sight in followed.sights if sight.packet.subject.kind in _ARP]
        self._asked = {frozenset((packet.src, packet.dst)) for packet in arps}
        self._source, self._target = followed.journey.source, followed.journey.target

    def has(self, packet: Packet) -> bool:
        """Whether this is one of them, an error about one, or a question on their way."""
        if packet.kind in _ARP:
            return frozenset((packet.src, packet.dst)) in self._asked
        about = packet.quoted if packet.kind == "icmp-error" and packet.quoted is not None else packet.subject
        if about.proto in (ICMP, ICMP6) and about.sport in self._idents:
            return True
        if about.talk in self._talks:
            return True
        return not self._talks and about.dst == self._target.partition(":")[0]


def _drop(dropped: Dropped, reason: str, snapshot: Snapshot, began: float) -> Drop:
    node = snapshot.by_netns(dropped.netns)
    packet = dropped.packet.subject
    talk: Tuple | None = packet.talk if packet.src else None
    return Drop(
        node=node.name if node is not None else "",
        link=dropped.link,
        reason=reason,
        words=words(reason),
        function=dropped.function,
        talk=talk,
        text=in_words(dropped.packet),
        at_us=(dropped.at_ns - began) / 1000,
    )
