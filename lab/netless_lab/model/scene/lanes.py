"""The picture in lanes: containers left, host in the middle, internet right. Here everything gets its rows and columns.

Three levels of detail by the height there is (four, three or one rows a container); widths from comfortable to tight. When not even the
tight one fits, there is no plan and the picture becomes an outline.
"""

from __future__ import annotations

import msgspec

from .boxes import Block, RightLane, Thrift, block, stack_right
from .figure import Cable, Figure, lower_of
from .host_rows import COLUMN, rows_wanted
from .labels import addresses
from .middle import COMFORT, LEAST, Labels, Middle, plan_middle, uplinks_of
from .values import Level, Place

_SAVINGS: tuple[tuple[Thrift, Labels], ...] = (
    (0, Labels(loose=True, tell="all")),
    (1, Labels(loose=True, tell="all")),
    (1, Labels(loose=False, tell="all")),
    (1, Labels(loose=False, tell="below")),
    (2, Labels(loose=False, tell="all")),
    (2, Labels(loose=False, tell="below")),
    (3, Labels(loose=False, tell="all")),
    (3, Labels(loose=False, tell="below")),
    (2, Labels(loose=False, tell="kind")),
    (3, Labels(loose=False, tell="kind")),
    (4, Labels(loose=False, tell="kind")),
    (4, Labels(loose=False, tell="name")),
)
"""From comfortable to tight: what is left out, and what the labels of the host's ports say. The first that fits counts, but an address that is there is
told rather than marked where a tighter one has room for it.
"""

MARGIN, TIGHT = 1, 78
"""Cells that stay free at each side, so that no box leans on what is around the picture; in so many cells or fewer none do, and words have them."""

LEVELS: tuple[Level, ...] = ("detail", "full", "compact", "mini")


class Column(msgspec.Struct, frozen=True):
    """The left lane: blocks with their top rows, from the lane's top. ``more`` nodes found no room."""

    blocks: tuple[tuple[Block, int], ...]
    height: int
    width: int
    more: int
    hidden: tuple[Place, ...]

    def rows(self, shift: int) -> dict[Place, int]:
        """The row of each port, counted from ``shift`` rows above the lane's top."""
        lines = ((line.part, top + each.row_of(index) + shift) for each, top in self.blocks for index, line in enumerate(each.lines))
        return {part.place: row for part, row in lines if part is not None}


class Detour(msgspec.Struct, frozen=True):
    """A cable that is not a straight line: an upright channel beside the lanes, and a row below everything when it must pass the host."""

    cable: Cable
    gutter: str
    channel: int
    below: int = -1


