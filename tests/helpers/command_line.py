"""``netless`` as a person or a script types it: a real process, its output, its exit code, and progress of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers import checkout

NO_LAB = 5
"""Exit code: there is no such lab."""


def own_name() -> str:
    """A name for a lab that nobody else has."""
    return f"cli-{uuid.uuid4().hex[:10]}"


class Cli:
    """``netless`` in a shell whose NETLESS_LAB is ``lab``, which keeps its progress below ``state``."""

    def __init__(self, lab: str, state: Path) -> None:
        self.lab = lab
        self.state = state
        self.environment = {**checkout.environment(), "XDG_STATE_HOME": str(state), "NETLESS_LAB": lab}

    def __call__(self, *words: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a verb and insist on its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "netless", *words],
            capture_output=True,
            text=True,
            input=stdin,
            env=self.environment,
            timeout=90,
            check=False,
        )
        assert done.returncode == code, f"netless {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def on_a_terminal(self, *words: str, answer: str, code: int = 0) -> str:
        """Run a verb on a terminal, answer its question, and insist on its exit code; all that the terminal showed."""
        ours, theirs = pty.openpty()
        with open(ours, "rb", buffering=0) as terminal:
            command = [sys.executable, "-m", "netless", *words]
            process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=self.environment)
            os.close(theirs)
            os.write(ours, answer.encode())
            shown = b""
            with contextlib.suppress(OSError):  # EIO: nobody holds the other end any more
                while read := terminal.read(4096):
                    shown += read
            assert process.wait(30) == code, shown
        return shown.decode()

    def json(self, *words: str, code: int = 0) -> Any:
        """The one document that --json prints."""
        return json.loads(self("--json", *words, code=code).stdout)


@contextlib.contextmanager
def own(state: Path, lessons: Path | None = None) -> Iterator[Cli]:
    """The command line about a lab that nobody else has, with a folder of further ``lessons``. If it runs when the block ends, it ends too."""
    cli = Cli(own_name(), state)
    if lessons is not None:
        cli.environment["NETLESS_LESSONS"] = str(lessons)
    try:
        yield cli
    finally:
        cli("down")


@contextlib.contextmanager
def begun(state: Path, course: str = "", lessons: Path | None = None) -> Iterator[Cli]:
    """The same, and the lab runs, in this course."""
    with own(state, lessons) as cli:
        cli("up", *filter(None, (course,)))
        yield cli
