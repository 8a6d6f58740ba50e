"""From a snapshot to a scene: lanes when they fit, else an outline, else a plain list of nodes.

Of a plan of lanes first the frames are drawn, then wires, then words and dots, so that no wire ever crosses a word.
"""

from __future__ import annotations

from ..snapshot import Snapshot
from .boxes import Block, Outside, cloud_rows, under_cloud
from .figure import Figure, compose, lower_of
from .host import paint_host, paint_host_words
from .labels import DEAD, TO, UNICODE, Glyphs, clip
from .lanes import Lanes, plan_lanes
from .outline import paint_outline, paint_roster
from .sheet import Sheet, cells
from .values import Cell, Place, Rect, Scene


def lay_out(snapshot: Snapshot, *, goal: Snapshot | None = None, width: int, height: int, ghosts: bool = False, glyphs: Glyphs = UNICODE) -> Scene:
    """Draw the snapshot on ``width`` x ``height`` cells.

    ``goal`` is an outline of the lesson's last network (same type, its ifindexes mean nothing): its parts get their room from the
    start, so that the picture does not jump from step to step. With ``ghosts`` the parts not built yet are drawn faintly, style
    "ghost". Where the goal does not fit, or takes the room of an address, what is really there is drawn without it. The same arguments always give the same scene.
    Nothing is dropped in silence: what finds no room is counted in a "+n more" and listed in ``Scene.hidden``.
    """
    width, height = max(1, width), max(1, height)
    figure = compose(snapshot, goal)
    plan = plan_lanes(figure, width, height, ghosts)
    if goal is not None and (plan is None or not plan.whole):
        bare = compose(snapshot, None)
        alone = plan_lanes(bare, width, height, ghosts=False)
        if plan is None or (alone is not None and alone.whole and alone.level == plan.level):
            figure, plan = bare, alone
    if plan is not None:
        return paint_lanes(figure, plan, width, height, ghosts, glyphs)
    return paint_outline(figure, width, height, glyphs) or paint_roster(figure, width, height, glyphs)


def paint_lanes(figure: Figure, plan: Lanes, width: int, height: int, ghosts: bool, glyphs: Glyphs) -> Scene:
    """The scene of a plan."""
    sheet = Sheet(figure, width, height, ghosts)
    sheet.hidden += plan.hidden
    left = _left_ports(plan)
    for each, top in plan.column.blocks:
        _frame(sheet, each, plan.x, plan.y + plan.left_top + top, plan.left)
    right = _right_ports(plan)
    for node in plan.lane.nodes:
        if node.block is not None:
            _frame(sheet, node.block, plan.right_x, plan.y + plan.lane_top + node.top, plan.right)
    ports = left | right
    if plan.middle is not None:
        ports |= paint_host(sheet, plan, plan.middle, left, right)
    _detours(sheet, plan, ports)
    if plan.middle is not None:
        paint_host_words(sheet, plan, plan.middle)
    for each, top in plan.column.blocks:
        _words(sheet, each, plan.x, plan.y + plan.left_top + top, plan.left, left)
    _stubs(sheet, plan, left)
    for node in plan.lane.nodes:
        _beyond(sheet, plan, node, right)
    _rest(sheet, plan)
    return sheet.finish(plan.level, glyphs)


def _left_ports(plan: Lanes) -> dict[Place, Cell]:
    x = plan.x + plan.left - 1
    return {place: Cell(x, row + plan.y) for place, row in plan.column.rows(plan.left_top).items()}


def _right_ports(plan: Lanes) -> dict[Place, Cell]:
    top = plan.y + plan.lane_top
    return {place: Cell(plan.right_x, row + top) for place, row in plan.lane.rows().items()}


def _frame(sheet: Sheet, each: Block, x: int, y: int, width: int) -> None:
    actor = each.actor
    if not each.framed:
        sheet.node(actor, Rect(x, y, width, each.height))
        return
    if not sheet.shows(actor.real):
        return
    style = actor.frame if actor.real else "ghost"
    sheet.canvas.box(x, y, width, each.height, style)
    sheet.node(actor, Rect(x, y, width, each.height))


def _words(sheet: Sheet, each: Block, x: int, y: int, width: int, ports: dict[Place, Cell]) -> None:
    """Title, lines, foot and the dots on the right border (or on the left one, in the right lane)."""
    actor = each.actor
    if each.framed and sheet.shows(actor.real):
        title = clip(actor.label, width - 6)
        sheet.canvas.put(x + 2, y, f" {title} ", actor.frame + "-title" if actor.real else "ghost")
        if foot := each.foot_for(width - 4):
            left = x + 1 if sum(len(text) for text, _ in foot) == width - 4 else x + 2
            sheet.write(left, y + each.height - 1, [(" ", ""), *foot, (" ", "")])
    start = x + 2 if each.framed else x
    room = width - 4 if each.framed else width - 2
    for index, line in enumerate(each.lines):
        row = y + each.row_of(index)
        if not sheet.shows(line.real):
            continue
        _clipped(sheet, start, row, line.pieces, room)
        if (part := line.part) is None:
            continue
        port = ports[part.place]
        if line.port:
            sheet.port(part.place, port.x, port.y)
        elif part.real:
            sheet.anchors[part.place] = Cell(start, row)
        if part.real:
            below = index + 1 < len(each.lines) and each.lines[index + 1].part is None
            sheet.link(part.place, Rect(x, row, width, 2 if below else 1))


