"""Selecting text in the terminal, by mouse and by keys.

By mouse, as in every terminal: drag, double click for a word, triple click for a line; letting go copies.  By keys, as in
a text field: shift and an arrow starts at the cursor and goes on selecting, an arrow alone moves to another start; enter copies, escape
gives up.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from netless.vt.viewport import Position, Selection, Viewport, line_at, step, word_at

_STEPS: Final = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
STARTING_KEYS: Final = frozenset(f"shift+{key}" for key in _STEPS)
"""Keys that begin a selection on the ordinary screen (full-screen programs get them themselves)."""


class Outcome(Enum):
    """What a key did to the selection."""

    MOVED = auto()
    COPIED = auto()
    GIVEN_UP = auto()
    NOT_OURS = auto()


class Marking:
    """The selection of one terminal, if there is one."""

    def __init__(self, view: Viewport) -> None:
        self.view = view
        self.selection: Selection | None = None
        self.by_keys = False
        self._anchor: Position | None = None

    @property
    def dragging(self) -> bool:
        """True while the mouse button is down."""
        return self._anchor is not None

    def clear(self) -> bool:
        """No selection; False when there was none."""
        had = self.selection is not None
        self.selection, self.by_keys, self._anchor = None, False, None
        return had

    def press(self, position: Position) -> None:
        """The mouse button went down here."""
        self.clear()
        self._anchor = position

    def drag(self, position: Position) -> bool:
        """The mouse moved with the button down; False when nothing changed."""
        if self._anchor is None or (self.selection is None and position == self._anchor):
            return False
        self.selection = Selection(self._anchor, position)
        return True

    def release(self) -> str:
        """The mouse button went up: the text to copy, empty when nothing was dragged over."""
        self._anchor = None
        return self.text

    def take(self, position: Position, clicks: int) -> str:
        """A double or triple click: the word or line to copy."""
        self.selection = word_at(self.view, position) if clicks == 2 else line_at(self.view, position)
        return self.text

    def begin(self, position: Position) -> None:
        """Selecting by keys starts at the cursor."""
        self.clear()
        self.selection, self.by_keys = Selection(position, position), True

    def key(self, key: str) -> Outcome:
        """A key while selecting by keys."""
        if self.selection is None or not self.by_keys:
            return Outcome.NOT_OURS
        if key == "enter":
            return Outcome.COPIED
        if key == "escape":
            return Outcome.GIVEN_UP
        head = self._moved(key.removeprefix("shift+"), self.selection.head)
        if head is None:
            return Outcome.NOT_OURS
        self.selection = Selection(self.selection.anchor if key.startswith("shift+") else head, head)
        self.view.show(head.line)
        return Outcome.MOVED

    def _moved(self, key: str, head: Position) -> Position | None:
        page = self.view.page
        if key in _STEPS:
            return step(self.view, head, *_STEPS[key])
        if key in ("pageup", "pagedown"):
            return step(self.view, head, 0, page.height * (-1 if key == "pageup" else 1))
        if key in ("home", "end"):
            return Position(head.line, 0 if key == "home" else page.columns - 1)
        return None

    @property
    def text(self) -> str:
        """The selected text."""
        return self.selection.text(self.view) if self.selection is not None else ""
