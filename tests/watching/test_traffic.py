"""Whose conversations are told and how often, on frames made by hand and by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from capture.frames import arp, ethernet, ip4, tcp
from helpers.kept import kept
from helpers.waiting import becomes
from netless_lab.kernel.evidence.lookout import Lookout, Seen
from netless_lab.model.journey import Journey
from netless_lab.model.journeys.assemble import MOST_HOPS
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.flow import Flow
from netless_lab.model.journeys.frame import Frame, Recording
from netless_lab.model.journeys.packet import Packet, Tuple
from netless_lab.model.journeys.words import words
from netless_lab.model.snapshot import Snapshot
from netless_lab.watching import traffic
from netless_lab.watching.traffic import LONGEST_NS, QUIET_NS, WAITING, Traffic

STEP_NS = QUIET_NS // 3


class Played:
    """A lookout, and what it watches, at a time that the test moves: each turn hears what is to be heard next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 10**18
        self.told: list[Journey] = []
        self.frames: list[Frame] = []
        self.flows: list[Flow] = []
        self._turns = 0
        monkeypatch.setattr(traffic, "time", SimpleNamespace(time_ns=lambda: self.now))
        monkeypatch.setattr(traffic, "TURN_S", 0)
        self.traffic = Traffic(cast(Lookout, self), Snapshot, lambda journey, frames, skipped: self.told.append(journey))
        self.traffic.start()

    def watch(self) -> Played:
        """As a lookout does."""
        return self

    def take(self) -> Seen:
        """What has passed."""
        frames, self.frames = tuple(self.frames), []
        flows, self.flows = tuple(self.flows), []
        self._turns += 1
        return Seen(Recording(frames), flows, ())

    def stop(self) -> None:
        """Nothing to let go."""

    async def passes(self, frames: Iterable[Frame], flows: Iterable[Flow] = ()) -> None:
        """These pass until now, and are looked at."""
        self.frames, self.flows = list(frames), list(flows)
        turns = self._turns
        assert await becomes(lambda: self._turns > turns + 1)


C1, C2, HOST, SITE = ("10.0.0.2", 40000), ("10.0.0.3", 9001), ("203.0.113.2", 40000), ("198.51.100.10", 9001)


def said(at_ns: int, way: tuple[tuple[str, int], tuple[str, int]] = (C1, C2), *, node: str = "c1", back: bool = False, size: int = 1) -> Frame:
    """Some bytes of one TCP connection, as a node hears it whose own end is the first one's."""
    (source, port), (target, to) = reversed(way) if back else way
    data = ethernet(ip4(6, tcp(0x18, port, to, data=b"x" * size), source, target))
    return Frame(at_ns, node, f"{node}-eth", 2, "in" if back else "out", data, len(data))


async def test_an_endless_conversation_is_known_whichever_end_speaks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that never falls silent is told once, though what is left of it after a while begins now with the one end, now with the other."""
    lab = Played(monkeypatch)
    for part in range(6):
        began, lab.now = lab.now, lab.now + LONGEST_NS
        await lab.passes(said(at, back=bool((number + part) % 2)) for number, at in enumerate(range(began, lab.now + 1, STEP_NS)))
    lab.traffic.stop()
    assert len(lab.told) == 1


async def test_an_endless_conversation_is_known_on_whichever_side_of_nat_it_is_heard_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same through a masquerade, where the one end is heard by an address that the other never sees; its entry is deleted meanwhile."""
    lab = Played(monkeypatch)
    entry = Flow("host", Tuple(6, *_ends(C1, SITE)), Tuple(6, *_ends(SITE, HOST)), "new")
    for part in range(6):
        began, lab.now = lab.now, lab.now + LONGEST_NS
        sides = [("c1", (C1, SITE)), ("internet", (HOST, SITE))]
        times = range(began, lab.now + 1, STEP_NS)
        await lab.passes(
            (said(at, way, node=node, back=bool(part % 2)) for at in times for node, way in (sides, sides[::-1])[part % 2]),
            [entry, replace(entry, event="destroy")][: part % 2 + 1],
        )
    lab.traffic.stop()
    assert len(lab.told) == 1


async def test_a_question_that_is_asked_without_end_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm of one ARP question is told once and then counted; no more of it is kept than passes until it is told."""
    lab, counts = Played(monkeypatch), []
    asked = arp()
    for _ in range(6):
        began, lab.now = lab.now, lab.now + LONGEST_NS
        await lab.passes(Frame(at, "host", "br0", 2, "broadcast", asked, len(asked)) for at in range(began, lab.now + 1, STEP_NS))
        counts.append(len(kept(lab.traffic, kind=Frame)))
    lab.traffic.stop()
    assert [journey.title for journey in lab.told] == [words(decode(asked))]
    assert max(counts) <= 2 * LONGEST_NS // STEP_NS


async def test_a_question_of_many_packets_is_kept_as_long_as_they_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """While packets go on that belong to it, of a question that goes on as well only the last part is kept."""
    lab, counts = Played(monkeypatch), []
    question = arp(1, "10.0.0.2", "10.0.0.3")
    for part in range(24):
        began, lab.now = lab.now, lab.now + LONGEST_NS // 2
        frames = []
        for number, at in enumerate(range(began, lab.now + 1, STEP_NS)):
            frames += [Frame(at, "c1", "veth1", 2, "out", question, len(question)), said(at + 1, ((C1[0], 1000 + 100 * part + number), C2))]
        await lab.passes(frames)
        counts.append(len(kept(lab.traffic, kind=Frame)))
    lab.traffic.stop()
    assert max(counts) <= counts[1] + 2 * WAITING  # journeys that wait for their turn have frames too


async def test_of_a_long_connection_the_bytes_are_kept_that_its_journey_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file goes by in large packets: until it is told, what comes after the first part is kept without its bytes, and the journey is whole."""
    lab, sizes = Played(monkeypatch), []
    most = MOST_HOPS * 2 * 1500
    for _ in range(4):
        began, lab.now = lab.now, lab.now + LONGEST_NS // 4
        await lab.passes(said(at, size=1400) for at in range(began, lab.now, LONGEST_NS // 2000))
        of_packets = sum(len(packet.payload) for packet in kept(lab.traffic, kind=Packet))
        sizes.append(of_packets + sum(len(frame.data) for frame in kept(lab.traffic, kind=Frame)))
    await lab.passes([])
    lab.traffic.stop()
    assert most // 4 < max(sizes) < most
    (journey,) = lab.told
    assert (len(journey.hops), journey.left_out) == (MOST_HOPS, 4 * 500 - MOST_HOPS)


async def test_what_is_kept_of_short_connections_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner who makes ten thousand short connections leaves no more behind than one who has made half as many."""
    lab, counts = Played(monkeypatch), []
    for part in range(20):
        began, lab.now = lab.now, lab.now + QUIET_NS
        ways = [((f"10.1.{part}.2", 10_000 + number), C2) for number in range(500)]
        flows = [Flow("host", own := Tuple(6, *_ends(*way)), own.reverse, "new") for way in ways]
        await lab.passes((said(began + number, way) for number, way in enumerate(ways)), flows)
        counts.append(len(kept(lab.traffic, kind=Tuple)))
    lab.traffic.stop()
    assert max(counts[10:]) <= counts[9]
    assert len(kept(lab.traffic, kind=Tuple)) == 0


def _ends(source: tuple[str, int], target: tuple[str, int]) -> tuple[str, str, int, int]:
    return source[0], target[0], source[1], target[1]
