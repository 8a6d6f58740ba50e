"""One packet, layer by layer, and its bytes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from netless_lab.protocol import Packet

from ..blocks import EMPTY, Block, Blocks, joined, plain
from ..widgets.document import Document
from ..widgets.keybar import Key
from .panel import Panel

OFFSET = 5
"""Cells of a row's number."""


class LayersScreen(Panel[None]):
    """What the bytes of one hop mean."""

    TITLE_TEXT = "One packet"
    KEYS = (Key("Esc", "Close", "screen.close"), Key("↑↓", "Scroll", "", live=False))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,enter", "close", "Close", show=False)]

    def __init__(self, packet: Packet) -> None:
        super().__init__()
        self._packet = packet

    def body(self) -> ComposeResult:
        """Layers, then bytes."""
        document = Document(id="panel-body")
        document.set_source(lambda width: layers_text(self._packet, width))
        yield document

    def on_mount(self) -> None:
        """The arrows scroll."""
        self.query_one("#panel-body").focus()


def layers_text(packet: Packet, width: int) -> Blocks:
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