class Lanes(msgspec.Struct, frozen=True):
    """Everything placed. ``y`` is the row of the host's top border; the left lane starts ``left_top`` rows below it."""

    level: Level
    x: int
    y: int
    height: int
    left_top: int
    left: int
    gap: int
    host: int
    gap_right: int
    right: int
    thrift: Thrift
    column: Column
    middle: Middle | None
    lane: RightLane
    detours: tuple[Detour, ...]
    hidden: tuple[Place, ...]

    @property
    def whole(self) -> bool:
        """Whether every address of the host's ports is told."""
        return self.middle is None or all(link_row.whole for link_row in self.middle.link_rows.links)

    @property
    def host_x(self) -> int:
        """The column of the host's left border."""
        return self.x + self.left + self.gap

    @property
    def right_x(self) -> int:
        """The column where the right lane starts."""
        return self.host_x + self.host + self.gap_right

    @property
    def lane_top(self) -> int:
        """The row where the right lane starts, from the host's top border."""
        return self.middle.lane_top if self.middle is not None else max(0, (self.height - self.lane.height) // 2)


def plan_lanes(figure: Figure, width: int, height: int, ghosts: bool) -> Lanes | None:
    """The best plan that fits, or None."""
    if height < LEAST + 2:
        return None
    for level in LEVELS:
        column = _stack_left(figure, level, ghosts, height)
        if column is None or (column.more and column.more * 2 > len(figure.left) + len(figure.dangling)):
            continue
        if (plan := _fit(figure, column, level, ghosts, width, height)) is not None:
            return plan
    return None


def _stack_left(figure: Figure, level: Level, ghosts: bool, height: int) -> Column | None:
    """The left lane at a level; None when it is too high. The last level drops what does not fit, and counts it."""
    if level == "detail" and not any(len(addresses(part.link)) > 1 for actor in figure.left for part in actor.parts):
        return None
    blocks, top, width = [], 0, 0
    room = height - 2 if level == "mini" else height
    each = [block(figure, actor, level, ghosts) for actor in figure.left]
    total = sum(one.height for one in each) + len(figure.dangling)
    if total > room and level != "mini":
        return None
    hidden: list[Place] = []
    more = 0
    for place, one in enumerate(each):
        rest = len(each) - place - 1 + len(figure.dangling)
        if more or (top + one.height + (1 if rest else 0) > room and total > room):
            more += 1
            if one.actor.real:
                hidden += [(one.actor.name, "")] + [part.place for part in one.actor.parts if part.real]
            continue
        blocks.append((one, top))
        top += one.height
        width = max(width, one.width)
    dangling = min(len(figure.dangling), max(0, room - top - bool(more)))
    if dangling < len(figure.dangling) and not more:
        dangling = max(0, dangling - 1)
    more += len(figure.dangling) - dangling
    width = max([width] + [len(name) + 14 for name in figure.dangling[:dangling]])
    return Column(tuple(blocks), top + dangling + bool(more), width, more, tuple(hidden))


def _fit(figure: Figure, column: Column, level: Level, ghosts: bool, width: int, height: int) -> Lanes | None:
    bare = level == "mini"
    lane = stack_right(figure, level, ghosts, height)
    ups = uplinks_of(figure, lane.rows())
    rows = column.rows(0)
    wanted = rows_wanted(figure, frozenset(part.place for part in ups), rows)
    bridges = sum(part.link.kind == "bridge" for part in figure.host.parts) if figure.host is not None else 0
    inner = max(COMFORT, wanted, 3 * bridges if bridges > 1 else 0, lane.height - 2, column.height - (0 if bare else 2))
    passing = sum(_passes(figure, cable) for cable in _cables(figure))
    inner = min(inner, height - 2 - passing)
    if inner < max(LEAST, column.height - (0 if bare else 2)) or COLUMN * -(-bridges // inner) > width:
        return None  # the second: as many bars as there are rows stand above each other at most
    frame = inner + 2
    left_top = (frame - column.height) // 2
    left_rows = column.rows(left_top)
    detours = _detours(figure, left_rows, lane)
    middles: dict[Labels, Middle | None] = {}
    found: Lanes | None = None
    for thrift, labels in _SAVINGS:
        if labels not in middles:
            middles[labels] = plan_middle(figure, left_rows, lane, inner, labels) if figure.host is not None else None
        middle = middles[labels]
        if (plan := _spread(figure, column, middle, lane, detours, level, thrift, width)) is not None:
            hidden = column.hidden + lane.hidden + (middle.hidden if middle is not None else ())
            y = (height - frame - passing) // 2
            plan = msgspec.structs.replace(plan, y=y, height=frame, left_top=left_top, hidden=hidden)
            if plan.whole:
                return plan
            found = found or plan
    return found


def _spread(
    figure: Figure, column: Column, middle: Middle | None, lane: RightLane, detours: tuple[Detour, ...], level: Level, thrift: Thrift, width: int
) -> Lanes | None:
    """Share out the columns; None when they are too few."""
    left, right = column.width, lane.width(thrift)
    host = middle.width(thrift) if middle is not None else 0
    if figure.host is not None:
        host = max(host, len(figure.host.label) + 6)
    channels = max((2 * d.channel + 4 for d in detours if d.gutter != "right"), default=0)
    far_channels = max((2 * d.channel + 4 for d in detours if d.gutter != "left"), default=0) if host else 0
    reach = any(lower_of(part) for actor in figure.left for part in actor.parts)
    gap = max(3 if left and (host or right or reach) else 0, channels)
    gap_right = max((1 if thrift > 2 else 2) if right and host else 0, far_channels)
    margin = max(0, min(MARGIN, (width - TIGHT) // 2))  # by the width alone: what changes from step to step must not move the boxes
    slack = width - 2 * margin - left - gap - host - gap_right - right
    if slack < 0:
        return None
    if gap and (host or right):
        more = min(slack // 2 if right else slack, 12)
        gap, slack = gap + more, slack - more
    if gap_right:
        more = min(slack // 2, 7)
        gap_right, slack = gap_right + more, slack - more
    if host:
        more = min(slack, 14)
        host, slack = host + more, slack - more
    return Lanes(
        level=level, x=margin + slack // 2, y=0, height=0, left_top=0, left=left, gap=gap, host=host, gap_right=gap_right, right=right,
        thrift=thrift, column=column, middle=middle, lane=lane, detours=detours, hidden=(),
    )  # fmt: skip


def _cables(figure: Figure) -> list[Cable]:
    """Each cable once."""
    return [cable for place, cable in figure.cables.items() if place == cable.one]


def _passes(figure: Figure, cable: Cable) -> bool:
    """Whether the cable must go round the host."""
    return figure.host is not None and {figure.side(cable.one[0]), figure.side(cable.other[0])} == {"left", "right"}


def _detours(figure: Figure, left_rows: dict[Place, int], lane: RightLane) -> tuple[Detour, ...]:
    """Channels for the cables that straight lines cannot show: shortest first, each in the nearest free channel."""
    right_rows = lane.rows()
    spans: list[tuple[str, int, int, Cable]] = []
    below = 0
    for cable in _cables(figure):
        ends = (cable.one, cable.other)
        if all(end in left_rows for end in ends):
            low, high = sorted(left_rows[end] for end in ends)
            spans.append(("left", low, high, cable))
        elif all(end in right_rows for end in ends):
            low, high = sorted(right_rows[end] for end in ends)
            spans.append(("right", low, high, cable))
        elif {figure.side(end[0]) for end in ends} == {"left", "right"} and all(end in left_rows or end in right_rows for end in ends):
            spans.append(("both", -1, 1000 + below, cable))
            below += 1
    spans.sort(key=lambda span: span[2] - span[1])
    used: list[tuple[str, int, int, int]] = []
    found = []
    for gutter, low, high, cable in spans:
        channel = 0
        while any(_clash(gutter, channel, low, high, other) for other in used):
            channel += 1
        used.append((gutter, channel, low, high))
        found.append(Detour(cable, gutter, channel, high - 1000 if gutter == "both" else -1))
    return tuple(found)


def _clash(gutter: str, channel: int, low: int, high: int, other: tuple[str, int, int, int]) -> bool:
    their_gutter, their_channel, their_low, their_high = other
    if their_channel != channel or (gutter != their_gutter and "both" not in (gutter, their_gutter)):
        return False
    return low <= their_high and their_low <= high
