"""How the screens look, kept cell by cell: both themes, the sizes people use, every small screen."""

from __future__ import annotations

import functools
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from app import story
from app.driving import opened, quiet, screen, strips, until
from app.looks import assert_look, same
from app.recordings import recorded
from netless.app.app import TutorApp
from netless.config.schema import Settings
from netless.desk.reduce import reduce
from netless_lab import protocol

PASSED = [*recorded("plug-reset").events, *recorded("plug-run").events]
LAST = story.opening("everyone-opening", log=story.events("drill-check", of=protocol.ProbeEvent))
PORT_UP = story.opening("port-up-opening", log=story.events("port-up-goto", of=protocol.ChangesEvent))
BROKEN = [*recorded("port-up-hint-1").events, *recorded("port-up-pyroute2").events]
ANSWERS = {protocol.WhatGoes: recorded("plug-reset-dry").answer, protocol.Explain: recorded("plug-why").answer}


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times in the log are the same everywhere, and the cursor of a field is always there."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)  # one that blinks looks otherwise each half second


def still(app: TutorApp) -> bool:
    """Nothing on the picture moves or flashes."""
    picture = app.get_default_screen().picture
    return picture.replay is None and not picture._lit


def settled(app: TutorApp, status: protocol.Status) -> bool:
    """This status is shown, in the words of here, and nothing moves."""
    return app.view.status == reduce(app.view, protocol.StatusEvent(status)).status and still(app)


async def test_what_lies_under_a_window_is_looked_at_too() -> None:
    """Also when the window's screen is just about to be painted anew."""
    async with opened((120, 40)) as (app, pilot, _peer):
        await pilot.press("g")
        await until(pilot, lambda: "Build the bridge" in screen(app))
        app.screen.refresh()
        assert "Network" in screen(app)


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
    ("name", "size", "theme", "opening", "later"),
    [
        ("working-120-dark", (120, 40), "dark", None, []),
        ("working-120-light", (120, 40), "light", None, []),
        ("working-80-dark", (80, 24), "dark", None, []),
        ("passed-80-light", (80, 24), "light", None, PASSED),
        ("last-160-dark", (160, 50), "dark", LAST, []),
        ("passed-120-dark", (120, 40), "dark", None, PASSED),
        ("passed-200-light", (200, 60), "light", LAST, []),
        ("broken-107-dark", (107, 30), "dark", PORT_UP, BROKEN),
        ("smallest-40-dark", (40, 12), "dark", None, []),
        ("joining-80-light", (80, 24), "light", [], []),
    ],
)
async def test_main_screen(
    name: str, size: tuple[int, int], theme: str, opening: list[protocol.Message] | None, later: list[protocol.Message]
) -> None:
    """The main screen; what comes ``later`` comes to one that is laid out, as it does to somebody who looks on."""
    async with opened(size, theme=theme, opening=opening) as (app, pilot, peer):
        await until(pilot, lambda: still(app))
        for message in later:
            peer.say(message)
            if isinstance(message, protocol.StatusEvent):
                await until(pilot, functools.partial(settled, app, message.status))
        assert_look(app, name)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80", "120"])
@pytest.mark.parametrize("kind", ["ascii", "mono", "plainest"])
async def test_in_fewer_means(size: tuple[int, int], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASCII signs, no colour, and neither: every sign on the screen is ASCII, no colour is written, and what is not built yet is told by shape."""
    settings = Settings(glyphs="unicode" if kind == "mono" else "ascii")
    if kind != "ascii":
        monkeypatch.setenv("NO_COLOR", "1")
    async with opened(size, settings=settings) as (app, pilot, _peer):
        await until(pilot, lambda: still(app))
        await pilot.press("f2")
        await until(pilot, lambda: still(app) and app.get_default_screen().where == "network")
        if kind != "mono":
            assert screen(app).isascii()
        if kind != "ascii":
            colours = {str(part) for strip in strips(app) for own in strip if own.style for part in (own.style.color, own.style.bgcolor) if part is not None}
            assert not colours
        assert "(10.0.0.2/24)" in screen(app)
        await pilot.press("right", "right")
        if kind != "ascii":
            assert any(own.style.reverse and "c1" in own.text for strip in strips(app) for own in strip if own.style), "what is picked is told by reverse video"
        assert_look(app, f"{kind}-{size[0]}")


async def test_the_next_theme_looks_as_if_it_had_been_chosen_at_the_start() -> None:
    """Every pane is painted anew, the picture and what floats above it too."""
    async with opened((120, 40), theme="dark") as (app, pilot, _peer):
        await until(pilot, lambda: still(app))
        await pilot.press("T")
        await until(pilot, lambda: "Theme light" in screen(app))
        quiet(app)
        await until(pilot, lambda: "Theme light" not in screen(app) and still(app))
        assert_look(app, "working-120-light")


@pytest.mark.parametrize(
    ("name", "size", "keys", "words"),
    [
        ("goto-120", (120, 40), "g", "Build the bridge"),
        ("reset-80", (80, 24), "x", story.GOING[0]),
        ("why-120", (120, 40), "w", "certain: "),
        ("courses-80", (80, 24), "C", "5 of 27 steps"),
        ("help-80", (80, 24), "question_mark", "run: does the step"),
        ("network-80", (80, 24), "f2 right right", "c1 · container"),
        ("packets-80", (80, 24), "f4", "10.0.0.1"),
    ],
)
async def test_small_screens(name: str, size: tuple[int, int], keys: str, words: str) -> None:
    """The screens that open over the main one, and single panes."""
    async with opened(size, answers=ANSWERS) as (app, pilot, _peer):  # type: ignore[arg-type]
        await pilot.press(*keys.split())
        await until(pilot, lambda: words in screen(app) and still(app))
        assert_look(app, name)
