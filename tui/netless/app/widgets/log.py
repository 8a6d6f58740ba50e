"""The panes that grow: changes and packets. Each entry is laid out once per width and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from textual.content import Content

from netless_lab.protocol import ActionEvent, ChangesEvent, ProbeEvent

from ..blocks import Blocks, Line, lay_out
from ..pages.changes import changes
from ..pages.packets import packets
from ..view import View
from .document import Document

E = TypeVar("E")


class LogPane(Document, Generic[E]):
    """Entries in order, the newest at the end and in view unless the reader has scrolled away."""

    DEFAULT_CSS = "LogPane { padding: 0 1; }"
    tail = True

    def __init__(self, render: Callable[[Sequence[E], int], Blocks], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._render_entries = render
        self._entries: tuple[E, ...] = ()
        self._kept: dict[int, tuple[E, tuple[Line, ...]]] = {}
        self._kept_width = 0

    def show_entries(self, entries: tuple[E, ...], *, anew: bool = False) -> None:
        """Show these; ``anew`` when they look different than before (another dialect)."""
        if entries is self._entries and not anew:
            return
        if anew:
            self._kept.clear()
        self._entries = entries
        self._lay_out(self._text_width())

    def arrange_lines(self, width: int) -> tuple[Line, ...]:
        """All rows; only entries not seen before are laid out."""
        if not self._entries:
            return lay_out(self._render_entries((), width), width)
        if width != self._kept_width:
            self._kept.clear()
            self._kept_width = width
        kept: dict[int, tuple[E, tuple[Line, ...]]] = {}
        lines: list[Line] = []
        for entry in self._entries:
            known = self._kept.get(id(entry))
            if known is None:
                known = (entry, lay_out(self._render_entries((entry,), width), width))
            kept[id(entry)] = known
            lines += known[1]
        self._kept = kept
        return tuple(lines)


class ChangesPane(LogPane["ActionEvent | ChangesEvent"]):
    """What changed and who changed it; see ``pages.changes``."""

    def __init__(self, *, id: str | None = None) -> None:
        self._view = View()
        super().__init__(lambda entries, width: changes(entries, self._view.dialect, width), id=id)
        self.border_title = Content("Changes")

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        self.show_entries(view.entries, anew=before.dialect != view.dialect)


class PacketsPane(LogPane[ProbeEvent]):
    """Every probe and what became of it; see ``pages.packets``."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(packets, id=id)
        self.border_title = Content("Packets")

    def show(self, view: View) -> None:
        """Paint this view."""
        self.show_entries(view.packets)
