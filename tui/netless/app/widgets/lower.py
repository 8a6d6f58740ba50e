"""The lower pane: terminals in the lab's nodes, packets, changes; one of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from ..view import View
from .log import ChangesPane, PacketsPane

if TYPE_CHECKING:
    from ..terminal import PtyTerminal

PACKETS, CHANGES = "packets", "changes"
"""Tabs that are not terminals; every other tab is the name of a node."""


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
