"""A list to choose from: rows of text, headings between them, one row chosen. Keys, mouse and wheel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .document import paint


@dataclass(frozen=True)
class Row:
    """One row. ``value`` is what choosing it means; a row without one is a heading."""

    content: Content
    value: str = ""


Source = Callable[[int], list[Row]]
"""Rows for a width in cells."""

MARK = 2
"""Cells of the mark before each row."""


class Choices(ScrollView, can_focus=True):
    """Rows; the chosen one is marked by a bar and by its ground."""

    DEFAULT_CSS = "Choices { overflow-x: hidden; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """A row was chosen."""

        def __init__(self, value: str) -> None:
            self.value = value
            super().__init__()

    def __init__(self, source: Source, *, at: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._source = source
        self._rows = tuple(source(80))
        self._at = at

    @property
    def value(self) -> str:
        """What is chosen now; "" when there is nothing to choose."""
        values = [row.value for row in self._rows if row.value]
        return self._at if self._at in values else (values[0] if values else "")

    @property
    def rows(self) -> tuple[Row, ...]:
        """What can be seen and chosen, headings included."""
        return self._rows

    def show(self, source: Source) -> None:
        """Show other rows; the choice stays where it is when it is still there."""
        self._source = source
        self._fit()

    def on_mount(self) -> None:
        """Show the choice."""
        self._fit()

    def on_resize(self) -> None:
        """Keep the choice in sight."""
        self._fit()

    def _fit(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._rows = tuple(self._source(width - MARK))
        self.virtual_size = Size(width, len(self._rows))
        self._reveal()
        self.refresh()

    def _reveal(self) -> None:
        value, height = self.value, self.scrollable_content_region.height
        index = next((number for number, row in enumerate(self._rows) if row.value == value), 0)
        if not height or not value:
            return
        top = self.scroll_offset.y
        if index < top + 1:
            self.scroll_to(y=max(0, index - 1), animate=False)
        elif index >= top + height - 1:
            self.scroll_to(y=max(0, index - height + 2), animate=False)

    def action_move(self, by: int) -> None:
        """Up or down; stops at the ends."""
        values = [row.value for row in self._rows if row.value]
        if values:
            self._at = values[max(0, min(len(values) - 1, values.index(self.value) + by))]
            self._reveal()
            self.refresh()

    def action_choose(self) -> None:
        """This one."""
        if self.value:
            self.post_message(self.Chosen(self.value))

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = offset.y + self.scroll_offset.y
        if 0 <= index < len(self._rows) and self._rows[index].value:
            self._at = self._rows[index].value
            self.refresh()
            self.action_choose()

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, index = self.size.width, y + self.scroll_offset.y
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[index]
        chosen = bool(row.value) and row.value == self.value
        mark = Content.styled("▌ " if chosen else "  ", "$accent")
        base = self.visual_style + self._get_style("on $boost") if chosen else self.visual_style
        return paint((mark + row.content).truncate(width, ellipsis=True), base, self._get_style, width)
