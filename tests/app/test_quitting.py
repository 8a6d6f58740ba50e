"""Quitting a lab that this tutor started: nothing to lose, no question; else one that two quick presses, or silence, never answer with an end."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from app import story
from app.driving import opened, screen, typed_at_once, until
from app.helpers import Answer, says
from netless.app.app import TutorApp
from netless.app.screens.leaving import LeavingScreen
from netless.app.screens.rebuild import GoneScreen
from netless.commands import leaving
from netless.desk.shells import Running
from netless.leaving import Quit
from netless_lab import protocol

BUILT = protocol.Parting(going=("mine is gone from the host",))


def lab_says(parting: protocol.Parting) -> dict[type[protocol.Request[Any]], Answer]:
    """Its answer to what would go."""
    return {protocol.WhatLeaves: says(parting)}


async def asked(pilot: Pilot[None], app: TutorApp) -> None:
    """The question stands there."""
    await until(pilot, lambda: isinstance(app.screen, LeavingScreen) and bool(app.screen.query("#panel-body")))


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
@pytest.mark.parametrize("parting", [protocol.Parting(), protocol.Parting("somebody else uses it", BUILT.going, 1)], ids=["nothing", "goes on"])
async def test_who_loses_nothing_is_not_asked(key: str, parting: protocol.Parting) -> None:
    """The lab is as the course makes it, or goes on in any case."""
    async with opened(answers=lab_says(parting), began=True) as (app, pilot, peer):
        await pilot.press(key)
        await until(pilot, lambda: app.leaving is not None)
        assert app.leaving == Quit() and peer.kinds() == ["WhatLeaves"]


async def test_a_lab_that_was_not_started_here_is_not_asked() -> None:
    """It goes on."""
    async with opened(answers=lab_says(BUILT)) as (app, pilot, peer):
        await pilot.press("q")
        assert app.leaving == Quit() and peer.kinds() == []


@pytest.mark.parametrize(("key", "left"), [("y", Quit(agreed=True)), ("k", Quit(keep=True))])
@pytest.mark.parametrize("parting", [BUILT, protocol.Parting(onlookers=2)], ids=["built", "onlookers"])
async def test_who_loses_something_decides(key: str, left: Quit, parting: protocol.Parting) -> None:
    """The lab ends, or is kept."""
    async with opened((80, 24), answers=lab_says(parting), began=True) as (app, pilot, _):
        await pilot.press("q")
        await asked(pilot, app)
        assert ("mine will go from the host" in screen(app)) == bool(parting.going) and ("2 others look on" in screen(app)) != bool(parting.going)
        await pilot.press(key)
        await until(pilot, lambda: app.leaving is not None)
        assert app.leaving == left


@pytest.mark.parametrize("key", ["escape", "q", "ctrl+c", "n", "enter"])
async def test_whatever_else_stays(key: str) -> None:
    """And the question comes again with the next key that quits."""
    async with opened(answers=lab_says(BUILT), began=True) as (app, pilot, _):
        await pilot.press("ctrl+c")
        await asked(pilot, app)
        await pilot.press(key)
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert app.leaving is None
        await pilot.press("q")
        await asked(pilot, app)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_two_presses_in_one_read_end_nothing(key: str) -> None:
    """They ask, and it is asked once."""
    async with opened(answers=lab_says(BUILT), began=True) as (app, pilot, peer):
        typed_at_once(app, key, key)
        await until(pilot, lambda: peer.kinds() == ["WhatLeaves"])
        await pilot.pause()
        assert app.leaving is None
        assert peer.kinds() == ["WhatLeaves"]


@pytest.mark.parametrize("busy", ["", "running"], ids=["hangs", "at work"])
async def test_a_lab_that_does_not_say_what_goes_is_not_ended_unasked(monkeypatch: pytest.MonkeyPatch, busy: str) -> None:
    """It is at work, or hangs: nobody knows what would go, and quitting waits for it no longer than a person would."""
    monkeypatch.setattr(leaving, "PATIENCE_S", 0.5 if busy else 0.01)
    async with opened(answers={protocol.GetStatus: says(story.status(busy=busy))}, began=True) as (app, pilot, peer):
        held = [peer.hold(protocol.WhatLeaves), *(() if busy else (peer.hold(protocol.GetStatus),))]
        try:
            await pilot.press("q")
            await asked(pilot, app)
            assert "did not say" in screen(app)
            await pilot.press("k")
            await until(pilot, lambda: app.leaving == Quit(keep=True))
        finally:
            for gate in held:
                gate.set()


async def test_a_lab_that_is_only_slow_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with too much to do it still answers who only looks: what would go is said later, and who loses nothing is not asked."""
    monkeypatch.setattr(leaving, "PATIENCE_S", 0.5)
    async with opened(answers={**lab_says(protocol.Parting()), protocol.GetStatus: says(story.status())}, began=True) as (app, pilot, peer):
        held = peer.hold(protocol.WhatLeaves)
        await pilot.press("q")
        await until(pilot, lambda: peer.kinds() == ["WhatLeaves", "GetStatus", "GetStatus"])
        assert app.leaving is None and len(app.screen_stack) == 1
        held.set()
        await until(pilot, lambda: app.leaving == Quit())


