"""The main screen under the mouse, and under more events than anybody can read."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from app import story
from app.driving import opened, rows, screen, until
from app.recordings import recorded
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


@pytest.mark.parametrize(
    ("key", "words"), [("question_mark", "run: the tutor"), ("w", "Nothing left c1"), ("x", "To the start")], ids=["help", "why", "reset"]
)
async def test_ctrl_c_copies_in_a_small_screen_too(key: str, words: str) -> None:
    """What is selected in a small screen is copied by ctrl+c, and that is said; with nothing selected it quits."""
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, _peer):
        await pilot.press(key)
        await until(pilot, lambda: words in screen(app))
        y = next(y for y, row in enumerate(rows(app)) if words in row)
        x = rows(app)[y].index(words)
        await pilot.mouse_down(offset=(x, y))
        await pilot.hover(offset=(x + len(words), y))
        await pilot.mouse_up(offset=(x + len(words), y))
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.is_running
        assert words in app.clipboard
        await until(pilot, lambda: f"Copied: {app.clipboard}"[:40] in screen(app))
        assert app.screen is not app.get_default_screen()
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_an_entry_that_comes_late_stands_in_its_place() -> None:
    """A change that is heard of after a later one goes above it, and each line tells time and doer where they differ from the line above."""

    def change(at: float, who: Literal["tutor", "learner"], text: str) -> protocol.ChangesEvent:
        return protocol.ChangesEvent(story.NOON + at, who, (protocol.ChangeLine(text, "host"),))

    async with opened() as (app, pilot, peer):
        peer.say(change(200, "learner", "the first"), change(200.4, "learner", "the third"))
        await until(pilot, lambda: "the third" in screen(app))
        assert not next(row for row in rows(app) if "the third" in row).split("the third")[0].rstrip().endswith("you")
        peer.say(change(200.2, "tutor", "the second"))
        await until(pilot, lambda: "the second" in screen(app))
        log = [row.split("│")[-2] for row in rows(app) if "the first" in row or "the second" in row or "the third" in row]
        assert [line.split()[-3:] for line in log] == [["you", "the", "first"], ["tutor", "the", "second"], ["you", "the", "third"]]


async def test_a_storm_of_changes_is_painted_in_few_goes() -> None:
    """Many events that come in one go change the view one by one and are painted once; so many as a lab can send arrive all."""
    async with opened() as (app, pilot, peer):
        painted = 0
        paint = app._paint

        def counted() -> None:
            nonlocal painted
            painted += 1
            paint()

        app._paint = counted  # type: ignore[method-assign]
        storm = [protocol.ChangesEvent(story.NOON + 100 + n, "learner", (protocol.ChangeLine(f"storm {n}"),)) for n in range(500)]
        for event in storm[:250]:
            app.take(event)
        await until(pilot, lambda: "storm 249" in screen(app))
        assert painted == 1
        await asyncio.to_thread(peer.say, *storm[250:])
        await until(pilot, lambda: "storm 499" in screen(app))
        came = [entry for entry in app.view.entries if isinstance(entry, protocol.ChangesEvent) and entry.at >= story.NOON + 100]
        assert came == storm
