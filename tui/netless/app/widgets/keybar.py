"""The keys that act, always on screen. One widget for all of them: Textual's Footer leaks on every change of focus (textual#6666).

Which keys the bar shows in which pane, and which of them would do something now. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ..blocks import joined
from ..view import Act, View, can
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


ACTS: tuple[tuple[str, str, Act], ...] = (
    ("r", "Run", "run"),
    ("t", "Type it", "type"),
    ("c", "Check", "check"),
    ("h", "Hint", "hint"),
    ("w", "Why", "why"),
    ("b", "Back", "back"),
    ("n", "Next", "next"),
    ("g", "Go to", "goto"),
    ("x", "Reset", "reset"),
    ("d", "Dialect", "dialect"),
    ("p", "Play", "play"),
    ("D", "Drill", "drill"),
)
DRILL: tuple[tuple[str, str, Act], ...] = (
    ("c", "Check", "check"),
    ("h", "Hint", "hint"),
    ("w", "Why", "why"),
    ("m", "Give up", "mend"),
    ("g", "Go to", "goto"),
    ("x", "Reset", "reset"),
)
"""While something is broken on purpose."""
MENDED: tuple[tuple[str, str, Act], ...] = (("m", "Done", "mend"), ("g", "Go to the step that teaches it", "goto"), ("x", "Reset", "reset"))
"""When it is well again."""


def _label(view: View, act: Act, label: str) -> str:
    if act == "play" and view.status is not None and view.status.playing:
        return "Leave play"
    return label


def keys_of(view: View, where: str) -> tuple[Key, ...]:
    """The keys for the pane that has the focus. Those that move between panes stand in the pane's own border."""
    if where == "terminal":
        return (
            Key("ctrl+]", "Leave the terminal", "screen.pane('lesson')"),
            Key("F6", "Next pane", "screen.next_pane(1)"),
            Key("F11", "Zoom", "screen.zoom"),
            Key("", "every other key goes to the shell", "", live=False),
        )
    shown = ACTS if view.fault is None else DRILL if view.broken else MENDED
    acts = tuple(Key(key, _label(view, act, label), f"screen.act('{act}')", can(view, act)) for key, label, act in shown)
    return (
        *acts,
        Key("?", "Help", "screen.help"),
        Key("q", "Quit", "app.leave"),
    )
