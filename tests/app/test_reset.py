"""The screen that asks before anything is reset: what it lists, what it takes for a yes, and what it does with late answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app import story
from app.driving import opened, screen, until
from app.recordings import recorded
from netless.app.screens.rebuild import ResetScreen
from netless_lab import protocol
from netless_lab.model.clearing import Clearing

DRY = (story.GOING[0], recorded("plug-reset-lesson-dry").value.going[-1])


async def test_reset_asks_and_lists() -> None:
    """Reset shows what would go and does nothing until y; Enter keeps everything (A13)."""

    def dry(request: protocol.Request[Any]) -> Sequence[protocol.Message]:
        step = isinstance(request, protocol.WhatGoes) and request.scope == "step"
        return recorded("plug-reset-dry" if step else "plug-reset-lesson-dry").answer(request)

    async with opened(answers={protocol.WhatGoes: dry, protocol.Reset: recorded("plug-reset").answer}) as (app, pilot, peer):
        await pilot.press("x")
        await until(pilot, lambda: DRY[0] in screen(app))
        assert isinstance(app.screen, ResetScreen)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ResetScreen))
        assert peer.kinds() == ["WhatGoes"]
        await pilot.press("x")
        await pilot.press("l")
        await until(pilot, lambda: DRY[1] in screen(app))
        await pilot.press("y")
        await until(pilot, lambda: peer.kinds()[-1] == "Reset")
        assert peer.asked[-1].scope == "lesson"


async def test_every_line_is_true_when_it_is_done() -> None:
    """One heading says so of all of them, a state that ends among them; signs tell what goes from what comes back."""
    told = Clearing(("mine is gone from the host", "veth2 on the host is down"), ("the host has the address 203.0.113.2/24 on eth0 now",))

    def answer(request: protocol.Request[Any]) -> Sequence[protocol.Message]:
        step = isinstance(request, protocol.WhatGoes) and request.scope == "step"
        return [request.done(told if step else Clearing(told.going))]

    async with opened(answers={protocol.WhatGoes: answer}) as (app, pilot, _peer):
        await pilot.press("x")
        await until(pilot, lambda: "+ the host has" in screen(app))
        lines = screen(app)
        told_in_order = ("When it is done:", "- mine is gone", "- veth2 on the host is down", "+ the host has the address")
        assert [lines.count(words) for words in told_in_order] == [1] * 4
        assert sorted(told_in_order, key=lines.index) == list(told_in_order)
        await pilot.press("l")
        await until(pilot, lambda: "mine is gone" in screen(app) and "+ the host has" not in screen(app))


async def test_a_reset_that_the_lab_refuses_is_none() -> None:
    """When the lab does not say what would go, that is said, and y resets nothing."""
    refused = {protocol.WhatGoes: lambda request: [protocol.Failed(request.id, 1, "something is broken on purpose")]}
    async with opened(answers=refused) as (app, pilot, peer):  # type: ignore[arg-type]
        await pilot.press("x")
        await until(pilot, lambda: "did not say what would go" in screen(app))
        assert "something is broken on purpose" in screen(app)
        assert "Nothing to reset" not in screen(app)
        await pilot.press("y")
        await pilot.pause()
        assert isinstance(app.screen, ResetScreen)
        assert peer.kinds() == ["WhatGoes"]


async def test_confirming_before_the_list_is_there_does_nothing() -> None:
    """y typed ahead of the list is not taken for a yes."""
    async with opened() as (app, pilot, peer):
        gate = peer.hold(protocol.WhatGoes)
        await pilot.press("x", "y")
        assert isinstance(app.screen, ResetScreen)
        gate.set()
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ResetScreen))
        assert "Reset" not in peer.kinds()


async def test_an_answer_that_finds_the_reset_closed_is_let_go() -> None:
    """What would go may be told when the screen that asked is just being put away: nothing is painted, and the tutor goes on."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("x")
        asking = app.screen
        assert isinstance(asking, ResetScreen)
        await pilot.press("escape")
        await until(pilot, lambda: not asking.is_attached)
        asking.paint()
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ResetScreen))
