"""Run what a person would type, to its end: a command line of an action, lines at a shell prompt, a program at Python's."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

SECONDS: Final = 10.0
"""How long what was typed at a prompt may take."""


MOST_SAID: Final = 64 << 10
"""Bytes that are kept of what a command says: the last ones, since a program says at the end why it ends."""


class Ended(NamedTuple):
    """How a command ended and what it said last, ``MOST_SAID`` bytes at most. ``status`` is None when it had to be stopped, with all that it had started."""

    status: int | None
    said: str

    @property
    def last_line(self) -> str:
        """The last thing it said, "" when it said nothing."""
        return next((line.strip() for line in reversed(self.said.splitlines()) if line.strip()), "")


def run_to_end(argv: Sequence[str], *, typed: str = "", seconds: float) -> Ended:
    """Run a command in a session of its own until it ends, whatever it leaves in the background: that goes on running.

    What it says goes to memory that is a file, not to a pipe: a process in the background holds a pipe open, and whoever reads the
    pipe waits for that one's end. ``typed`` is its standard input. Blocks; belongs to a thread that may wait. Raises OSError when it
    cannot be started.
    """
    with open(os.memfd_create("said"), "w+b") as said:
        source = subprocess.PIPE if typed else subprocess.DEVNULL
        process = subprocess.Popen(argv, stdin=source, stdout=said, stderr=said, text=True, start_new_session=True)
        status: int | None = None
        try:
            process.communicate(typed or None, timeout=seconds)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        said.seek(max(0, os.fstat(said.fileno()).st_size - MOST_SAID))
        return Ended(status, said.read(MOST_SAID).decode("utf-8", "replace"))


def type_in(text: str, *, python: bool) -> str:
    """Type lines at the host's shell, or a program at Python's, as lint tries each dialect; what went wrong, in words, or ""."""
    try:
        ended = run_to_end(_prompt(python=python), typed=text + "\n", seconds=SECONDS)
    except OSError as error:
        return str(error)
    if ended.status is None:
        return f"{text!r} did not end within {SECONDS:g} seconds"
    return "" if ended.status == 0 else f"{text!r} ended with {ended.status}: {ended.last_line or 'no word'}"


def typed_as(text: str, *, python: bool) -> str:
    """The command line that does the same as typing it."""
    return f"printf '%s\\n' {shlex.quote(text)} | {shlex.join(_prompt(python=python))}"


def _prompt(*, python: bool) -> list[str]:
    return [sys.executable, "-"] if python else ["sh", "-e", "-s"]
