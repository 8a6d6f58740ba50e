"""A page of rows: the main screen with its scrollback, or the alternate screen without one.

The page knows rows, margins and what changed; it knows nothing of cursors, pens or escape sequences.  Columns and rows count from 0;
ranges are half open.  ``blank`` is the style number erased cells get.

The scrollback: rows that left the screen at the top, the oldest first, up to a limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from netless.vt.reflow import Kept, Place, fold
from netless.vt.row import FILLER, Row, split_wide


class History:
    """Rows in their small form.  A line of plain text is kept as its string alone and becomes a row when somebody looks at it:
    most of a flood is never looked at.
    """

    __slots__ = ("_kept", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: deque[Kept] = deque(maxlen=limit)

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

    def end_line(self) -> None:
        """The newest row goes on in no other."""
        if self._kept and isinstance(newest := self._kept[-1], Row):
            newest.wrapped = 0

    def take(self) -> list[Kept]:
        """Everything, the oldest first; nothing is left."""
        kept = list(self._kept)
        self._kept.clear()
        return kept

    def put(self, kept: Iterable[Kept]) -> None:
        """What was taken, or came of it."""
        self._kept.extend(row if isinstance(row, str) else row.freeze() for row in kept)


class Page:
    """Rows on the screen (``rows``), rows that left it at the top (``history``), and the scroll margins.

    ``pushed`` counts every row that ever left at the top, so ``pushed + y`` names a line for ever, however much scrolls
    (`Viewport`, `Selection`); folding anew gives other numbers, and says which (`refold`).
    """

    __slots__ = ("all_dirty", "bottom", "columns", "cut", "dirty", "history", "pushed", "rows", "top")

    def __init__(self, columns: int, height: int, scrollback: int) -> None:
        self.columns = columns
        self.rows: list[Row] = [Row() for _ in range(height)]
        self.history = History(scrollback)
        self.cut: list[Row] = []
        self.pushed = 0
        self.top, self.bottom = 0, height - 1
        self.dirty: set[int] = set()
        self.all_dirty = True

    @property
    def height(self) -> int:
        """Rows on the screen."""
        return len(self.rows)

    def take_dirty(self) -> tuple[bool, set[int]]:
        """What changed since the last call: (everything, or else these rows)."""
        taken = self.all_dirty, self.dirty
        self.all_dirty, self.dirty = False, set()
        return taken

    def blank_row(self, blank: int) -> Row:
        """An erased row."""
        return Row("", ((blank, self.columns),)) if blank else Row()

    def fill(self, blank: int) -> None:
        """Erase every row."""
        self.sever(0)
        self.cut.clear()
        self.rows[:] = [self.blank_row(blank) for _ in self.rows]
        self.all_dirty = True

    def sever(self, y: int) -> None:
        """What is in this row is no part of a line that begins above it."""
        if y:
            self.rows[y - 1].wrapped = 0
        else:
            self.history.end_line()

    # -- cells

    def put(self, y: int, x: int, cells: str | list[str], style: int) -> None:
        """Write cells over what is there.  They must fit in the row."""
        count = len(cells)
        end = x + count
        chars, styles = self.rows[y].thaw(self.columns)
        if chars[x] == FILLER:
            split_wide(chars, x)
        if end < self.columns and chars[end] == FILLER:
            split_wide(chars, end)
        chars[x:end] = cells
        styles[x:end] = [style] * count
        self.dirty.add(y)

    def insert(self, y: int, x: int, cells: str | list[str], style: int) -> None:
        """Write cells and push the rest of the row to the right; what leaves the row is lost."""
        chars, styles = self.rows[y].thaw(self.columns)
        count = min(len(cells), self.columns - x)
        split_wide(chars, x)
        split_wide(chars, self.columns - count)
        chars[x:x] = cells[:count]
        styles[x:x] = [style] * count
        del chars[self.columns :], styles[self.columns :]
        self.dirty.add(y)

    def delete(self, y: int, x: int, count: int, blank: int) -> None:
        """Remove cells and pull the rest of the row to the left."""
        chars, styles = self.rows[y].thaw(self.columns)
        count = min(count, self.columns - x)
        split_wide(chars, x)
        split_wide(chars, x + count)
        del chars[x : x + count], styles[x : x + count]
        chars += [" "] * count
        styles += [blank] * count
        self.dirty.add(y)

    def erase(self, y: int, start: int, end: int, blank: int) -> None:
        """Blank the columns from ``start`` up to ``end``."""
        if start <= 0:
            self.sever(y)
        if start <= 0 and end >= self.columns:
            self.rows[y] = self.blank_row(blank)
        elif start < end:
            chars, styles = self.rows[y].thaw(self.columns)
            split_wide(chars, start)
            split_wide(chars, end)
            chars[start:end] = [" "] * (end - start)
            styles[start:end] = [blank] * (end - start)
            if end >= self.columns:
                self.rows[y].wrapped = 0
        self.dirty.add(y)

    def join(self, y: int, x: int, mark: str, limit: int) -> None:
        """Add a combining mark to the character in this cell (or to the double-width one that ends in it)."""
        chars, _ = self.rows[y].thaw(self.columns)
        if x and chars[x] == FILLER:
            x -= 1
        if len(chars[x]) < limit:
            chars[x] += mark
        self.dirty.add(y)

    # -- rows

    def scroll_up(self, count: int, blank: int) -> None:
        """Move the rows between the margins up.  From the top of the screen they go to the history."""
        top, bottom = self.top, self.bottom
        count = min(count, bottom - top + 1)
        rows = self.rows
        self.cut.clear()
        if top:
            self.sever(top)
        elif self.history.limit:
            self._push(rows[:count])
        del rows[top : top + count]
        if count == 1:
            rows.insert(bottom, self.blank_row(blank))
        else:
            rows[bottom - count + 1 : bottom - count + 1] = [self.blank_row(blank) for _ in range(count)]
        self.all_dirty = True

    def scroll_down(self, count: int, blank: int) -> None:
        """Move the rows between the margins down."""
        self.insert_rows(self.top, count, blank)

    def insert_rows(self, y: int, count: int, blank: int) -> None:
        """Open blank rows at ``y``; outside the margins this does nothing."""
        if self.top <= y <= self.bottom:
            count = min(count, self.bottom - y + 1)
            del self.rows[self.bottom - count + 1 : self.bottom + 1]
            self.rows[y:y] = [self.blank_row(blank) for _ in range(count)]
            self.sever(y)
            self.rows[self.bottom].wrapped = 0
            self.all_dirty = True

    def delete_rows(self, y: int, count: int, blank: int) -> None:
        """Remove rows at ``y``; outside the margins this does nothing."""
        if self.top <= y <= self.bottom:
            count = min(count, self.bottom - y + 1)
            del self.rows[y : y + count]
            end = self.bottom - count + 1
            self.rows[end:end] = [self.blank_row(blank) for _ in range(count)]
            self.sever(y)
            self.sever(end)
            self.all_dirty = True

    def pour(self, lines: Sequence[str], style: int) -> None:
        """Plain lines printed on the untouched bottom row of a page without margins, each followed by a line feed.

        The end state of printing them one by one, at the cost of the lines that stay.
        """
        columns, height = self.columns, len(self.rows)
        skipped = max(0, len(lines) - self.history.limit - height)
        gone, lines = lines[:skipped], lines[skipped:]
        if self.history.limit:
            self.pushed += _rows_of(gone, columns)
        if style or max(map(len, lines)) > columns:
            self._pour_rows([row for line in lines for row in _fold(line, columns, style)])
        elif len(lines) < height:
            self._pour_rows([Row(line) for line in lines])
        else:
            split = len(lines) - height + 1
            if self.history.limit:
                self._push(self.rows[:-1])
                self.history.push_plain(lines[:split])
                self.pushed += split
            self.rows[:] = [*map(Row, lines[split:]), Row()]
        self.all_dirty = True

    def _pour_rows(self, fresh: list[Row]) -> None:
        everything = self.rows[:-1] + fresh
        gone = len(everything) - len(self.rows) + 1
        if self.history.limit:
            self._push(everything[:gone])
        self.rows[:] = [*everything[gone:], Row()]

    def clear_history(self) -> None:
        """Forget the scrollback."""
        self.history.take()
        self.all_dirty = True

    def _push(self, rows: Sequence[Row]) -> None:
        self.history.push(rows)
        self.pushed += len(rows)

    def widen(self, columns: int) -> None:
        """Another width without folding: the page of a program that draws it anew.  What a narrower page does not show is not lost."""
        for row in self.rows:
            row.paint = None
        self.columns = columns
        self.all_dirty = True

    def refold(self, columns: int, typed: Place, seen: Sequence[Place] = ()) -> tuple[Place, list[Place]]:
        """Another width, all lines folded anew; returns where the cursor is now, and the places ``seen``, whose rows are lines' numbers.

        Rows that this makes more of go to blank ones below the cursor first, then to the history; a full screen stays full, so rows
        come back from there when lines take fewer.
        """
        height, above = len(self.rows), len(self.history)
        used = max(self._used, typed.row + 1)
        everything = [*self.history.take(), *self.rows[:used]]
        first, count = self.pushed - above, len(everything)
        kept = [Place(max(0, row - first), column) for row, column in seen]
        within = [place for place in kept if place.row < count]
        folded = fold(everything, columns, Place(above + typed.row, typed.column), [Place(above, 0), *within])
        cursor, top, *moved = folded.places
        total = len(folded.rows)
        start = max(0, total - height) if used == height or total - top.row > height else top.row
        if self.history.limit:
            self.pushed += start - above
            self.history.put(folded.rows[:start])
        shown = [Row(row) if isinstance(row, str) else row for row in folded.rows[start:]]
        self.rows[:] = [*shown, *(Row() for _ in range(height - len(shown)))]
        self.widen(columns)
        now = iter(moved)
        places = [next(now) if place.row < count else Place(place.row - count + total, place.column) for place in kept]
        return Place(max(0, cursor.row - start), cursor.column), [Place(self.pushed - start + row, column) for row, column in places]

    @property
    def _used(self) -> int:
        """Rows down to the last that shows something."""
        return next((y for y in range(len(self.rows), 0, -1) if self.rows[y - 1].plain), 0)

    def resize(self, height: int, cursor: int) -> int:
        """Another height; returns the row the cursor is on now.

        Shrinking drops blank rows below the cursor first and sends the top rows to the history; growing takes them back.  A page without
        one keeps them until it scrolls or is erased.
        """
        rows, delta = self.rows, height - len(self.rows)
        if delta < 0:
            while delta and len(rows) - 1 > cursor and not rows[-1].plain:
                rows.pop()
                delta += 1
            if delta:
                if self.history.limit:
                    self._push(rows[:-delta])
                else:
                    self.cut += rows[:-delta]
                del rows[:-delta]
                cursor = max(0, cursor + delta)
        else:
            for _ in range(delta):
                if self.history:
                    rows.insert(0, self.history.pop())
                    self.pushed -= 1
                    cursor += 1
                elif self.cut:
                    rows.insert(0, self.cut.pop())
                    cursor += 1
                else:
                    rows.append(Row())
        self.top, self.bottom = 0, height - 1
        self.all_dirty = True
        return min(cursor, height - 1)

    def give_up_line(self, y: int) -> None:
        """Blank the rows of the line that this row is part of, as rows of their own."""
        first = last = y
        while first and self.rows[first - 1].wrapped:
            first -= 1
        while last + 1 < len(self.rows) and self.rows[last].wrapped:
            last += 1
        for at in range(first, last + 1):
            self.erase(at, 0, self.columns, 0)


def _fold(line: str, columns: int, style: int) -> list[Row]:
    """A line as rows of the screen's width."""
    pieces = [line[at : at + columns] for at in range(0, max(len(line), 1), columns)]
    last = len(pieces) - 1
    return [Row(piece, ((style, len(piece)),) if style and piece else (), len(piece) if at < last else 0) for at, piece in enumerate(pieces)]


def _rows_of(lines: Sequence[str], columns: int) -> int:
    """How many rows these lines take."""
    if not lines or max(map(len, lines)) <= columns:
        return len(lines)
    return sum(max(1, -(-len(line) // columns)) for line in lines)
