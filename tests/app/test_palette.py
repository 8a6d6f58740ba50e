"""The command palette: everything of the table by its name, and why it cannot be done."""

from __future__ import annotations

import asyncio

from textual.widgets import Input

from app import story
from app.driving import opened, screen, typed_at_once, until
from netless.app.screens.palette import Palette
from netless.app.screens.rebuild import ResetScreen
from netless.app.screens.tutor import TutorScreen
from netless_lab import protocol


async def test_the_palette_does_what_the_key_does() -> None:
    """ctrl+p, a part of the name, Enter: the command is done, with its own window first."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, Palette)
        await pilot.press(*"reset")
        await until(pilot, lambda: "it asks first" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ResetScreen))


async def test_the_palette_shows_its_keys() -> None:
    """How one chooses, does and leaves stands in its border, also where nothing is found."""
    async with opened((80, 24)) as (app, pilot, _peer):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "↑↓ choose  Enter do it  Esc close" in screen(app))
        await pilot.press(*"zzzz")
        await until(pilot, lambda: "does the step for you" not in screen(app))
        assert "Esc close" in screen(app)


async def test_the_palette_says_why_something_cannot_be_done() -> None:
    """In the place of what it does stands why not; who chooses it all the same is told so, and nothing is asked of the lab."""
    async with opened() as (app, pilot, peer):
        await pilot.press("ctrl+p", *"next")
        await until(pilot, lambda: "is not done" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TutorScreen))
        await until(pilot, lambda: "Not now." in screen(app))
        assert peer.kinds() == []


async def test_code_in_a_sentence_stands_without_its_marks() -> None:
    """In the palette, and where it is told in passing; what marks it in the lab's words is seen nowhere."""
    async with opened(opening=[*story.opening(), protocol.StatusEvent(story.status(forbidden={"why": "ask `netless why FROM TO`"}))]) as (app, pilot, _peer):
        await until(pilot, lambda: app.view.status is not None and "why" in app.view.status.offers)
        await pilot.press("w")
        await until(pilot, lambda: "Ask netless why FROM TO" in screen(app))
        await pilot.press("escape", "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette) and "Ask netless why FROM TO" in screen(app))


async def test_escape_leaves_all_as_it_was() -> None:
    """Escape closes it; the focus is where it was."""
    async with opened() as (app, pilot, peer):
        await pilot.press("f2", "ctrl+p")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TutorScreen))
        assert app.focused is not None and app.focused.id == "network" and peer.kinds() == []


async def test_a_key_that_cannot_act_says_why() -> None:
    """Not silence: a notice says what forbids it, also when the key on the bar was clicked, and once when it is pressed many times."""
    async with opened() as (app, pilot, peer):
        await pilot.press("n", "n", "n")
        await until(pilot, lambda: "Not now." in screen(app))
        assert screen(app).count("Not now.") == 1
        assert peer.kinds() == []


async def test_a_key_pressed_while_the_lab_is_busy_says_with_what() -> None:
    """Two keys in one read: the first is done, the second is told to wait, and is not kept."""
    async with opened() as (app, pilot, peer):
        gate = peer.hold(protocol.Run)
        typed_at_once(app, "r", "b")
        await until(pilot, lambda: "The lab is busy: running the step." in screen(app))
        gate.set()
        await until(pilot, lambda: not app.desk.view.busy)
        assert peer.kinds() == ["Run"]


async def test_two_presses_of_enter_choose_once() -> None:
    """In one read: the palette closes once, and what was chosen is done once."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("ctrl+p", *"zoom")
        await until(pilot, lambda: "this pane alone" in screen(app))
        typed_at_once(app, "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, TutorScreen))
        await until(pilot, lambda: app.get_default_screen().zoomed)
        await pilot.pause()
        assert app.is_running and app.get_default_screen().zoomed


async def test_a_search_that_outlives_the_palette() -> None:
    """It is at work still, and there is nothing any more to show that on."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        palette = app.screen
        await palette.query("*").remove()
        palette.set_reactive(Palette._show_busy, False)
        setattr(palette, "_show_busy", True)  # noqa: B010
        await pilot.pause()
        assert app.leaving is None


async def test_nothing_is_said_to_be_found_in_a_palette_that_was_closed() -> None:
    """That is said half a second after the last letter, and there may be nothing any more to say it in."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        await until(pilot, lambda: "Esc close" in screen(app))
        palette = app.screen
        told = asyncio.Event()
        await palette.query("*").remove()
        palette.set_reactive(Palette._list_visible, False)
        getattr(palette, "_start_no_matches_countdown")("zzzz")  # noqa: B009
        app.set_timer(0.6, told.set)
        await told.wait()
        setattr(palette, "_list_visible", True)  # noqa: B010
        await pilot.pause()
        assert app.leaving is None


async def test_it_opens_over_the_main_screen_alone() -> None:
    """Asked for twice before it is there, or while another window opens, it opens once or not at all."""
    async with opened() as (app, pilot, _peer):
        tutor = app.get_default_screen()
        tutor.find()
        tutor.find()
        await until(pilot, lambda: isinstance(app.screen, Palette))
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is tutor)
        await pilot.press("question_mark")
        tutor.find()
        await pilot.pause()
        assert len(app.screen_stack) == 2
        assert not isinstance(app.screen, Palette)
