"""What went before, for the report of a crash: kinds alone, no name, address, text or key that anybody typed. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

KEPT: Final = 50
"""So many events are kept, and so many things that were asked of the lab."""


class Trail:
    """The kinds of what happened lately, and of what was asked of the lab."""

    def __init__(self) -> None:
        self._events: deque[str] = deque(maxlen=KEPT)
        self._asked: deque[str] = deque(maxlen=KEPT)

    def event(self, event: object) -> None:
        """Something happened."""
        self._events.append(type(event).__name__)

    def asked(self, request: object) -> None:
        """The lab was asked for something."""
        self._asked.append(type(request).__name__)

    def lines(self) -> tuple[str, ...]:
        """Both, the last one last."""
        return (f"asked of the lab: {_run(self._asked)}", f"events: {_run(self._events)}")


def _run(kinds: Iterable[str]) -> str:
    """Kinds in their order; what came several times in a row is said once, with how often."""
    runs: list[tuple[str, int]] = []
    for kind in kinds:
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1] + 1)
        else:
            runs.append((kind, 1))
    return ", ".join(kind if count == 1 else f"{kind} x{count}" for kind, count in runs) or "nothing"
