"""The small screens about packets: the hops of all that are kept, one packet layer by layer and its bytes, a word to look for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from netless_lab import protocol

from ...say.hops import hops_of, layers
from ...say.packets import Packet
from ...say.text import Blocks, Row
from ..keys import bindings
from ..widgets.bars import keys_in
from .lists import CHOOSE, Field, ListPanel
from .panel import SCROLL, Panel


class HopsScreen(ListPanel[tuple[int, int]]):
    """Returns (journey, hop), or None."""

    TITLE_TEXT = "Which packet?"
    KEYS = (*keys_in("hops", "bytes"), CHOOSE, *keys_in("hops", "close"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("hops")

    def __init__(self, packets: Sequence[Packet], sought: str, at: str = "") -> None:
        # those that were followed and can be looked at again
        self._journeys = tuple(packet.journey for packet in packets if packet.journey is not None and packet.journey.id)
        self._sought = sought
        chosen = [row.value for row in self.rows() if row.value]
        super().__init__(at if at in chosen else chosen[-1] if chosen else "")

    def rows(self) -> list[Row]:
        """A heading for each journey, a choice for each hop that holds the words that are sought."""
        return hops_of(self._journeys, self._sought)

    def chosen(self, value: str) -> None:
        """Its bytes."""
        journey, _, hop = value.partition(":")
        self.dismiss((int(journey), int(hop)))


class LayersScreen(Panel[None]):
    """What the bytes of one hop mean."""

    TITLE_TEXT = "One packet"
    KEYS = (*keys_in("packet"), SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = bindings("packet")

    def __init__(self, packet: protocol.Packet) -> None:
        super().__init__()
        self._packet = packet

    def text(self, width: int) -> Blocks:
        """Layers, then bytes."""
        return layers(self._packet, width)


class SeekScreen(Panel[str]):
    """Returns what to look for; "" shows everything again."""

    TITLE_TEXT = "Show only packets with"
    KEYS = keys_in("seek")
    BINDINGS: ClassVar[list[BindingType]] = bindings("seek")

    def __init__(self, sought: str) -> None:
        super().__init__()
        self._sought = sought

    def body(self) -> ComposeResult:
        """One field."""
        yield Field(self._sought, placeholder="node, interface, kind or address: veth2 arp")

    def on_input_submitted(self) -> None:
        """Enter: show these."""
        self.action_done()

    def action_done(self) -> None:
        """Show these."""
        self.dismiss(self.query_one("#search", Input).value.strip())
