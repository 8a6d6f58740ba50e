"""Where every pane of the main screen goes, at any size: integers in, rectangles out; and the widgets that go by it.

Two arrangements. Side by side (from 100 columns and 20 rows): lesson and check left; picture and lower pane right. Otherwise one
pane at a time below a strip of the picture, so that the network never leaves the eye. Where even that has no room, a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.content import Content
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

if TYPE_CHECKING:
    from .app import TutorApp

Pane = Literal["lesson", "network", "lower"]
"""What can be looked at; "lesson" is the lesson with its check below, "lower" is terminal, packets or changes."""

PANES: tuple[Pane, ...] = ("lesson", "network", "lower")

MIN_WIDTH, MIN_HEIGHT = 40, 12
"""Below this the app says so and draws nothing else."""

SIDE_WIDTH, SIDE_HEIGHT = 100, 20
LESSON_MIN, LESSON_MAX = 42, 78
STRIP_MIN, STRIP_MAX = 3, 9
"""Rows of the picture's strip, without a border."""
STRIP_FROM = 13
"""Rows between header and keys below which there is no strip: the pane that is read needs them more."""


class Box(NamedTuple):
    """A rectangle in cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Frame:
    """The rectangles of one arrangement; None for what is not shown. ``side`` is true when panes stand side by side."""

    side: bool
    header: Box
    keys: Box
    lesson: Box | None = None
    check: Box | None = None
    network: Box | None = None
    lower: Box | None = None
    strip: bool = False


def fits(width: int, height: int) -> bool:
    """True when there is room enough to draw anything useful."""
    return width >= MIN_WIDTH and height >= MIN_HEIGHT


def side_by_side(width: int, height: int) -> bool:
    """True when there is room for the panes to stand side by side."""
    return width >= SIDE_WIDTH and height >= SIDE_HEIGHT


def arrange(
    width: int, height: int, *, pane: Pane = "lesson", zoomed: bool = False, key_rows: int = 1,
    check_rows: Callable[[int], int] = lambda width: 6, wanted_strip: int = 5,
) -> Frame:  # fmt: skip
    """The frame for a screen of this size.

    ``pane`` is the one shown alone when there is room for one only, or when ``zoomed``. ``check_rows`` tells how many rows the
    check wants, border included, at a width. ``wanted_strip`` is how many rows the picture needs to show itself in brief.
    """
    key_rows = max(1, min(key_rows, height // 3))
    top, room = 1, height - 1 - key_rows
    side = side_by_side(width, height) and not zoomed
    frame = Frame(side=side, header=Box(0, 0, width, 1), keys=Box(0, height - key_rows, width, key_rows))
    if side:
        return _side(frame, width, top, room, check_rows)
    if pane == "network":
        return replace(frame, network=Box(0, top, width, room))
    strip = 0 if zoomed or room < STRIP_FROM else min(max(STRIP_MIN, min(STRIP_MAX, wanted_strip)), room * 2 // 5)
    frame = replace(frame, strip=bool(strip), network=Box(0, top, width, strip) if strip else None)
    top, room = top + strip, room - strip
    if pane == "lower":
        return replace(frame, lower=Box(0, top, width, room))
    check = max(3, min(check_rows(width), room * 45 // 100))
    return replace(frame, lesson=Box(0, top, width, room - check), check=Box(0, top + room - check, width, check))


def _side(frame: Frame, width: int, top: int, room: int, check_rows: Callable[[int], int]) -> Frame:
    left = max(LESSON_MIN, min(LESSON_MAX, width * 38 // 100))
    check = max(4, min(check_rows(left), room * 55 // 100))
    picture = max(8, min(room * 48 // 100, room - 9))
    return replace(
        frame,
        lesson=Box(0, top, left, room - check), check=Box(0, top + room - check, left, check),
        network=Box(left, top, width - left, picture), lower=Box(left, top + picture, width - left, room - picture),
    )  # fmt: skip


class FrameLayout(Layout):
    """Places each child by its id: header, keys, lesson, check, network, lower. A child without a box is not placed at all."""

    name = "frame"

    def __init__(self, frame: Callable[[Size], Frame]) -> None:
        self._frame = frame

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """One placement for each child that is on view."""
        frame = self._frame(size)
        boxes = ((child, getattr(frame, child.id or "", None)) for child in children)
        return [WidgetPlacement(Region(*box), NULL_OFFSET, NULL_SPACING, child, 0, False, False, False) for child, box in boxes if box is not None]


class Body(Widget):
    """A container with a frame. Textual's ``layout`` style takes only its own layouts by name, so this one gives its own directly."""

    def __init__(self, *children: Widget, frame: Callable[[Size], Frame], id: str | None = None) -> None:
        super().__init__(*children, id=id)
        self._frame_layout = FrameLayout(frame)

    def arrange_anew(self) -> None:
        """The frame has changed: place the children again."""
        self._clear_arrangement_cache()
        self.refresh(layout=True)

    @property
    def layout(self) -> Layout:
        """Where the children go."""
        return self._frame_layout


class TooSmall(Widget):
    """The sentence, cut to what fits. Every screen has one, on top of all else; it is seen while ``TutorApp.too_small`` says so.

    It is no screen of its own: one in the stack would lie below those that open while it is there, and come back when they close.
    """

    app: TutorApp
    DEFAULT_CSS = """
    TooSmall {
        layer: cover; display: none; width: 100%; height: 100%; background: $background; content-align: center middle; text-align: center;
    }
    """

    def on_mount(self) -> None:
        """Come and go with the size of the terminal."""
        self.watch(self.app, "too_small", self._appear)

    def _appear(self, too_small: bool) -> None:
        self.display = too_small

    def render(self) -> Content:
        """How large it is and how large it should be."""
        size = self.app.size
        return Content(f"netless needs {MIN_WIDTH}x{MIN_HEIGHT}\nthis is {size.width}x{size.height}")
