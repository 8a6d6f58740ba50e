"""Cut a terminal's byte stream (already decoded) into tokens: text, controls and escape sequences.

One regular expression does the cutting, so Python-level work is per token (a run of text, one whole escape sequence), never per
character.  The grammar is ECMA-48 (section 5.4, control sequences) with xterm's OSC and DCS strings, and the rules of the DEC parser
for what goes wrong: CAN and SUB abort a sequence, ESC aborts it and begins another, a C0 control inside a control sequence is carried
out at once.

Memory is bounded: a sequence that is not finished yet waits for at most ``PENDING_LIMIT`` characters.  After that it is known to be
broken or hostile, and everything up to its terminator is thrown away unread.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

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


class Sink(Protocol):
    """What a token means: one method for each kind, called in the order of the stream."""

    def lines(self, block: str) -> None:
        """Three or more lines of printable ASCII, each ended by CR LF."""

    def text(self, run: str) -> None:
        """Printable characters, at least one."""

    def newline(self) -> None:
        """CR LF."""

    def control(self, code: str) -> None:
        """One C0 or C1 control."""

    def csi(self, parameters: str, final: str) -> None:
        """A control sequence; ``parameters`` still holds its private marker and intermediates."""

    def escape(self, sequence: str) -> None:
        """An escape sequence, without its ESC."""

    def osc(self, body: str) -> None:
        """An operating system command, without its terminator."""


class Tokeniser:
    """Feed it text as it arrives; a sequence cut in two by the reading is put together again."""

    __slots__ = ("_discarding", "_pending")

    def __init__(self) -> None:
        self._pending = ""
        self._discarding = False

    @property
    def held(self) -> int:
        """Characters waiting for the rest of their sequence; never more than ``PENDING_LIMIT``."""
        return len(self._pending)

    def feed(self, data: str, sink: Sink) -> None:
        """Hand every whole token in ``data`` to ``sink`` and keep the unfinished rest."""
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
                sink.text(match[0])
            elif kind == "final":
                sink.csi(match["parameters"], match[0][-1])
            elif kind == "newline":
                sink.newline()
            elif kind == "control":
                sink.control(match[0])
            elif kind == "lines":
                sink.lines(match[0])
            elif kind == "osc":
                sink.osc(match["osc"])
            elif kind == "escape":
                sink.escape(match["escape"])
            elif kind == "partial":
                self._keep(match["partial"])

    def _keep(self, rest: str) -> None:
        if len(rest) < PENDING_LIMIT:
            self._pending = rest
        else:
            self._discarding = True
