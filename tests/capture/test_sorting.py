"""Which packets are one conversation while traffic comes in portions, and how much is remembered of those that have passed."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from capture import frames
from helpers.kept import kept
from netless_lab.model.journey import Direction
from netless_lab.model.journeys.converse import Conversation, Sorter
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.flow import MOST_SILENT, Flow
from netless_lab.model.journeys.frame import Frame
from netless_lab.model.journeys.own import of_probe
from netless_lab.model.journeys.packet import Packet, Tuple
from netless_lab.model.probe import Outcome, Udp

SECOND = 10**9
NOW = 10**18
MORE = 0x2000
"""The flag of an IPv4 piece that more follow (RFC 791)."""


def sort(sorter: Sorter, *seen: tuple[int, str, Direction, bytes]) -> tuple[Conversation, ...]:
    """The conversations of one portion: (when, in which node, which way, what)."""
    portion = [Frame(at_ns, node, f"{node}-eth", 1, direction, data, len(data)) for at_ns, node, direction, data in seen]
    return sorter.sort([(frame, decode(frame.data)) for frame in portion]).conversations


def datagram(source: tuple[str, int], target: tuple[str, int], data: bytes = b"x") -> bytes:
    """A UDP datagram as a frame."""
    return frames.ethernet(frames.ip4(17, frames.udp(data, source[1], target[1]), source[0], target[0]))


def talk(source: tuple[str, int], target: tuple[str, int]) -> Tuple:
    """The tuple of such a datagram."""
    return Tuple(17, source[0], target[0], source[1], target[1])


def strangers(count: int, since: int = 0) -> Iterator[tuple[int, str, Direction, bytes]]:
    """A packet each of so many connections, all different, a millisecond apart."""
    for number in range(since, since + count):
        high, low = divmod(number, 50_000)
        data = frames.ethernet(frames.ip4(6, frames.tcp(2, 10_000 + low), f"10.1.{high}.2", ident=1 + number % 65_000))
        yield NOW + number * SECOND // 1000, "c1", "out", data


def test_of_conversations_without_end_a_bounded_number_is_remembered() -> None:
    """However many short connections pass, on the wire and in the connection tables, what is kept of them stays within one bound."""
    sorter = Sorter()
    counts = []
    for part in range(8):
        seen = list(strangers(2000, part * 2000))
        for _, node, _, data in seen:
            own = decode(data).talk
            sorter.groups.learn(Flow(node, own, own.reverse, "new"))
        sort(sorter, *seen)
        counts.append((len(kept(sorter, kind=Tuple)), len(kept(sorter, kind=Packet)), len(kept(sorter, kind=Frame))))
    assert max(tuples for tuples, _, _ in counts) <= 2 * (MOST_SILENT + 2000) + 2000
    assert all(packets == 0 and recent <= 2000 for _, packets, recent in counts)
    assert counts[-1] == counts[-2]


def test_of_packets_that_came_in_pieces_a_bounded_number_is_remembered() -> None:
    """First pieces whose later ones never come are forgotten after as many as a kernel would keep; a whole packet is not waited for at all."""
    for flag in (0, MORE):
        sorter, counts = Sorter(), []
        for part in range(6):
            numbers = range(part * 1000, part * 1000 + 1000)
            echoes = [frames.ethernet(frames.ip4(1, frames.echo(), ident=1 + number, fragment=flag)) for number in numbers]
            sort(sorter, *((NOW + number * 1_000_000, "c1", "out", data) for number, data in zip(numbers, echoes, strict=True)))
            counts.append(len(kept(sorter, kind=tuple)))
        assert counts[-1] == counts[2 if flag else 0]


def test_what_is_said_of_an_earlier_datagram_from_that_port_hides_no_later_one() -> None:
    """A router's word about what was sent before anybody recorded comes in first: the probe's own conversation begins with its datagram all the same."""
    sent = datagram(("10.0.0.2", 4000), ("10.0.0.9", 5000))
    word = frames.error(3, 1, sent[14:])
    probe = Udp("c1", "10.0.0.9", 5000, source_port=4000)
    found = sort(Sorter(), (NOW, "host", "out", word), (NOW + 1, "c1", "in", word), (NOW + 2, "c1", "out", sent))
    own = of_probe(probe, Outcome(probe, "failed", "unreachable", "", ident=4000), found)
    assert [[(sight.frame.node, sight.packet.kind) for sight in one.sights] for one in own] == [[("c1", "udp")]]


def test_one_that_has_been_silent_is_still_known_as_it_began() -> None:
    """Who began a conversation is not forgotten because others have passed meanwhile: the far end's next words are an answer."""
    sorter = Sorter()
    c1, c2 = ("10.0.0.2", 4000), ("10.0.0.3", 9)
    sort(sorter, (NOW, "c1", "out", datagram(c1, c2)))
    sort(sorter, *strangers(MOST_SILENT - 10))
    (own,) = sort(sorter, (NOW + 60 * SECOND, "c2", "out", datagram(c2, c1)))
    assert own.first.leg == -1


