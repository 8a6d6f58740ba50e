"""A packet moving over the picture: pure state, one cell a tick, with pause and step. The widget paints it and keeps the time."""

from __future__ import annotations

from dataclasses import dataclass, replace

Cell = tuple[int, int]


@dataclass(frozen=True)
class Replay:
    """One packet's way over the cells of a picture. ``label`` travels beside it."""

    cells: tuple[Cell, ...]
    label: str = ""
    at: int = 0
    paused: bool = False

    @property
    def here(self) -> Cell:
        """The cell it is on."""
        return self.cells[self.at]

    @property
    def over(self) -> bool:
        """True when it has arrived."""
        return self.at >= len(self.cells) - 1

    def tick(self) -> Replay:
        """One cell on, unless paused or arrived."""
        return self if self.paused or self.over else replace(self, at=self.at + 1)

    def step(self) -> Replay:
        """One cell on by hand; pauses."""
        return replace(self, paused=True, at=min(self.at + 1, len(self.cells) - 1))

    def pause(self) -> Replay:
        """Hold, or go on."""
        return replace(self, paused=not self.paused)

    def again(self) -> Replay:
        """From the start."""
        return replace(self, at=0, paused=False)


def label_cells(replay: Replay, width: int) -> tuple[int, int, str] | None:
    """Where the label stands: (x, y, text) above the packet when there is a row, else below; kept inside the width."""
    if not replay.label or width < 3:
        return None
    x, y = replay.here
    text = f" {replay.label} "[:width]
    return max(0, min(x - len(text) // 2, width - len(text))), y - 1 if y else y + 1, text