async def test_a_lab_that_ends_under_the_question_can_be_left() -> None:
    """What tells of its end is over the question, and quits at once."""
    async with opened(answers=lab_says(BUILT), began=True) as (app, pilot, peer):
        await pilot.press("q")
        await asked(pilot, app)
        peer.die()
        await until(pilot, lambda: isinstance(app.screen, GoneScreen) and bool(app.screen.query("#panel-body")))
        await pilot.press("q")
        await until(pilot, lambda: app.leaving == Quit())


async def test_where_no_question_can_be_read_the_lab_is_kept() -> None:
    """In a terminal that is too small for anything, before the question and under it."""
    async with opened(answers=lab_says(BUILT), began=True) as (app, pilot, _):
        await pilot.resize_terminal(20, 5)
        await until(pilot, lambda: app.too_small)
        await pilot.press("q")
        await until(pilot, lambda: app.leaving == Quit(keep=True))
    async with opened(answers=lab_says(BUILT), began=True) as (app, pilot, _):
        await pilot.press("q")
        await asked(pilot, app)
        await pilot.resize_terminal(20, 5)
        await until(pilot, lambda: app.too_small)
        await pilot.press("q")
        await until(pilot, lambda: app.leaving == Quit(keep=True))


RUNS = (Running("host", ("sleep 9", "ping ::1")), Running("c1", ("vi",), kept=False))


@pytest.mark.parametrize(("key", "left"), [("y", Quit(agreed=True)), ("k", Quit(keep=True))])
@pytest.mark.parametrize("parting", [protocol.Parting(), BUILT], ids=["nothing", "built"])
async def test_who_ends_what_runs_in_shells_decides(monkeypatch: pytest.MonkeyPatch, key: str, left: Quit, parting: protocol.Parting) -> None:
    """Each program is named with the node of its shell: what ends with the lab, what goes on with it, and what ends in any case."""
    async with opened((80, 24), answers=lab_says(parting), began=True) as (app, pilot, _):

        async def running() -> tuple[Running, ...]:
            return RUNS

        monkeypatch.setattr(app._tutor.shells, "running", running)
        await pilot.press("q")
        await asked(pilot, app)
        told = screen(app)
        assert all(words in told for words in ("What runs in its shells will end too:", "- sleep 9 in the host", "- ping ::1 in the host", "- vi in c1"))
        assert "its shells too, with what runs" in told and "vi in c1 will end in any case" in told
        await pilot.press(key)
        await until(pilot, lambda: app.leaving is not None)
        assert app.leaving == left


async def test_a_lab_that_goes_on_is_not_asked_about_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on too."""
    async with opened(answers=lab_says(protocol.Parting("somebody else uses it")), began=True) as (app, pilot, _):

        async def running() -> tuple[Running, ...]:
            return RUNS

        monkeypatch.setattr(app._tutor.shells, "running", running)
        await pilot.press("q")
        await until(pilot, lambda: app.leaving == Quit())
