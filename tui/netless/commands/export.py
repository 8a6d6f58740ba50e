"""Writes a session down: a shell script that does it again, Markdown notes to keep, packets for Wireshark, pictures and recordings of the screen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from netless_lab.harmless import harmless
from netless_lab.protocol import Account, Capture

from ..desk.reduce import Told
from ..new_files import open_new, write_new
from ..say.counted import plural

if TYPE_CHECKING:
    from ..record.still import Still

Done = TypeVar("Done")
SCRIPT, PLAIN, OWN = 0o755, 0o644, 0o600
_Files = dict[str, tuple[bytes, int]]
"""Contents and modes of new files, by their names."""


def write(account: Account, lab: str) -> Told:
    """Write both files where the learner started the tutor, else in the home folder; says where, or why not. No sign in them acts on
    the terminal that they will be read on.
    """
    stem = _stem(lab)
    return _put("session", {f"{stem}.sh": (_shown(account.script), SCRIPT), f"{stem}.md": (_shown(account.markdown), PLAIN)}, "The session is in {}")


def write_packets(capture: Capture, lab: str) -> Told:
    """Write a capture where the learner started the tutor, else in the home folder."""
    if not capture.frames:
        return Told("info", "No packet is kept yet: send a probe, or follow your own packets.")
    return _put("packets", {f"{_stem(lab)}.pcapng": (capture.pcapng, PLAIN)}, f"{plural(capture.frames, 'packet is', 'packets are')} in {{}}; Wireshark opens it.")


def write_screen(still: Still, lab: str) -> Told:
    """Write a picture of the screen in the same place: SVG, and PNG when there is one."""
    stem = _stem(lab)
    files: _Files = {f"{stem}.svg": (still.svg, PLAIN), **({f"{stem}.png": (still.png, PLAIN)} if still.png else {})}
    told = _put("picture", files, "The screen is in {}")
    return told if told.level == "error" or not still.lacking else Told("warning", f"{told.text}. {still.lacking}", copies=told.copies)


def open_recording(lab: str) -> tuple[int, str] | Told:
    """A new file for a recording in the same place, and its path. What a terminal shows may be private: nobody else can read it."""
    opened = _somewhere("recording", lambda place: (place, *open_new(place, f"{_stem(lab)}.cast", OWN)))
    return opened if isinstance(opened, Told) else (opened[1], str(opened[0] / opened[2]))


def _stem(lab: str) -> str:
    """A file's name, whatever the lab is called: of the characters that a lab's name has (``address.check_name``)."""
    return f"netless-{re.sub(r'[^A-Za-z0-9_.-]', '-', lab)}-{time.strftime('%Y%m%d-%H%M%S')}"


def _shown(text: str) -> bytes:
    return harmless(text, "\t\n").encode(errors="replace")


def _put(what: str, files: _Files, words: str) -> Told:
    """Write these files; say in these words where they are, the first with its folder, the others beside it, or why it cannot be done."""
    done = _somewhere(what, lambda place: (place, [write_new(place, name, content, mode) for name, (content, mode) in files.items()]))
    if isinstance(done, Told):
        return done
    place, (first, *others) = done
    path = str(place / first)
    return Told("info", words.format(" and ".join((path, *others))), copies=path)


def _somewhere(what: str, do: Callable[[Path], Done]) -> Done | Told:
    """Do this in the folder where the learner started the tutor, else in the home folder, or say why it cannot be done. The folder of the
    start may have been removed meanwhile, and not everybody has a home."""
    problem = ""
    for find in (Path.cwd, Path.home):
        try:
            return do(find())
        except (OSError, RuntimeError) as error:
            reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.filename else str(error)
            problem = f"The {what} could not be written: {reason}"
    return Told("error", problem)
