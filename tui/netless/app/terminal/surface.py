"""`TerminalSurface`: a terminal as a widget, with painting, scrolling back, selecting and copying.

It shows a `Terminal` and does not know where its text comes from nor where keys go: `PtyTerminal` adds the program.  Output is painted
at most 30 times a second, changed rows only; a terminal where nothing happens costs nothing.

Passing the mouse on to programs that ask for it (xterm's ctlseqs, "Mouse Tracking", in the SGR encoding only).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from rich.cells import get_character_cell_size
from rich.style import Style as RichStyle
from textual import events
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from netless.app.keys import hints
from netless.app.paint import strip_of
from netless.app.terminal.display import STARTING_KEYS, Display, Look, Outcome, cursor_look
from netless.app.terminal.painter import palette
from netless.app.widgets.search import BEGIN, Search
from netless.vt import Event, Terminal
from netless.vt.keys import encode_key, encode_mouse
from netless.vt.screen import Modes

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

    def button(self, event: events.MouseEvent, cell: Cell, down: bool) -> bool:
        """A button went down or up; False when the program did not ask."""
        return self._report(event, max(0, event.button - 1), cell, down)

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


FRAME: Final = 1 / 30
"""Seconds a paint takes of the time: 30 a second in the long run, however output comes."""

QUIET: Final = 0.002
"""Seconds without output after which the picture is worth painting early."""

SYNC_LIMIT: Final = 0.15
"""Seconds a program may hold the picture back (mode 2026)."""

_PAGES: Final = {"shift+pageup": -1, "shift+pagedown": 1}
_WHEEL: Final = 3
_LEAVE, _SELECT, _SCROLL, _SEARCH = (
    hints(name, leave="leave").plain for name in ("terminal.leave", "terminal.mark", "terminal.scroll", "search")
)
_TYPING: Final = f"{_LEAVE}  {_SELECT}  {_SCROLL}"
_FULL_SCREEN: Final = _LEAVE
_MARKING: Final = f"{_SELECT}  {_SEARCH}  Enter copy  Esc cancel"
_ENDED: Final = f"Enter starts a new shell  {_LEAVE}"


class TerminalSurface(Widget, can_focus=True):
    """Paints a terminal of the widget's size and lets its text be scrolled, selected and copied."""

    DEFAULT_CSS = "TerminalSurface { height: 1fr; width: 1fr; }"
    ALLOW_SELECT = False

    keys_hint: reactive[str] = reactive(_TYPING, repaint=False)
    """The keys that count now, in words, for the border of whatever it lies in."""

    def __init__(self, scrollback: int) -> None:
        super().__init__()
        self._scrollback = scrollback
        self.terminal = Terminal(80, 24, scrollback, width=get_character_cell_size)
        self.terminal.tell(self.reply, self.happened)
        self.display_model = Display(self.terminal.screen)
        self._mouse = Mouse(lambda: self.terminal.screen.modes, self.send)
        self._timer: Timer | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._painted = self._next_frame = 0.0

    async def show_printed(self, pieces: Iterable[str], size: tuple[int, int]) -> str:
        """Show what was printed before, on a terminal of this size (columns, rows), in place of what is here; all of it as one text.

        It is carried out a little at a time, and what asks something there is answered nothing.
        """
        columns, height = size
        terminal, text = Terminal(columns or 80, height or 24, self._scrollback, width=get_character_cell_size), ""
        for piece in pieces:
            text += piece
            terminal.feed(piece)
            await asyncio.sleep(0)
        self.terminal, self.display_model = terminal, Display(terminal.screen)
        terminal.tell(self.reply, self.happened)
        self.notify_style_update()
        return text

    # -- what the program's half fills in

    @property
    def running(self) -> bool:
        """True while there is something to type into."""
        return False

    @property
    def offers_restart(self) -> bool:
        """True when Enter would start a new program."""
        return False

    def send(self, text: str) -> None:
        """Type into the program."""

    def reply(self, text: str) -> None:
        """Answer a question of the program."""

    def happened(self, event: Event) -> None:
        """The terminal reports something besides the picture."""

    # -- painting

    def schedule(self) -> None:
        """The terminal changed: paint it now if a frame is free, else when the next one begins, or early once output rests.

        A paint out of turn uses up the frame it anticipates, so a command's output is seen at once and a flood stays at its rate.
        """
        if not self.is_mounted:
            return
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._timer is None:
            wait = self._next_frame - monotonic()
            if wait <= 0:
                self._flush()
                return
            self._timer = self.set_timer(wait, self._flush)
        if self._next_frame - monotonic() < FRAME:
            self._rest = asyncio.get_running_loop().call_later(QUIET, self._flush_early)

    def _flush_early(self) -> None:
        self._rest = None
        if self._timer is not None and self.is_mounted:
            self._timer.stop()
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        modes = self.terminal.screen.modes
        now = monotonic()
        if modes.synchronised and self.running and now - self._painted < SYNC_LIMIT:
            self._timer = self.set_timer(FRAME, self._flush)
            return
        self._painted = now
        self._next_frame = max(now, self._next_frame) + FRAME
        lines = self.display_model.take_changes()
        if lines is None:
            self.refresh()
        elif lines:
            self.refresh(*(Region(0, y, self.content_size.width, 1) for y in lines))
        self.show_hint()

    def show_hint(self) -> None:
        """Say which keys count now."""
        view = self.display_model.view
        if self.display_model.marking.by_keys:
            hint = _MARKING
        elif not view.following:
            hint = f"{view.back} lines back  {_SEARCH}  any key returns"
        elif self.offers_restart:
            hint = _ENDED
        else:
            hint = _FULL_SCREEN if self.terminal.screen.alternate_active else _TYPING
        self.keys_hint = hint

    def notify_style_update(self) -> None:
        """The theme or the focus changed: colours, and what the program is told about them."""
        super().notify_style_update()
        if self.is_mounted:
            self.display_model.painter.use_theme(self.rich_style, palette(self.app.current_theme.dark))
            _, _, ground, colour = self.colors
            self.terminal.foreground, self.terminal.background = colour.hex6, ground.hex6

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        width, height = self.content_size
        search = self.display_model.search
        if search is not None and y == self.display_model.search_row(height):
            return strip_of(search.line.cut(width), self.visual_style, width)
        selected = RichStyle(bgcolor=self.screen.get_component_rich_style("screen--selection").bgcolor, reverse=False)
        return self.display_model.line(y, Look(width, height, cursor_look(self.running, self.has_focus), selected))

    def look_changed(self) -> None:
        """The window or the selection moved, not the text."""
        self.show_hint()
        self.refresh()

    def settle(self) -> None:
        """Back to the screen itself, nothing selected."""
        if self.display_model.settle():
            self.look_changed()

    def on_mount(self) -> None:
        """Colours are known from here on."""
        self.notify_style_update()

    # -- keys that look for words, select and scroll

    def search_by_key(self, key: str, character: str | None) -> bool:
        """A slash, while scrolled back or selecting, begins a search; True when the key was for it."""
        display = self.display_model
        if display.search is None:
            if key not in BEGIN or self.terminal.screen.alternate_active or (display.view.following and not display.marking.by_keys):
                return False
            display.search = Search()
        elif (did := display.search.key(key, character)) is None:
            return False
        elif did == "ended":
            display.search = None
            display.marking.clear()
        elif did != "none":
            display.look_for(did)
        self.look_changed()
        return True

    def mark_by_key(self, key: str) -> bool:
        """Shift and an arrow begin a selection; True when the key was for the selection."""
        marking = self.display_model.marking
        outcome = marking.key(key)
        if outcome is Outcome.NOT_OURS:
            if key not in STARTING_KEYS or self.terminal.screen.alternate_active:
                return False
            marking.begin(self.display_model.selection_start)
            marking.key(key)
        elif outcome is Outcome.COPIED:
            self.copy(marking.text)
            self.display_model.settle()
        elif outcome is Outcome.GIVEN_UP:
            self.display_model.settle()
        self.look_changed()
        return True

    def scroll_by_key(self, key: str) -> bool:
        """Shift and a page key scroll back and forth, on the ordinary screen."""
        if key not in _PAGES or self.terminal.screen.alternate_active:
            return False
        self._scroll(_PAGES[key] * max(1, self.content_size.height - 1))
        return True

    def _scroll(self, rows: int) -> None:
        if self.display_model.view.scroll(rows):
            self.look_changed()

    def copy(self, text: str) -> None:
        """To the clipboard of the terminal the tutor runs in (OSC 52), and of the app."""
        if text:
            self.app.copy_to_clipboard(text)

    # -- mouse

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        """The cell under the mouse, kept inside the screen."""
        width, height = self.content_size
        return max(0, min(event.x - self.gutter.left, width - 1)), max(0, min(event.y - self.gutter.top, height - 1))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """To the program if it asked for the mouse (shift keeps it ours), else the beginning of a selection."""
        event.stop()
        if not self._mouse.button(event, self._cell(event), True) and event.button == 1:
            self.display_model.marking.press(self.display_model.position(*self._cell(event)))
            self.capture_mouse()
            self.look_changed()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Dragging selects; beyond the top or bottom it scrolls."""
        marking = self.display_model.marking
        if not marking.dragging:
            self._mouse.moved(event, self._cell(event))
            return
        event.stop()
        if event.y < self.gutter.top:
            self._scroll(-1)
        elif event.y >= self.gutter.top + self.content_size.height:
            self._scroll(1)
        if marking.drag(self.display_model.position(*self._cell(event))):
            self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """What was dragged over is copied."""
        event.stop()
        if self.display_model.marking.dragging:
            self.release_mouse()
            self.copy(self.display_model.marking.release())
        else:
            self._mouse.button(event, self._cell(event), False)

    def on_click(self, event: events.Click) -> None:
        """Two clicks take a word, three a line."""
        event.stop()
        if event.chain in (2, 3) and event.button == 1 and not self._mouse.wanted(event):
            self.copy(self.display_model.marking.take(self.display_model.position(*self._cell(event)), event.chain))
            self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel: to a program that asked, as arrow keys to other full-screen programs, else it scrolls back."""
        self._wheel(event, -_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """As upwards."""
        self._wheel(event, _WHEEL)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        screen = self.terminal.screen
        if self._mouse.wheel(event, self._cell(event), rows):
            return
        if screen.alternate_active:
            key = encode_key("up" if rows < 0 else "down", None, screen.modes.application_cursor)
            self.send((key or "") * abs(rows))
        else:
            self._scroll(rows)
