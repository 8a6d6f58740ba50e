"""A pane of text: blocks laid out once per width, rows kept as strips, selectable and scrollable. The base of most panes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import ClassVar, Final

from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from ...say.text import Blocks, Line, Text, lay_out
from ..paint import Chosen, content_of, strip_of, style_of
from ..toolkit import words_in_border
from .search import BEGIN, FOUND, LOOKED_AT, Did, Search, occurrences

Source = Callable[[int], Blocks]
"""Blocks for a width in cells."""
MOST_PAINTED: Final = 512
"""So many rows are kept as they were painted: more than a screen has. Whoever scrolls through a full log sees ten thousand, 2 KiB each."""


class Document(ScrollView, can_focus=True):
    """Shows blocks. ``tail`` keeps the end in view as it grows, as long as the reader has not scrolled away from it."""

    DEFAULT_CSS = "Document { scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: auto; }"
    SEARCHED: ClassVar[bool] = True
    """Whether / looks for words here."""
    WIDTHS: ClassVar[int] = 4
    """For how many widths the text is kept laid out: that of its pane, and those that other panes are placed by."""
    tail = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.search: Search | None = None
        self._found: list[tuple[tuple[int, int], tuple[int, int]]] = []
        """Where the places found begin and end: row and column."""
        self._begun_at = 0
        self._source: Source = lambda width: ()
        self.lines: tuple[Line, ...] = ()
        """The rows as laid out now."""
        self._laid: dict[int, tuple[Line, ...]] = {}
        self.version = 0
        """Grows whenever the text is another."""
        self._strips: dict[int, Strip] = {}
        self._width = 0
        self._following = True
        self._moving = False

    def set_source(self, source: Source) -> None:
        """Show other text; where the reader stands is kept."""
        self._source = source
        self._forget()
        if self.is_mounted:
            self.lay_out_anew()

    def lay_out_anew(self) -> None:
        """The text has changed."""
        self._forget()
        self._lay_out(self._text_width())

    def _forget(self) -> None:
        self._laid.clear()
        self.version += 1

    def rows_at(self, width: int) -> int:
        """How many rows the text takes at a width, without any border."""
        return len(self.lines_at(width))

    def lines_at(self, width: int) -> tuple[Line, ...]:
        """The rows at a width, laid out once for as long as the text is the same."""
        laid = self._laid.get(width)
        if laid is None:
            if len(self._laid) >= self.WIDTHS:
                self._laid.clear()
            laid = self._laid[width] = self.arrange_lines(width)
        return laid

    def arrange_lines(self, width: int) -> tuple[Line, ...]:
        """Lay the rows out at a width."""
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
        if width == self._width and self.search is None and len(before := self.lines) == len(now := self.lines_at(width)):
            self.lines = now
            self._repaint([row for row, (one, other) in enumerate(zip(before, now, strict=True)) if one != other])
            return
        count, self.lines = len(self.lines), ()  # the rows of another width go before the new ones come: those of a log are many
        self.lines = self.lines_at(width)
        self._width = width
        self._strips.clear()
        self._find()
        self.virtual_size = Size(width, len(self.lines))
        if len(self.lines) != count and self.styles.is_auto_height:
            self.refresh(layout=True)
        if self.tail and self._following:
            self._to_end()
        self.refresh()

    def _repaint(self, rows: Sequence[int]) -> None:
        """These are others now, at the same width and as many as there were; those that say the same as before stay as they are painted."""
        top, height = self.scroll_offset.y, self.size.height
        for row in rows:
            self._strips.pop(row, None)
        for row in rows[bisect_left(rows, top) : bisect_left(rows, top + height)]:
            self.refresh_line(row)

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
        if self.search is not None and y == self._search_row:
            line = self.search.line.cut(self.size.width)
            return strip_of(line, self.visual_style + Style.parse("on $panel"), self.size.width)
        if not 0 <= row < len(self.lines):
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        selection = self.text_selection
        if selection is not None:
            return self._strip(row, selection.get_span(row))
        strip = self._strips.get(row)
        if strip is None:
            if len(self._strips) >= MOST_PAINTED:
                self._strips.clear()
            strip = self._strips[row] = self._strip(row, None)
        return strip

    def _strip(self, row: int, span: tuple[int, int] | None) -> Strip:
        line = self.lines[row]
        base = self.visual_style
        if line.ground:
            base += Style.parse(style_of(("ground",)))
        content = line.content
        for number, (begin, close) in enumerate(self._found):
            if self.search is not None and begin[0] <= row <= close[0]:
                start, end = begin[1] if row == begin[0] else 0, close[1] if row == close[0] else len(content.plain)
                look = LOOKED_AT if number == self.search.at else FOUND
                content = content.part(0, start) + content.part(start, end).looking(look) + content.part(end)
        chosen: Chosen | None = None
        if span is not None:
            chosen = (span[0], None if span[1] == -1 else span[1], Style.from_styles(self.screen.get_component_styles("screen--selection")))
        return strip_of(content, base, self.size.width, chosen).apply_offsets(0, row)

    # -- looking for words

    @property
    def _search_row(self) -> int:
        """Where the line of the search is painted: in the last row, unless what is looked at stands there."""
        last = self.scrollable_content_region.height - 1
        covered = self.search is not None and self._found and self._found[self.search.at][0][0] == self.scroll_offset.y + last
        return 0 if covered else last

    def on_key(self, event: events.Key) -> None:
        """Keys of a search; what it has no use for goes where it always goes.

        It begins here, and not by a binding, which the app comes to later: what is typed behind the slash in one read is looked for.
        """
        if self.search is None:
            if event.key not in BEGIN or not self.SEARCHED:
                return
            self.search, self._begun_at = Search(), self.scroll_offset.y
            did: Did | None = "none"
        else:
            did = self.search.key(event.key, event.character)
        if did is None:
            return
        event.stop()
        event.prevent_default()
        if did == "ended":
            self.end_search()
            return
        self._search_on(self.search, did)

    def on_paste(self, event: events.Paste) -> None:
        """Pasted while a search is typed: it is looked for."""
        if self.search is not None and self.search.paste(event.text):
            event.stop()
            self._search_on(self.search, "typed")

    def _search_on(self, search: Search, did: Did) -> None:
        if did == "typed":
            self._find()
            search.at = next((number for number, (begin, _) in enumerate(self._found) if begin[0] >= self._begun_at), 0)
        search.move(did)
        self._strips.clear()
        if self._found:
            self._into_sight(self._found[search.at][0][0])
        self.refresh()

    def on_blur(self) -> None:
        """Who goes elsewhere has found it."""
        self.end_search()

    def end_search(self) -> None:
        """Look for nothing more."""
        if self.search is not None:
            self.search, self._found = None, []
            self._strips.clear()
            self.refresh()

    def _find(self) -> None:
        """Where the words are in the text as it is laid out now."""
        if self.search is None:
            return
        rows = [line.content.plain for line in self.lines]
        starts = list(accumulate((len(row) + 1 for row in rows), initial=0))
        self._found = []
        for span in occurrences("\n".join(rows), self.search.words):
            begin, close = ((row := bisect_right(starts, offset) - 1, offset - starts[row]) for offset in span)
            self._found.append((begin, close))
        self.search.found = len(self._found)
        self.search.at = min(self.search.at, max(0, self.search.found - 1))

    def _into_sight(self, row: int) -> None:
        height = self.scrollable_content_region.height
        if not self.scroll_offset.y <= row < self.scroll_offset.y + height - 1:
            self.scroll_to(y=max(0, row - height // 2), animate=False)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, without the padding of rows."""
        return selection.extract("\n".join(line.content.plain.rstrip() for line in self.lines)), "\n"


def retitle(widget: Widget, title: Text, subtitle: Text | None = None) -> None:
    """Give a pane these words in its border."""
    words_in_border(widget, content_of(title), content_of(subtitle) if subtitle is not None else None)
