"""Writes a session down: a shell script that does it again, and Markdown notes to keep."""

from __future__ import annotations

import base64
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


def write_packets(pcapng: str, frames: int, lab: str, folder: Path | None = None) -> Told:
    """Write a capture (base64 of a pcapng file) where the learner started the tutor, else in the home folder."""
    if not frames:
        return Told("info", "No packet is kept yet: send a probe, or follow your own with f.")
    name = f"netless-{lab}-{time.strftime('%Y%m%d-%H%M%S')}.pcapng"
    problem = ""
    for place in [folder] if folder else [Path.cwd(), Path.home()]:
        try:
            (place / name).write_bytes(base64.b64decode(pcapng))
        except (OSError, ValueError) as error:
            problem = f"The packets could not be written to {place}: {error}"
        else:
            return Told("info", f"{frames} packets are in {place / name}; Wireshark opens it.")
    return Told("error", problem)
