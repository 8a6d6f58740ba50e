"""A followed packet: its frames on the drawing, its hops in words, and a clock that stands still when nothing moves."""

from __future__ import annotations

import msgspec
import pytest

from app import journeys, story
from app.driving import opened, quiet, screen, until
from netless.app.drawing import HOLD_FRAMES, LEG_FRAMES, Frame, Replay, frames_of
from netless.config.schema import Settings
from netless_lab import protocol
from netless_lab.model.journey import Death, Hop
from netless_lab.model.scene import lay_out
from netless_lab.model.snapshot import Snapshot

SCENE = lay_out(story.BUILT, width=100, height=12)
HERE = next(hop.text for hop in journeys.ARP if hop.kind == "arp-reply")
AT_THE_GATE = msgspec.structs.replace(journeys.DEAD, death=Death("host", "br0", 8, "forward", "fwd"))
"""The packet that died, as if it were known at which gate."""
OPENING = story.opening("masquerade-opening", log=())


def test_frames_follow_the_wires() -> None:
    """The way begins at the sender's port, passes the gates, reaches the internet and comes home; each leg is of bounded length."""
    frames = frames_of(journeys.HOME, SCENE)
    start = SCENE.anchors["c1", "veth1"]
    assert (frames[0].x, frames[0].y) == (start.x, start.y)
    assert (frames[-1].x, frames[-1].y) == (start.x, start.y)
    assert max(frame.x for frame in frames) == SCENE.anchors["internet", "eth0"].x
    assert len(frames) <= 4 * (LEG_FRAMES + 1 + HOLD_FRAMES)
    assert not any(frame.dead for frame in frames)


@pytest.mark.parametrize("size", [(100, 12), (78, 5), (60, 20), (160, 40)], ids=str)
@pytest.mark.parametrize("node", ["c1", "c2"])
def test_the_mark_of_a_death_inside_covers_no_word(node: str, size: tuple[int, int]) -> None:
    """A packet that never left its node is marked in the node's box where nothing is written: an address with a mark on it cannot be read."""
    scene = lay_out(story.NEIGHBOURS, width=size[0], height=size[1])
    end = frames_of(msgspec.structs.replace(journeys.DEAD, hops=(), death=Death(node, "", -1, "forward")), scene)[-1]
    box = next(region.rect for region in scene.regions if region.kind == "node" and region.node == node)
    written = "".join(run.text for run in scene.rows[end.y])[end.x]
    assert box.holds(end.x, end.y) and not written.isalnum() and written not in "./"


def test_labels_tell_the_story() -> None:
    """ARP first, then the request, the rewrite where it happened, then the reply."""
    labels = list(dict.fromkeys(frame.label for frame in frames_of(journeys.HOME, SCENE)))
    assert labels == [
        "0 us  who has 10.0.0.1? tell 10.0.0.2",
        f"30 us  {HERE}",
        "60 us  10.0.0.2 > 198.51.100.10 echo request seq 1",
        "source rewritten: 10.0.0.2 → 203.0.113.2",
        "110 us  198.51.100.10 > 203.0.113.2 echo reply seq 1",
        "destination rewritten: 203.0.113.2 → 10.0.0.2",
    ]


def test_death_is_marked_where_it_was_last_seen() -> None:
    """A packet that died ends with a mark: on the gate that stopped it, else on the last place it was seen, else in its node."""
    frames = frames_of(AT_THE_GATE, SCENE)
    gate = next(station for station in SCENE.stations.values() if station.gate == "fwd")
    assert frames[-1].dead
    assert frames[-1].label == "last seen at br0 in host, before the gate fwd"
    assert (frames[-1].x, frames[-1].y) == (gate.cell.x, gate.cell.y)
    assert all(frame.x <= SCENE.anchors["host", "br0"].x for frame in frames if not frame.dead)
    plugged_nowhere = msgspec.structs.replace(journeys.DEAD, hops=journeys.ARP[:2], death=Death("host", "veth2", 1, "arp"))
    place = SCENE.anchors["host", "veth2"]
    assert frames_of(plugged_nowhere, SCENE)[-1][:2] == (place.x, place.y)
    flooded = msgspec.structs.replace(plugged_nowhere, death=Death("c1", "veth1", 0, "arp"))
    asked = SCENE.anchors["c1", "veth1"]
    assert frames_of(flooded, SCENE)[-1][:2] == (asked.x, asked.y), "where it was asked in vain, and not where a copy was heard last"
    never_left = msgspec.structs.replace(journeys.DEAD, hops=(), death=Death("c1", "", -1, "forward"))
    inside = next(region.rect for region in SCENE.regions if region.kind == "node" and region.node == "c1")
    assert inside.holds(*frames_of(never_left, SCENE)[-1][:2])
    assert frames_of(never_left, SCENE)[-1].label == "last seen in c1"


