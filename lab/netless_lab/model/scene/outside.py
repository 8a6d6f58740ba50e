"""The right lane: the internet as a cloud, and other nodes beyond the host's uplinks as boxes with their ports on the left.

        .-~~~~-.
    ●──( internet )
        `-....-'
       isp0
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .boxes import Block, block
from .figure import Actor, Figure, Part
from .labels import Piece, clip, first_address, is_lo, safe
from .values import Level, Place

CLOUD = 12
SMALL_CLOUD = 8

Thrift = Literal[0, 1, 2, 3, 4]
"""What is left out to save columns: nothing; the address below a cloud; half the cloud; the space between gates; uplinks' addresses."""


class Outside(msgspec.Struct, frozen=True):
    """One node of the right lane. ``top`` counts from the lane's top; ``ports`` are rows from the node's own top. Without a block: a cloud."""

    actor: Actor
    top: int
    height: int
    ports: tuple[tuple[Part, int], ...]
    block: Block | None = None


class RightLane(msgspec.Struct, frozen=True):
    """The whole lane."""

    nodes: tuple[Outside, ...]
    height: int
    hidden: tuple[Place, ...] = ()

    def rows(self) -> dict[Place, int]:
        """The row of each port, counted from the lane's top."""
        return {part.place: node.top + row for node in self.nodes for part, row in node.ports}

    def width(self, thrift: Thrift) -> int:
        """Cells it needs."""
        return max((_width(node, thrift) for node in self.nodes), default=0)


def stack_right(figure: Figure, level: Level, ghosts: bool, height: int) -> RightLane:
    """Stack the right lane's nodes with a row between them, as many as fit ``height``."""
    nodes: list[Outside] = []
    hidden: list[Place] = []
    top = 0
    for actor in figure.right:
        node = _outside(figure, actor, "full" if level in ("detail", "full") else "compact", ghosts)
        if top + node.height > height and nodes:
            if actor.real:
                hidden += [(actor.name, "")] + [part.place for part in actor.parts if part.real]
            continue
        nodes.append(msgspec.structs.replace(node, top=top))
        top += node.height + 1
    return RightLane(tuple(nodes), max(0, top - 1), tuple(hidden))


def _outside(figure: Figure, actor: Actor, level: Level, ghosts: bool) -> Outside:
    links = [part for part in actor.parts if not is_lo(part.link)]
    if actor.node.role == "internet" and len(links) <= 1 and not any(part.link.kind == "bridge" for part in links):
        return Outside(actor, 0, 4 if links else 3, tuple((part, 1) for part in links))
    box = block(figure, actor, level, ghosts)
    ports = tuple((line.part, box.row_of(row)) for row, line in enumerate(box.lines) if line.part is not None)
    return Outside(actor, 0, box.height, ports, box)


def _width(node: Outside, thrift: Thrift) -> int:
    if node.block is not None:
        return node.block.width
    words = [sum(len(text) for text, _ in line) for line in under_cloud(node, thrift)]
    return max([SMALL_CLOUD if thrift > 1 else CLOUD, *words])


def under_cloud(node: Outside, thrift: Thrift) -> list[tuple[Piece, ...]]:
    """The words below a cloud: its link and, with room, that link's address."""
    if not node.ports:
        return []
    part = node.ports[0][0]
    lines: list[tuple[Piece, ...]] = [((safe(part.link.name), "chip" if part.real else "ghost"),)]
    address = first_address(part.link)
    if address and thrift == 0:
        lines.append(((address, "address" if part.real else "ghost"),))
    return lines


def cloud_rows(name: str, thrift: Thrift) -> tuple[str, str, str]:
    """The cloud itself, three rows of equal width."""
    if thrift > 1:
        return " .-~~-. ", f"({clip(name if name != 'internet' else 'inet', 6).center(6)})", " `-..-' "
    return "  .-~~~~-.  ", f"({clip(name, 10).center(10)})", "  `-....-'  "
