"""A word or two to look for."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from ..widgets.keybar import Key
from .panel import Panel


class SeekScreen(Panel[str]):
    """Returns what to look for; "" shows everything again."""

    TITLE_TEXT = "Show only packets with"
    KEYS = (Key("Enter", "Show", "screen.done"), Key("Esc", "Leave it", "screen.close"))

    def __init__(self, sought: str) -> None:
        super().__init__()
        self._sought = sought

    def body(self) -> ComposeResult:
        """One field."""
        yield Input(self._sought, placeholder="node, interface, kind or address: veth2 arp", id="search", compact=True)

    def on_mount(self) -> None:
        """Typing begins at once."""
        self.query_one("#search").focus()

    def on_input_submitted(self) -> None:
        """Enter."""
        self.action_done()

    def action_done(self) -> None:
        """Show these."""
        self.dismiss(self.query_one("#search", Input).value.strip())
