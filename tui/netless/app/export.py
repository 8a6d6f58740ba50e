"""Writes a session down: a shell script that does it again, Markdown notes to keep, and packets for Wireshark."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

from netless_lab.harmless import harmless
from netless_lab.protocol import Account, Capture

from ..new_files import write_new
from .reduce import Told

SCRIPT, PLAIN = 0o755, 0o644


def write(account: Account, lab: str) -> Told:
    """Write both files where the learner started the tutor, else in the home folder; says where, or why not. No sign in them acts on
    the terminal that they will be read on.
    """
    stem = _stem(lab)
    place = _put("session", {f"{stem}.sh": (_shown(account.script), SCRIPT), f"{stem}.md": (_shown(account.markdown), PLAIN)})
    return place if isinstance(place, Told) else Told("info", f"The session is in {' and '.join(place)}")


def write_packets(capture: Capture, lab: str) -> Told:
    """Write a capture where the learner started the tutor, else in the home folder."""
    if not capture.frames:
        return Told("info", "No packet is kept yet: send a probe, or follow your own with f.")
    place = _put("packets", {f"{_stem(lab)}.pcapng": (capture.pcapng, PLAIN)})
    return place if isinstance(place, Told) else Told("info", f"{capture.frames} packets are in {place[0]}; Wireshark opens it.")


def _stem(lab: str) -> str:
    """A file's name, whatever the lab is called: of the characters that a lab's name has (``address.check_name``)."""
    return f"netless-{re.sub(r'[^A-Za-z0-9_.-]', '-', lab)}-{time.strftime('%Y%m%d-%H%M%S')}"


def _shown(text: str) -> bytes:
    return harmless(text, "\t\n").encode(errors="replace")


def _put(what: str, files: Mapping[str, tuple[bytes, int]]) -> tuple[str, ...] | Told:
    """Write files of these names, contents and modes; where they are: the first with its folder, the others beside it. Or say why it
    cannot be done. The folder of the start may have been removed meanwhile, and not everybody has a home."""
    problem = ""
    for find in (Path.cwd, Path.home):
        try:
            place = find()
            first, *others = (write_new(place, name, content, mode) for name, (content, mode) in files.items())
        except (OSError, RuntimeError) as error:
            reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.filename else str(error)
            problem = f"The {what} could not be written: {reason}"
        else:
            return str(place / first), *others
    return Told("error", problem)
