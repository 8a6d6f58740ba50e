"""Where every pane of the main screen goes, at any size: specs of panes and integers in, rectangles out; and the widgets that go by it.

Two arrangements. Side by side (from 107 columns and 20 rows): each pane in its column. Otherwise one group of panes at a time, below one
that shows itself in brief (the picture's strip), so that the network never leaves the eye. Where even that has no room, a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from textual.content import Content
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from ..commands.stage import Pane
from .toolkit import place_anew

MIN_WIDTH, MIN_HEIGHT = 40, 12
"""Below this the app says so and draws nothing else."""

LEFT, RIGHT = 0, 1
"""Columns."""
LEFT_MIN, LEFT_MAX, LEFT_SHARE = 42, 78, 38
"""Cells of the left column, and how many of a hundred it takes in between."""
RIGHT_MIN: Final = 65
"""Cells of the right column in which the widest network of the course stands with its boxes and cables: in fewer it would be an outline of words, and
the strip above one pane shows it better.
"""
SIDE_WIDTH, SIDE_HEIGHT = LEFT_MIN + RIGHT_MIN, 20
RIGHT_FULL: Final = 84
"""Cells of the right column with which a terminal has its usual 80: what is beyond that goes to the text at the left, which wraps less."""
STRIP_MIN, STRIP_MAX = 3, 9
"""Rows of the picture's strip, without a border."""
STRIP_FROM = 13
"""Rows between header and keys below which there is no strip: the pane that is read needs them more."""
HEADER: Final = "header"
KEYS: Final = "keys"
"""What stands above and below all panes."""


class Box(NamedTuple):
    """A rectangle in cells."""

    x: int
    y: int
    width: int
    height: int


class Share(NamedTuple):
    """How many of a hundred rows of its column a pane takes at most: where all stand side by side, and where its group stands alone."""

    side: int
    alone: int


ALL: Final = Share(100, 100)


class PaneSpec(NamedTuple):
    """How one pane is placed. ``id`` is its widget's; panes of a ``group`` are shown together; side by side each stands in its ``column``, in
    the order of the specs. Rows count the border.

    It has ``least`` rows, and more up to its ``share`` as far as it does ``want`` them at a width. In each column, and in each group, one pane
    takes what the others leave: that whose share is all. A pane with ``brief`` is shown above the other groups in so many rows as that says.
    """

    id: str
    group: Pane
    column: int
    least: int = 3
    share: Share = ALL
    want: Callable[[int], int] | None = None
    brief: Callable[[int], int] | None = None


class Frame(msgspec.Struct, frozen=True):
    """The rectangles of one arrangement, by the ids of what is shown. ``side`` is true when panes stand side by side; ``brief`` is the one
    that shows itself in brief, if any does.
    """

    boxes: Mapping[str, Box]
    side: bool = False
    brief: str = ""


def fits(width: int, height: int) -> bool:
    """True when there is room enough to draw anything useful."""
    return width >= MIN_WIDTH and height >= MIN_HEIGHT


def side_by_side(width: int, height: int) -> bool:
    """True when there is room for the panes to stand side by side."""
    return width >= SIDE_WIDTH and height >= SIDE_HEIGHT


def arrange(width: int, height: int, panes: Sequence[PaneSpec], *, group: Pane, zoomed: bool = False, key_rows: int = 1) -> Frame:
    """The frame for a screen of this size. ``group`` is what is shown alone when there is room for one only, or when ``zoomed``."""
    key_rows = max(1, min(key_rows, height // 3))
    boxes = {HEADER: Box(0, 0, width, 1), KEYS: Box(0, height - key_rows, width, key_rows)}
    room = Box(0, 1, width, height - 1 - key_rows)
    if side_by_side(width, height) and not zoomed:
        left = max(LEFT_MIN, min(LEFT_MAX, max(width * LEFT_SHARE // 100, width - RIGHT_FULL)))
        columns = {LEFT: room._replace(width=left), RIGHT: room._replace(x=left, width=width - left)}
        for column, place in columns.items():
            boxes |= _stacked([pane for pane in panes if pane.column == column], place, lambda pane: pane.share.side)
        return Frame(boxes, side=True)
    shown = [pane for pane in panes if pane.group == group]
    brief = ""
    for pane in panes if not zoomed and room.height >= STRIP_FROM else ():
        if pane.brief is not None and pane not in shown:
            rows = min(max(STRIP_MIN, min(STRIP_MAX, pane.brief(width))), room.height * 2 // 5)
            brief, boxes[pane.id] = pane.id, room._replace(height=rows)
            room = room._replace(y=room.y + rows, height=room.height - rows)
            break
    return Frame(boxes | _stacked(shown, room, lambda pane: pane.share.alone), brief=brief)


def _stacked(panes: Sequence[PaneSpec], place: Box, share: Callable[[PaneSpec], int]) -> dict[str, Box]:
    """These panes one below the other, filling the place."""
    rows = {pane.id: pane.least for pane in panes}
    spare = max(0, place.height - sum(rows.values()))
    for pane in panes:
        if share(pane) < 100:
            most = place.height * share(pane) // 100
            more = min(spare, max(0, (most if pane.want is None else min(pane.want(place.width), most)) - pane.least))
            rows[pane.id], spare = pane.least + more, spare - more
    rest = place.height - sum(rows.values())
    boxes: dict[str, Box] = {}
    y = place.y
    for pane in panes:
        height = rows[pane.id] + (rest if share(pane) >= 100 else 0)
        boxes[pane.id] = place._replace(y=y, height=height)
        y += height
    return boxes


class FrameLayout(Layout):
    """Places each child by its id. A child without a box is not placed at all."""

    name = "frame"

    def __init__(self, frame: Callable[[Size], Frame]) -> None:
        self._frame = frame

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """One placement for each child that is on view."""
        frame = self._frame(size)
        boxes = ((child, frame.boxes.get(child.id or "")) for child in children)
        return [WidgetPlacement(Region(*box), NULL_OFFSET, NULL_SPACING, child, 0, False, False, False) for child, box in boxes if box is not None]


class Body(Widget):
    """A container with a frame. Textual's ``layout`` style takes only its own layouts by name, so this one gives its own directly."""

    def __init__(self, *children: Widget, frame: Callable[[Size], Frame], id: str | None = None) -> None:
        super().__init__(*children, id=id)
        self._frame_layout = FrameLayout(frame)

    def arrange_anew(self) -> None:
        """The frame has changed: place the children again."""
        place_anew(self)

    @property
    def layout(self) -> Layout:
        """Where the children go."""
        return self._frame_layout


class TooSmall(Widget):
    """The sentence, cut to what fits. Every screen has one, on top of all else; ``TutorApp.too_small`` shows and hides those that there are.

    It is no screen of its own: one in the stack would lie below those that open while it is there, and come back when they close. And none watches the
    app, whose list of those who do is gone through when the size is another, and till then keeps all that ever were.
    """

    DEFAULT_CSS = """
    TooSmall {
        layer: cover; display: none; width: 100%; height: 100%; background: $background; content-align: center middle; text-align: center;
    }
    """

    def on_mount(self) -> None:
        """A screen may open while the terminal is too small."""
        size = self.app.size
        self.display = not fits(size.width, size.height)

    def render(self) -> Content:
        """How large it is and how large it should be."""
        size = self.app.size
        return Content(f"netless needs {MIN_WIDTH}x{MIN_HEIGHT}\nthis is {size.width}x{size.height}")
