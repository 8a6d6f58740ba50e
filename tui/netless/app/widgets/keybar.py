"""The keys that act, always on screen. One widget for all of them: Textual's Footer leaks on every change of focus (textual#6666)."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ..blocks import joined
from .document import paint


@dataclass(frozen=True)
class Key:
    """One key: what to press, what it does in a word, the action it runs on the screen, and whether it would do something now."""

    key: str
    label: str
    action: str
    live: bool = True


Zone = tuple[int, int, Key]
"""First cell, cell after the last, key."""


def rows_of(keys: tuple[Key, ...], width: int) -> tuple[tuple[Zone, ...], ...]:
    """The keys in rows, none ever left out: set wide apart when that costs no row, else close together."""
    wide, close = (_fill(keys, width, gap) for gap in (2, 1))
    return wide if len(wide) <= len(close) else close


def _fill(keys: tuple[Key, ...], width: int, gap: int) -> tuple[tuple[Zone, ...], ...]:
    rows: list[list[Zone]] = [[]]
    x = 1
    for key in keys:
        size = len(f"{key.key} {key.label}".strip())
        if rows[-1] and x + size > width:
            rows.append([])
            x = 1
        rows[-1].append((x, x + size, key))
        x += size + gap
    return tuple(tuple(row) for row in rows)


class KeyBar(Widget):
    """Keys in rows; a click does what the key does."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyBar { height: auto; }"

    def __init__(self, keys: tuple[Key, ...] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys

    def show(self, keys: tuple[Key, ...]) -> None:
        """Show these keys."""
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def rows_at(self, width: int) -> int:
        """How many rows the keys take at a width."""
        return len(rows_of(self._keys, width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the keys need."""
        return self.rows_at(width)

    def render_line(self, y: int) -> Strip:
        """One row of keys."""
        rows = rows_of(self._keys, self.size.width)
        content = _row(rows[y]) if y < len(rows) else Content("")
        return paint(content, self.visual_style, self._get_style, self.size.width)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        rows = rows_of(self._keys, self.size.width)
        for start, end, key in rows[event.y] if 0 <= event.y < len(rows) else ():
            if start <= event.x < end and key.live:
                await self.screen.run_action(key.action)


def _row(row: tuple[Zone, ...]) -> Content:
    parts: list[Content] = []
    at = 0
    for start, end, key in row:
        parts.append(Content(" " * (start - at)))
        live = joined((key.key, "bold $accent"), f" {key.label}")
        parts.append(live if key.live else joined((f"{key.key} {key.label}".strip(), "$faint")))
        at = end
    return Content("").join(parts)
