"""The screen that asks before anything is reset: what it lists, what it takes for a yes, and what it does with late answers."""

from __future__ import annotations

from collections.abc import Sequence

from app import story
from app.driving import opened, screen, until
from app.recordings import recorded
from netless.app.screens.confirm import ResetScreen
from netless_lab import protocol

DRY = (story.GOING[0], recorded("plug-reset-lesson-dry").value["going"][-1])


async def test_reset_asks_and_lists() -> None:
    """Reset shows what would go and does nothing until y; Enter keeps everything (A13)."""

    def dry(request: protocol.Request) -> Sequence[protocol.Message]:
        if not isinstance(request, protocol.Reset) or not request.dry:
            return recorded("plug-reset").answer(request)
        return recorded("plug-reset-dry" if request.scope == "step" else "plug-reset-lesson-dry").answer(request)

    async with opened(answers={protocol.Reset: dry}) as (app, pilot, peer):
        await pilot.press("x")
        await until(pilot, lambda: DRY[0] in screen(app))
        assert isinstance(app.screen, ResetScreen)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ResetScreen))
        assert [request.dry for request in peer.asked if isinstance(request, protocol.Reset)] == [True]
        await pilot.press("x")
        await pilot.press("l")
        await until(pilot, lambda: DRY[1] in screen(app))
        await pilot.press("y")
        await until(pilot, lambda: peer.asked[-1].dry is False)
        assert peer.asked[-1].scope == "lesson"


async def test_a_reset_that_the_lab_refuses_is_none() -> None:
    """When the lab does not say what would go, that is said, and y resets nothing (review B22)."""
    refused = {protocol.Reset: lambda request: [protocol.Failed(request.id, 1, "something is broken on purpose")]}
    async with opened(answers=refused) as (app, pilot, peer):  # type: ignore[arg-type]
        await pilot.press("x")
        await until(pilot, lambda: "did not say what would go" in screen(app))
        assert "something is broken on purpose" in screen(app)
        assert "Nothing to reset" not in screen(app)
        await pilot.press("y")
        await pilot.pause()
        assert isinstance(app.screen, ResetScreen)
        assert [request.dry for request in peer.asked if isinstance(request, protocol.Reset)] == [True]


async def test_confirming_before_the_list_is_there_does_nothing() -> None:
    """y typed ahead of the list is not taken for a yes."""
    async with opened() as (app, pilot, peer):
        gate = peer.hold(protocol.Reset)
        await pilot.press("x", "y")
        assert isinstance(app.screen, ResetScreen)
        gate.set()
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ResetScreen))
        assert all(request.dry for request in peer.asked if isinstance(request, protocol.Reset))


async def test_an_answer_that_finds_the_reset_closed_is_let_go() -> None:
    """What would go may be told when the screen that asked is just being put away: nothing is painted, and the tutor goes on."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("x")
        asking = app.screen
        assert isinstance(asking, ResetScreen)
        await pilot.press("escape")
        await until(pilot, lambda: not asking.is_attached)
        asking._paint()
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ResetScreen))
