"""Keys that come in one read, before anything was painted: what may be done is asked of what the app knows, not of what is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import product

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from app import story
from app.driving import opened, screen, typed_at_once, until
from app.helpers import Peer, says
from app.recordings import recorded
from app.test_drill import OVER, broken, drills, opening
from netless.app.app import TutorApp
from netless.app.screens.palette import Palette
from netless.app.screens.places import GotoScreen, PickerScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.screens.why import WhyScreen
from netless.app.widgets.choices import Choices
from netless.commands.seeds import SEEDS
from netless_lab import protocol


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ("rr", ["Run"]), ("bb", ["Back"]), ("cc", ["Check"]), ("hh", ["Hint"]), ("pp", ["Play"]), ("rb", ["Run"]), ("ww", ["Explain"]),
        ("wr", ["Explain"]),
    ],
)  # fmt: skip
async def test_two_keys_act_once(keys: str, asked: list[str]) -> None:
    """The second key of one read finds the lab busy with the first, and is dropped."""
    kinds = (protocol.Run, protocol.Back, protocol.Check, protocol.Hint, protocol.Play, protocol.Explain)
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, peer):
        gates = [peer.hold(kind) for kind in kinds]
        typed_at_once(app, *keys)
        await until(pilot, lambda: len(peer.kinds()) >= len(asked))
        await pilot.pause()
        for gate in gates:
            gate.set()
        await until(pilot, lambda: not app.view.busy)
        await pilot.pause()
        assert peer.kinds() == asked


async def test_a_second_h_takes_no_hint_away() -> None:
    """The lab has opened a rung and its answer is on the way: another h neither asks again nor lets the answer go unheard."""
    answers = {protocol.Hint: says(protocol.Help(1, "Look at both ends of the cable.", 1))}
    async with opened(answers=answers) as (app, pilot, peer):  # type: ignore[arg-type]
        gate = peer.hold(protocol.Hint)
        await pilot.press("h")
        await until(pilot, lambda: peer.kinds() == ["Hint"])
        await pilot.press("h")
        gate.set()
        await until(pilot, lambda: app.view.hint == "Look at both ends of the cable.")
        assert peer.kinds() == ["Hint"]


async def test_enter_twice_in_a_list_chooses_once() -> None:
    """Two presses of Enter in one read open one lesson, and close one screen."""
    async with opened() as (app, pilot, peer):
        await pilot.press("C", "down")
        assert isinstance(app.screen, PickerScreen)
        typed_at_once(app, "enter", "enter")
        await until(pilot, lambda: peer.kinds() == ["Goto"] and not app.view.busy)
        assert isinstance(app.screen, TutorScreen)
        assert app.is_running


async def test_what_is_typed_and_entered_at_once_is_chosen() -> None:
    """A name and Enter in one read: Enter takes what the name has found, not what stood there before."""
    async with opened(answers=drills()) as (app, pilot, peer):
        await pilot.press("D")
        await until(pilot, lambda: "The host does not forward" in screen(app))
        typed_at_once(app, *"forwarding-off", "enter")
        await until(pilot, lambda: "Break" in peer.kinds())
        assert next(own.fault for own in peer.asked if isinstance(own, protocol.Break)) == "forwarding-off"


async def test_what_is_typed_and_gone_to_at_its_end_at_once_is_chosen() -> None:
    """A name and ctrl+e in one read: the step that the name has found is gone to, not the one that stood there before."""
    async with opened() as (app, pilot, peer):
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))
        typed_at_once(app, *"switch/port-up", "ctrl+e")
        await until(pilot, lambda: "Goto" in peer.kinds())
        gone = next(own for own in peer.asked if isinstance(own, protocol.Goto))
        assert "switch/port-up" in gone.target and gone.end


async def test_the_arrows_move_in_what_was_typed_before_them() -> None:
    """A word, an arrow and Enter in one read: the arrow moves in what the word has left."""
    async with opened(answers={**drills(), protocol.GetFaults: recorded("drill-faults").answer}) as (app, pilot, peer):
        await pilot.press("D")
        await until(pilot, lambda: "The accept stands in a chain" in screen(app))
        left = [row.value for row in app.screen.query_one(Choices).rows if row.value and "drops" in row.content.plain]
        assert len(left) > 1
        typed_at_once(app, *"drops", "down", "enter")
        await until(pilot, lambda: "Break" in peer.kinds())
        assert next(own.fault for own in peer.asked if isinstance(own, protocol.Break)) == left[1]


@pytest.mark.parametrize("key", ["D", "g", "ctrl+p"])
async def test_a_row_that_is_no_more_is_not_clicked(key: str) -> None:
    """A click says by its number which row it was on; when a word has left other rows, or none, before its turn comes, nothing is chosen."""
    async with opened(answers=drills()) as (app, pilot, peer):
        await pilot.press(key)
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count > 4)
        window, rows = app.screen, app.screen.query_one(OptionList)
        x, y = next((x, y) for x, y in product([rows.region.x + 6], range(*rows.region.line_span)) if window.get_style_at(x, y).meta.get("option", 0) > 1)
        click = events.Click(rows, 6, 4, 0, 0, 1, False, False, False, x, y, style=window.get_style_at(x, y))
        await pilot.press(*"zzz")
        await until(pilot, lambda: rows.option_count <= 1)
        asked = peer.kinds()
        rows.post_message(click)
        await pilot.pause()
        assert app.is_running and app.leaving is None and app.screen in (window, app.get_default_screen()) and peer.kinds() == asked


async def test_a_click_behind_which_the_terminal_became_smaller() -> None:
    """The palette asks what lies where it was clicked: nothing any more."""
    async with opened((120, 40)) as (app, pilot, _peer):
        await pilot.press("ctrl+p")
        await pilot.resize_terminal(80, 24)
        click = events.Click(app.screen, 3, 38, 0, 0, 1, False, False, False, 3, 38)
        click._set_forwarded()
        app.screen.post_message(click)
        await pilot.pause()
        assert app.leaving is None and app.is_running


@pytest.mark.parametrize("key", ["pagedown", "pageup"])
async def test_a_page_of_the_palette_before_it_is_laid_out(key: str) -> None:
    """In one read, and where it has no room at all."""
    async with opened((120, 40)) as (app, pilot, _peer):
        typed_at_once(app, "ctrl+p", key, key)
        await until(pilot, lambda: isinstance(app.screen, Palette))
        await pilot.resize_terminal(10, 3)
        for _ in range(2):
            await app.screen.run_action(f"command_list('{key.replace('page', 'page_')}')")
        await pilot.pause()
        assert app.is_running and app.leaving is None


async def test_a_number_that_is_typed_does_not_outlive_one_that_is_drawn() -> None:
    """A number and ctrl+n in one read: the seed is the one drawn, which came last."""
    async with opened(answers=drills()) as (app, pilot, peer):
        await pilot.press("D")
        await until(pilot, lambda: "The host does not forward" in screen(app))
        typed_at_once(app, *"123456", "ctrl+n")
        await until(pilot, lambda: "123456" in app.screen.query_one("#search", Input).value)
        await until(pilot, lambda: "seed 123456" not in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Break" in peer.kinds())
        seed = next(own.seed for own in peer.asked if isinstance(own, protocol.Break))
        assert seed is not None and seed < SEEDS


@pytest.mark.parametrize("keys", ["mg", "mx", "mm"])
async def test_what_takes_several_requests_makes_the_lab_busy_at_once(keys: str) -> None:
    """A key behind the one that puts a drill away finds the lab busy."""
    async with opened(opening=opening(OVER), answers=drills()) as (app, pilot, peer):
        gate = peer.hold(protocol.Mend)
        typed_at_once(app, *keys)
        await until(pilot, lambda: peer.kinds() == ["Mend"])
        assert isinstance(app.screen, TutorScreen)
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        assert peer.kinds() == ["Mend"]


async def test_a_reply_waits_for_what_was_said_before_it() -> None:
    """What the lab said before its answer is in the view when the answer opens a window, however much that was."""
    many = [protocol.ChangesEvent(story.NOON + n, "tutor", (protocol.ChangeLine(f"change {n}"),)) for n in range(200)]
    answers = {
        protocol.Explain: lambda request: [*many, *recorded("drill-why").answer(request)],
    }
    async with opened(opening=opening(broken())[:3], answers=answers) as (app, pilot, peer):  # type: ignore[arg-type]
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, WhyScreen))
        assert peer.kinds() == ["Explain"] and len(app.view.entries) == len(many)


async def test_an_answer_does_not_open_over_another_screen() -> None:
    """Who has gone on to another screen meanwhile keeps it: the explanation is told in passing."""
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, peer):
        gate = peer.hold(protocol.Explain)
        await pilot.press("w")
        await until(pilot, lambda: peer.kinds() == ["Explain"])
        await pilot.press("C")
        assert isinstance(app.screen, PickerScreen)
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        await until(pilot, lambda: "Nothing left c1" in screen(app))
        assert isinstance(app.screen, PickerScreen)


@pytest.mark.parametrize("key", ["question_mark", "g", "x", "D"])
async def test_an_app_may_be_left_before_its_panel_is_there(key: str) -> None:
    """One read opens a panel and leaves: nothing fails, whether the panel has come by then, or comes while the app is taken down."""
    for turns in range(6):
        async with opened(answers=drills()) as (app, _, _peer):
            typed_at_once(app, key)
            for _ in range(turns):
                await asyncio.sleep(0)
        assert app._exception is None


@asynccontextmanager
async def beside_a_terminal() -> AsyncIterator[tuple[TutorApp, Pilot[None], Peer, Callable[[], str]]]:
    """An app with a terminal that shows what is typed into it, the lesson in front; and what the terminal shows."""
    async with opened(answers={protocol.Hint: says(protocol.Help(1, "Look.", 1))}) as (app, pilot, peer):
        tutor = app.get_default_screen()
        tutor.lower.choose("host")
        terminal = tutor.shells.open("host")
        terminal.begin(("sleep", "60"), {})
        tutor.show_pane("lower")
        await until(pilot, lambda: terminal.running)
        terminal._read_ahead()  # no prompt will come
        tutor.show_pane("lesson")
        await pilot.pause()
        yield app, pilot, peer, lambda: "\n".join(row.plain for row in terminal.terminal.screen.rows)


async def test_what_is_typed_behind_the_key_of_a_terminal_is_for_it() -> None:
    """F3 and a command with a slash in one read: the text of the lesson does not take the slash for the beginning of a search."""
    async with beside_a_terminal() as (app, pilot, _peer, shown):
        typed_at_once(app, "f3", *"cat</proc/1/stat", "enter")
        await until(pilot, lambda: "cat</proc/1/stat" in shown())
        assert app.get_default_screen().where == "terminal"


async def test_what_is_typed_behind_the_key_that_leaves_a_terminal_is_for_the_tutor() -> None:
    """ctrl+] and h in one read: the tutor gives a hint, and the shell has no h at its prompt; then the same with F6, and back."""
    async with beside_a_terminal() as (app, pilot, peer, shown):
        for leave in ("ctrl+right_square_bracket", "f6"):
            asked = len(peer.kinds())
            typed_at_once(app, "f3", "x", leave, "h")
            await until(pilot, lambda asked=asked: peer.kinds()[asked:] == ["Hint"])  # type: ignore[misc]
            assert "xh" not in shown() and not shown().rstrip().endswith("h")
            assert app.get_default_screen().where != "terminal"


async def test_a_window_that_is_closed_holds_no_key_back() -> None:
    """A window is opened, left and opened again, with a key behind each, all in one read: every one comes to its place."""
    async with opened(answers={protocol.Hint: says(protocol.Help(1, "Look.", 1))}) as (app, pilot, peer):
        typed_at_once(app, *["g", "w", "escape"] * 5, "h")
        await until(pilot, lambda: peer.kinds() == ["Hint"])
        assert isinstance(app.screen, TutorScreen)
