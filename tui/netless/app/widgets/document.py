"""A pane of text: blocks laid out once per width, rows kept as strips, selectable and scrollable. The base of most panes.

And a list to choose from: rows of text, headings between them, one row chosen. Keys, mouse and wheel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from ..blocks import Blocks, Line, lay_out
from ..toolkit import bound

Source = Callable[[int], Blocks]
"""Blocks for a width in cells."""


class Document(ScrollView, can_focus=True):
    """Shows blocks. ``tail`` keeps the end in view as it grows, as long as the reader has not scrolled away from it."""

    DEFAULT_CSS = "Document { scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: auto; }"
    tail = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: Source = lambda width: ()
        self.lines: tuple[Line, ...] = ()
        """The rows as laid out now."""
        self._strips: dict[int, Strip] = {}
        self._width = 0
        self._following = True
        self._moving = False

    def set_source(self, source: Source) -> None:
        """Show other text; where the reader stands is kept."""
        self._source = source
        if self.is_mounted:
            self.lay_out_anew()

    def lay_out_anew(self) -> None:
        """The text has changed."""
        self._lay_out(self._text_width())

    def rows_at(self, width: int) -> int:
        """How many rows the text takes at a width, without any border."""
        return len(lay_out(self._source(width), width))

    def arrange_lines(self, width: int) -> tuple[Line, ...]:
        """The rows at a width."""
        return lay_out(self._source(width), width)

    def reveal(self, key: str) -> None:
        """Scroll so that the last row with this key is in sight."""
        rows = [number for number, line in enumerate(self.lines) if line.key == key]
        height = self.scrollable_content_region.height
        if rows and height and not self.scroll_offset.y <= rows[-1] < self.scroll_offset.y + height:
            self.scroll_to(y=max(0, rows[-1] - height + 2), animate=False)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All rows, for a document that is as high as its text."""
        return self.rows_at(width) if width else 0

    def _text_width(self) -> int:
        return max(0, self.scrollable_content_region.width)

    def _lay_out(self, width: int) -> None:
        if width <= 0:
            self._width = 0
            return
        before = len(self.lines)
        self.lines = self.arrange_lines(width)
        self._width = width
        self._strips.clear()
        self.virtual_size = Size(width, len(self.lines))
        if len(self.lines) != before and self.styles.is_auto_height:
            self.refresh(layout=True)
        if self.tail and self._following:
            self._to_end()
        self.refresh()

    def _to_end(self) -> None:
        """Show the last rows; a move of ours says nothing about where the reader wants to be."""
        self._moving = True
        try:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        finally:
            self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """A reader who scrolls back stops following the end; one who returns to it follows again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._following = round(new_value) >= self.max_scroll_y

    def on_resize(self) -> None:
        """Lay out anew when the width changed; the end stays in view."""
        if self._text_width() != self._width:
            self._lay_out(self._text_width())
        elif self.tail and self._following:
            self._to_end()

    def notify_style_update(self) -> None:
        """The theme changed: forget the strips."""
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One row, from the cache when it was painted before."""
        width = self._text_width()
        if width != self._width:
            self._lay_out(width)
        row = y + self.scroll_offset.y
        if not 0 <= row < len(self.lines):
            return Strip.blank(self.size.width, self.rich_style)
        selection = self.text_selection
        if selection is not None:
            return self._strip(row, selection.get_span(row))
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._strip(row, None)
        return strip

    def _strip(self, row: int, span: tuple[int, int] | None) -> Strip:
        line = self.lines[row]
        base = self.visual_style
        if line.fill:
            base += self._get_style(line.fill)
        content = line.content
        if span is not None:
            start, end = span
            selected = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            content = content.stylize(selected, start, len(content) if end == -1 else end)
        return paint(content, base, self._get_style, self.size.width).apply_offsets(0, row)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, without the padding of rows."""
        return selection.extract("\n".join(line.content.plain.rstrip() for line in self.lines)), "\n"


def paint(content: Content, base: Style, parse: Callable[[str | Style], Style], width: int) -> Strip:
    """One line as a strip of exactly this width."""
    segments = [Segment(text, (base + style).rich_style) for text, style in content.render(base, end="", parse_style=parse)]
    return Strip(segments).adjust_cell_length(width, base.rich_style)


def retitle(widget: Widget, title: Content, subtitle: Content | None = None) -> None:
    """Give a pane these words in its border; repaints only when they differ, because setting them always repaints all of it."""
    old: Content | None = getattr(widget, "_border_title", None)
    if old is None or not old.is_same(title):
        widget.border_title = title
    if subtitle is not None:
        under: Content | None = getattr(widget, "_border_subtitle", None)
        if under is None or not under.is_same(subtitle):
            widget.border_subtitle = subtitle


class Row(NamedTuple):
    """One row. ``value`` is what choosing it means; a row without one is a heading."""

    content: Content
    value: str = ""


RowSource = Callable[[int], list[Row]]
"""Rows for a width in cells."""

MARK = 2
"""Cells of the mark before each row."""
MOVES: Final = {"down": "move(1)", "up": "move(-1)", "pagedown": "move(10)", "pageup": "move(-10)"}
"""Keys that choose another row."""


class Choices(ScrollView, can_focus=True):
    """Rows; the chosen one is marked by a bar and by its ground."""

    DEFAULT_CSS = "Choices { overflow-x: hidden; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = bound({**MOVES, "enter": "choose"})

    class Chosen(Message):
        """A row was chosen."""

        def __init__(self, value: str) -> None:
            self.value = value
            super().__init__()

    def __init__(self, source: RowSource, *, at: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._source = source
        self.rows = tuple(source(80))
        """What can be seen and chosen, headings included."""
        self._at = at

    @property
    def value(self) -> str:
        """What is chosen now; "" when there is nothing to choose."""
        values = [row.value for row in self.rows if row.value]
        return self._at if self._at in values else (values[0] if values else "")

    def show(self, source: RowSource) -> None:
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
        self.rows = tuple(self._source(width - MARK))
        self.virtual_size = Size(width, len(self.rows))
        self._reveal()
        self.refresh()

    def _reveal(self) -> None:
        value, height = self.value, self.scrollable_content_region.height
        index = next((number for number, row in enumerate(self.rows) if row.value == value), 0)
        if not height or not value:
            return
        top = self.scroll_offset.y
        if index < top + 1:
            self.scroll_to(y=max(0, index - 1), animate=False)
        elif index >= top + height - 1:
            self.scroll_to(y=max(0, index - height + 2), animate=False)

    def action_move(self, by: int) -> None:
        """Up or down; stops at the ends."""
        values = [row.value for row in self.rows if row.value]
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
        if 0 <= index < len(self.rows) and self.rows[index].value:
            self._at = self.rows[index].value
            self.refresh()
            self.action_choose()

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, index = self.size.width, y + self.scroll_offset.y
        if index >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        row = self.rows[index]
        chosen = bool(row.value) and row.value == self.value
        mark = Content.styled("▌ " if chosen else "  ", "$accent")
        base = self.visual_style + self._get_style("on $boost") if chosen else self.visual_style
        return paint((mark + row.content).truncate(width, ellipsis=True), base, self._get_style, width)
