"""Packets on the screen: following, filtering, saving, bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import journeys, story
from app.driving import opened, rows, screen, until
from app.helpers import Answer, says
from netless.app.screens.packets import LayersScreen
from netless.app.widgets.document import Document
from netless.commands.command import Place
from netless.commands.table import at, key_called
from netless_lab import protocol

OPENING = story.opening("masquerade-opening", log=())


FOLLOWED: dict[type[protocol.Request[Any]], Answer] = {protocol.Follow: story.followed}
EMPTY: dict[type[protocol.Request[Any]], Answer] = {protocol.GetCapture: says(protocol.Capture(b"", 0))}
KEPT: dict[type[protocol.Request[Any]], Answer] = {**FOLLOWED, **EMPTY, protocol.GetHistory: says(protocol.Account((), "#!/bin/sh\n", "# notes\n"))}


def words(pane: Document) -> str:
    """What a pane says, wherever its lines end."""
    return " ".join(" ".join(line.content.plain for line in pane.lines).split())


async def test_following_ones_own_packets() -> None:
    """f asks the lab to follow; a packet of the learner's own is listed as theirs and moves."""
    async with opened(opening=OPENING, answers=FOLLOWED) as (app, pilot, peer):
        await pilot.press("f4", "f")
        await until(pilot, lambda: app.view.following)
        assert peer.asked[-1].on is True
        journey = msgspec.structs.replace(journeys.HOME, title="c1 pings 198.51.100.10", id=7)
        peer.say(protocol.JourneyEvent(story.NOON + 70, journey, skipped=3))
        await until(pilot, lambda: len(app.view.packets) == 1)
        await pilot.press("home")
        await until(pilot, lambda: "yours c1 pings 198.51.100.10" in screen(app))
        assert "3 frames before it were left out" in words(app.get_default_screen().lower.packets)
        assert app.get_default_screen().picture.replay is not None


async def test_filter_and_bytes() -> None:
    """Words narrow the list to hops that hold them all; a click on a hop shows its layers and bytes."""
    packet = protocol.Packet((("Ethernet", (("source", "02:42:0a:00:00:05"),)), ("IPv4", (("ttl", "64"),))), b"\x02\x42" * 20)
    journey = msgspec.structs.replace(journeys.HOME, id=7)
    async with opened(opening=OPENING, answers={protocol.GetPacket: says(packet)}) as (app, pilot, peer):
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
        assert (peer.asked[-1].journey, peer.asked[-1].hop) == (7, 12)
        assert all(words in screen(app) for words in ("Ethernet", "02:42:0a:00:00:05", "40 bytes"))


async def test_saving_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """s writes the capture as it came; without packets it says so and writes nothing."""
    monkeypatch.chdir(tmp_path)
    data = b"\x0a\x0d\x0d\x0a some blocks"
    async with opened(opening=OPENING, answers={protocol.GetCapture: says(protocol.Capture(data, 3))}) as (app, pilot, _peer):
        await pilot.press("f4", "s")
        await until(pilot, lambda: bool(app.view.sayings))
    assert [path.read_bytes() for path in tmp_path.glob("*.pcapng")] == [data]
    async with opened(opening=OPENING, answers=EMPTY) as (app, pilot, _peer):
        await pilot.press("f4", "s")
        await until(pilot, lambda: bool(app.view.sayings) and "No packet" in app.view.sayings[-1].text)
    assert len(list(tmp_path.glob("*.pcapng"))) == 1


async def test_all_that_cannot_be_followed_is_told() -> None:
    """Each reason why following is not whole is shown."""
    missing = ("c1 cannot be followed", "c2 cannot be followed")
    async with opened(opening=OPENING, answers={protocol.Follow: says(protocol.FollowStatus(True, missing))}) as (app, pilot, _peer):
        await pilot.press("f4", "f")
        for text in reversed(missing):
            await until(pilot, lambda text=text: text in screen(app))  # type: ignore[misc]
            app.notices.over()


@pytest.mark.parametrize("tab", ["", "f4", "f5"])
@pytest.mark.parametrize("place", ["f1", "f2"])
async def test_letters_of_the_logs_do_nothing_elsewhere(
    tab: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """f, s and / belong to the packets pane and e to the changes: elsewhere they ask for nothing, whichever tab was chosen before."""
    monkeypatch.chdir(tmp_path)
    async with opened(opening=OPENING, answers=KEPT) as (app, pilot, peer):
        await pilot.press(*([tab] if tab else []), place, "f", "s", "slash", "e")
        await pilot.pause()
        assert peer.kinds() == []
        assert app.screen is app.get_default_screen()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("tab", "keys"), [("f4", "e"), ("f5", "fs/")])
async def test_letters_of_one_log_do_nothing_in_the_other(
    tab: str, keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each log has its own letters."""
    monkeypatch.chdir(tmp_path)
    async with opened(opening=OPENING, answers=KEPT) as (app, pilot, peer):
        await pilot.press(tab, *("slash" if key == "/" else key for key in keys))
        await pilot.pause()
        assert peer.kinds() == []
        assert app.screen is app.get_default_screen()


def _helped(pane: Place) -> set[str]:
    """The single letters of a pane."""
    return {called for own in at(pane) for key in own.keys if len(called := key_called(key)) == 1}


@pytest.mark.parametrize(("tab", "pane"), [("f4", "packets"), ("f5", "changes")])
async def test_border_help_and_action_agree(tab: str, pane: Place) -> None:
    """The letters in a log's border are those that the table has for it and that are bound there, and only there; / looks for words elsewhere."""
    async with opened(opening=OPENING) as (app, pilot, _peer):
        await pilot.press(tab)
        await pilot.pause()
        border = re.search("╰.*╯", rows(app)[-2])
        assert border is not None
        shown = set(re.findall(r"(?<![^ ─╰])([a-z/]) [a-z]", border[0]))
        assert shown == _helped(pane)
        names = {"/": "slash"}
        bound = app.active_bindings
        assert all(bound[names.get(key, key)].node is app.focused for key in shown)
        await pilot.press("f1")
        await pilot.pause()
        assert not {names.get(key, key) for key in shown} & set(app.active_bindings)