def test_missed_frames_forbid_a_death() -> None:
    """When the capture itself lost frames nothing is declared dead."""
    unsure = msgspec.structs.replace(journeys.DEAD, lost_frames=3)
    assert not any(frame.dead for frame in frames_of(unsure, SCENE))


def test_nothing_drawn_is_nothing_played() -> None:
    """A journey through nodes that are not on the drawing has no frames."""
    elsewhere = msgspec.structs.replace(
        journeys.HOME, source="c8", hops=(Hop("c8", "veth8", "out", 0.0, "echo-request", ""), Hop("c9", "veth9", "in", 9.0, "echo-request", ""))
    )
    assert frames_of(elsewhere, SCENE) == ()
    assert frames_of(journeys.HOME, lay_out(Snapshot(()), width=60, height=10)) == ()


def test_hold_and_step() -> None:
    """Held, it does not tick; a step goes to the next frame that differs, and stays held."""
    replay = Replay((Frame(0, 0), Frame(0, 0), Frame(1, 0), Frame(2, 0)))
    held = replay.pause()
    assert held.tick() == held
    assert held.step().here == Frame(1, 0)
    assert held.step().paused
    assert replay.tick().tick().tick().over


async def test_packet_pane_lists_the_hops() -> None:
    """One line a hop with the true time, the rewrite where it happened."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        peer.say(journeys.probe(journeys.HOME, True), journeys.probe(journeys.DEAD, False))
        await pilot.press("f4", "z")
        await until(pilot, lambda: len(app.view.packets) == 2)
        text = screen(app)
        assert "90.0 us host eth0" in text
        assert "source rewritten: 10.0.0.2 → 203.0.113.2" in text
        assert "last seen at br0 in host" in text


async def test_a_packet_of_ones_own_moves_and_the_clock_stops() -> None:
    """A probe sent while the learner's check runs is replayed; afterwards no timer is left running."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        picture = app.get_default_screen().picture
        gate = peer.hold(protocol.Check)
        await pilot.press("c")
        peer.say(journeys.probe(journeys.DEAD, False))
        await until(pilot, lambda: picture.replay is not None)
        assert "who has 10.0.0.1?" in screen(app)
        gate.set()
        await until(pilot, lambda: "✗ last seen at br0 in host" in screen(app))
        await until(pilot, lambda: picture.replay is None)
        assert picture._clock is None
        assert picture._leaving is None


async def test_a_strangers_packet_does_not_move() -> None:
    """Probes nobody asked for (the judge at work) are listed and not played."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        peer.say(journeys.probe(journeys.HOME, True))
        await until(pilot, lambda: len(app.view.packets) == 1)
        assert app.get_default_screen().picture.replay is None
        await pilot.press("f2", "a")
        assert app.get_default_screen().picture.replay is not None


async def test_reduced_motion(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """With animations off the packet is shown where it ended, at once, and nothing flashes."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        app.animation_level = "none"
        picture = app.get_default_screen().picture
        peer.say(journeys.probe(journeys.DEAD, False))
        await until(pilot, lambda: len(app.view.packets) == 1)
        await pilot.press("f2", "a")
        assert picture.replay is not None
        assert picture.replay.over
        assert picture._clock is None
        peer.say(protocol.SnapshotEvent(story.PORT_DOWN))
        await until(pilot, lambda: app.view.snapshot != story.BUILT)
        assert picture._lit == {}


async def test_without_motion_the_newest_packet_is_shown() -> None:
    """A packet that stands where it ended does not keep the one of the next check away."""
    async with opened(opening=OPENING, settings=Settings(animations=False)) as (app, pilot, peer):
        picture = app.get_default_screen().picture
        gate = peer.hold(protocol.Check)
        await pilot.press("c")
        peer.say(journeys.probe(journeys.HOME, True))
        await until(pilot, lambda: picture.replay is not None)
        assert "✗ last seen at br0 in host" not in screen(app)
        peer.say(journeys.probe(journeys.DEAD, False))
        await until(pilot, lambda: "✗ last seen at br0 in host" in screen(app))
        await pilot.press("f2", "a")
        assert "✗ last seen at br0 in host" in screen(app)
        gate.set()


@pytest.mark.parametrize(("key", "words"), [
    ("space", "No packet moves just now: `a` has the newest move once more."), ("full_stop", "No packet moves just now: `a` has the newest move once more."),
    ("a", "No packet is kept whose way is drawn in this picture."),
])  # fmt: skip
async def test_a_key_for_a_packet_that_is_not_there_says_so(key: str, words: str) -> None:
    """Nothing on the screen would show that it was pressed."""
    async with opened(opening=OPENING) as (app, pilot, _peer):
        quiet(app)
        await pilot.press("f2", key)
        await until(pilot, lambda: bool(app.view.sayings) and app.view.sayings[-1].text == words)
