"""The small screens about packets: the hops of all that are kept, one packet layer by layer and its bytes, a word to look for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from netless_lab import protocol
from netless_lab.model.journey import Hop

from ..blocks import EMPTY, Block, Blocks, joined, plain
from ..pages.logs import ARROWS, Packet, matches
from ..toolkit import bound
from ..widgets.bars import Key
from ..widgets.document import Choices, Row
from .panel import CHOOSE, SCROLL, ListPanel, Panel


class HopsScreen(ListPanel[tuple[int, int]]):
    """Returns (journey, hop), or None."""

    TITLE_TEXT = "Which packet?"
    KEYS = (Key("Enter", "Its bytes", "screen.take"), CHOOSE, Key("Esc", "Close", "screen.close"))
    BINDINGS: ClassVar[list[BindingType]] = bound({"q": "close"})

    def __init__(self, packets: Sequence[Packet], sought: str, at: str = "") -> None:
        # those that were followed and can be looked at again
        self._journeys = tuple(packet.journey for packet in packets if packet.journey is not None and packet.journey.id)
        self._sought = sought
        chosen = [row.value for row in self.rows(80) if row.value]
        super().__init__(at if at in chosen else chosen[-1] if chosen else "")

    def rows(self, width: int) -> list[Row]:
        """A heading for each journey, a choice for each hop that holds the words that are sought; what is long goes on below."""
        out: list[Row] = []
        for journey in self._journeys:
            hops = [(number, hop) for number, hop in enumerate(journey.hops) if matches(hop, self._sought)]
            if hops:
                title = journey.title or f"{journey.source} → {journey.target}"
                out += [*([Row(joined(""))] if out else []), Row(joined((title, "bold")))]
                out += [row for number, hop in hops for row in _hop(hop, f"{journey.id}:{number}", width)]
        return out or [Row(joined(("No packet is kept that can be shown.", "$muted")))]

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Its bytes."""
        journey, _, hop = event.value.partition(":")
        self.dismiss((int(journey), int(hop)))


def _hop(hop: Hop, value: str, width: int) -> list[Row]:
    lead = joined((f"{hop.at_us:>8.1f} us ", "$faint"), (f"{hop.node} {hop.link}", "$chip"), " ", ARROWS[hop.direction], " ")
    first, *more = plain(hop.text).wrap(max(8, width - lead.cell_length)) or [Content("")]
    return [Row(lead + first, value), *(Row(Content(" " * lead.cell_length) + line) for line in more)]


OFFSET = 5
"""Cells of a row's number."""


class LayersScreen(Panel[None]):
    """What the bytes of one hop mean."""

    TITLE_TEXT = "One packet"
    KEYS = (Key("Esc", "Close", "screen.close"), SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = bound({"q,enter": "close"})

    def __init__(self, packet: protocol.Packet) -> None:
        super().__init__()
        self._packet = packet

    def text(self, width: int) -> Blocks:
        """Layers, then bytes."""
        return layers_text(self._packet, width)


def layers_text(packet: protocol.Packet, width: int) -> Blocks:
    """Each layer with its fields, then the bytes: sixteen to a row, or eight or four where that is too wide."""
    blocks: list[Block] = []
    for name, fields in packet.layers:
        blocks.append(Block(plain(name, "bold $accent")))
        blocks += [Block(plain(value), first=joined((f"  {field:<14}", "$muted"))) for field, value in fields]
    data = packet.data
    blocks += [EMPTY, Block(plain(f"{len(data)} bytes", "bold"))]
    many = next((count for count in (16, 8) if OFFSET + 4 * count <= width), 4)
    for start in range(0, len(data), many):
        row = data[start : start + many]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        line = joined((f"{start:04x} ", "$faint"), (row.hex(" ").ljust(3 * many - 1), "$code"), (f" {letters}", "$muted"))
        blocks.append(Block(line, keep=True))
    return tuple(blocks)


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

    def on_input_submitted(self) -> None:
        """Enter: show these."""
        self.action_done()

    def action_done(self) -> None:
        """Show these."""
        self.dismiss(self.query_one("#search", Input).value.strip())
