"""What is left when netless fails in a way it should not: a report in the state folder, and the sentence that says where it is.

A report has the traceback, versions, the terminal, and of what went before only kinds: no name, address, text or key that anybody typed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from netless_lab.ours import insist_on_ours

from . import __version__
from .new_files import write_new

_PACKAGES: Final = ("textual", "rich", "msgspec", "pyroute2")
_VARIABLES: Final = ("TERM", "COLORTERM", "TERM_PROGRAM", "LANG", "LC_ALL", "NO_COLOR", "TMUX", "SSH_TTY")
_TELLING: Final = frozenset({"TERM", "COLORTERM", "TERM_PROGRAM", "LANG", "LC_ALL"})
"""Variables whose value is a kind of terminal or language; of the others is told whether they are set."""


def reports() -> Path:
    """Where reports go (XDG base directory specification: state). Raises RuntimeError for a user who has no home."""
    base = os.environ.get("XDG_STATE_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".local/state") / "netless" / "reports"


def report(error: BaseException, *, size: tuple[int, int] | None = None, before: Iterable[str] = ()) -> Path | None:
    """Write the report and return its path; None when it could not be written. ``size`` is the terminal's, ``before`` what a trail says (``desk.trail``)."""
    import traceback  # what only a crash needs, here and below

    name = time.strftime(f"%Y%m%d-%H%M%S-{os.getpid()}.txt")
    text = "\n".join((*_circumstances(size), *before, "", "".join(traceback.format_exception(error))))
    try:
        place = reports()
        insist_on_ours(place)
        place.mkdir(parents=True, exist_ok=True)
        return place / write_new(place, name, text.encode(errors="replace"), 0o600)
    except (OSError, RuntimeError):
        return None


def sentence(error: BaseException, path: Path | None, lab: str = "") -> str:
    """What the learner reads on the ordinary screen. ``lab`` is the one that goes on without the app, "" when there is none."""
    what = f"netless failed in a way it should not ({type(error).__name__}: {error})."
    kept = f"The lab {lab} goes on: start netless again to come back to it." if lab else ""
    where = f"The report is in {path}." if path else "The report could not be written."
    return " ".join(filter(None, (what, kept, where)))


def _circumstances(size: tuple[int, int] | None) -> Iterable[str]:
    import platform

    versions = ", ".join(f"{package} {_version(package)}" for package in _PACKAGES)
    yield f"netless {__version__}, Python {platform.python_version()}, {versions}"
    yield f"kernel: {platform.system()} {platform.release()} {platform.machine()}"
    given = (f"{name}={os.environ[name]}" if name in _TELLING else f"{name} is set" for name in _VARIABLES if name in os.environ)
    yield f"terminal: {', '.join((*given, f'{size[0]}x{size[1]}' if size else 'size unknown'))}, encoding {sys.__stdout__.encoding if sys.__stdout__ else 'none'}"


def _version(package: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
