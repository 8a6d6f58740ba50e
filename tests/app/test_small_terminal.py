"""A terminal too small for anything: one sentence over whatever is there, and nothing of it left behind."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from app import story
from app.driving import opened, quiet, rows, screen, until
from app.recordings import recorded
from netless.app.app import TutorApp
from netless.app.screens.help import HelpScreen
from netless.app.screens.rebuild import GoneScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.screens.why import WhyScreen
from netless.config.schema import Settings
from netless_lab import protocol

SENTENCE = "netless needs 40x12"


async def shrunk(app: TutorApp, pilot: Pilot[None]) -> None:
    """The terminal at 39x11, and the sentence on it."""
    await pilot.resize_terminal(39, 11)
    await until(pilot, lambda: SENTENCE in screen(app))


async def enlarged(app: TutorApp, pilot: Pilot[None]) -> None:
    """The terminal at 80x24 again, and no sentence on it."""
    await pilot.resize_terminal(80, 24)
    await until(pilot, lambda: SENTENCE not in screen(app))


@pytest.mark.parametrize("size", [(39, 12), (40, 11), (1, 1), (200, 3)], ids=str)
async def test_one_sentence_and_back(size: tuple[int, int]) -> None:
    """Below 40x12 there is one plain sentence and nothing else; with room again the tutor is back, the focus where it was (F1)."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("f2")
        before = app.focused
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: "Network" not in screen(app) and "Check" not in screen(app))
        await enlarged(app, pilot)
        assert "Plug one end" in screen(app)
        assert app.focused is before


async def test_what_goes_wrong_is_told_where_the_check_is_not_in_sight() -> None:
    """In the terminal of a small screen: what a line typed there took away, or made that is not what was asked for, and no longer than it is so."""
    broken = replace(story.PENDING, items=tuple(replace(item, result="fail") if item.result == "pass" else item for item in story.PENDING.items))
    claim = next(item.claim for item in story.PENDING.items if item.result == "pass")
    async with opened((80, 24)) as (app, pilot, peer):
        await pilot.press("f5")
        await until(pilot, lambda: "Check" not in "\n".join(rows(app)[1:-2]))
        quiet(app)
        peer.say(protocol.VerdictEvent(broken))
        await until(pilot, lambda: f"Not so any more: {claim}" in screen(app))
        peer.say(protocol.VerdictEvent(story.PENDING))
        await until(pilot, lambda: "Not so any more" not in screen(app))
        await pilot.press("f1")
        peer.say(protocol.VerdictEvent(broken))
        await until(pilot, lambda: "Check 0 of" in screen(app))
        assert "Not so any more" not in screen(app), "the check is in sight and says it"


async def test_a_lab_that_ends_meanwhile() -> None:
    """The end of the lab is told when there is room; after a new beginning nothing of the sentence is left."""
    async with opened() as (app, pilot, peer):
        await shrunk(app, pilot)
        peer.die()
        await until(pilot, lambda: bool(app.view.ended))
        await pilot.pause()
        assert SENTENCE in screen(app)
        await enlarged(app, pilot)
        assert isinstance(app.screen, GoneScreen)
        await pilot.press("r")
        await until(pilot, lambda: peer.kinds() == ["Goto"] and not app.view.busy)
        assert isinstance(app.screen, TutorScreen)
        assert SENTENCE not in screen(app)
        assert "Plug one end" in screen(app)


async def test_an_answer_that_comes_meanwhile() -> None:
    """An explanation asked for before the terminal shrank is there when it grows, and closes to the tutor."""
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, peer):
        gate = peer.hold(protocol.Explain)
        await pilot.press("w")
        await shrunk(app, pilot)
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        await pilot.pause()
        assert SENTENCE in screen(app)
        await enlarged(app, pilot)
        assert isinstance(app.screen, WhyScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, TutorScreen)
        assert SENTENCE not in screen(app)


async def test_what_is_told_meanwhile_waits() -> None:
    """Notices do not lie over the sentence; they are shown when there is room for them."""
    async with opened() as (app, pilot, peer):
        await shrunk(app, pilot)
        peer.say(protocol.Notice("warning", "the first"), protocol.Notice("warning", "the second"))
        await until(pilot, lambda: len(app.view.sayings) == 2)
        assert "the first" not in screen(app)
        await enlarged(app, pilot)
        await until(pilot, lambda: "the second" in screen(app))
        app.notices.over()
        await until(pilot, lambda: "the first" in screen(app))


async def test_what_is_told_does_nothing_to_the_terminal() -> None:
    """A notice may hold names that were given inside: nothing of them acts, and the rest is read."""
    name = "\x1b]0;owned\x07\x9b5n\u202e\u2066"
    async with opened() as (app, pilot, peer):
        peer.say(*(protocol.Notice(level, f"{level} before {name}after") for level in ("info", "warning", "error")))
        for level in ("error", "warning", "info"):
            await until(pilot, lambda level=level: f"{level} before" in screen(app) and "after" in screen(app))  # type: ignore[misc]
            assert [sign for sign in screen(app) if not sign.isprintable() and sign != "\n"] == []
            app.notices.over()


async def test_a_small_screen_is_covered_too() -> None:
    """With help open there is the sentence as well, and afterwards the help."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("question_mark")
        await shrunk(app, pilot)
        await enlarged(app, pilot)
        assert isinstance(app.screen, HelpScreen)
        assert "run: does the step" in screen(app)


async def test_what_cannot_be_seen_is_not_worked_on() -> None:
    """Keys do nothing while nothing is seen, now or later; q quits."""
    async with opened() as (app, pilot, peer):
        await shrunk(app, pilot)
        await pilot.press("r", "x", "g", "escape")
        await enlarged(app, pilot)
        assert peer.kinds() == []
        assert isinstance(app.screen, TutorScreen)
        await shrunk(app, pilot)
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_the_key_that_somebody_quits_with_quits_there_too() -> None:
    """It is the keymap's, and that alone."""
    async with opened(settings=Settings(keys={"quit": ("f10",)})) as (app, pilot, _peer):
        await shrunk(app, pilot)
        await pilot.press("q")
        assert app.is_running
        await pilot.press("f10")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


@pytest.mark.parametrize("key", ["ctrl+p", "g", "C", "question_mark", "x"])
async def test_a_window_outlasts_a_terminal_of_any_size(key: str) -> None:
    """Opened with room or without, and made smaller and larger: it is there again, with all that was typed there."""
    async with opened() as (app, pilot, _peer):
        await pilot.press(key)
        window = app.screen
        assert not isinstance(window, TutorScreen)
        for size in ((1, 1), (4, 30), (200, 1)):
            await pilot.press("z") if key == "ctrl+p" else None
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await enlarged(app, pilot)
        assert app.screen is window
