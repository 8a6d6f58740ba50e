"""The line at the top and the keys at the foot, always on screen.

The top says where the learner is, how far, and in which lab; what matters least is left out first when room is short. One widget shows all
keys that act: Textual's Footer leaks on every change of focus (textual#6666).
"""

from __future__ import annotations

import msgspec
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ...commands.command import Place
from ...commands.table import BY_ID, USUAL, Keymap, at, bar, key_of
from ...desk.view import View
from ...say.cells import cells
from ...say.header import header
from ...say.text import BLANK, Text, blanks, joined
from ..keys import doing
from ..paint import content_of, strip_of


class Key(msgspec.Struct, frozen=True):
    """One key: what to press, what it does in a word, the action it runs on the screen, and whether that would do something now, or say why not.
    ``command`` is its id in the table, where it has one.
    """

    key: str
    label: str
    action: str
    live: bool = True
    command: str = ""

    def on(self, keymap: Keymap) -> Key:
        """The same, on the key that a person has for it."""
        return msgspec.structs.replace(self, key=key_of(BY_ID[self.command], keymap)) if self.command in keymap else self


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
        size = cells(f"{key.key} {key.label}".strip())
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
        self._laid: tuple[int, tuple[tuple[Zone, ...], ...]] | None = None
        """The keys in rows, and at which width."""

    def show(self, keys: tuple[Key, ...]) -> None:
        """Show these keys."""
        if keys != self._keys:
            self._keys, self._laid = keys, None
            self.refresh()

    def _rows(self, width: int) -> tuple[tuple[Zone, ...], ...]:
        if self._laid is None or self._laid[0] != width:
            self._laid = width, rows_of(self._keys, width)
        return self._laid[1]

    def rows_at(self, width: int) -> int:
        """How many rows the keys take at a width."""
        return len(self._rows(width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the keys need."""
        return self.rows_at(width)

    def render_line(self, y: int) -> Strip:
        """One row of keys."""
        rows = self._rows(self.size.width)
        text = _row(rows[y]) if y < len(rows) else BLANK
        return strip_of(text, self.visual_style, self.size.width)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        rows = self._rows(self.size.width)
        for start, end, key in rows[event.y] if 0 <= event.y < len(rows) else ():
            if start <= event.x < end and key.action:
                await self.screen.run_action(key.action)


def _row(row: tuple[Zone, ...]) -> Text:
    parts: list[Text] = []
    at = 0
    for start, end, key in row:
        parts.append(blanks(start - at))
        live = joined((key.key, "strong", "accent"), f" {key.label}")
        parts.append(live if key.live else joined((f"{key.key} {key.label}".strip(), "faint")))
        at = end
    return BLANK.between(parts)


def keys_of(view: View, where: str, keymap: Keymap = USUAL) -> tuple[Key, ...]:
    """The keys for the pane that has the focus. Those that move between panes stand in the pane's own border."""
    keys = tuple(Key(key_of(own.command, keymap), own.label, doing(own.command), own.live) for own in bar(view, terminal=where == "terminal"))
    return (*keys, Key("", "every other key goes to the shell", "", live=False)) if where == "terminal" else keys


def keys_in(place: Place, *names: str) -> tuple[Key, ...]:
    """The keys of a window, as its bar shows them; only those with these last words of their ids, when some are named."""
    shown = (own for own in at(place) if own.label and (not names or own.id.rpartition(".")[2] in names))
    return tuple(Key(key_of(own), own.label, own.own if "." in own.own else f"screen.{own.own}", command=own.id) for own in shown)


class HeaderStrip(Widget):
    """Where the learner is; see ``header``."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HeaderStrip { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()
        self._laid: tuple[int, Text] | None = None
        """The line, and for which width."""

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._laid, self._view = self._laid, None, view
        if before is None or self._line(before[0]) != before[1]:
            self.refresh()

    def _line(self, width: int) -> Text:
        if self._laid is None or self._laid[0] != width:
            self._laid = width, header(self._view, width)
        return self._laid[1]

    def render(self) -> Content:
        """The line."""
        return content_of(self._line(self.size.width))
