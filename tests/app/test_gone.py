"""The conversation with a lab ends: the lab was killed, it ended by itself, or somebody quits."""

from __future__ import annotations

from app.driving import opened, screen, until
from netless.app.screens.rebuild import GoneScreen
from netless_lab import protocol


async def test_killed_agent_is_said_and_rebuilt() -> None:
    """When the lab dies the screen says so; r joins a new one and goes back to the same step."""
    async with opened() as (app, pilot, peer):
        peer.die()
        await until(pilot, lambda: isinstance(app.screen, GoneScreen))
        assert "Your progress is kept" in screen(app)
        await pilot.press("escape", "n")
        assert isinstance(app.screen, GoneScreen)
        await pilot.press("r")
        await until(pilot, lambda: peer.kinds() == ["Goto"])
        assert next(request.target for request in peer.asked if isinstance(request, protocol.Goto)) == "container/cable/plug"
        await until(pilot, lambda: not app.view.busy)
        assert not isinstance(app.screen, GoneScreen)


async def test_agents_farewell_is_shown() -> None:
    """A lab that ends by itself says why."""
    async with opened() as (app, pilot, peer):
        peer.say(protocol.Bye("nobody used the lab for 30 minutes"))
        await until(pilot, lambda: isinstance(app.screen, GoneScreen))
        assert "Nobody used the lab for 30 minutes." in screen(app)


async def test_quitting_hangs_up() -> None:
    """q leaves with 0 and closes the conversation."""
    async with opened() as (app, pilot, _peer):
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0
