"""Running any command line inside a node."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Final

from ...primitives.run import Run
from ..namespace import call_in
from ..toolbox import Toolbox

LONGEST_S: Final = 60.0


class CommandFailed(Exception):
    """The line did not end well: how, and the last thing it said."""


def run(tools: Toolbox, action: Run) -> None:
    """sh(1) in the node's network namespace, once what was built just now is ready for packets.

    Raises CommandFailed for any exit status but 0, and after LONGEST_S.
    """
    namespace = tools.namespace(action.node)
    tools.settle()
    status, said = call_in(namespace, _run, action.line)
    if status is None:
        raise CommandFailed(f"it did not end within {LONGEST_S:g} seconds and was stopped")
    if status:
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
        raise CommandFailed(f"exit status {status}: {last}")


def _run(line: str) -> tuple[int | None, str]:
    """(exit status, what it said); the status is None when it had to be stopped, with all that it had started."""
    process = subprocess.Popen(
        ["sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""
    return process.returncode, said
