"""Two themes from the post's own picture: containers orange, green and blue, interface chips yellow, the bridge purple.

The eight picture colours descend from Okabe and Ito's set, which stays apart for colour-blind eyes; success is sky and error
vermillion for the same reason. Contrast on the theme's background is at least 4.5 for every text colour (tests hold it).
State is never told by colour alone: every state has a shape or a word as well.

Is the terminal's background light or dark? Asked once, before the app takes the terminal.

OSC 11 asks for the background colour (xterm's ctlseqs); DA1 behind it is a question every terminal answers, so a terminal that
ignores the first costs one round trip and not the whole timeout. Without an answer COLORFGBG is believed, else nothing is said.
"""

from __future__ import annotations

import os
import re
import select
import time
from typing import Final, Literal

from textual.theme import Theme

Background = Literal["light", "dark"]

_ANSWERS_S = 0.25
"""How long a terminal may take to answer."""
_ASK = b"\x1b]11;?\x1b\\\x1b[c"
_DA1 = re.compile(rb"\x1b\[\?[\d;]*c")
_OSC11 = re.compile(rb"\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")


def background() -> Background | None:
    """The terminal's background, or None when it cannot be known."""
    if os.environ.get("TERM", "dumb") in ("", "dumb", "linux"):
        return None
    return from_answer(_ask()) or from_environment(os.environ.get("COLORFGBG", ""))


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


NAMES: dict[Background, str] = {"dark": "netless-dark", "light": "netless-light"}

_MAIN: Final = {
    "primary": ("#8fb8de", "#2b5f8f"), "secondary": ("#8a94a6", "#5b6575"), "accent": ("#b9a3f2", "#6a3fc0"),
    "foreground": ("#d8dde6", "#1f2530"), "background": ("#12151b", "#fbfaf7"), "panel": ("#1b2029", "#f0eee8"), "boost": ("#232935", "#e6e3da"),
    "success": ("#56b4e9", "#006aa5"), "warning": ("#e6b84c", "#8a6100"), "error": ("#f07b3f", "#b8430a"),
}  # fmt: skip
"""Textual's own colours: in the dark theme, in the light one."""
_FURTHER: Final = {
    "line": ("#343c4a", "#cfcbc0"), "muted": ("#8a94a6", "#5b6575"), "faint": ("#5c6677", "#7d8694"),
    "code": ("#e8d58a", "#7a4b00"), "code-background": ("#1b2029", "#f0eee8"),
    "box-1": ("#e8963a", "#a35200"), "box-2": ("#3fbf8f", "#00734f"), "box-3": ("#5aa9e6", "#0a66a8"),
    "host": ("#9aa5b8", "#4c5666"), "internet": ("#9aa5b8", "#4c5666"), "chip": ("#f0dc6a", "#7d6200"), "bridge": ("#b58df0", "#7a3fc9"),
    "wire": ("#aeb8c8", "#5f6978"), "flash": ("#2f3a52", "#dfe6f7"),
    "scrollbar": ("#2a313d", "#d5d1c6"), "scrollbar-hover": ("#3a4352", "#c2bdb0"), "scrollbar-active": ("#4a5466", "#aaa596"),
    "input-selection-background": ("#b9a3f2 30%", "#6a3fc0 25%"), "screen-selection-background": ("#3a4668", "#cfdcf5"),
}  # fmt: skip
"""The same for the words that are ours, and those of Textual that no main colour has."""
_LIKE_BACKGROUND: Final = ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active", "scrollbar-corner-color")


def _theme(kind: Background) -> Theme:
    at = 0 if kind == "dark" else 1
    main, further = ({name: both[at] for name, both in table.items()} for table in (_MAIN, _FURTHER))
    ground = main["background"]
    return Theme(
        name=NAMES[kind], dark=kind == "dark", primary=main["primary"], secondary=main["secondary"], accent=main["accent"],
        foreground=main["foreground"], background=ground, surface=ground, panel=main["panel"], boost=main["boost"],
        success=main["success"], warning=main["warning"], error=main["error"],
        variables={**further, **dict.fromkeys(_LIKE_BACKGROUND, ground), "block-cursor-text-style": "none"},
    )  # fmt: skip


DARK, LIGHT = THEMES = (_theme("dark"), _theme("light"))
