"""What is told in passing of what a key did, or why it did nothing: sentences alone, for whoever sits at a desk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .counted import plural


def went_on(before: str, title: str) -> str:
    """Of a step that was to be done and holds already: Run did the one after it, called ``title``."""
    return f"“{before}” holds already, so Run went on to “{title}”."


def left_out(count: int, process: str) -> str:
    """Of so many lines of a step that cannot be typed yet: from when they can. ``process`` stands for the number that is lacking (``$PID_c2``)."""
    were = plural(count, "line was", "lines were")
    return f"{were} left out: `{process}` is a process that does not run yet, and its number stands in the lesson once it does."


NO_WAY_DRAWN: Final = "No packet is kept whose way is drawn in this picture."


def nothing_moves(key: str) -> str:
    """Of a packet that was to be held, or moved by a cell; ``key`` has the newest one move."""
    return f"No packet moves just now: `{key}` has the newest move once more."


def processes_in(lines: Iterable[str]) -> tuple[str, ...]:
    """What stands in these lines for the number of a process that does not run yet (``$PID_c2``), each once."""
    return tuple(dict.fromkeys(name for line in lines for name in re.findall(r"\$PID_\w+", line)))
