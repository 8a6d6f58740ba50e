"""A terminal as a pure value machine: bytes of a program in, cells and events out.  Standard library only; no screen toolkit."""

from netless.vt.row import FILLER, Row
from netless.vt.screen import Screen
from netless.vt.style import Attr, Colour, Flag, StyleTable
from netless.vt.terminal import SCROLLBACK, Bell, CommandStarted, Event, PromptShown, Terminal, Title

__all__ = [
    "FILLER", "SCROLLBACK", "Attr", "Bell", "Colour", "CommandStarted", "Event", "Flag", "PromptShown", "Row", "Screen", "StyleTable",
    "Terminal", "Title",
]  # fmt: skip
