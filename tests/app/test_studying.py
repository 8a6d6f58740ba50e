"""Packets on the screen: following, filtering, saving, bytes."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest

from app import journeys, story
from app.driving import opened, rows, screen, until
from netless.app.screens.layers import LayersScreen
from netless.app.widgets.document import Document
from netless_lab import protocol

OPENING: list[protocol.Message] = [
    protocol.StatusEvent(story.status(verdict=story.PENDING)), protocol.SnapshotEvent(story.snapshot()),
]  # fmt: skip


def calls(**answers: object) -> dict[type[protocol.Request], object]:
    """Answers to calls by name; any other call gets nothing."""
    return {protocol.Call: lambda request: [protocol.Done(request.id, answers.get(request.name))]}


def words(pane: Document) -> str:
    """What a pane says, wherever its lines end."""
    return " ".join(" ".join(line.content.plain for line in pane.lines).split())


async def test_following_ones_own_packets() -> None:
    """f asks the lab to follow; a packet of the learner's own is listed as theirs and moves."""
    async with opened(opening=OPENING, answers=calls(follow={"following": True, "missing": []})) as (app, pilot, peer):  # type: ignore[arg-type]
        await pilot.press("f4", "f")
        await until(pilot, lambda: app.view.following)
        assert peer.asked[-1].args == {"on": True}
        journey = msgspec.structs.replace(journeys.HOME, title="c1 pings 198.51.100.10", id=7)
        peer.say(protocol.JourneyEvent(story.NOON + 70, msgspec.to_builtins(journey), skipped=3))
        await until(pilot, lambda: len(app.view.packets) == 1)
        await pilot.press("home")
        await until(pilot, lambda: "yours c1 pings 198.51.100.10" in screen(app))
        assert "3 frames before it were left out" in words(app.get_default_screen().lower.packets)
        assert app.get_default_screen().picture.replay is not None


async def test_filter_and_bytes() -> None:
    """Words narrow the list to hops that hold them all; a click on a hop shows its layers and bytes."""
    packet = {"layers": [["Ethernet", [["source", "02:42:0a:00:00:05"]]], ["IPv4", [["ttl", "64"]]]], "bytes": "0242" * 20}
    journey = msgspec.structs.replace(journeys.HOME, id=7)
    async with opened(opening=OPENING, answers=calls(packet=packet)) as (app, pilot, peer):  # type: ignore[arg-type]
        peer.say(journeys.probe(journey, True), journeys.probe(msgspec.structs.replace(journeys.DEAD, hops=journeys.ARP), False))
        await until(pilot, lambda: len(app.view.packets) == 2)
        await pilot.press("f4", "slash", *"eth0", "space", *"reply", "enter")
        await until(pilot, lambda: "only eth0 reply" in screen(app))
        shown = [row for row in rows(app) if " us " in row and "host eth0" in row]
        assert len(shown) == 1
        assert not any("arp" in row or "who has" in row for row in rows(app))
        y = next(y for y, row in enumerate(rows(app)) if "host eth0" in row)
        await pilot.click(offset=(rows(app)[y].index("198.51"), y))
        await until(pilot, lambda: isinstance(app.screen, LayersScreen))
        assert peer.asked[-1].args == {"journey": 7, "hop": 12}
        assert all(words in screen(app) for words in ("Ethernet", "02:42:0a:00:00:05", "40 bytes"))


async def test_saving_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """s writes the capture as it came; without packets it says so and writes nothing."""
    monkeypatch.chdir(tmp_path)
    data = b"\x0a\x0d\x0d\x0a some blocks"
    kept = {"pcapng": base64.b64encode(data).decode(), "frames": 3}
    async with opened(opening=OPENING, answers=calls(pcap=kept)) as (app, pilot, _peer):  # type: ignore[arg-type]
        await pilot.press("f4", "s")
        await until(pilot, lambda: app.view.saying is not None)
    assert [path.read_bytes() for path in tmp_path.glob("*.pcapng")] == [data]
    async with opened(opening=OPENING, answers=calls(pcap={"pcapng": "", "frames": 0})) as (app, pilot, _peer):  # type: ignore[arg-type]
        await pilot.press("f4", "s")
        await until(pilot, lambda: app.view.saying is not None and "No packet" in app.view.saying.text)
    assert len(list(tmp_path.glob("*.pcapng"))) == 1


async def test_letters_of_the_logs_do_nothing_elsewhere() -> None:
    """f, s and / belong to the packets pane: in the lesson they ask for nothing."""
    async with opened(opening=OPENING) as (app, pilot, peer):
        await pilot.press("f", "s", "slash")
        await pilot.pause()
        assert peer.kinds() == []
        assert app.screen is app.get_default_screen()
