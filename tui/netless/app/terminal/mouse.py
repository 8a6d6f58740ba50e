"""Passing the mouse on to programs that ask for it (xterm's ctlseqs, "Mouse Tracking", in the SGR encoding only)."""

from __future__ import annotations

from collections.abc import Callable

from textual import events

from netless.vt.keys import encode_mouse
from netless.vt.modes import Modes

_DRAGS, _MOVES = 1002, 1003
Cell = tuple[int, int]


class Mouse:
    """Reports to the program what it asked for.  With shift held the mouse stays the terminal's own, as everywhere.

    ``modes`` is a function because a reset of the terminal makes new ones.
    """

    def __init__(self, modes: Callable[[], Modes], send: Callable[[str], None]) -> None:
        self._modes, self._send = modes, send

    def wanted(self, event: events.MouseEvent) -> bool:
        """True when the program gets this event."""
        modes = self._modes()
        return bool(modes.mouse) and modes.mouse_sgr and not event.shift

    def pressed(self, event: events.MouseEvent, cell: Cell) -> bool:
        """A button went down; False when the program did not ask."""
        return self._report(event, max(0, event.button - 1), cell, True)

    def released(self, event: events.MouseEvent, cell: Cell) -> bool:
        """A button went up."""
        return self._report(event, max(0, event.button - 1), cell, False)

    def moved(self, event: events.MouseEvent, cell: Cell) -> bool:
        """The mouse moved: reported when the program wants moves, or drags and a button is down."""
        mode = self._modes().mouse
        if mode == _MOVES or (mode == _DRAGS and event.button):
            return self._report(event, 32 + (event.button - 1 if event.button else 3), cell, True)
        return False

    def wheel(self, event: events.MouseEvent, cell: Cell, rows: int) -> bool:
        """The wheel turned, up when ``rows`` is negative."""
        return self._report(event, 64 if rows < 0 else 65, cell, True)

    def _report(self, event: events.MouseEvent, button: int, cell: Cell, pressed: bool) -> bool:
        if not self.wanted(event):
            return False
        self._send(encode_mouse(button + 8 * event.meta + 16 * event.ctrl, *cell, pressed))
        return True
