"""Writes a session down: a shell script that does it again, and Markdown notes to keep."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .reduce import Told


def write(script: str, markdown: str, lab: str, folder: Path | None = None) -> Told:
    """Write both files where the learner started the tutor, else in the home folder; says where, or why not."""
    stem = f"netless-{lab}-{time.strftime('%Y%m%d-%H%M%S')}"
    problem = ""
    for place in [folder] if folder else [Path.cwd(), Path.home()]:
        try:
            notes, commands = place / f"{stem}.md", place / f"{stem}.sh"
            notes.write_text(markdown, encoding="utf-8")
            commands.write_text(script, encoding="utf-8")
            os.chmod(commands, 0o755)
        except OSError as error:
            problem = f"The session could not be written to {place}: {error.strerror or error}"
        else:
            return Told("info", f"The session is in {commands} and {notes.name}")
    return Told("error", problem)
