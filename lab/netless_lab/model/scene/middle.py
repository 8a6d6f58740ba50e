"""The host in the middle: ports on the left, bridges as bars, and the way out through the gates to the uplinks on the right.

All rows count from the host's top border and all columns from its left border.

    ● veth2 ──╖                             straight: one bridge, one uplink
              ║ br0
              ╟─[fwd]──[fw]──[NAT]─╴ eth0 ●
              ║ 10.0.0.1/24   203.0.113.2/24

    ● veth2 ──╢ br0 10.0.0.1/24 ─╮
    ● veth4 ──╢ br1 10.0.1.1/24 ─┼─[fwd]──[fw]──[NAT]─╴ eth0 ●     a trunk when several interfaces can route
    ● veth6 10.0.2.1/32 ─────────╯
"""

from __future__ import annotations

import msgspec

from ..gates import GateState
from .boxes import RightLane, Thrift
from .figure import Figure, Part
from .host_rows import COLUMN, INDENT, Bar, LinkRows, Tell, give_rows, stand
from .labels import GATE_TEXT, addresses, first_address, safe
from .values import Place

COMFORT, LEAST = 5, 3
"""Rows inside the host that look good, and the fewest that can hold a bridge with its way out."""

_MAY_SHUT = ("fwd", "fw")


class Labels(msgspec.Struct, frozen=True):
    """How much room the ports' labels take.

    ``loose`` keeps room for the goal's cables while both their ends still lie on the host, so that the bars need not move.
    ``tell`` is what a label says.
    """

    loose: bool
    tell: Tell


class GateSlot(msgspec.Struct, frozen=True):
    """A gate and the cells kept for it, so that opening or closing it moves nothing. ``wanted`` unless the lesson does without it."""

    name: str
    state: GateState
    width: int
    wanted: bool = True

    @property
    def text(self) -> str:
        """The gate as written: its state shows in its brackets."""
        return GATE_TEXT[self.state].format(self.name)


class Endpoint(msgspec.Struct, frozen=True):
    """An interface of the host that can route: where it leaves for the trunk. ``start`` is the first column of its wire."""

    part: Part
    row: int
    start: int


class Middle(msgspec.Struct, frozen=True):
    """The host laid out, but for its width."""

    inner: int
    link_rows: LinkRows
    bars: tuple[Bar, ...]
    endpoints: tuple[Endpoint, ...]
    uplinks: tuple[tuple[Part, int], ...]
    exit_row: int
    gates: tuple[GateSlot, ...]
    lane_top: int
    straight: bool
    zone: int
    last: int
    label: int
    hidden: tuple[Place, ...]

    @property
    def trunk(self) -> int:
        """The column where the ways of several interfaces meet; the bar itself when there is only one."""
        return self.last if self.straight else self.last + self.label + 3

    @property
    def split(self) -> bool:
        """Whether the way out forks behind the gates, towards several uplinks or to another row."""
        return bool(self.endpoints) and any(row != self.exit_row for part, row in self.uplinks if part.link.master is None)

    def beside(self, thrift: Thrift) -> int:
        """Columns from the fork to the right border: the uplinks' names and, with room, addresses stand there."""
        rooms = [len(part.link.name) + 5 if thrift else _address_room(part) + 3 for part, _ in self.uplinks]
        return max([*rooms, *(len(part.link.name) + 5 for part, _ in self.uplinks)], default=0)

    def leaves(self, bar: Bar) -> bool:
        """Whether a wire leaves the bar on its own row, between its name and its address."""
        routed = any(end.part is bar.part for end in self.endpoints)
        return routed or any(part.link.master == bar.part.link.name for part, _ in self.uplinks)

    def bar_x(self, bar: Bar) -> int:
        """The column of a bar."""
        return self.zone + 3 + COLUMN * bar.column

    def gates_width(self, thrift: Thrift) -> int:
        """Cells the gates take with the wire between them."""
        if not self.gates:
            return 2 if self.endpoints else 0
        return sum(slot.width for slot in self.gates) + (1 if thrift > 2 else len(self.gates) + 1)

    def width(self, thrift: Thrift) -> int:
        """The least width of the host, borders included."""
        names = max((len(part.link.name) for part, _ in self.uplinks), default=0)
        room = max((_address_room(part) for part, _ in self.uplinks), default=0)
        beside = self.beside(thrift) + 2 if self.split else names + 4
        out = self.trunk + 1 + self.gates_width(thrift) + beside if self.endpoints else self.zone + names + 4
        words = self.last + self.label + 3 if self.straight or not self.endpoints else self.trunk + 2
        below = words + room + 2 if self.uplinks and thrift < 4 else 0
        own = self.last + self.label + 4 if self.bars else self.zone + 2
        return max(out if self.uplinks or self.endpoints else 0, below, own, 20)


