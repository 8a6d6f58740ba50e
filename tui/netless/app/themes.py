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
from typing import Literal

from textual.theme import Theme

Background = Literal["light", "dark"]

_ASK = b"\x1b]11;?\x1b\\\x1b[c"
_DA1 = re.compile(rb"\x1b\[\?[\d;]*c")
_OSC11 = re.compile(rb"\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")


def background(timeout_s: float = 0.25) -> Background | None:
    """The terminal's background, or None when it cannot be known. Never waits longer than the timeout."""
    if os.environ.get("TERM", "dumb") in ("", "dumb", "linux"):
        return None
    return from_answer(_ask(timeout_s)) or from_environment(os.environ.get("COLORFGBG", ""))


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


def _ask(timeout_s: float) -> bytes:
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
            return _collect(terminal, timeout_s)
        finally:
            termios.tcsetattr(terminal, termios.TCSANOW, saved)
    except OSError:
        return b""
    finally:
        os.close(terminal)


def _collect(terminal: int, timeout_s: float) -> bytes:
    answer, end = b"", time.monotonic() + timeout_s
    while not _DA1.search(answer):
        left = end - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            break
        answer += os.read(terminal, 256)
    return answer


NAMES: dict[Background, str] = {"dark": "netless-dark", "light": "netless-light"}

DARK = Theme(
    name=NAMES["dark"],
    dark=True,
    primary="#8fb8de",
    secondary="#8a94a6",
    accent="#b9a3f2",
    foreground="#d8dde6",
    background="#12151b",
    surface="#12151b",
    panel="#1b2029",
    boost="#232935",
    success="#56b4e9",
    warning="#e6b84c",
    error="#f07b3f",
    variables={
        "line": "#343c4a",
        "muted": "#8a94a6",
        "faint": "#5c6677",
        "code": "#e8d58a",
        "code-background": "#1b2029",
        "box-1": "#e8963a",
        "box-2": "#3fbf8f",
        "box-3": "#5aa9e6",
        "host": "#9aa5b8",
        "internet": "#9aa5b8",
        "chip": "#f0dc6a",
        "bridge": "#b58df0",
        "wire": "#aeb8c8",
        "flash": "#2f3a52",
        "scrollbar": "#2a313d",
        "scrollbar-hover": "#3a4352",
        "scrollbar-active": "#4a5466",
        "scrollbar-background": "#12151b",
        "scrollbar-background-hover": "#12151b",
        "scrollbar-background-active": "#12151b",
        "scrollbar-corner-color": "#12151b",
        "input-selection-background": "#b9a3f2 30%",
        "screen-selection-background": "#3a4668",
        "block-cursor-text-style": "none",
    },
)

LIGHT = Theme(
    name=NAMES["light"],
    dark=False,
    primary="#2b5f8f",
    secondary="#5b6575",
    accent="#6a3fc0",
    foreground="#1f2530",
    background="#fbfaf7",
    surface="#fbfaf7",
    panel="#f0eee8",
    boost="#e6e3da",
    success="#006aa5",
    warning="#8a6100",
    error="#b8430a",
    variables={
        "line": "#cfcbc0",
        "muted": "#5b6575",
        "faint": "#7d8694",
        "code": "#7a4b00",
        "code-background": "#f0eee8",
        "box-1": "#a35200",
        "box-2": "#00734f",
        "box-3": "#0a66a8",
        "host": "#4c5666",
        "internet": "#4c5666",
        "chip": "#7d6200",
        "bridge": "#7a3fc9",
        "wire": "#5f6978",
        "flash": "#dfe6f7",
        "scrollbar": "#d5d1c6",
        "scrollbar-hover": "#c2bdb0",
        "scrollbar-active": "#aaa596",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
        "input-selection-background": "#6a3fc0 25%",
        "screen-selection-background": "#cfdcf5",
        "block-cursor-text-style": "none",
    },
)

THEMES = (DARK, LIGHT)
