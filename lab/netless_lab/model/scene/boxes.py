"""A node as printed lines: its links, two lines or one each, with what belongs together drawn as a tree.

╭─ c1 ─────────────╮
│ veth1            ●      full: name, then address
│ 10.0.0.2/24      │
│ ╓ br0            │      a bridge inside the node: a bar on the left, its ports below
│ ║ 10.9.0.1/24    │
│ ╙─veth7          ○
╰─ netns c1 ───────╯

The right lane: the internet as a cloud, and other nodes beyond the host's uplinks as boxes with their ports on the left.

    .-~~~~-.
●──( internet )
    `-....-'
   isp0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from ..gates import gates_of
from .figure import Actor, Figure, Part, lower_of
from .labels import GATE_TEXT, NO_ADDRESS, TO, Piece, addresses, bridge_style, clip, dot, first_address, is_lo, kind_tag, safe
from .values import Level, Place

MIN_BOX = 14


class Line(msgspec.Struct, frozen=True):
    """One printed line. ``part`` is set on the line of a link's name, ``room`` is the width to keep for it.

    ``look``: drawn, or a part of the goal not built yet. ``port`` is false for a link that needs no dot on the border.
    """

    pieces: tuple[Piece, ...]
    part: Part | None = None
    real: bool = True
    port: bool = True
    room: int = 0

    @property
    def width(self) -> int:
        """Cells it needs."""
        return max(self.room, sum(len(text) for text, _ in self.pieces))


class Block(msgspec.Struct, frozen=True):
    """A node's lines, framed or bare. ``foot`` are the words in its bottom border, from the longest version to the shortest."""

    actor: Actor
    lines: tuple[Line, ...]
    framed: bool
    foot: tuple[tuple[Piece, ...], ...] = ()

    @property
    def height(self) -> int:
        """Rows it takes."""
        return len(self.lines) + 2 * self.framed

    @property
    def width(self) -> int:
        """Cells it needs, frame included."""
        inside = max((line.width for line in self.lines), default=0)
        if not self.framed:
            return inside + 2
        return max(inside + 4, len(self.actor.label) + 6, MIN_BOX)

    def foot_for(self, room: int) -> tuple[Piece, ...]:
        """The longest version of the foot that takes at most ``room`` cells: a name coming or going must not move the picture."""
        return next((words for words in self.foot if sum(len(text) for text, _ in words) <= room), ())

    def row_of(self, index: int) -> int:
        """The row of a line, counted from the block's top."""
        return index + self.framed


def block(figure: Figure, actor: Actor, level: Level, ghosts: bool) -> Block:
    """The node as lines for a level of detail."""
    lines = tuple(_lines(figure, actor, level))
    foot = _foot(actor, lines, ghosts) if level != "mini" else ()
    if not any(line.real for line in lines):
        lonely = _lonely(actor)
        if not lines:
            lines = (Line(lonely),) if level in ("mini", "compact") else (Line(lonely), Line(()))
        elif not ghosts:
            lines = (msgspec.structs.replace(lines[0], pieces=lonely, real=actor.real, room=lines[0].width), *lines[1:])
    if level == "mini":
        return Block(actor, _named(actor, lines), framed=False)
    return Block(actor, lines, framed=True, foot=foot)


def _lonely(actor: Actor) -> tuple[Piece, ...]:
    return (("no links", "dim"),) if actor.lo is None else (("only lo ", "dim"), dot(actor.lo))


def _foot(actor: Actor, lines: Sequence[Line], ghosts: bool) -> tuple[tuple[Piece, ...], ...]:
    """What /run/netns calls the node, or the gates of a further host; and its loopback when that is down and nothing else says so."""
    drawn = any(line.real for line in lines)
    down = actor.lo is not None and not actor.lo.up and (drawn or (bool(lines) and ghosts))
    lo: tuple[Piece, ...] = (("lo ", "dim"), dot(actor.lo)) if actor.lo is not None and down else ()
    if actor.real and actor.node.role == "host":
        return _gates(actor, lo)
    names = actor.node.names if actor.real and actor.node.role not in ("host", "internet") else ()
    if not names:
        return (lo,) if lo else ()
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    name = safe(names[0])
    gap: tuple[Piece, ...] = ((" ", ""),) if lo else ()
    texts = (f"netns {name}{more}", f"{name}{more}", clip(name, 9) + more)
    return (*[((text, "dim"), *gap, *lo) for text in texts], *[((text, "dim"),) for text in texts])


