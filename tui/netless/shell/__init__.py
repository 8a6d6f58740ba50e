"""How a shell is started: its command, its start-up file, and the environment of a program inside the tutor's terminal.

The app's terminals and ``netless shell`` start the same one: bash with marks around its prompt where there is a bash, else the machine's sh
with the same prompt. Plain Python: a shell on the command line loads no screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

BASHRC: Final = Path(__file__).parent / "bashrc"
"""Start-up file of the lab's bash.  It reads NETLESS_NODE (shown in the prompt) and NETLESS_HISTORY from the environment."""
_CHOOSE: Final = '[ -z "$3" ] || stty -echo; command -v bash >/dev/null && exec bash $3 --rcfile "$1" -i; PS1=$2; export PS1; exec sh -i'
_PLAIN_PROMPT: Final = "\x1b]133;A\x07${NETLESS_NODE:-lab}:$PWD# \x1b]133;B\x07"
r"""The prompt of sh: with the marks, and nothing that only bash expands.  The marks end in BEL, because sh(1) takes the backslash of
``ESC \`` in a prompt as quoting what follows."""
_FOREIGN: Final = frozenset((
    "COLUMNS", "LINES", "ROWS", "TERM", "TERMCAP", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "TMUX_PANE", "STY", "WINDOWID",
    "VTE_VERSION", "KITTY_WINDOW_ID", "KITTY_PID", "WT_SESSION", "KONSOLE_VERSION", "ITERM_SESSION_ID", "LC_TERMINAL",
    "LC_TERMINAL_VERSION", "BASH_ENV", "ENV", "PROMPT_COMMAND",
))  # fmt: skip
"""They describe the terminal the tutor itself runs in, or would start code in the learner's shell."""


def command(*, line_editing: bool = True) -> tuple[str, ...]:
    """argv of an interactive shell, to stand behind the argv that enters a node. Without ``line_editing`` it echoes nothing and moves no cursor:
    what somebody typed is on his own terminal already.

    Which shell is decided by a sh where the command runs, not here: a node may see other programs than this process does.
    """
    return ("sh", "-c", _CHOOSE, "sh", str(BASHRC), _PLAIN_PROMPT, "" if line_editing else "--noediting")


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
