"""The shell of a lab's terminal: bash with marks around its prompt where there is a bash, else the machine's sh with the same prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BASHRC: Final = Path(__file__).parent / "bashrc"
"""Start-up file of the lab's bash.  It reads NETLESS_NODE (shown in the prompt) and NETLESS_HISTORY from the environment."""

_CHOOSE: Final = 'command -v bash >/dev/null && exec bash --rcfile "$1" -i; PS1=$2; export PS1; exec sh -i'
_PLAIN_PROMPT: Final = "\x1b]133;A\x07${NETLESS_NODE:-lab}:$PWD# \x1b]133;B\x07"
r"""The prompt of sh: with the marks, and nothing that only bash expands.  The marks end in BEL, because sh(1) takes the backslash of
``ESC \`` in a prompt as quoting what follows."""


def command() -> tuple[str, ...]:
    """argv of an interactive shell, to stand behind the argv that enters a node.

    Which shell is decided by a sh where the command runs, not here: a node may see other programs than this process does.
    """
    return ("sh", "-c", _CHOOSE, "sh", str(BASHRC), _PLAIN_PROMPT)
