"""The shell a lab's terminal runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

BASHRC: Final = Path(__file__).parent / "bashrc"
"""Start-up file of the lab's shell.  It reads NETLESS_NODE (shown in the prompt) and NETLESS_HISTORY from the environment."""


def argv() -> tuple[str, ...]:
    """The command of an interactive shell; a plain sh, without marks and colours, where there is no bash."""
    if shutil.which("bash"):
        return ("bash", "--rcfile", str(BASHRC), "-i")
    return ("sh", "-i")
