"""A palette as the toolkit's theme. The two that come along are from the post's own picture: containers orange, green and blue, interface chips
yellow, the bridge purple. State is never told by colour alone: every state has a shape or a word as well.

Is the terminal's background light or dark? Asked once, before the app takes the terminal.

OSC 11 asks for the background colour (xterm's ctlseqs); DA1 behind it is a question every terminal answers, so a terminal that
ignores the first costs one round trip and not the whole timeout. Without an answer COLORFGBG is believed, else nothing is said.
"""

from __future__ import annotations

import os
import re
import select
import time
from typing import Final, Literal, NamedTuple

from textual.theme import Theme

from ..config.colours import FURTHER, Palette

Background = Literal["light", "dark"]

_ANSWERS_S = 0.25
"""How long a terminal may take to answer."""
_ASK = b"\x1b]11;?\x1b\\\x1b[c"
_DA1 = re.compile(rb"\x1b\[\?[\d;]*c")
_OSC11 = re.compile(rb"\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")


class Asked(NamedTuple):
    """The terminal's background, None when it cannot be known; and what was read with the answer, which may have been typed."""

    background: Background | None
    read: bytes = b""


def ask() -> Asked:
    """Ask the terminal for its background."""
    if os.environ.get("TERM", "dumb") in ("", "dumb", "linux"):
        return Asked(None)
    read = _ask()
    return Asked(from_answer(read) or from_environment(os.environ.get("COLORFGBG", "")), read)


def from_answer(answer: bytes) -> Background | None:
    """What an OSC 11 answer says: relative luminance (ITU-R BT.709 weights) above a half is light."""
    match = _OSC11.search(answer)
    if match is None:
        return None
    red, green, blue = (int(value, 16) / (16 ** len(value) - 1) for value in match.groups())
    return "light" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "dark"


def from_environment(colorfgbg: str) -> Background | None:
    """What COLORFGBG ("15;0", "0;default;15") says; 7 and 15 are the light backgrounds of the 16 colours."""
    last = colorfgbg.rpartition(";")[2]
    if not last.isdecimal() or len(last) > 3:
        return None
    return "light" if int(last) in (7, 15) else "dark"


def _ask() -> bytes:
    """Ask the controlling terminal and collect what it answers; b"" when there is none or it is not ours to ask."""
    try:
        import termios
        import tty

        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except (ImportError, OSError):
        return b""
    try:
        if os.tcgetpgrp(terminal) != os.getpgrp():
            return b""
        saved = termios.tcgetattr(terminal)
        try:
            tty.setcbreak(terminal, termios.TCSANOW)
            os.write(terminal, _ASK)
            return _collect(terminal)
        finally:
            termios.tcsetattr(terminal, termios.TCSANOW, saved)
    except OSError:
        return b""
    finally:
        os.close(terminal)


def _collect(terminal: int) -> bytes:
    answer, end = b"", time.monotonic() + _ANSWERS_S
    while not _DA1.search(answer):
        left = end - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            break
        answer += os.read(terminal, 256)
    return answer


_LIKE_BACKGROUND: Final = ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active", "scrollbar-corner-color")


def theme(palette: Palette) -> Theme:
    """A palette as the toolkit's theme."""
    of = palette.colours
    ground = of["background"]
    return Theme(
        name=palette.name, dark=palette.dark, primary=of["primary"], secondary=of["secondary"], accent=of["accent"], foreground=of["foreground"],
        background=ground, surface=ground, panel=of["panel"], success=of["success"], warning=of["warning"], error=of["error"],
        variables={**{word: of[word] for word in FURTHER}, **dict.fromkeys(_LIKE_BACKGROUND, ground), "block-cursor-text-style": "none"},
    )  # fmt: skip