def plan_middle(figure: Figure, left_rows: dict[Place, int], lane: RightLane, inner: int, labels: Labels) -> Middle:
    """Lay out the host with ``inner`` rows inside it. ``left_rows`` are the rows of the left lane's ports."""
    assert figure.host is not None
    right_rows = lane.rows()
    ups = uplinks_of(figure, right_rows)
    link_rows = give_rows(figure, left_rows, frozenset(part.place for part in ups), inner, labels.tell)
    bridges = [part for part in figure.host.parts if part.link.kind == "bridge"]
    routed = {link_row.row for link_row in link_rows.links if link_row.part.link.master is None and _routes(figure, link_row.part)}
    bars = stand([(part, link_rows.rows_of(part)) for part in bridges], inner, routed) if bridges else ()
    zone = max([link_row.end for link_row in (*link_rows.links, *link_rows.taps)] + [7 if bars else 2])
    if labels.loose and figure.wishes:
        zone = max([zone] + [link_row.end - INDENT[link_row.side] + INDENT["loose"] for link_row in link_rows.links if link_row.part.place in figure.wishes])
    last = zone + 3 + COLUMN * max(bar.column for bar in bars) if bars else zone
    label = max((bar.width for bar in bars), default=0)
    endpoints = _endpoints(figure, link_rows, bars, zone, last)
    routed_out = any(part.link.master is None for part in ups)
    if not routed_out and len(endpoints) < 2:
        endpoints = ()
    straight = len(endpoints) == 1 and endpoints[0].part.link.kind == "bridge" and bars[0].tall
    exit_row, lane_top = _exit(endpoints, bars, ups, figure, right_rows, lane, inner)
    seen = tuple((part, min(max(1, right_rows[figure.cables[part.place].far(part.place)] + lane_top), inner)) for part in ups)
    return Middle(
        inner=inner, link_rows=link_rows, bars=bars, endpoints=endpoints, uplinks=seen, exit_row=exit_row, gates=_slots(figure) if endpoints else (),
        lane_top=lane_top, straight=straight, zone=zone, last=last, label=label, hidden=link_rows.hidden,
    )  # fmt: skip


def uplinks_of(figure: Figure, right_rows: dict[Place, int]) -> list[Part]:
    """The host's links with a cable to a node of the right lane, from top to bottom."""
    cabled = ((part, figure.cables.get(part.place)) for part in (figure.host.parts if figure.host is not None else ()))
    found = [(right_rows[far], part) for part, cable in cabled if cable is not None and (far := cable.far(part.place)) in right_rows]
    return [part for _, part in sorted(found, key=lambda pair: pair[0])]


def _endpoints(figure: Figure, link_rows: LinkRows, bars: tuple[Bar, ...], zone: int, last: int) -> tuple[Endpoint, ...]:
    """Bridges that hold an address and ports that route; a bridge that is alone in everything counts as well."""
    found = []
    ports = [link_row for link_row in link_rows.links if link_row.part.link.master is None and _routes(figure, link_row.part)]
    for bar in bars:
        if _routes(figure, bar.part) or (len(bars) == 1 and not ports):
            start = zone + 3 + COLUMN * bar.column if bar.tall else last + 3 + sum(len(text) for text, _ in bar.words)
            found.append(Endpoint(bar.part, bar.row, start))
    found += [Endpoint(link_row.part, link_row.row, link_row.label_end + 1) for link_row in ports]
    return tuple(found)


def _routes(figure: Figure, part: Part) -> bool:
    for link in (part.link, part.wish):
        if link is not None and addresses(link):
            return True
    routes = figure.host.node.routes if figure.host is not None else ()
    return any(route.dev == part.link.name and route.table == 254 and route.protocol != "kernel" for route in routes)


def _exit(
    endpoints: tuple[Endpoint, ...], bars: tuple[Bar, ...], ups: list[Part], figure: Figure, right_rows: dict[Place, int], lane: RightLane, inner: int
) -> tuple[int, int]:
    """The row of the gates, and the row where the right lane starts so that the first uplink is on it."""
    if len(endpoints) == 1:
        row = endpoints[0].row
    elif endpoints:
        rows = sorted(end.row for end in endpoints)
        row = (rows[0] + rows[-1]) // 2
    elif ups and ups[0].link.master is not None and bars:
        bar = next((bar for bar in bars if bar.part.link.name == ups[0].link.master), bars[0])
        row = bar.row
    else:
        row = (inner + 1) // 2
    if ups:
        row = max(1, min(row, inner - 1))
    offset = right_rows[figure.cables[ups[0].place].far(ups[0].place)] if ups else lane.height // 2
    return row, max(0, min(row - offset, inner + 2 - lane.height))


def _slots(figure: Figure) -> tuple[GateSlot, ...]:
    """Forwarding always has its gate; firewall and NAT have one when a rule, or the lesson, makes one."""
    found = []
    for gate in figure.gates:
        wanted = figure.wanted_gates is None or gate.name in figure.wanted_gates
        if gate.name == "fwd" or gate.state != "absent" or (wanted and figure.wanted_gates is not None):
            found.append(GateSlot(gate.name, gate.state, len(gate.name) + 2 + (gate.name in _MAY_SHUT), wanted))
    return tuple(found)


def _address_room(part: Part) -> int:
    wished = first_address(part.wish) if part.wish is not None else ""
    return max(len(first_address(part.link)), len(wished))


def uplink_words(part: Part) -> str:
    """The uplink's name as written beside its port."""
    return safe(part.link.name)
