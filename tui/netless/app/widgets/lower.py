"""The lower pane: terminals in the lab's nodes, packets, changes; one of them at a time.

The logs grow: each entry of changes and packets is laid out once per width and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from ...desk.view import View
from ...say.changes import NO_CHANGES, Entry, change
from ...say.packets import NO_PACKETS, Packet, packet
from ...say.tabs import CHANGES, PACKETS, Fixed
from ...say.text import Blocks, Line, lay_out
from ..keys import bindings
from .document import Document

if TYPE_CHECKING:
    from ..terminal import PtyTerminal


E = TypeVar("E")


class LogPane(Document, Generic[E]):
    """Entries in order, the newest at the end and in view unless the reader has scrolled away.

    How an entry looks depends on the one above it, so its rows are kept for as long as both are the same.
    """

    DEFAULT_CSS = "LogPane { padding: 0 1; }"
    WIDTHS = 1
    tail = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[E, ...] = ()
        self._kept: dict[int, tuple[E, E | None, tuple[Line, ...]]] = {}
        self._kept_width = 0

    def entry(self, entry: E, before: E | None, width: int) -> Blocks:
        """One entry as blocks; ``before`` is the one above it."""
        raise NotImplementedError

    def nothing(self) -> Blocks:
        """What an empty log says."""
        raise NotImplementedError

    def show_entries(self, entries: tuple[E, ...], *, anew: bool = False) -> None:
        """Show these; ``anew`` when they look different than before (another dialect)."""
        if entries is self._entries and not anew:
            return
        if anew:
            self._kept.clear()
        self._entries = entries
        self.lay_out_anew()

    def arrange_lines(self, width: int) -> tuple[Line, ...]:
        """All rows; only entries not seen before in this place are laid out."""
        if not self._entries:
            return lay_out(self.nothing(), width)
        if width != self._kept_width:
            self._kept.clear()
            self._kept_width = width
        kept: dict[int, tuple[E, E | None, tuple[Line, ...]]] = {}
        lines: list[Line] = []
        before: E | None = None
        for entry in self._entries:
            known = self._kept.get(id(entry))
            if known is None or known[1] is not before:
                known = (entry, before, lay_out(self.entry(entry, before, width), width))
            kept[id(entry)] = known
            lines += known[2]
            before = entry
        self._kept = kept
        return tuple(lines)


class ChangesPane(LogPane[Entry]):
    """What changed and who changed it; see ``say.changes``."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("changes")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()

    def entry(self, entry: Entry, before: Entry | None, width: int) -> Blocks:
        """One change."""
        return change(entry, before, self._view.dialect, width)

    def nothing(self) -> Blocks:
        """Nothing changed yet."""
        return NO_CHANGES

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        self.show_entries(view.entries, anew=before.dialect != view.dialect)


class PacketsPane(LogPane[Packet]):
    """Every probe and what became of it, and the learner's own packets; see ``say.packets``."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("packets")
    SEARCHED = False
    sought = ""

    def seek(self, sought: str) -> None:
        """Show only what holds these words; "" shows everything."""
        self.sought = sought
        self.show_entries(self._entries, anew=True)

    def entry(self, entry: Packet, before: Packet | None, width: int) -> Blocks:
        """One of them."""
        return packet(entry, width, self.sought)

    def nothing(self) -> Blocks:
        """No probe yet."""
        return NO_PACKETS

    def show(self, view: View) -> None:
        """Paint this view."""
        self.show_entries(view.packets)


class Lower(Container):
    """Shows one tab. Terminals come and go; the two logs are always there."""

    DEFAULT_CSS = "Lower { layout: vertical; } Lower > * { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tab: Fixed | str = CHANGES
        self.nodes: tuple[str, ...] = ()
        self.fresh: frozenset[Fixed] = frozenset()
        self.entered: dict[str, tuple[int, int | None] | None] = {}
        self._terminals: dict[str, PtyTerminal] = {}
        self.packets = PacketsPane(id=PACKETS.value)
        self._changes = ChangesPane(id=CHANGES.value)
        self._view = View()

    def compose(self) -> ComposeResult:
        """The two logs."""
        yield self.packets
        yield self._changes

    def on_mount(self) -> None:
        """Show the first tab."""
        self.choose(self.tab)

    @property
    def current(self) -> Widget:
        """The widget of the tab that is shown."""
        return self.packets if self.tab == PACKETS else self.shown_terminal or self._changes

    @property
    def shown_terminal(self) -> PtyTerminal | None:
        """The terminal that is shown, if one is."""
        return self._terminals.get(self.tab) if isinstance(self.tab, str) else None

    @property
    def in_terminal(self) -> bool:
        """True when a terminal is shown."""
        return self.shown_terminal is not None

    def terminal(self, node: str) -> PtyTerminal | None:
        """The terminal in a node, when it is open."""
        return self._terminals.get(node)

    def terminals(self) -> tuple[tuple[str, PtyTerminal], ...]:
        """Those that are open, each with its node."""
        return tuple(self._terminals.items())

    def show(self, view: View) -> None:
        """Paint this view. What came is news, also in the tab that is chosen, until ``seen``."""
        before, self._view = self._view, view
        news: set[Fixed] = {CHANGES} if before.entries is not view.entries else set()
        if before.packets is not view.packets:
            news.add(PACKETS)
        self.fresh |= news
        if view.status is not None:
            self.nodes = tuple(node.name for node in view.status.nodes if node.role in ("host", "container"))
        self.packets.show(view)
        self._changes.show(view)

    def seen(self) -> None:
        """The chosen tab is in sight: it has no news any more."""
        self.fresh = frozenset(tab for tab in self.fresh if tab != self.tab)

    def choose(self, tab: Fixed | str) -> None:
        """Show a tab."""
        self.tab = tab
        for name, widget in self._bodies():
            widget.display = name == tab

    def add_terminal(self, node: str, terminal: PtyTerminal) -> None:
        """Put the terminal of a node in this pane."""
        self._terminals[node] = terminal
        self.mount(terminal)

    async def put_away(self, node: str) -> None:
        """Take the terminal of a node away for another one to come in its place, when it is gone."""
        await self._terminals.pop(node).remove()

    def close(self, node: str, tab: Fixed | str) -> None:
        """Take the terminal of a node away, and show another tab if it is the one that is shown."""
        self._terminals.pop(node).remove()
        self.choose(tab if self.tab == node else self.tab)

    def _bodies(self) -> Iterator[tuple[Fixed | str, Widget]]:
        yield PACKETS, self.packets
        yield CHANGES, self._changes
        yield from self._terminals.items()
