"""When the app fails in a way it should not: a report in the state folder, and one sentence that says where."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from netless_lab.course.saved import insist_on_ours

from ..new_files import write_new


def folder() -> Path:
    """Where reports go (XDG base directory specification: state). Raises RuntimeError for a user who has no home."""
    base = os.environ.get("XDG_STATE_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".local/state") / "netless" / "reports"


def report(error: BaseException) -> Path | None:
    """Write the report and return its path; None when it could not be written."""
    name = time.strftime(f"%Y%m%d-%H%M%S-{os.getpid()}.txt")
    text = f"netless, Python {sys.version.split()[0]}, TERM={os.environ.get('TERM', '')}\n\n" + "".join(traceback.format_exception(error))
    try:
        place = folder()
        insist_on_ours(place)
        place.mkdir(parents=True, exist_ok=True)
        return place / write_new(place, name, text.encode(errors="replace"), 0o600)
    except (OSError, RuntimeError):
        return None


def sentence(error: BaseException, path: Path | None, lab: str) -> str:
    """What the learner reads after the terminal is restored. ``lab`` is the one that goes on without the app, "" when there is none."""
    what = f"netless failed in a way it should not ({type(error).__name__}: {error})."
    kept = f"The lab {lab} goes on: start netless again to come back to it." if lab else ""
    where = f"The report is in {path}." if path else "The report could not be written."
    return " ".join(filter(None, (what, kept, where)))
