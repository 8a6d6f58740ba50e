"""The arrangement of the panes at every size: inside the screen, never over each other, nothing left unused."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from netless.app.geometry import MIN_HEIGHT, MIN_WIDTH, PANES, STRIP_FROM, Box, Frame, Pane, arrange, fits, side_by_side

WIDTHS = (40, 47, 60, 79, 80, 81, 99, 100, 101, 120, 160, 200, 681)
HEIGHTS = (12, 13, 15, 19, 20, 23, 24, 25, 30, 40, 60, 180)


def boxes(frame: Frame) -> list[Box]:
    """Every box that is on view."""
    found = (frame.header, frame.keys, frame.lesson, frame.check, frame.network, frame.lower)
    return [box for box in found if box is not None]


def _always(rows: int) -> Callable[[int], int]:
    """A check pane that needs this many rows at any width."""
    return lambda width: rows


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("height", HEIGHTS)
def test_panes_tile_the_screen(width: int, height: int) -> None:
    """At every size, in every arrangement, each cell of the screen belongs to exactly one pane."""
    for pane, zoomed, keys, check, strip in itertools.product(PANES, (False, True), (1, 2, 4), (3, 8, 50), (3, 5, 9)):
        frame = arrange(width, height, pane=pane, zoomed=zoomed, key_rows=keys, check_rows=_always(check), wanted_strip=strip)
        shown = boxes(frame)
        assert sum(box.width * box.height for box in shown) == width * height, (pane, zoomed, frame)
        for box in shown:
            assert box.x >= 0 and box.y >= 0 and box.x + box.width <= width and box.y + box.height <= height
            assert box.width > 0 and box.height > 0
        for one, other in itertools.combinations(shown, 2):
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


@pytest.mark.parametrize("pane", PANES)
def test_the_asked_pane_is_on_view(pane: Pane) -> None:
    """Where there is room for one pane only, it is the one asked for, and it can show at least one line."""
    frame = arrange(MIN_WIDTH, MIN_HEIGHT, pane=pane, key_rows=4)
    box = getattr(frame, pane)
    assert box is not None
    assert box.height >= 3


def test_the_picture_stays_in_view_at_80x24() -> None:
    """At the size of an old terminal a strip of the picture stands above whatever is read."""
    panes: tuple[Pane, ...] = ("lesson", "lower")
    for pane in panes:
        frame = arrange(80, 24, pane=pane, key_rows=2)
        assert frame.strip
        assert frame.network is not None
        assert frame.network.height >= 5


def test_the_strip_goes_when_there_is_no_room_for_it() -> None:
    """From 13 rows between header and keys on there is one; with one row less what is read needs them all."""
    assert arrange(80, STRIP_FROM + 2).strip
    assert not arrange(80, STRIP_FROM + 1).strip and arrange(80, STRIP_FROM + 1).network is None


def test_limits() -> None:
    """The smallest useful size fits, one less does not; side by side begins at 100x20."""
    assert fits(MIN_WIDTH, MIN_HEIGHT)
    assert not fits(MIN_WIDTH - 1, MIN_HEIGHT)
    assert not fits(MIN_WIDTH, MIN_HEIGHT - 1)
    assert side_by_side(100, 20)
    assert not side_by_side(99, 60)
    assert not side_by_side(200, 19)
