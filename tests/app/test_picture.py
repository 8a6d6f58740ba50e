"""The picture as it lives: what flashes goes out, what is picked stays picked, and a packet walks the wires that are there."""

from __future__ import annotations

import msgspec
import pytest
from rich.style import Style

from app import journeys, story
from app.driving import opened, rows, screen, strips, until
from netless.app.app import TutorApp
from netless.app.drawing import detail_rows
from netless.app.widgets.picture import DEAD, PACKET
from netless.say.ascii import in_ascii
from netless_lab import protocol
from netless_lab.model.probe import Outcome, Ping
from netless_lab.model.scene.labels import DOWN, TO_BE, UP, WAIT
from netless_lab.model.snapshot import Snapshot

PORTS = (UP, WAIT, DOWN, TO_BE)
OPENING = story.opening("masquerade-opening", log=())


def grounds(app: TutorApp, name: str) -> list[str]:
    """The words that lie on a colour of the theme, as they stand on the screen."""
    wanted = app.get_css_variables()[name].lower()
    return [segment.text.strip() for strip in strips(app) for segment in strip if _ground(segment.style) == wanted and segment.text.strip()]


def _ground(style: Style | None) -> str:
    return style.bgcolor.name.lower() if style is not None and style.bgcolor is not None else ""


async def test_a_flash_ends() -> None:
    """What changed is lit for a moment and then is as the rest."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        peer.say(protocol.SnapshotEvent(story.PORT_DOWN))
        await until(pilot, lambda: bool(grounds(app, "flash")))
        await until(pilot, lambda: not grounds(app, "flash"))
        assert app.view.snapshot == story.PORT_DOWN


async def test_a_change_during_a_flash_leaves_nothing_lit() -> None:
    """A second change puts the first one's light out at once; nothing of either stays lit."""
    whole, closed = story.NEIGHBOURS, story.SHUT
    moved = msgspec.json.decode(msgspec.json.encode(closed).replace(b"10.0.0.3", b"10.0.0.7"), type=Snapshot)
    async with opened(opening=[OPENING[0], protocol.SnapshotEvent(whole)]) as (app, pilot, peer):
        peer.say(protocol.SnapshotEvent(closed))
        await until(pilot, lambda: "[fwd✗]" in grounds(app, "flash"))
        peer.say(protocol.SnapshotEvent(moved))
        await until(pilot, lambda: app.view.snapshot == moved)
        assert grounds(app, "flash") == ["7"]
        await until(pilot, lambda: not grounds(app, "flash"))


@pytest.mark.parametrize("size", [(140, 50), (100, 30), (80, 24)], ids=str)
async def test_what_is_picked_stays_picked(size: tuple[int, int]) -> None:
    """After a resize the same part is marked, where it is drawn now, and the arrows go on from it."""
    async with opened(opening=OPENING) as (app, pilot, _peer):
        picture = app.get_default_screen().picture
        await pilot.press("f2", "right", "right", "right")
        before = picture.picked
        assert before is not None
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: picture.scene is not None and picture.scene.width == picture.size.width)
        after = picture.picked
        assert after is not None
        assert (after.kind, after.node, after.name) == (before.kind, before.node, before.name)
        assert after.rect != before.rect
        assert picture.scene is not None
        assert after in picture.scene.regions
        parts = sorted(picture.scene.regions, key=lambda region: (region.rect.y, region.rect.x))
        await pilot.press("right")
        assert picture.picked == parts[parts.index(after) + 1]


async def test_a_strip_shows_the_network_and_nothing_over_it() -> None:
    """What is picked is told where the picture has a pane of its own; the strip above another pane stays whole, and a click opens that pane."""
    async with opened((80, 24), opening=OPENING) as (app, pilot, _peer):
        tutor = app.get_default_screen()
        whole = rows(app)[1:6]
        await pilot.press("f2", "right", "right")
        await until(pilot, lambda: "· container ·" in screen(app))
        await pilot.press("f1")
        await until(pilot, lambda: tutor.where == "lesson")
        await until(pilot, lambda: rows(app)[1:6] == whole)
        await pilot.click(tutor.picture, offset=(4, 1))
        await until(pilot, lambda: tutor.where == "network" and "veth1 in c1 ·" in screen(app))


