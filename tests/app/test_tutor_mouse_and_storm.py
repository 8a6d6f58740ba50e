"""The main screen under the mouse, and under more events than anybody can read."""

from __future__ import annotations

import asyncio

from app import story
from app.driving import opened, rows, screen, until
from netless_lab import protocol


async def test_mouse_selects_text_and_ctrl_c_copies_it() -> None:
    """Prose can be selected with the mouse; ctrl+c then copies instead of quitting."""
    async with opened() as (app, pilot, _peer):
        y = next(y for y, row in enumerate(rows(app)) if "a time, and it can move:" in row)
        await pilot.mouse_down(offset=(2, y))
        await pilot.hover(offset=(8, y))
        await pilot.mouse_up(offset=(8, y))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "a time" in app.clipboard)
        assert app.is_running


async def test_a_storm_of_changes_is_painted_in_few_goes() -> None:
    """Many events at once change the view one by one and the screen only now and then."""
    async with opened() as (app, pilot, peer):
        painted = 0
        paint = app._paint

        def counted() -> None:
            nonlocal painted
            painted += 1
            paint()

        app._paint = counted  # type: ignore[method-assign]
        storm = [protocol.ChangesEvent(story.NOON + 100 + n, "learner", (protocol.ChangeLine(f"storm {n}"),)) for n in range(500)]
        await asyncio.to_thread(peer.say, *storm)
        await until(pilot, lambda: "storm 499" in screen(app))
        assert painted < 250
