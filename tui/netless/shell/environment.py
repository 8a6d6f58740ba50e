"""The environment of a program inside the tutor's terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_FOREIGN: Final = frozenset(
    (
        "COLUMNS", "LINES", "ROWS", "TERM", "TERMCAP", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "TMUX_PANE", "STY", "WINDOWID",
        "VTE_VERSION", "KITTY_WINDOW_ID", "KITTY_PID", "WT_SESSION", "KONSOLE_VERSION", "ITERM_SESSION_ID", "LC_TERMINAL",
        "LC_TERMINAL_VERSION", "BASH_ENV", "ENV", "PROMPT_COMMAND",
    )
)  # fmt: skip
"""They describe the terminal the tutor itself runs in, or would start code in the learner's shell."""


def terminal_environment(inherited: Mapping[str, str], dark: bool, extra: Mapping[str, str], codeset: str = "UTF-8") -> dict[str, str]:
    """What the child gets: the tutor's environment without the outer terminal, then ``extra``.

    ``COLORFGBG`` tells programs the background (``ip -c`` picks its palette by it).  The locale always counts in UTF-8, because the
    terminal does: ``codeset`` is what the machine makes of the inherited locale (nl_langinfo(3)), which is not what its name says
    where the locale is not installed.
    """
    environment = {name: value for name, value in inherited.items() if name not in _FOREIGN and not name.startswith("TEXTUAL")}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLORFGBG": "15;0" if dark else "0;15"}
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if environment.get(name):
            if codeset != "UTF-8" or "utf" not in environment[name].lower():
                environment[name] = "C.UTF-8"
            break
    else:
        environment["LC_CTYPE"] = "C.UTF-8"
    return environment | dict(extra)
