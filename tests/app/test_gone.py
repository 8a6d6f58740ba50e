"""The conversation with a lab ends: the lab was killed, it ended by itself, or somebody quits."""

from __future__ import annotations

from app import story
from app.driving import opened, screen, until
from app.helpers import Answer
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


async def test_a_lab_that_is_built_anew_is_shown_only_when_it_stands_where_the_old_one_stood() -> None:
    """From the key on the screen says what it builds, and up to which step. Nothing of the lab that is gone is left on it meanwhile, and nothing of
    the new one, which holds nothing yet, is told as if it were where the learner stands.
    """
    async with opened() as (app, pilot, peer):
        go = peer.hold(protocol.Goto)
        peer.die()
        await until(pilot, lambda: isinstance(app.screen, GoneScreen))
        title = story.page().title
        joins = peer.hold(protocol.Subscribe)
        await pilot.press("r")
        await pilot.pause()
        for reached in (lambda: True, lambda: peer.kinds() == ["Goto"]):
            await until(pilot, reached)
            seen = screen(app)
            assert f"Rebuilding to “{title}” …" in seen.split("\n")[0]
            assert f"Rebuilding the lab, up to “{title}” …" in " ".join(seen.replace("│", " ").split())
            assert "netns" not in seen and "10.0.0" not in seen and "Check 0" not in seen
            await pilot.press("n")
            assert "rebuilding to" in app.view.sayings[-1].text
            await pilot.press("escape")
            joins.set()
        assert peer.kinds() == ["Goto"], "no key acts on a lab that is not yet what it was"
        go.set()
        await until(pilot, lambda: not app.view.busy)
        assert title in screen(app) and "Rebuil" not in screen(app)


async def test_a_rebuilding_that_is_refused_shows_the_lab_as_it_is() -> None:
    """Where the lab will not go there, why is told, and the lab is shown where it stands."""
    refused: Answer = lambda request: [protocol.Failed(request.id, 1, "there is no such step")]  # noqa: E731
    async with opened(answers={protocol.Goto: refused}) as (app, pilot, peer):
        peer.die()
        await until(pilot, lambda: isinstance(app.screen, GoneScreen))
        await pilot.press("r")
        await until(pilot, lambda: peer.kinds() == ["Goto"] and not app.view.busy)
        assert "there is no such step" in screen(app) and "Check" in screen(app) and "Rebuil" not in screen(app)


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
