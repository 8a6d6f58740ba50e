"""The terminal: text from the child goes in, a `Screen` to paint and `Event`s come out, answers go back to the child.

One regular expression cuts the (decoded) stream into tokens, so Python-level work is per token (a run of text, one whole escape sequence),
never per character.  The grammar is ECMA-48 (section 5.4, control sequences) with xterm's OSC and DCS strings, and the rules of the DEC
parser for what goes wrong: CAN and SUB abort a sequence, ESC aborts it and begins another, a C0 control inside a control sequence is
carried out at once.  A sequence cut in two by the reading is put together again.

Memory is bounded: a sequence that is not finished yet waits for at most ``PENDING_LIMIT`` characters.  After that it is known to be
broken or hostile, and everything up to its terminator is thrown away unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netless.vt import control
from netless.vt.drawing import Width, WidthTable, draw, draw_lines, standard_width
from netless.vt.screen import MAX_SIDE, Screen

SCROLLBACK: Final = 2000
"""Rows kept above the screen: under 1 MiB of ordinary output."""

TITLE_LIMIT: Final = 4096
"""Characters kept of a title."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")

PENDING_LIMIT: Final = 1 << 16
"""Characters an unfinished sequence may hold.  xterm caps OSC strings at a similar size."""

_PARAMETERS = r"[\x00-\x17\x19\x1c-\x3f\x7f]*+"  # parameter and intermediate bytes, and controls that are carried out inside
_STRING = r"[^\x07\x18\x1a\x1b\x9c]*+"
_DEVICE_STRING = r"[^\x18\x1a\x1b\x9c]*+"

_TOKEN: Final = re.compile(
    # a flood of plain lines; the reader of this token builds whole rows from it
    r"(?P<lines>(?:[\x20-\x7e]*+\r\n){3,}+)"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]++)"
    r"|(?P<newline>\r\n)"
    rf"|\x1b\[(?P<parameters>{_PARAMETERS})(?P<final>[\x40-\x7e])"
    rf"|\x1b\](?P<osc>{_STRING})(?:\x07|\x1b\\|\x9c|(?=\x1b[^\\]))"
    rf"|(?P<ignored>\x1b[PX^_]{_DEVICE_STRING}(?:\x1b\\|\x9c|[\x18\x1a]|(?=\x1b[^\\]))"
    rf"|\x1b\]{_STRING}[\x18\x1a]"
    rf"|\x1b(?:\[{_PARAMETERS}|[\x20-\x2f]++)(?:[\x18\x1a]|(?=[\x1b\x80-\U0010ffff])))"
    r"|\x1b(?P<escape>[\x20-\x2f]++[\x30-\x7e]|[0-OQ-WYZ\\`-~])"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
    # what is left at the end of the data is unfinished and waits for the rest
    rf"|(?P<partial>\x1b(?:\[{_PARAMETERS}|\]{_STRING}\x1b?|[PX^_]{_DEVICE_STRING}\x1b?|[\x20-\x2f]*)\Z)"
    r"|\x1b"
)
_STRING_END: Final = re.compile(r"[\x07\x18\x1a\x1b\x9c]")


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
        self._pending = ""
        self._discarding = False

    def tell(self, reply: Callable[[str], None], event: Callable[[Event], None]) -> None:
        """Answers and what is not on the picture are for these from now on."""
        self._reply, self._event = reply, event

    def feed(self, data: str) -> None:
        """Carry out a piece of the child's output.  Never raises, whatever it is."""
        if self._discarding:
            end = _STRING_END.search(data)
            if end is None:
                return
            self._discarding = False
            data = data[end.start() if end[0] == "\x1b" else end.end() :]
        if self._pending:
            data, self._pending = self._pending + data, ""
        for match in _TOKEN.finditer(data):
            kind = match.lastgroup
            if kind == "text":
                draw(self.screen, match[0], self._widths)
            elif kind == "final":
                self._csi(match["parameters"], match[0][-1])
            elif kind == "newline":
                self.screen.x = 0
                self.screen.index()
            elif kind == "control":
                self._control(match[0])
            elif kind == "lines":
                draw_lines(self.screen, match[0], self._widths)
            elif kind == "osc":
                self._osc(match["osc"])
            elif kind == "escape":
                self.screen.last = ""
                control.escape(self.screen, match["escape"])
            elif kind == "partial":
                self._discarding = len(match["partial"]) >= PENDING_LIMIT
                self._pending = "" if self._discarding else match["partial"]

    def resize(self, columns: int, height: int) -> None:
        """A new size, with nobody who looks at a place of it."""
        self.screen.resize(columns, height)

    @property
    def held(self) -> int:
        """Characters kept back because their sequence is not finished; never more than ``PENDING_LIMIT``."""
        return len(self._pending)

    def _control(self, code: str) -> None:
        """A control character."""
        if code == "\x07":
            self._event(Bell())
        else:
            control.c0(self.screen, code)
        self.screen.last = ""

    def _csi(self, parameters: str, final: str) -> None:
        """A control sequence; control characters inside it are carried out first."""
        if not parameters.isprintable():
            for code in _CONTROLS.findall(parameters):
                self._control(code)
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

    def _osc(self, body: str) -> None:
        """An operating system command.  The clipboard (OSC 52) is deliberately neither read nor written."""
        code, _, rest = body.partition(";")
        if code in ("0", "2"):
            self._event(Title(rest[:TITLE_LIMIT]))
        elif code in ("10", "11") and rest == "?":
            self._reply(control.theme_colour(code, self.foreground if code == "10" else self.background))
        elif code == "133" and (kind := rest.partition(";")[0]) in ("B", "C"):
            self._event(PromptShown() if kind == "B" else CommandStarted())
