"""The lower pane: terminals in the lab's nodes, packets, changes; one of them at a time, and the tabs in a pane's border that choose it.

The logs grow: each entry of changes and packets is laid out once per width and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from ..blocks import Blocks, Line, clickable, lay_out, plain
from ..pages import logs
from ..toolkit import bound
from ..view import View
from .document import Document

if TYPE_CHECKING:
    from ..terminal import PtyTerminal


E = TypeVar("E")
PACKETS, CHANGES = "packets", "changes"
"""Tabs that are not terminals; every other tab is the name of a node."""

class LogPane(Document, Generic[E]):
    """Entries in order, the newest at the end and in view unless the reader has scrolled away.

    How an entry looks depends on the one above it, so its rows are kept for as long as both are the same.
    """

    DEFAULT_CSS = "LogPane { padding: 0 1; }"
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


class ChangesPane(LogPane[logs.Entry]):
    """What changed and who changed it; see ``pages.logs``."""

    BINDINGS: ClassVar[list[BindingType]] = bound({"e": "screen.export"})

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()

    def entry(self, entry: logs.Entry, before: logs.Entry | None, width: int) -> Blocks:
        """One change."""
        return logs.change(entry, before, self._view.dialect, width)

    def nothing(self) -> Blocks:
        """Nothing changed yet."""
        return logs.NO_CHANGES

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        self.show_entries(view.entries, anew=before.dialect != view.dialect)


class PacketsPane(LogPane[logs.Packet]):
    """Every probe and what became of it, and the learner's own packets; see ``pages.logs``."""

    BINDINGS: ClassVar[list[BindingType]] = bound(
        {"f": "screen.follow", "s": "screen.save_packets", "slash": "screen.seek", "enter": "screen.choose_hop"}
    )
    sought = ""

    def seek(self, sought: str) -> None:
        """Show only what holds these words; "" shows everything."""
        self.sought = sought
        self.show_entries(self._entries, anew=True)

    def entry(self, entry: logs.Packet, before: logs.Packet | None, width: int) -> Blocks:
        """One of them."""
        return logs.packet(entry, width, self.sought)

    def nothing(self) -> Blocks:
        """No probe yet."""
        return logs.NO_PACKETS

    def show(self, view: View) -> None:
        """Paint this view."""
        self.show_entries(view.packets)


class Lower(Container):
    """Shows one tab. Terminals come and go; the two logs are always there."""

    DEFAULT_CSS = "Lower { layout: vertical; } Lower > * { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tab = CHANGES
        self.nodes: tuple[str, ...] = ()
        self.fresh: frozenset[str] = frozenset()
        self.entered: dict[str, tuple[int, int | None] | None] = {}
        self._terminals: dict[str, PtyTerminal] = {}
        self.packets = PacketsPane(id=PACKETS)
        self._changes = ChangesPane(id=CHANGES)
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
        if self.tab == PACKETS:
            return self.packets
        return self._terminals.get(self.tab, self._changes)

    @property
    def in_terminal(self) -> bool:
        """True when a terminal is shown."""
        return self.tab in self._terminals

    def terminal(self, node: str) -> PtyTerminal | None:
        """The terminal in a node, when it is open."""
        return self._terminals.get(node)

    def show(self, view: View) -> None:
        """Paint this view. What came is news, also in the tab that is chosen, until ``seen``."""
        before, self._view = self._view, view
        news = {CHANGES} if before.entries is not view.entries else set()
        if before.packets is not view.packets:
            news.add(PACKETS)
        self.fresh |= news
        if view.status is not None:
            self.nodes = tuple(node.name for node in view.status.nodes if node.role in ("host", "container"))
        self.packets.show(view)
        self._changes.show(view)

    def seen(self) -> None:
        """The chosen tab is in sight: it has no news any more."""
        self.fresh -= {self.tab}

    def choose(self, tab: str) -> None:
        """Show a tab."""
        self.tab = tab
        for name, widget in self._bodies():
            widget.display = name == tab

    async def add_terminal(self, node: str, terminal: PtyTerminal, identity: tuple[int, int | None] | None) -> None:
        """Put a terminal in this pane and show it; ``identity`` is the namespace and process its shell went into."""
        self._terminals[node] = terminal
        self.entered[node] = identity
        await self.mount(terminal)
        self.choose(node)

    def _bodies(self) -> Iterator[tuple[str, Widget]]:
        yield PACKETS, self.packets
        yield CHANGES, self._changes
        yield from self._terminals.items()


SEPARATOR = " ┊ "
NEWS = "•"


class Tab(NamedTuple):
    """One tab: what it stands for, its name in full and in short, its key, and what a click does."""

    tab: str
    name: str
    short: str
    key: str
    action: tuple[str, str]


LESSON = Tab("lesson", "Lesson", "Lesson", "F1", ("pane", "lesson"))
NETWORK = Tab("network", "Network", "Net", "F2", ("pane", "network"))
PACKETS_TAB = Tab(PACKETS, "Packets", "Pkts", "F4", ("show_tab", PACKETS))
CHANGES_TAB = Tab(CHANGES, "Changes", "Chgs", "F5", ("show_tab", CHANGES))


def lower_tabs(shown: str, nodes: Sequence[str], fresh: frozenset[str], width: int) -> Content:
    """The tabs of the lower pane: terminals by node, packets, changes."""
    return _fitting(shown, (), nodes, fresh, width)


def all_tabs(shown: str, nodes: Sequence[str], fresh: frozenset[str], width: int) -> Content:
    """Every pane as a tab, for screens with room for one pane only."""
    return _fitting(shown, (LESSON, NETWORK), nodes, fresh, width)


def _fitting(shown: str, panes: tuple[Tab, ...], nodes: Sequence[str], fresh: frozenset[str], width: int) -> Content:
    """The longest way to write the tabs that fits."""
    best = Content("")
    for keys, word, short, separator in (
        (bool(panes), "Terminal", False, SEPARATOR),
        (False, "Terminal", False, SEPARATOR),
        (False, "", False, SEPARATOR),
        (False, "", True, SEPARATOR),
        (False, "", True, " "),
    ):
        parts = [_tab(tab, shown, fresh, keys, short) for tab in panes]
        if nodes:
            terminals = [_node(node, shown) for node in nodes]
            lead = (["F3 "] if keys else []) + ([f"{word} "] if word else [])
            parts.append(Content("").join([plain(text, "$muted") for text in lead] + [Content(" ").join(terminals)]))
        parts += [_tab(tab, shown, fresh, keys, short) for tab in (PACKETS_TAB, CHANGES_TAB)]
        best = plain(separator, "$line").join(parts)
        if best.cell_length <= width:
            return best
    return best.truncate(max(1, width), ellipsis=True)


def _tab(tab: Tab, shown: str, fresh: frozenset[str], keys: bool, short: bool) -> Content:
    style = _style(tab.tab == shown)
    text = plain(f"{tab.key} ", "$faint") if keys else Content("")
    text += clickable(plain(tab.short if short else tab.name, style), *tab.action)
    return text + plain(NEWS, "$accent") if tab.tab in fresh else text


def _node(node: str, shown: str) -> Content:
    return clickable(plain(node, _style(node == shown)), "show_tab", node)


def _style(chosen: bool) -> str:
    return "bold underline $accent" if chosen else "$muted"
