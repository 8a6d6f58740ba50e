"""The terminal: text from the child goes in, a `Screen` to paint and `Event`s come out, answers go back to the child."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netless.vt import control
from netless.vt.drawing import Width, WidthTable, draw, draw_lines, standard_width
from netless.vt.screen import MAX_SIDE, Screen
from netless.vt.tokens import Tokeniser

SCROLLBACK: Final = 2000
"""Rows kept above the screen: under 1 MiB of ordinary output."""

TITLE_LIMIT: Final = 4096
"""Characters kept of a title."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Bell:
    """BEL."""


@dataclass(frozen=True, slots=True)
class Title:
    """OSC 0 and 2: the child names its window.  Any text at all: never treat it as markup."""

    text: str


@dataclass(frozen=True, slots=True)
class PromptShown:
    """OSC 133;B, one of FinalTerm's prompt marks: the prompt is complete and the shell waits for a line."""


@dataclass(frozen=True, slots=True)
class CommandStarted:
    """OSC 133;C: the shell runs what was typed.  The child can print any mark it likes: only typing may be decided from it."""


Event = Bell | Title | PromptShown | CommandStarted


class Terminal:
    """An xterm-like terminal of ``columns`` x ``height`` cells.

    ``reply`` gets what the terminal answers to the child's questions, ``event`` everything that is not on the picture.  Memory is
    bounded by the size, the scrollback and fixed caps, whatever the child prints.
    """

    def __init__(
        self,
        columns: int = 80,
        height: int = 24,
        scrollback: int = SCROLLBACK,
        *,
        width: Width = standard_width,
        reply: Callable[[str], None] = lambda text: None,
        event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.screen = Screen(max(1, min(columns, MAX_SIDE)), max(1, min(height, MAX_SIDE)), scrollback)
        self.foreground, self.background = "#e0e0e0", "#121212"
        self._widths = WidthTable(width)
        self._reply, self._event = reply, event
        self._tokens = Tokeniser()

    def feed(self, data: str) -> None:
        """Carry out a piece of the child's output.  Never raises, whatever it is."""
        self._tokens.feed(data, self)

    def resize(self, columns: int, height: int) -> None:
        """A new size."""
        self.screen.resize(columns, height)

    @property
    def held(self) -> int:
        """Characters kept back because their sequence is not finished."""
        return self._tokens.held

    # -- tokens, in the order of the stream

    def text(self, run: str) -> None:
        """Printable characters."""
        draw(self.screen, run, self._widths)

    def lines(self, block: str) -> None:
        """A flood of plain lines."""
        draw_lines(self.screen, block, self._widths)

    def newline(self) -> None:
        """CR LF."""
        screen = self.screen
        screen.x = 0
        screen.index()

    def control(self, code: str) -> None:
        """A control character."""
        if code == "\x07":
            self._event(Bell())
        else:
            control.c0(self.screen, code)
        self.screen.last = ""

    def escape(self, sequence: str) -> None:
        """An escape sequence."""
        self.screen.last = ""
        control.escape(self.screen, sequence)

    def csi(self, parameters: str, final: str) -> None:
        """A control sequence; control characters inside it are carried out first."""
        if not parameters.isprintable():
            for code in _CONTROLS.findall(parameters):
                self.control(code)
            parameters = _CONTROLS.sub("", parameters)
        screen = self.screen
        if final == "m" and parameters[:1] not in ("<", "=", ">", "?"):
            screen.pen.select(parameters)
            return
        if final == "b" and parameters[:1] not in ("<", "=", ">", "?"):
            self._repeat(parameters)
            return
        screen.last = ""
        control.csi(screen, parameters, final, self._reply)

    def _repeat(self, parameters: str) -> None:
        """REP: the character just drawn, again; nothing if something else came in between."""
        screen = self.screen
        if screen.last and (not parameters or parameters.isdecimal()):
            count = int(parameters[:6] or 0) or 1
            draw(screen, screen.last * min(count, screen.columns * screen.height), self._widths)

    def osc(self, body: str) -> None:
        """An operating system command.  The clipboard (OSC 52) is deliberately neither read nor written."""
        code, _, rest = body.partition(";")
        if code in ("0", "2"):
            self._event(Title(rest[:TITLE_LIMIT]))
        elif code in ("10", "11") and rest == "?":
            self._reply(control.theme_colour(code, self.foreground if code == "10" else self.background))
        elif code == "133" and (kind := rest.partition(";")[0]) in ("B", "C"):
            self._event(PromptShown() if kind == "B" else CommandStarted())
