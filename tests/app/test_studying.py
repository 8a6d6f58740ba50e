"""Packets and faults on the screen: following, filtering, saving, bytes; drills from the first look to the end."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest

from app import journeys, story
from app.driving import opened, rows, screen, until
from netless.app.screens.drill import DrillScreen, GiveUpScreen
from netless.app.screens.layers import LayersScreen
from netless.app.view import can
from netless.app.widgets.document import Document
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict

OPENING: list[protocol.Message] = [
    protocol.StatusEvent(story.status(verdict=story.PENDING)), protocol.SnapshotEvent(story.snapshot()),
]  # fmt: skip
FAULTS = [
    {"id": "forwarding-off", "title": "The host does not forward", "teaches": "internet/forwarding", "lacks": ""},
    {"id": "macvlan-and-its-host", "title": "A macvlan and its host", "teaches": "", "lacks": "macvlan devices"},
]
SICK = Verdict("fault", "fail", (
    Item("fail", "c1 reaches 198.51.100.10", kind="probe", expected="an answer", seen="silence", look="ip route"),
))  # fmt: skip
ON = protocol.FaultStatus("c1 reaches the host and nothing beyond it.", drill=True, began=1.0, verdict=SICK)
OVER = msgspec.structs.replace(
    ON, healthy=True, seconds=192.0, hints=1, id="forwarding-off", title="The host does not forward",
    teaches="container/internet/forwarding", solution="sysctl -w net.ipv4.ip_forward=1", verdict=None,
)  # fmt: skip


def with_fault(fault: protocol.FaultStatus | None) -> protocol.StatusEvent:
    """The status while this is broken."""
    return protocol.StatusEvent(msgspec.structs.replace(story.status(verdict=story.PENDING), fault=fault))


def calls(**answers: object) -> dict[type[protocol.Request], object]:
    """Answers to calls by name; any other call gets nothing."""
    return {protocol.Call: lambda request: [protocol.Done(request.id, answers.get(request.name))]}


def words(pane: Document) -> str:
    """What a pane says, wherever its lines end."""
    return " ".join(" ".join(line.content.plain for line in pane.lines).split())


async def test_a_drill_from_beginning_to_end() -> None:
    """k offers faults; while one is on only the symptom is told; when it is well again, what it was and what mends it."""
    async with opened(opening=OPENING, answers=calls(faults=FAULTS, **{"break": {"text": ""}, "mend": {"text": ""}})) as (app, pilot, peer):  # type: ignore[arg-type]
        await pilot.press("k")
        await until(pilot, lambda: "The host does not forward" in screen(app))
        assert isinstance(app.screen, DrillScreen)
        assert "this machine lacks macvlan devices" in screen(app)
        await pilot.press("enter")
        await until(pilot, lambda: getattr(peer.asked[-1], "name", "") == "break" and not app.view.busy)
        assert peer.asked[-1].args == {"fault": "", "drill": True, "exam": False}
        peer.say(with_fault(ON))
        await until(pilot, lambda: "Something is broken." in screen(app))
        text = words(app.get_default_screen().check)
        assert "c1 reaches the host and nothing beyond it." in text
        assert "does not forward" not in text
        assert "✗ c1 reaches 198.51.100.10" in text
        assert "k Give up" in rows(app)[-1]
        peer.say(with_fault(OVER))
        await until(pilot, lambda: "healthy again, after 3 min 12 s" in words(app.get_default_screen().check))
        assert "sysctl -w net.ipv4.ip_forward=1" in words(app.get_default_screen().check)
        await pilot.press("k")
        await until(pilot, lambda: getattr(peer.asked[-1], "name", "") == "mend")


async def test_giving_up_asks() -> None:
    """k while something is broken asks first; Enter goes on looking, y gives up."""
    async with opened(opening=[with_fault(ON), *OPENING[1:]]) as (app, pilot, peer):
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, GiveUpScreen))
        await pilot.press("enter")
        assert peer.kinds() == []
        await pilot.press("k", "y")
        await until(pilot, lambda: peer.kinds() == ["Call"])
        assert peer.asked[-1].name == "mend"


def test_an_exam_locks_the_help() -> None:
    """In an exam hint and Why are dead; in a drill they help; run and next are dead in both."""
    from netless.app.reduce import Joined, reduce
    from netless.app.view import View

    view = View()
    for event in (Joined("default"), with_fault(ON), *story.PROBES):
        view = reduce(view, event)  # type: ignore[arg-type]
    assert can(view, "hint") and can(view, "why") and can(view, "check") and can(view, "drill")
    assert not can(view, "run") and not can(view, "next")
    exam = reduce(view, with_fault(msgspec.structs.replace(ON, exam=True)))
    assert not can(exam, "hint") and not can(exam, "why")
    assert can(reduce(exam, with_fault(OVER)), "why")


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
