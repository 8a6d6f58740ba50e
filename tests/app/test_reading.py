"""Whatever is longer than its pane can be read to its end by keys, and opens where one looks for it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app import story
from app.driving import opened, rows, screen, until
from netless.app.widgets.choices import Choices
from netless_lab import protocol


async def test_a_list_opens_with_what_lies_around_the_choice() -> None:
    """What comes after it is as near as what comes before it."""
    async with opened((80, 24), opening=story.opening("masquerade-opening")) as (app, pilot, _peer):
        await pilot.press("g")
        await until(pilot, lambda: "Borrow the host's address" in "\n".join(rows(app)[2:]))
        choices = app.screen.query_one(Choices)
        assert choices.highlighted is not None
        above = choices._tops[choices.highlighted] - choices.scroll_offset.y
        assert abs(2 * above - choices.scrollable_content_region.height) <= 3


@pytest.mark.parametrize("dialect", ["ip", "pyroute2"])
@pytest.mark.parametrize("size", [(107, 24), (120, 40), (160, 50)], ids=str)
async def test_every_command_of_a_step_can_be_read_by_keys(size: tuple[int, int], dialect: str) -> None:
    """They stand below the text where all of them have room there; else at its end, where one scrolls to them."""
    page = replace(story.page(), commands=tuple(protocol.Commands(name, tuple(f"{name} {number}" for number in range(9))) for name in ("ip", "pyroute2")))
    async with opened(size, opening=[*story.opening(), protocol.StatusEvent(story.status(position=page, dialect=dialect))]) as (app, pilot, _peer):
        lesson = app.get_default_screen().lesson
        await until(pilot, lambda: app.view.commands[-1:] == (f"{dialect} 8",))
        assert not lesson.commands.display or lesson.commands.max_scroll_y == 0
        await until(pilot, lambda: lesson.commands.display or lesson.prose.max_scroll_y > 0)
        for _ in range(9):
            await pilot.press("pagedown")
        await until(pilot, lambda: f"{dialect} 8" in screen(app))
