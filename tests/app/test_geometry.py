"""The arrangement of the panes at every size: inside the screen, never over each other, nothing left unused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

import msgspec
import pytest

from app import story
from app.driving import opened, until
from app.helpers import Peer
from netless.app.app import TutorApp
from netless.app.geometry import LEFT, MIN_HEIGHT, MIN_WIDTH, RIGHT, SIDE_WIDTH, STRIP_FROM, Box, Frame, PaneSpec, Share, arrange, fits, side_by_side
from netless.app.screens.panes import Panes
from netless.commands.stage import Pane
from netless_lab import protocol
from netless_lab.model.snapshot import Snapshot

WIDTHS = (40, 47, 60, 79, 80, 81, 99, 106, 107, 108, 120, 160, 200, 681)
HEIGHTS = (12, 13, 15, 19, 20, 23, 24, 25, 30, 40, 60, 180)
GROUPS: tuple[Pane, ...] = ("lesson", "network", "lower")


def declared() -> Panes:
    """The panes of the main screen."""
    return TutorApp(Peer([]).connect).get_default_screen().panes


def specs(check: int = 6, strip: int = 5) -> list[PaneSpec]:
    """How they are placed, with a check that wants so many rows and a picture that is brief in so many."""

    def wanted(width: int) -> int:
        return check

    def brief(width: int) -> int:
        return strip

    return [pane.spec._replace(want=pane.spec.want and wanted, brief=pane.spec.brief and brief) for pane in declared()]


def _rows(rows: int, width: int) -> int:
    return rows


def tiled(frame: Frame, width: int, height: int) -> None:
    """Each cell belongs to exactly one box."""
    shown: Sequence[Box] = list(frame.boxes.values())
    assert sum(box.width * box.height for box in shown) == width * height, frame
    for box in shown:
        assert box.x >= 0 and box.y >= 0 and box.x + box.width <= width and box.y + box.height <= height
        assert box.width > 0 and box.height > 0
    for one, other in itertools.combinations(shown, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("height", HEIGHTS)
def test_panes_tile_the_screen(width: int, height: int) -> None:
    """At every size, in every arrangement, each cell of the screen belongs to exactly one pane, and side by side all of them are there."""
    for check, strip in itertools.product((3, 8, 50), (3, 5, 9)):
        panes = specs(check, strip)
        for group, zoomed, keys in itertools.product(GROUPS, (False, True), (1, 2, 4)):
            frame = arrange(width, height, panes, group=group, zoomed=zoomed, key_rows=keys)
            tiled(frame, width, height)
            wanted = {pane.id for pane in panes if frame.side or pane.group == group or pane.id == frame.brief}
            assert frame.boxes.keys() == wanted | {"header", "keys"}


@pytest.mark.parametrize(("width", "height"), itertools.product((40, 80, 100, 160), (16, 20, 24, 40)))
def test_a_pane_more_is_placed_like_any_other(width: int, height: int) -> None:
    """A pane that is only declared finds its place in its group and in its column, at every size, whatever it wants."""
    for want, group, column in itertools.product((1, 80), GROUPS, (LEFT, RIGHT)):
        more = PaneSpec("quiz", group, column, share=Share(40, 40), want=partial(_rows, want))
        for shown in GROUPS:
            frame = arrange(width, height, [*specs(), more], group=shown)
            tiled(frame, width, height)
            assert ("quiz" in frame.boxes) == (frame.side or shown == group)


def test_each_pane_is_declared_whole() -> None:
    """Every group has a title and is shown by one command; in each column, and in each group, one pane takes what the others leave."""
    panes = declared()
    assert panes.groups == GROUPS
    for group in GROUPS:
        assert panes.first(group).title is not None
        assert sum(pane.spec.share.alone == 100 for pane in panes if pane.spec.group == group) == 1
    for column in (LEFT, RIGHT):
        assert sum(pane.spec.share.side == 100 for pane in panes if pane.spec.column == column) == 1
    assert all(panes.around(pane.target()) is pane for pane in panes if pane.spec.id in ("check", "network"))


@pytest.mark.parametrize("group", GROUPS)
def test_the_asked_pane_is_on_view(group: Pane) -> None:
    """Where there is room for one pane only, it is the one asked for, and each of its group can show at least one line."""
    frame = arrange(MIN_WIDTH, MIN_HEIGHT, specs(), group=group, key_rows=4)
    asked = [pane.id for pane in specs() if pane.group == group]
    assert all(frame.boxes[name].height >= 3 for name in asked)


@pytest.mark.parametrize("group", ["lesson", "lower"])
def test_the_picture_stays_in_view_at_80x24(group: Pane) -> None:
    """At the size of an old terminal a strip of the picture stands above whatever is read."""
    frame = arrange(80, 24, specs(), group=group, key_rows=2)
    assert frame.brief == "network"
    assert frame.boxes["network"].height >= 5


def test_the_strip_goes_when_there_is_no_room_for_it() -> None:
    """From 13 rows between header and keys on there is one; with one row less what is read needs them all."""
    assert arrange(80, STRIP_FROM + 2, specs(), group="lesson").brief == "network"
    low = arrange(80, STRIP_FROM + 1, specs(), group="lesson")
    assert not low.brief and "network" not in low.boxes


def test_limits() -> None:
    """The smallest useful size fits, one less does not; side by side begins at 107x20."""
    assert fits(MIN_WIDTH, MIN_HEIGHT)
    assert not fits(MIN_WIDTH - 1, MIN_HEIGHT)
    assert not fits(MIN_WIDTH, MIN_HEIGHT - 1)
    assert side_by_side(107, 20)
    assert not side_by_side(106, 60)
    assert not side_by_side(200, 19)


@pytest.mark.parametrize("moment", ["plug-opening", "masquerade-opening", "everyone-opening"])
async def test_panes_stand_side_by_side_only_where_the_picture_has_its_room(moment: str) -> None:
    """The widest network of the course stands there with its boxes and cables; with one column less it does so in the strip above one pane."""
    for width in (SIDE_WIDTH, SIDE_WIDTH - 1):
        async with opened((width, 30), opening=story.opening(moment, log=())) as (app, _pilot, _peer):
            main = app.get_default_screen()
            assert main.frame(main.size).side == (width == SIDE_WIDTH)
            assert main.picture.scene is not None and main.picture.scene.level not in ("outline", "roster") and not main.picture.scene.hidden


def test_what_a_wide_screen_has_beyond_a_terminal_of_80_columns_goes_to_the_text() -> None:
    """The right column grows to 84 cells before the left one takes more than its share; then the left one takes up to the longest useful line."""
    columns = {width: arrange(width, 50, specs(), group="lesson").boxes["lesson"].width for width in (107, 120, 140, 160, 200)}
    assert columns == {107: 42, 120: 45, 140: 56, 160: 76, 200: 78}


@pytest.mark.parametrize("size", [(130, 48), (160, 50), (200, 60)])
async def test_the_picture_leaves_the_rows_it_has_no_use_for(size: tuple[int, int]) -> None:
    """Above and below the whole network there is room for a caption, and no more: the terminal has the rest. More in the network wants more."""
    async with opened(size, opening=story.opening("masquerade-opening", log=())) as (app, pilot, peer):
        screen = app.get_default_screen()
        scene = screen.picture.scene
        assert scene is not None and not scene.hidden
        drawn = [y for y, row in enumerate(scene.rows) if any(run.text.strip() for run in row)]
        assert 3 <= drawn[0] <= 5 and 3 <= scene.height - 1 - drawn[-1] <= 5
        before = screen.picture.size.height
        peer.say(protocol.SnapshotEvent(_crowd(story.NEIGHBOURS, 8)))
        await until(pilot, lambda: screen.picture.size.height > before)
        assert screen.picture.size.height + 2 <= (size[1] - 2) * 48 // 100


def _crowd(network: Snapshot, count: int) -> Snapshot:
    """The network with so many more containers, each with loopback only."""
    first = next(node for node in network.nodes if node.role == "container")
    more = (msgspec.structs.replace(first, name=f"d{number}", netns=4000 + number, names=(), links=first.links[:1]) for number in range(count))
    return msgspec.structs.replace(network, nodes=(*network.nodes, *more))


async def test_a_frame_is_made_once() -> None:
    """For one size and one content there is one frame, however often it is asked for; another content or size is another."""
    async with opened((120, 40)) as (app, pilot, peer):
        screen = app.get_default_screen()
        frame = screen.frame(screen.size)
        assert screen.frame(screen.size) is frame
        version = screen.check.version
        peer.say(protocol.StatusEvent(story.status(done=6)))
        await until(pilot, lambda: screen.check.version != version)
        assert screen.frame(screen.size) is not frame
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: screen.frame(screen.size).boxes["header"].width == 100)
