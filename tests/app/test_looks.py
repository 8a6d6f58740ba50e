"""How the screens look, kept cell by cell: both themes, the sizes people use, every small screen."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from app import story
from app.driving import opened, screen, until
from app.looks import assert_look, same
from netless_lab import protocol
from netless_lab.model.journey import Explanation, Fact

DONE = story.snapshot(second=True)
FULL: list[protocol.Message] = [
    protocol.StatusEvent(story.status(done=6, verdict=story.PASSED)), protocol.SnapshotEvent(DONE, DONE), *story.LOG, *story.PROBES,
]  # fmt: skip
BROKEN: list[protocol.Message] = [
    protocol.StatusEvent(story.status(dialect="pyroute2", verdict=story.FAILED_PROBE, broken="cable/pair", hints=2)),
    protocol.SnapshotEvent(story.snapshot(port_up=False, gates=False), story.GOAL), *story.LOG, *story.PROBES,
]  # fmt: skip
WHY = Explanation(
    False, "The question “who has 10.0.0.1?” left c1 by veth1 and was seen on veth2 in host. Nothing came back.",
    "veth2 is not a port of any bridge, so the frame had nowhere to go.", "likely",
    facts=(Fact("veth2 is up and has no master", "ip -d link show veth2"), Fact("br0 has no ports", "bridge link")),
    lesson="container/switch/port", fix="ip link set veth2 master br0",
)  # fmt: skip
GOES = ["the bridge br0 and its address 10.0.0.1/24", "the cable veth1 - veth2", "the shell in c1 is started again"]
ANSWERS = {
    protocol.Reset: lambda request: [protocol.Done(request.id, {"going": GOES, "text": ""})],
    protocol.Explain: lambda request: [protocol.Done(request.id, msgspec.to_builtins(WHY))],
}


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times in the log are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_recording_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recording anew writes the look and fails; in CI it writes nothing and fails; without the word a look must be as recorded."""
    path = tmp_path / "some.txt"
    path.write_text("before\n")
    monkeypatch.setenv("NETLESS_LOOKS", "write")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not in CI"):
        same("now\n", path)
    assert path.read_text() == "before\n"
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.fail.Exception, match="recorded anew"):
        same("now\n", path)
    assert path.read_text() == "now\n"
    monkeypatch.delenv("NETLESS_LOOKS")
    same("now\n", path)
    with pytest.raises(AssertionError, match="other"):
        same("other\n", path)


@pytest.mark.parametrize(
    ("name", "size", "theme", "opening"),
    [
        ("working-120-dark", (120, 40), "dark", None),
        ("working-120-light", (120, 40), "light", None),
        ("working-80-dark", (80, 24), "dark", None),
        ("passed-120-dark", (120, 40), "dark", FULL),
        ("passed-200-light", (200, 60), "light", FULL),
        ("broken-100-dark", (100, 30), "dark", BROKEN),
        ("smallest-40-dark", (40, 12), "dark", None),
        ("joining-80-light", (80, 24), "light", []),
    ],
)
async def test_main_screen(name: str, size: tuple[int, int], theme: str, opening: list[protocol.Message] | None) -> None:
    """The main screen."""
    async with opened(size, theme=theme, opening=opening) as (app, pilot, _peer):
        await pilot.pause()
        assert_look(app, name)


@pytest.mark.parametrize(
    ("name", "size", "keys", "words"),
    [
        ("goto-120", (120, 40), "g", "Make a bridge"),
        ("reset-80", (80, 24), "x", GOES[0]),
        ("why-120", (120, 40), "w", "likely"),
        ("courses-80", (80, 24), "escape", "5 of 22 steps"),
        ("help-80", (80, 24), "question_mark", "run: the tutor"),
        ("network-80", (80, 24), "f2 right right", "c1 · container"),
        ("packets-80", (80, 24), "f4", "10.0.0.1"),
    ],
)
async def test_small_screens(name: str, size: tuple[int, int], keys: str, words: str) -> None:
    """The screens that open over the main one, and single panes."""
    async with opened(size, answers=ANSWERS) as (app, pilot, _peer):  # type: ignore[arg-type]
        await pilot.press(*keys.split())
        await until(pilot, lambda: words in screen(app))
        assert_look(app, name)
