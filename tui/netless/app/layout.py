"""The body of the main screen: places its children where ``geometry`` says."""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from .geometry import Frame


class FrameLayout(Layout):
    """Places each child by its id: header, keys, lesson, check, network, lower. A child without a box is not placed at all."""

    name = "frame"

    def __init__(self, frame: Callable[[Size], Frame]) -> None:
        self._frame = frame

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """One placement for each child that is on view."""
        frame = self._frame(size)
        placements: ArrangeResult = []
        for child in children:
            box = getattr(frame, child.id or "", None)
            if box is not None:
                placements.append(WidgetPlacement(Region(*box), NULL_OFFSET, NULL_SPACING, child, 0, False, False, False))
        return placements


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