def _clipped(sheet: Sheet, x: int, y: int, pieces: tuple[tuple[str, str], ...], room: int) -> None:
    for text, style in pieces:
        shown = clip(text, room)
        sheet.canvas.put(x, y, shown, style)
        x, room = x + len(shown), room - len(shown)
        if room <= 0:
            break


def _beyond(sheet: Sheet, plan: Lanes, node: Outside, ports: dict[Place, Cell]) -> None:
    """A node of the right lane."""
    x, y = plan.right_x, plan.y + plan.lane_top + node.top
    if node.block is not None:
        _words(sheet, node.block, x, y, plan.right, ports)
        return
    if not sheet.shows(node.actor.real):
        return
    style = "node-internet" if node.actor.real else "ghost"
    drawn = cloud_rows(node.actor.label, plan.thrift)
    for row, text in enumerate(drawn):
        inside = text.strip()
        sheet.canvas.put(x + len(text) - len(text.lstrip()), y + row, inside, style)
        if row == 1 and node.actor.real:
            sheet.canvas.put(x + 1, y + row, text[1:-1], "node-internet-title")
    width = len(drawn[0])
    sheet.node(node.actor, Rect(x, y, width, 3))
    for part, row in node.ports:
        if not sheet.shows(part.real):
            continue
        for line, words in enumerate(under_cloud(node, plan.thrift)):
            long = sum(len(text) for text, _ in words)
            at = x + max(0, (width - long) // 2)
            if line == 0 and part.real:
                sheet.link(part.place, Rect(at, y + 3, long, 1))
            if y + 3 + line < sheet.canvas.height:
                sheet.write(at, y + 3 + line, words)
        if part.real:
            sheet.anchors[part.place] = Cell(x, y + row)


def _detours(sheet: Sheet, plan: Lanes, ports: dict[Place, Cell]) -> None:
    """Cables within a lane, and those that go round the host."""
    for detour in plan.detours:
        cable = detour.cable
        one, other = ports.get(cable.one), ports.get(cable.other)
        if one is None or other is None or not sheet.shows(cable.real):
            continue
        near = plan.x + plan.left + 1 + 2 * detour.channel
        far = plan.right_x - 2 - 2 * detour.channel
        if detour.gutter == "left" or (detour.gutter == "both" and plan.middle is None):
            points = [one, (near, one.y), (near, other.y), other]
        elif detour.gutter == "right":
            points = [one, (far, one.y), (far, other.y), other]
        else:
            start, end = (one, other) if one.x < other.x else (other, one)
            under = plan.y + plan.height + detour.below
            points = [start, (near, start.y), (near, under), (far, under), (far, end.y), end]
            if start is not one:
                points.reverse()
        drawn = sheet.strand(points, sheet.cable_style(cable))
        if cable.real:
            sheet.wires[(cable.one, cable.other)] = drawn


def _stubs(sheet: Sheet, plan: Lanes, ports: dict[Place, Cell]) -> None:
    """Short ends for cables that lead out of sight, and the way of a macvlan to its lower device on the host."""
    host = sheet.figure.host
    for place, cell in ports.items():
        part = sheet.figure.parts[place]
        if not part.real or part.link.kind in ("bridge", "loopback") or place in sheet.figure.cables:
            continue
        lower = lower_of(part)
        if lower is not None and host is not None and lower[0] == host.name and plan.middle is not None:
            sheet.canvas.put(cell.x + 1, cell.y, "╌" * (plan.host_x - cell.x - 1), "dim")
            sheet.canvas.join(plan.host_x, cell.y, 8)
            if lower in sheet.anchors:
                sheet.wires[(place, lower)] = (*cells([cell, (plan.host_x, cell.y)]), sheet.anchors[lower])
        elif part.link.peer is not None and lower is None and plan.gap >= 3:
            sheet.canvas.put(cell.x + 1, cell.y, "╌?", "dim")


def _rest(sheet: Sheet, plan: Lanes) -> None:
    """Names that lead nowhere, and how many nodes or links found no room."""
    column = plan.column
    y = plan.y + plan.left_top + (column.blocks[-1][1] + column.blocks[-1][0].height if column.blocks else 0)
    shown = column.height - (y - plan.y - plan.left_top) - bool(column.more)
    for name in sheet.figure.dangling[: max(0, shown)]:
        sheet.write(plan.x, y, [(DEAD, "dead"), (f" netns {name} ", "dim"), (f"{TO} gone", "dead")])
        y += 1
    if column.more:
        sheet.canvas.put(plan.x, y, f"+{column.more} more", "more")
    if plan.middle is not None and plan.middle.hidden:
        text = f" +{len(plan.middle.hidden)} more "
        sheet.canvas.put(plan.host_x + 2, plan.y + plan.height - 1, text, "more")
    if plan.lane.hidden:
        count = sum(1 for place in plan.lane.hidden if not place[1])
        y = min(plan.y + plan.lane_top + plan.lane.height, sheet.canvas.height - 1)
        sheet.canvas.put(plan.right_x, y, f"+{count} more", "more")
