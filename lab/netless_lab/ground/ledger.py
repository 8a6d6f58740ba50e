"""What was done to a ground, written down before it is done, so that it can be taken back whoever is interrupted when. Data, and pure.

A line that was begun and has no end may have been done or not: who takes back asks the kernel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import msgspec

from ..model.snapshot import Snapshot
from ..primitives.base import Action, Met, Where

_MOST: Final = 5000
"""Lines that a ledger in memory keeps."""


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """An action is about to be done. ``undo`` takes it back, in order; () when nothing does."""

    number: int
    action: Action
    undo: tuple[Action, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The kernel has taken the action ``number``."""

    number: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The kernel has not taken it, and says why."""

    number: int
    why: str


class TakenBack(msgspec.Struct, frozen=True, tag="taken back"):
    """It was done, and is undone."""

    number: int


class Tuned(msgspec.Struct, frozen=True, tag="tuned"):
    """The timers of new devices of a node are about to be set (``Ground.tune``), and the limits of one that is ``new`` itself. They go with the
    devices and the node: nothing has to take them back.
    """

    node: str
    links: tuple[str, ...]
    new: bool


class Restoring(msgspec.Struct, frozen=True, tag="restoring"):
    """All is about to be put back as it was at the beginning, but that exactly these containers run, with ``anew`` in fresh namespaces.

    Where no end of it follows it was interrupted, and is to be done again: whoever does it asks the kernel what is left to do. When all could
    be put back, what was written down before is undone, and the ledger closed.
    """

    containers: tuple[str, ...]
    anew: bool


class NotRestored(msgspec.Struct, frozen=True, tag="not restored"):
    """All was put back but this, in words."""

    problems: tuple[str, ...]


Line = Begun | Done | Refused | TakenBack | Tuned | Restoring | NotRestored


class Ledger(Protocol):
    """Where lines are kept: as long as the ground wants them, in memory or beyond the lab's end."""

    def write(self, line: Line) -> None:
        """Keep a line; when it returns, the line is as safe as this ground wants it. Raises OSError when it cannot be kept."""

    def lines(self) -> tuple[Line, ...]:
        """From the oldest to the newest."""

    def close(self) -> None:
        """All that was written down is undone: begin anew."""


class Memory:
    """The ledger of a ground that ends with its lab, and everything with it. The oldest lines go first."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=_MOST)

    def write(self, line: Line) -> None:
        """Keep it in memory."""
        self._lines.append(line)

    def lines(self) -> tuple[Line, ...]:
        """What is kept."""
        return tuple(self._lines)

    def close(self) -> None:
        """Forget it."""
        self._lines.clear()


def standing(lines: Iterable[Line]) -> tuple[Begun, ...]:
    """What was begun, and neither refused nor taken back, the newest first."""
    begun: dict[int, Begun] = {}
    for line in lines:
        match line:
            case Begun(number=number):
                begun[number] = line
            case Refused(number=number) | TakenBack(number=number):
                begun.pop(number, None)
    return tuple(reversed(begun.values()))


def agreed(line: Begun, now: Snapshot) -> Iterator[Action]:
    """Those actions of a line's undoing that the kernel agrees on: what they would take away or put back is there as it was left."""
    for action in line.undo:
        if all(isinstance(need.check(now, Where()), Met) for need in action.needs()):
            yield action
            now = action.outline(now)