def test_what_a_connection_table_has_forgotten_joins_nothing_to_it() -> None:
    """Two containers behind a masquerade get the same port one after the other: they are two conversations, since the first entry has ended."""
    sorter = Sorter()
    site, given = ("198.51.100.10", 53), ("203.0.113.2", 5000)
    one, two = ("10.0.0.2", 5000), ("10.0.0.3", 5000)
    first, second = (Flow("host", talk(inner, site), talk(site, given), "new") for inner in (one, two))
    sorter.groups.learn(first)
    (own,) = sort(sorter, (NOW, "host", "in", datagram(one, site)), (NOW + 1000, "host", "out", datagram(given, site)))
    assert len(own.sights) == 2
    sorter.groups.learn(Flow("host", first.original, first.reply, "destroy"))
    sort(sorter)
    sorter.groups.learn(second)
    later = NOW + 40 * SECOND
    found = sort(
        sorter, (later, "host", "in", datagram(two, site)), (later + 1000, "host", "out", datagram(given, site)), (later + 2000, "c1", "out", datagram(one, site)),
    )  # fmt: skip
    assert [[sight.frame.node for sight in own.sights] for own in found] == [["host", "host"], ["c1"]]


def test_one_that_is_under_way_outlives_its_entry() -> None:
    """An entry that is deleted by hand takes nothing from a conversation that goes on: what is heard of it is still one."""
    sorter = Sorter()
    site, given, inner = ("198.51.100.10", 53), ("203.0.113.2", 5000), ("10.0.0.2", 5000)
    flow = Flow("host", talk(inner, site), talk(site, given), "new")
    sorter.groups.learn(flow)
    way: list[tuple[int, str, Direction, bytes]] = [(NOW, "c1", "out", datagram(inner, site)), (NOW + SECOND // 10, "internet", "in", datagram(given, site))]
    sort(sorter, *way)
    sorter.groups.learn(Flow("host", flow.original, flow.reply, "destroy"))
    sort(sorter, *way)
    (own,) = sort(sorter, *way, (NOW + SECOND // 5, "internet", "out", datagram(site, given)))
    assert [sight.leg for sight in own.sights] == [1, 1, -1]


def test_later_pieces_belong_to_the_first() -> None:
    """The pieces of a cut packet are one journey, at whatever hop and in a later portion too; so are those of a cut packet of a tunnel."""
    sorter = Sorter()
    first = frames.ethernet(frames.ip4(1, frames.echo(data=b"n" * 100), ident=9, fragment=MORE))
    later = frames.ethernet(frames.ip4(1, b"n" * 40, ident=9, fragment=14))
    (own,) = sort(sorter, (NOW, "c1", "out", first), (NOW + 10, "c1", "out", later))
    (rest,) = sort(sorter, (NOW + 2 * SECOND, "host", "in", later))
    assert (len(own.sights), len(rest.sights), rest.first.leg) == (2, 1, 1)
    inner = frames.ethernet(frames.ip4(1, frames.echo(), "10.50.0.1", "10.50.0.2"))
    carried = frames.udp(struct.pack("!BxxxI", 8, 100 << 8) + inner, 50000, 4789)
    cut = frames.ethernet(frames.ip4(17, carried, "192.0.2.1", "192.0.2.2", ident=11, fragment=MORE))
    piece = frames.ethernet(frames.ip4(17, b"n" * 40, "192.0.2.1", "192.0.2.2", ident=11, fragment=20))
    (tunnelled,) = sort(sorter, (NOW, "host", "out", cut), (NOW + 10, "host", "out", piece))
    assert len(tunnelled.sights) == 2
