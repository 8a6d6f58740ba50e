"""The packets pane by keys: choosing a hop, its bytes, the words that narrow it, the keys in its border; and once for real."""

from __future__ import annotations

import msgspec
import pytest

from app import journeys, story
from app.driving import opened, screen, until
from app.helpers import says
from netless.app.screens.packets import HopsScreen, LayersScreen
from netless.app.widgets.choices import Choices
from netless.say.hops import layers
from netless.say.packets import matches
from netless_lab import protocol
from netless_lab.model.journey import Hop

JOURNEY = msgspec.structs.replace(journeys.HOME, id=7, title="ping 198.51.100.10 from c1")
OPENING = [*story.opening("masquerade-opening", log=()), journeys.probe(JOURNEY, True)]
BYTES = bytes(range(32, 74))
PACKET = protocol.Packet((("Ethernet", (("source", "02:42:0a:00:00:05"),)), ("IPv4", (("TTL", "64"),))), BYTES)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)], ids=str)
async def test_a_hop_is_chosen_by_key(size: tuple[int, int]) -> None:
    """Enter lists the hops with the newest chosen; Enter again shows that one's layers and bytes; Escape leads back."""
    async with opened(size, opening=OPENING, answers={protocol.GetPacket: says(PACKET)}) as (app, pilot, peer):
        await pilot.press("f4", "enter")
        await until(pilot, lambda: isinstance(app.screen, HopsScreen))
        await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(app.screen, LayersScreen))
        assert (peer.asked[-1].journey, peer.asked[-1].hop) == (7, len(JOURNEY.hops) - 2)
        assert "Ethernet" in screen(app)
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, HopsScreen))
        await pilot.press("enter")
        await until(pilot, lambda: peer.kinds() == ["GetPacket", "GetPacket"])
        assert (peer.asked[-1].journey, peer.asked[-1].hop) == (7, len(JOURNEY.hops) - 2)


async def test_the_filter_holds_for_the_choice() -> None:
    """Only hops that hold the words can be chosen; when none does, that is said."""
    async with opened(opening=OPENING) as (app, pilot, _peer):
        await pilot.press("f4", "slash", *"internet", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, HopsScreen))
        hops = [row for row in app.screen.query_one(Choices).rows if row.value]
        wanted = [number for number, hop in enumerate(JOURNEY.hops) if hop.node == "internet"]
        assert wanted
        assert [row.value for row in hops] == [f"7:{number}" for number in wanted]
        assert all("internet eth0" in row.first.plain and row.first.plain in screen(app) for row in hops)
        await pilot.press("escape", "slash", *"xyz", "enter", "enter")
        await until(pilot, lambda: "No packet is kept that can be shown." in screen(app))


@pytest.mark.parametrize(
    ("words", "holds"),
    [("c1 icmp", True), ("icmp", True), ("c1:veth1", True), ("host:veth1", False), ("arp", False), ("c1 arp", False), ("ECHO", True)],
)
def test_words_that_narrow(words: str, holds: bool) -> None:
    """Node, interface, ``node:interface``, protocol as one says it, and what is in the text; every word must be there."""
    hop = Hop("c1", "veth1", "out", 0.0, "echo-request", "10.0.0.2 > 10.0.0.1 echo request seq 1")
    assert matches(hop, words) is holds


@pytest.mark.parametrize("size", [(40, 12), (60, 16), (80, 24), (120, 40)], ids=str)
async def test_the_border_shows_the_keys(size: tuple[int, int]) -> None:
    """f, s, / and Enter stand in the border at every size; whether it follows is seen there."""
    async with opened(size, opening=OPENING, answers={protocol.Follow: story.followed}) as (app, pilot, _peer):
        await pilot.press("f4")
        await pilot.pause()
        assert all(word in screen(app) for word in ("f follow", "s save", "/ filter"))
        await pilot.press("f")
        await until(pilot, lambda: app.view.following)
        assert all(word in screen(app) for word in ("f stop", "s save", "/ filter", "Enter"))


@pytest.mark.parametrize(("width", "first"), [(69, 16), (68, 8), (37, 8), (36, 4), (30, 4)])
def test_bytes_fit_their_row(width: int, first: int) -> None:
    """No row of bytes is wider than the panel; all bytes are there, in order."""
    lines = [block.content.plain for block in layers(PACKET, width) if block.keep]
    assert all(len(line) <= width for line in lines)
    told = " ".join(line[5 : 5 + 3 * first - 1] for line in lines)
    assert bytes.fromhex(told) == BYTES
