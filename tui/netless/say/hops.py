"""One packet after another and byte for byte: the hops that can be looked at, as a list to choose from, and what the bytes of one mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from netless_lab.model.journey import Journey
from netless_lab.protocol import Packet

from .packets import matches, where, widest
from .text import EMPTY, Block, Blocks, Row, joined, plain

OFFSET: Final = 5
"""Cells of a row's number."""


def hops_of(journeys: Iterable[Journey], sought: str) -> list[Row]:
    """A heading for each journey, a choice for each hop that holds the words that are sought."""
    out: list[Row] = []
    for journey in journeys:
        hops = [(number, hop) for number, hop in enumerate(journey.hops) if matches(hop, sought)]
        if hops:
            title = journey.title or f"{journey.source} → {journey.target}"
            out += [*([Row(joined(""))] if out else []), Row(joined((title, "strong")))]
            wide = widest(journey)
            out += [Row(plain(hop.text), f"{journey.id}:{number}", where(hop, wide)) for number, hop in hops]
    return out or [Row(joined(("No packet is kept that can be shown.", "muted")))]


def layers(packet: Packet, width: int) -> Blocks:
    """Each layer with its fields, then the bytes: sixteen to a row, or eight or four where that is too wide."""
    blocks: list[Block] = []
    for name, fields in packet.layers:
        blocks.append(Block(plain(name, "strong", "accent")))
        blocks += [Block(plain(value), first=joined((f"  {field:<14}", "muted"))) for field, value in fields]
    data = packet.data
    blocks += [EMPTY, Block(plain(f"{len(data)} bytes", "strong"))]
    many = next((count for count in (16, 8) if OFFSET + 4 * count <= width), 4)
    for start in range(0, len(data), many):
        row = data[start : start + many]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        line = joined((f"{start:04x} ", "faint"), (row.hex(" ").ljust(3 * many - 1), "code"), (f" {letters}", "muted"))
        blocks.append(Block(line, keep=True))
    return tuple(blocks)