def _gates(actor: Actor, lo: tuple[Piece, ...]) -> tuple[tuple[Piece, ...], ...]:
    """The gates of a host that is drawn as a box: forwarding, and what rules make. As many as there is room for, from the first on."""
    told = [(GATE_TEXT[gate.state].format(gate.name), f"gate-{gate.state}") for gate in gates_of(actor.node) if gate.name == "fwd" or gate.state != "absent"]
    gap: tuple[Piece, ...] = ((" ", ""),) if lo else ()
    return (*[(*told[:count], *gap, *lo) for count in range(len(told), 0, -1)], *[tuple(told[:count]) for count in range(len(told), 0, -1)])


def _named(actor: Actor, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Bare lines start with the node's name, the first of them visibly."""
    name = clip(actor.label, 15) + " "
    found = []
    for index, line in enumerate(lines):
        lead = (name, actor.frame + "-title") if index == 0 and actor.real else (" " * len(name), "")
        found.append(msgspec.structs.replace(line, pieces=(lead, *line.pieces), room=line.room + len(name) if line.room else 0))
    return tuple(found)


def _lines(figure: Figure, actor: Actor, level: Level) -> list[Line]:
    parts = actor.parts
    if len(parts) == 1:
        return _link_lines(figure, parts[0], level, (), ())
    own = {part.place for part in parts}
    children: dict[str, list[Part]] = {}
    roots: list[Part] = []
    names = {part.place[1] for part in parts}
    for part in parts:
        lower = lower_of(part)
        above = part.link.master if part.link.master in names else lower[1] if lower in own and lower is not None else None
        if above is None or above == part.place[1]:
            roots.append(part)
        else:
            children.setdefault(above, []).append(part)
    found: list[Line] = []
    placed: set[str] = set()

    def add(part: Part, lead: tuple[Piece, ...], under: tuple[Piece, ...]) -> None:
        if part.place[1] in placed:
            return
        placed.add(part.place[1])
        below = [child for child in children.get(part.place[1], ()) if child.place[1] not in placed]
        is_bridge = part.link.kind == "bridge"
        style = bridge_style(part.link) if is_bridge else "dim"
        top: tuple[Piece, ...] = (("╓ " if below else "║ ", style),) if is_bridge else ()
        bar: tuple[Piece, ...] = (("║ ", style),) if is_bridge and below else (("│ ", style),) if below else ()
        own_under = (*under, *(bar if bar else ((("  ", ""),) if is_bridge else ())))
        found.extend(_link_lines(figure, part, level, (*lead, *top), own_under))
        for child in below:
            last = child is below[-1]
            knot = ("╙─" if last else "╟─") if is_bridge else ("└╴" if last else "├╴")
            add(child, (*under, (knot, style)), (*under, ("  ", "") if last else bar[0]))

    for root in roots:
        add(root, (), ())
    for part in parts:
        add(part, (), ())
    return found


def _link_lines(figure: Figure, part: Part, level: Level, lead: tuple[Piece, ...], under: tuple[Piece, ...]) -> list[Line]:
    link = part.link
    name: list[Piece] = [(safe(link.name), "chip" if link.kind != "bridge" else bridge_style(link))]
    if tag := _tag(figure, part):
        name.append((f" {tag}", "dim"))
    port = link.kind != "bridge" and link.kind != "loopback"
    if not port and (not link.up or not link.carrier):
        name += [(" ", ""), dot(link)]
    wished = first_address(part.wish) if part.wish is not None else ""
    indent = sum(len(text) for text, _ in lead)
    if level in ("compact", "mini"):
        address = first_address(link)
        before = sum(len(text) for text, _ in name)
        if address:
            name += [(" ", ""), (address, "address")]
        room = indent + before + 1 + len(wished) if wished else 0
        return [_line(part, (*lead, *name), port, room)]
    lines = [_line(part, (*lead, *name), port, 0)]
    found = addresses(link)
    if level == "detail":
        texts: Sequence[str] = found
    else:
        texts = (first_address(link),) if found else ()
    if not texts and link.master is None:
        texts = (NO_ADDRESS,)
    for text in texts:
        piece = (text, "dim" if text == NO_ADDRESS else "address")
        lines.append(msgspec.structs.replace(_line(part, (*under, piece), False, indent + len(wished)), part=None))
    return lines


def _line(part: Part, pieces: Sequence[Piece], port: bool, room: int) -> Line:
    if part.real:
        return Line(tuple(pieces), part, True, port, room)
    return Line(tuple((text, "ghost") for text, _ in pieces), part, False, port, room)


def _tag(figure: Figure, part: Part) -> str:
    """The kind of device, and the device it sits on when that is in another node and no wire can show it."""
    tag = kind_tag(part.link)
    lower = lower_of(part)
    if lower is None or lower[0] == part.place[0]:
        return tag
    if figure.host is not None and lower[0] == figure.host.name and figure.side(part.place[0]) == "left":
        return tag
    return f"{tag} {TO} {safe(lower[0])} {safe(lower[1])}" if lower[0] else f"{tag} {TO} unseen"


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
