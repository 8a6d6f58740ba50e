"""What is told in passing: one row at the top, over the line that says where one is. It hides nothing of what is read below, at any size.

What is longer goes on in the same place, row after row. The newest is told at once, since it answers the last key; what it interrupts is told
again afterwards, from its beginning, so that nothing is swallowed and no row stands there alone. What speaks only of how things stood is void then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, runtime_checkable

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from netless_lab.harmless import harmless

from ...desk.view import Level, Saying, View
from ...say.cells import cells, divide_line, fitting
from ...say.links import Copy
from ...say.text import BLANK, Look, Text, blanks, joined, plain, ticked
from ..paint import content_of

MARKS: Final[dict[Level, tuple[str, Look, float]]] = {"info": ("", "accent", 4), "warning": ("! ", "warn", 8), "error": ("✗ ", "bad", 8)}
"""How a saying of a level is marked and coloured, and for how many seconds it stays when one row holds it."""
ROW_S: Final = 4.0
"""How long a row stays that goes on in another."""
EDGE, COUNT = 3, 5
"""Cells of the bar and the blanks around a row, and of what says how many rows come after it."""
LEFT: Final = 24
"""Cells of the line below that are worth to be left in sight."""


class Note(NamedTuple):
    """A saying that is told: the whole of it, and how many letters of it have been read."""

    level: Level
    text: Text
    of: str = ""
    lapses: bool = False
    read: int = 0

    @property
    def rest(self) -> Text:
        """What is still to be read."""
        return self.text.part(self.read)


class Row(NamedTuple):
    """What is told now, and in which cell it begins. Where little of the line below would be left in sight, none of it is."""

    text: Text
    x: int = 0


class Notices:
    """What is to be told, the newest first. ``show`` takes the row that is told now, and None when all is told; ``later`` sets a timer."""

    def __init__(self, show: Callable[[Row | None], None], later: Callable[[float, Callable[[], None]], Timer]) -> None:
        self._show, self._later = show, later
        self._notes: list[Note] = []
        self._stands: tuple[str | None, frozenset[str] | None] = None, None
        self._width = 80
        self._timer: Timer | None = None

    def __bool__(self) -> bool:
        return bool(self._notes)

    def tell(self, saying: Saying) -> None:
        """Tell this now. What is still to be read is not told a second time; nothing of it acts on a terminal but by a click."""
        if saying.of and self._stands[0] not in (saying.of, None):
            return
        mark, *_ = MARKS[saying.level]
        text, copies = (harmless(" ".join(own.split("\n"))) for own in (saying.text, saying.copies))
        before, found, after = text.partition(copies) if copies else (text, "", "")
        note = Note(saying.level, joined(mark, ticked(before), plain(found).leading(Copy(saying.copies)), ticked(after)), saying.of, saying.lapses)
        kept = [own for own in self._notes if not own.lapses]
        if all((own.level, own.text) != note[:2] for own in kept):
            self._notes = [note, *(own._replace(read=0) for own in kept)]
            self._turn()

    def resized(self, width: int) -> None:
        """The rows are others at this width."""
        self._width = width
        self._turn()

    def over(self) -> None:
        """The row has been read, clicked, or put away: on to the next one, of this note or of the one before it."""
        note, *others = self._notes
        cuts = self._cuts(note, alone=not others)
        self._notes = [note._replace(read=note.read + cuts[0]), *others] if cuts else others
        self._turn()

    def stand(self, view: View) -> None:
        """How things stand: at which step, and what it lacks, as it was judged last. Where that is another, what spoke of it is put away."""
        place = view.status.position if view.status is not None else None
        waits = view.judged is not None and view.judged.result == "waiting" and place == self._stands[0]
        lacks = self._stands[1] if waits else _lacking(view)
        changed, self._stands = (place, lacks) != self._stands, (place, lacks)
        kept = [own for own in self._notes if own.of in ("", place) and not own.lapses]
        if changed and kept != self._notes:
            self._notes = kept
            self._turn()

    def _cuts(self, note: Note, *, alone: bool) -> list[int]:
        """Where the rest of a note is broken into rows."""
        rest, room = note.rest, self._width - EDGE
        return [] if alone and rest.cells <= room else broken(rest.plain, max(8, room - COUNT))

    def _turn(self) -> None:
        """The row that is next."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self._notes:
            self._show(None)
            return
        note, *others = self._notes
        _, look, seconds = MARKS[note.level]
        cuts = self._cuts(note, alone=not others)
        further = len(cuts) + sum(1 + len(self._cuts(own, alone=own is others[-1])) for own in others)
        row = note.rest.parts(cuts)[0].stripped()
        text = joined(("▌", look), " ") + row + (joined((f"  +{further}", "muted")) if further else blanks(1))
        self._show(Row(text, self._width - text.cells) if text.cells <= self._width - LEFT else Row(text.padded(self._width)))
        self._timer = self._later(ROW_S if cuts or note.read else seconds, self.over)


def _lacking(view: View) -> frozenset[str] | None:
    """The claims that do not hold; None where nothing was judged."""
    return None if view.judged is None else frozenset(item.claim for item in view.judged.items if item.result in ("fail", "error"))


def broken(text: str, room: int) -> list[int]:
    """Where a text is broken into rows: as everywhere, but a word that would leave more than half of its row blank, a path, begins there."""
    cuts: list[int] = []
    at = 0
    while at < len(text):
        piece = text[at : at + 4 * room]
        cut = divide_line(piece, room)[0] if cells(piece.rstrip()) > room else len(piece)
        if cut < len(piece) and 2 * cells(piece[:cut]) < room:
            cut = fitting(piece, room)[0]
        at += max(1, cut)
        cuts.append(at)
    return cuts[:-1]


@runtime_checkable
class Tells(Protocol):
    """An app that tells something in passing."""

    notice: Row | None


class NoticeRow(Widget):
    """The row that is told now; every screen has one. The app shows it on those that there are: none watches the app, which would keep whoever did."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "NoticeRow { layer: notice; dock: top; height: 1; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self._row = Row(BLANK)

    def on_mount(self) -> None:
        """A screen may open while something is told."""
        if isinstance(self.app, Tells):
            self.show(self.app.notice)

    def show(self, row: Row | None) -> None:
        """Tell this, or nothing."""
        self.display = row is not None
        if row is not None:
            self._row = row
            self.styles.width, self.styles.offset = row.text.cells, (row.x, 0)
            self.refresh()

    def render(self) -> Content:
        """It."""
        return content_of(self._row.text)

    async def on_click(self) -> None:
        """On to what comes next."""
        await self.app.run_action("app.notice_read")
