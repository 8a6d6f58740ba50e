"""At every size nothing is cut off: keys, borders, titles and the network are all there, or said to be more than fits."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from app import story
from app.driving import opened, rows, screen
from netless.commands.table import ACTS

SIZES = [
    (40, 12), (46, 14), (60, 16), (72, 20), (80, 24), (80, 40), (99, 33), (100, 20), (107, 20), (110, 28), (120, 40), (140, 50), (160, 24), (200, 60),
]  # fmt: skip
FULL = story.opening("everyone-opening")

DRAWN = ("veth1", "veth2", "veth3", "veth4", "br0", "eth0", "10.0.0.2/24", "10.0.0.3/24")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_nothing_is_cut(size: tuple[int, int]) -> None:
    """Every row is exactly as wide as the screen; every key is on it; every pane has both its sides."""
    width, _ = size
    async with opened(size, opening=FULL) as (app, pilot, _peer):
        for pane in ("f1", "f2", "f4", "f5"):
            await pilot.press(pane)
            await pilot.pause()
            lines = rows(app)
            assert {cell_len(line) for line in lines} == {width}
            text = screen(app)
            assert all(f"{act.keys[0]} {act.label}" in text for act in ACTS)
            assert "? Help" in text
            assert "q Quit" in text
            assert text.count("╭") == text.count("╮") == text.count("╰") == text.count("╯")
            assert "Everything for everyone" in lines[0] or "…" in lines[0]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_whole_network_is_drawn(size: tuple[int, int]) -> None:
    """In its own pane every interface is on the picture, or the picture says how many are missing."""
    async with opened(size, opening=FULL) as (app, pilot, _peer):
        await pilot.press("f2")
        await pilot.pause()
        text = screen(app)
        assert "more" in text or all(name in text for name in DRAWN)


async def test_small_screens_fit_the_smallest_size() -> None:
    """Help, goto, courses and reset can be used at 40x12: their keys are in sight and their last row can be reached."""
    for key, word in (("question_mark", "Esc Close"), ("g", "Esc Stay"), ("C", "Esc Back"), ("x", "Enter Keep")):
        async with opened((40, 12), opening=FULL) as (app, pilot, _peer):
            await pilot.press(key)
            await pilot.pause()
            assert word in screen(app), (key, screen(app))
