"""The tabs in a pane's border: what can be looked at here, which of it is shown, and which has news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from ..blocks import clickable, plain

SEPARATOR = " ┊ "
NEWS = "•"


@dataclass(frozen=True)
class Tab:
    """One tab: what it stands for, its name in full and in short, its key, and what a click does."""

    tab: str
    name: str
    short: str
    key: str
    action: tuple[str, str]


LESSON = Tab("lesson", "Lesson", "Lesson", "F1", ("pane", "lesson"))
NETWORK = Tab("network", "Network", "Net", "F2", ("pane", "network"))
PACKETS = Tab("packets", "Packets", "Pkts", "F4", ("show_tab", "packets"))
CHANGES = Tab("changes", "Changes", "Chgs", "F5", ("show_tab", "changes"))


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
        parts += [_tab(tab, shown, fresh, keys, short) for tab in (PACKETS, CHANGES)]
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
