"""The scrollback: rows that left the screen at the top, the oldest first, up to a limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from netless.vt.row import Row


class History:
    """Rows in their small form.  A line of plain text is kept as its string alone and becomes a row when somebody looks at it:
    most of a flood is never looked at.
    """

    __slots__ = ("_kept", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: deque[Row | str] = deque(maxlen=limit)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, at: int) -> Row:
        kept = self._kept[at]
        if isinstance(kept, str):
            kept = self._kept[at] = Row(kept)
        return kept

    def __iter__(self) -> Iterator[Row]:
        return (self[at] for at in range(len(self._kept)))

    def push(self, rows: Iterable[Row]) -> None:
        """Keep these rows, the oldest first."""
        self._kept.extend(row.freeze() for row in rows)

    def push_plain(self, lines: Sequence[str]) -> None:
        """Keep lines of single-width characters without any look; none longer than the screen was wide."""
        self._kept.extend(lines)

    def pop(self) -> Row:
        """Take the newest row back."""
        kept = self._kept.pop()
        return Row(kept) if isinstance(kept, str) else kept

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
