"""The lines of a recording: asciicast in its version 2, which every player reads (https://docs.asciinema.org/manual/asciicast/v2/). Pure.

A header, then an event a line: seconds since the beginning, a letter, its data. ``o`` is what was written to the terminal, ``r`` its new size,
``m`` a place to jump to. What is typed (``i``) is not recorded.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

Code = Literal["o", "r", "m"]
BEGIN: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[H\x1b[2J"
"""What brings a terminal where the app has it while it runs: the other screen, empty, without cursor and without wrapping."""
END: Final = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
"""What takes that back."""
_UNSEEN: Final = re.compile(
    r"\x1b\[\?(?:100[0-6]|101[56]|2004|2048)[hl]"  # mouse, focus, pasting, sizes told in band: what a terminal is to say
    r"|\x1b\[\?\d+\$p|\x1b\[[<=>][\d;]*u"  # questions about a mode (DECRQM), how keys are told (the Kitty protocol)
    r"|\x1b\](?:22|52);[^\x07\x1b]*(?:\x07|\x1b\\)"  # the pointer's shape, the clipboard
)


class _Header(msgspec.Struct):
    """The first line."""

    version: Literal[2]
    width: int
    height: int
    timestamp: int
    title: str
    env: dict[str, str]


def header(columns: int, rows: int, timestamp: int, title: str, terminal: str) -> bytes:
    """The first line. ``timestamp`` counts seconds since 1970, ``terminal`` is what TERM says."""
    return msgspec.json.encode(_Header(2, columns, rows, timestamp, title, {"TERM": terminal})) + b"\n"


def line(seconds: float, code: Code, data: str) -> bytes:
    """An event; nothing for output of which nothing is to be seen. What no file in UTF-8 can hold is told by a question mark."""
    text = _seen(data) if code == "o" else data
    if not text:
        return b""
    return msgspec.json.encode((round(seconds, 6), code, text.encode(errors="replace").decode())) + b"\n"


def _seen(data: str) -> str:
    """What was written, as the terminal's line discipline passes it on (termios(3), ONLCR), without what is not to be seen: a player writes it
    to the terminal of whoever looks, whose mouse, keys and clipboard are none of a recording's business.
    """
    return _UNSEEN.sub("", data).replace("\n", "\r\n")
