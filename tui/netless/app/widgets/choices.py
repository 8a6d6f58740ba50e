"""A list to choose from: Textual's own, with headings that cannot be chosen, and one row chosen from the start.

What that does not do is done here. Its rows go on below at the margin: they are laid out beforehand as paragraphs are. What is chosen it tells
by colour alone: a bar stands before it as well. Its arrows go round at the ends, and leave a heading above the topmost choice out of sight.
Reset's three ways are no such list: what goes with the chosen one is told below, and each has a letter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import accumulate, chain, repeat
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...say.text import Row, blanks, joined
from ..keys import bindings
from ..paint import content_of

RowSource = Callable[[], list[Row]]
MARK: Final = 2
"""Cells before each row, for the bar."""
USUAL: Final = 68
"""Cells of a row in a window that has room."""


class Choices(OptionList):
    """Rows; ``at`` is the value to begin at. ``OptionSelected`` tells which was chosen, by its value as ``option_id``."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("list")

    def __init__(self, source: RowSource, *, at: str = "", id: str | None = None) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self._source = source
        self._begin = at
        self.rows: tuple[Row, ...] = ()
        """What can be seen and chosen, headings included."""
        self._width = 0
        self._tops: list[int] = []
        """The line at which each row begins, and that behind the last."""
        self._marked: int | None = None
        self._filled = 0.0
        """When what is shown became other rows; by the clock that events are told by."""
        self._fill(USUAL)  # it is as high as it will be from the start, so that nothing scrolls before it is

    @property
    def value(self) -> str:
        """What is chosen now; "" when there is nothing to choose."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""

    def show(self, source: RowSource) -> None:
        """Show other rows; the choice stays where it is when it is still there."""
        self._source = source
        self._fit()

    def on_mount(self) -> None:
        """Show the choice."""
        self._fit()

    def on_click(self, event: events.Click) -> None:
        """What was clicked is told by its number: that of another row, or of none, when the rows were replaced in between. Then nothing is chosen."""
        if event.time < self._filled:
            event.prevent_default()

    def on_resize(self) -> None:
        """Keep the choice in sight."""
        self._fit()

    def _fit(self) -> None:
        width = self.scrollable_content_region.width - MARK
        if width > 0:
            self._fill(width)
            self.scroll_to_highlight()
            self._show_around()

    def _fill(self, width: int) -> None:
        rows = tuple(self._source())
        if (rows, width) == (self.rows, self._width):
            return
        chosen = self.value or self._begin
        self.rows, self._width, self._marked, self._filled = rows, width, None, time.monotonic()
        prompts = [self._prompt(row, chosen=False) for row in rows]
        self._tops = list(accumulate((prompt.plain.count("\n") + 1 for prompt in prompts), initial=0))
        self.set_options(Option(prompt, id=row.value or None, disabled=not row.value) for prompt, row in zip(prompts, rows, strict=True))
        open_to = [number for number, row in enumerate(rows) if row.value]
        self.highlighted = next((number for number in open_to if rows[number].value == chosen), open_to[0] if open_to else None)
        self._mark()

    def _prompt(self, row: Row, *, chosen: bool) -> Content:
        marks = chain([joined(("▌ " if chosen else "  ", "accent"))], repeat(blanks(MARK)))
        return Content("\n").join([content_of(mark + line) for mark, line in zip(marks, row.lines(self._width), strict=False)])

    def watch_highlighted(self, highlighted: int | None) -> None:
        """The bar goes along with the choice."""
        super().watch_highlighted(highlighted)
        self._mark()

    def _mark(self) -> None:
        if self._marked != self.highlighted:
            for number, chosen in ((self._marked, False), (self.highlighted, True)):
                if number is not None:
                    self.replace_option_prompt_at_index(number, self._prompt(self.rows[number], chosen=chosen))
            self._marked = self.highlighted

    def scroll_to_highlight(self, top: bool = False) -> None:
        """The choice, and a line above and below it: a heading or its neighbour."""
        super().scroll_to_highlight(top)
        if self.highlighted is not None and self.is_mounted:
            start, end = self._tops[self.highlighted : self.highlighted + 2]
            around = Region(0, max(0, start - 1), self.scrollable_content_region.width, end - max(0, start - 1) + 1)
            self.scroll_to_region(around, force=True, animate=False, immediate=True)

    def _show_around(self) -> None:
        """As much of what comes after the choice as of what comes before it."""
        if self.highlighted is not None and self.is_mounted:
            width, height = self.scrollable_content_region.size
            start = self._tops[self.highlighted]
            self.scroll_to_region(Region(0, max(0, start - height // 2), width, height), force=True, animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        """Up or down; stops at the ends."""
        open_to = [number for number, row in enumerate(self.rows) if row.value]
        if self.highlighted is not None:
            self.highlighted = open_to[max(0, min(len(open_to) - 1, open_to.index(self.highlighted) + by))]
