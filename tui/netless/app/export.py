"""Writes a session down: a shell script that does it again, Markdown notes to keep, and packets for Wireshark."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from pathlib import Path

from .reduce import Told

SCRIPT, PLAIN = 0o755, 0o644


def write(script: str, markdown: str, lab: str) -> Told:
    """Write both files where the learner started the tutor, else in the home folder; says where, or why not."""
    stem = _stem(lab)
    notes, commands = f"{stem}.md", f"{stem}.sh"
    place = _put("session", {notes: (markdown.encode(), PLAIN), commands: (script.encode(), SCRIPT)})
    return place if isinstance(place, Told) else Told("info", f"The session is in {place / commands} and {notes}")


def write_packets(pcapng: str, frames: int, lab: str) -> Told:
    """Write a capture (base64 of a pcapng file) where the learner started the tutor, else in the home folder."""
    if not frames:
        return Told("info", "No packet is kept yet: send a probe, or follow your own with f.")
    name = f"{_stem(lab)}.pcapng"
    place = _put("packets", {name: (base64.b64decode(pcapng), PLAIN)})
    return place if isinstance(place, Told) else Told("info", f"{frames} packets are in {place / name}; Wireshark opens it.")


def _stem(lab: str) -> str:
    """A file's name, whatever the lab is called: of the characters that a lab's name has (``address.check_name``)."""
    return f"netless-{re.sub(r'[^A-Za-z0-9_.-]', '-', lab)}-{time.strftime('%Y%m%d-%H%M%S')}"


def _put(what: str, files: Mapping[str, tuple[bytes, int]]) -> Path | Told:
    """Write files of these names, contents and modes, and return their folder; or say why it cannot be done. The folder of the start
    may have been removed meanwhile, and not everybody has a home."""
    problem = ""
    for find in (Path.cwd, Path.home):
        try:
            place = find()
            for name, (content, mode) in files.items():
                (place / name).write_bytes(content)
                (place / name).chmod(mode)
        except (OSError, RuntimeError) as error:
            reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.filename else str(error)
            problem = f"The {what} could not be written: {reason}"
        else:
            return place
    return Told("error", problem)