def test_what_is_told_of_a_part_is_cut_nowhere_without_a_mark() -> None:
    """Long lines go on in the next row; where there are too few rows the last one says that there is more."""
    lines = ("c1 · container", "routes: 10.0.0.0/24 dev veth1; default via 10.0.0.1 dev veth1")
    assert [row.plain for row in detail_rows(lines, 42, 5)] == [" c1 · container", " routes: 10.0.0.0/24 dev veth1; default", "   via 10.0.0.1 dev veth1"]
    assert [row.plain for row in detail_rows(lines, 42, 2)] == [" c1 · container", " routes: 10.0.0.0/24 dev veth1; default …"]
    assert [row.plain for row in detail_rows(lines, 42, 1)] == [" c1 · container …"]
    assert detail_rows(lines, 42, 0) == ()


def test_a_packet_looks_like_no_state_of_a_port() -> None:
    """In both sets of signs, so that it is seen without colours where it passes one."""
    for marks in ((PACKET, DEAD), tuple(in_ascii(PACKET + DEAD, letters=False))):
        assert marks[0] not in {*PORTS, *in_ascii("".join(PORTS), letters=False), marks[1]}


async def test_a_packet_does_not_walk_wires_that_are_gone() -> None:
    """When the drawing changes under a packet it is taken away; one that leaves the wires as they are lets it go on."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        picture = app.get_default_screen().picture
        peer.say(journeys.probe(journeys.HOME, True))
        await until(pilot, lambda: len(app.view.packets) == 1)
        await pilot.press("f2", "a", "space")
        assert picture.replay is not None
        peer.say(protocol.SnapshotEvent(story.CLOSED))
        await until(pilot, lambda: app.view.snapshot == story.CLOSED)
        await pilot.pause()
        assert picture.replay is not None
        peer.say(protocol.SnapshotEvent(story.NEIGHBOURS))
        await until(pilot, lambda: "veth4" in screen(app))
        assert picture.replay is None


async def test_a_probe_that_was_not_followed_moves_no_older_packet() -> None:
    """Of a probe that could not be sent there is no way to show; the packet before it is not shown in its stead."""
    async with opened(opening=[*OPENING, journeys.probe(journeys.HOME, True)]) as (app, pilot, peer):
        picture = app.get_default_screen().picture
        gate = peer.hold(protocol.Check)
        await pilot.press("c")
        peer.say(protocol.ProbeEvent(story.NOON + 70, Outcome(Ping("c1", "10.0.0.1"), "error", "could-not-run", "c1 is not there"), True))
        await until(pilot, lambda: len(app.view.packets) == 2)
        await pilot.pause()
        assert picture.replay is None
        peer.say(journeys.probe(journeys.DEAD, False))
        await until(pilot, lambda: picture.replay is not None)
        gate.set()


@pytest.mark.parametrize(("size", "dot"), [((80, 24), True), ((120, 40), False)], ids=str)
async def test_news_out_of_sight_has_its_dot(size: tuple[int, int], dot: bool) -> None:
    """Where one pane is shown at a time, changes nobody has seen are news, also in the tab that was chosen last."""
    async with opened(size, opening=OPENING) as (app, pilot, peer):
        peer.say(protocol.ChangesEvent(story.NOON + 99, "learner", (protocol.ChangeLine("veth2 went up", "host"),)))
        await until(pilot, lambda: len(app.view.entries) == 1)
        assert ("Changes•" in screen(app)) == dot
        await pilot.press("f5")
        await pilot.pause()
        assert "Changes•" not in screen(app)
        assert any("veth2 went up" in row for row in rows(app))
        await pilot.press("f1")
        await pilot.pause()
        assert "Changes•" not in screen(app)
