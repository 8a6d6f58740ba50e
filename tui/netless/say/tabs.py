"""The tabs in the border of a pane: terminals by node, packets, changes; and every pane, where there is room for one only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from .links import Link, ShowPane, ShowTerminal
from .text import BLANK, Text, blanks, plain


class Fixed(Enum):
    """The tabs that are always there. Every other one is a terminal, and is the name of its node, which may be any word."""

    LESSON = "lesson"
    NETWORK = "network"
    PACKETS = "packets"
    CHANGES = "changes"


PACKETS: Final = Fixed.PACKETS
CHANGES: Final = Fixed.CHANGES
"""The two logs."""

SEPARATOR: Final = " ┊ "
NEWS: Final = "•"


class Tab(NamedTuple):
    """One of them: its name in full and in short, and where it leads."""

    tab: Fixed
    name: str
    short: str
    link: Link


LESSON = Tab(Fixed.LESSON, "Lesson", "Lesson", ShowPane("lesson"))
NETWORK = Tab(Fixed.NETWORK, "Network", "Net", ShowPane("network"))
PACKETS_TAB = Tab(PACKETS, "Packets", "Pkts", ShowPane("packets"))
CHANGES_TAB = Tab(CHANGES, "Changes", "Chgs", ShowPane("changes"))


def lower_tabs(shown: Fixed | str, nodes: Sequence[str], fresh: frozenset[Fixed], width: int) -> Text:
    """The tabs of the lower pane: terminals by node, packets, changes."""
    return _fitting(shown, (), nodes, fresh, width, {})


def all_tabs(shown: Fixed | str, nodes: Sequence[str], fresh: frozenset[Fixed], width: int, keys: Mapping[str, str]) -> Text:
    """Every pane as a tab with its key, for screens with room for one pane only; the terminals have one for all of them, ``terminal``.

    There are no ``keys`` while all of them go to a shell.
    """
    return _fitting(shown, (LESSON, NETWORK), nodes, fresh, width, keys)


def _fitting(shown: Fixed | str, panes: tuple[Tab, ...], nodes: Sequence[str], fresh: frozenset[Fixed], width: int, keys: Mapping[str, str]) -> Text:
    """The longest way to write the tabs that fits; a key is worth more than the word for what a node's name stands for."""
    best = BLANK
    none: Mapping[str, str] = {}
    for named, word, short, separator in (
        (keys, "Terminal", False, SEPARATOR),
        (keys, "", False, SEPARATOR),
        (none, "Terminal", False, SEPARATOR),
        (none, "", False, SEPARATOR),
        (none, "", True, SEPARATOR),
        (none, "", True, " "),
    ):
        parts = [_tab(tab, shown, fresh, named, short) for tab in panes]
        if nodes:
            terminals = [_node(node, shown) for node in nodes]
            lead = ([f"{named['terminal']} "] if named else []) + ([f"{word} "] if word else [])
            parts.append(BLANK.between([plain(text, "muted") for text in lead] + [blanks(1).between(terminals)]))
        parts += [_tab(tab, shown, fresh, named, short) for tab in (PACKETS_TAB, CHANGES_TAB)]
        best = plain(separator, "line").between(parts)
        if best.cells <= width:
            return best
    return best.cut(max(1, width))


def _tab(tab: Tab, shown: Fixed | str, fresh: frozenset[Fixed], keys: Mapping[str, str], short: bool) -> Text:
    text = plain(f"{keys[tab.tab.value]} ", "faint") if keys else BLANK
    text += _named(tab.short if short else tab.name, tab.tab == shown, tab.link)
    return text + plain(NEWS, "accent") if tab.tab in fresh else text


def _node(node: str, shown: Fixed | str) -> Text:
    return _named(node, node == shown, ShowTerminal(node))


def _named(name: str, chosen: bool, link: Link) -> Text:
    return (plain(name, "strong", "underlined", "accent") if chosen else plain(name, "muted")).leading(link)
