"""Type lines at a shell prompt of the host, or a program at Python's, as a learner would: how lint tries each dialect."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

SECONDS: Final = 10.0
"""How long what was typed may take."""


def type_in(text: str, *, python: bool) -> str:
    """What went wrong, in words, or "". Blocks; belongs to a thread that may wait.

    Output goes to a file and not a pipe: a process left in the background would hold the pipe open.
    """
    import tempfile  # here, because a lab that starts should not wait for it

    argv = [sys.executable, "-"] if python else ["sh", "-e", "-s"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            done = subprocess.run(argv, input=text + "\n", stdout=said, stderr=said, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        said.seek(0)
        told = said.read().strip().splitlines()
    return "" if done.returncode == 0 else f"{text!r} ended with {done.returncode}: {told[-1] if told else 'no word'}"
