"""The switches of the terminal: ANSI modes (ECMA-48 7.2) and DEC private modes (xterm's ctlseqs, "DECSET")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRIVATE: Final = {
    1: "application_cursor", 5: "reverse_screen", 6: "origin", 7: "autowrap", 25: "cursor_visible",
    66: "application_keypad", 1004: "focus_events", 1006: "mouse_sgr", 2004: "bracketed_paste", 2026: "synchronised",
}  # fmt: skip
"""DEC private modes that only flip one switch, and the field that holds it."""

MOUSE: Final = (9, 1000, 1002, 1003)
"""Mouse reporting: presses only (X10), presses and releases, also drags, also moves."""

ALTERNATE: Final = (47, 1047, 1049)
"""The alternate screen; 1049 saves and restores the cursor as well."""


@dataclass(slots=True)
class Modes:
    """Every switch, at its power-on position."""

    application_cursor: bool = False
    application_keypad: bool = False
    autowrap: bool = True
    bracketed_paste: bool = False
    cursor_visible: bool = True
    focus_events: bool = False
    insert: bool = False
    line_feed_returns: bool = False
    mouse: int = 0
    mouse_sgr: bool = False
    origin: bool = False
    reverse_screen: bool = False
    synchronised: bool = False

    def switch(self, mode: int, on: bool) -> bool:
        """Flip a DEC private mode held here; False when this number is none of them."""
        if mode in MOUSE:
            self.mouse = mode if on else 0
            return True
        name = PRIVATE.get(mode)
        if name is not None:
            setattr(self, name, on)
        return name is not None

    def report(self, mode: int) -> int:
        """DECRPM's answer for a private mode: 1 set, 2 reset, 0 not known."""
        if mode in MOUSE:
            return 1 if self.mouse == mode else 2
        name = PRIVATE.get(mode)
        if name is None:
            return 0
        return 1 if getattr(self, name) else 2

    def soft_reset(self) -> None:
        """DECSTR: the switches a program may leave in the wrong position."""
        self.insert = self.origin = self.application_cursor = self.application_keypad = False
        self.autowrap = self.cursor_visible = True
