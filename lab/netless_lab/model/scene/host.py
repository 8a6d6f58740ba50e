"""Draw the host: its frame, cables to the left, bars, the way out with its gates, and the uplinks."""

from __future__ import annotations

from .figure import Part, will_join
from .host_rows import INDENT, Bar, LinkRow
from .labels import MORE, addresses, bridge_style, first_address
from .lanes import Lanes
from .middle import Endpoint, GateSlot, Middle, uplink_words
from .sheet import Sheet, cells
from .values import Cell, Place, Rect, Region, Station

_GATE_STYLE = {"open": "gate-open", "closed": "gate-closed", "narrow": "gate-narrow", "unknown": "gate-unknown", "absent": "gate-absent"}
_NO_PASS = ("disabled", "blocking")


def paint_host(sheet: Sheet, plan: Lanes, middle: Middle, left: dict[Place, Cell], right: dict[Place, Cell]) -> dict[Place, Cell]:
    """Frame, wires and bars. Returns the cells of the host's ports."""
    host = sheet.figure.host
    assert host is not None
    x0, y0 = plan.host_x, plan.y
    if sheet.shows(host.real):
        sheet.canvas.box(x0, y0, plan.host, plan.height, host.frame if host.real else "ghost")
    sheet.node(host, Rect(x0, y0, plan.host, plan.height))
    ports = {link_row.part.place: Cell(x0 + INDENT[link_row.side], y0 + link_row.row) for link_row in middle.link_rows.links}
    ports |= {part.place: Cell(x0 + plan.host - 1, y0 + row) for part, row in middle.uplinks}
    bars = {bar.part.link.name: bar for bar in middle.bars}
    for bar in middle.bars:
        if bar.part.real:
            sheet.anchors[bar.part.place] = Cell(x0 + middle.bar_x(bar), y0 + bar.row)
    for bar in middle.bars:
        if sheet.shows(bar.part.real):
            style = bridge_style(bar.part.link) if bar.part.real else "ghost"
            rows = [row for part, row in middle.uplinks if part.link.master == bar.part.link.name]
            sheet.canvas.bar(x0 + middle.bar_x(bar), y0 + min([bar.top, *rows]), y0 + max([bar.bottom, *rows]), style)
    for link_row in middle.link_rows.links:
        _plug(sheet, plan, middle, link_row, bars.get(link_row.part.link.master or ""))
        ahead = next((bar for bar in middle.bars if will_join(link_row.part, bar.part)), None)
        if sheet.ghosts and ahead is not None:
            _wire_in(sheet, plan, middle, link_row, ahead, "ghost")
    _cables(sheet, middle, ports, left, right)
    _way_out(sheet, plan, middle)
    for part, row in middle.uplinks:
        if part.link.master is not None and part.link.master in bars:
            _level_two(sheet, plan, middle, part, row, bars[part.link.master])
    return ports


def _plug(sheet: Sheet, plan: Lanes, middle: Middle, link_row: LinkRow, bar: Bar | None) -> None:
    """The wire from a port to its bridge. A port that does not pass frames is marked on that wire."""
    if bar is None or not sheet.shows(link_row.part.real and bar.part.real):
        return
    x, y = plan.host_x + middle.bar_x(bar), plan.y + link_row.row
    link = link_row.part.link
    real = link_row.part.real and bar.part.real
    stuck = real and link.port is not None and link.port.state in _NO_PASS and link.up
    style = "ghost" if not real else "wire-up" if link.up and link.carrier and not stuck else "wire-wait" if link.up else "wire-down"
    _wire_in(sheet, plan, middle, link_row, bar, style)
    if stuck and link.port is not None and link.port.state == "blocking":
        sheet.canvas.put(x - 1, y, "✗", "dead")
    if real:
        way = cells([(plan.host_x + INDENT[link_row.side], y), (x, y), (x, plan.y + bar.row)])
        sheet.wires[(link_row.part.place, bar.part.place)] = way


def _wire_in(sheet: Sheet, plan: Lanes, middle: Middle, link_row: LinkRow, bar: Bar, style: str) -> None:
    start, y = plan.host_x + link_row.label_end + 1, plan.y + link_row.row
    sheet.canvas.across(start, plan.host_x + middle.bar_x(bar), y, style)
    sheet.canvas.join(start, y, 8)


def _cables(sheet: Sheet, middle: Middle, ports: dict[Place, Cell], left: dict[Place, Cell], right: dict[Place, Cell]) -> None:
    """Straight cables from lane to lane, and brackets for those with both ends on the host."""
    for place, cell in ports.items():
        cable = sheet.figure.cables.get(place)
        if cable is None or not sheet.shows(cable.real):
            continue
        far = cable.far(place)
        style = sheet.cable_style(cable)
        if far in ports:
            if place == cable.one:
                turn = cell.x - 2
                way = sheet.strand([cell, (turn, cell.y), (turn, ports[far].y), ports[far]], style)
                if cable.real:
                    sheet.wires[(place, far)] = way
            continue
        end = left.get(far) or right.get(far)
        if end is None or end.y != cell.y:
            continue
        one, other = (far, place) if far in left else (place, far)
        way = sheet.strand([end, cell] if far in left else [cell, end], style)
        if cable.real:
            sheet.wires[(one, other)] = way


def _way_out(sheet: Sheet, plan: Lanes, middle: Middle) -> None:
    """The wires from everything that routes, through the gates, to the uplinks."""
    if not middle.endpoints:
        return
    x0, row = plan.host_x, plan.y + middle.exit_row
    outs = [(part, at) for part, at in middle.uplinks if part.link.master is None]
    trunk = x0 + middle.trunk
    last = max([x0 + plan.host - 4 - len(uplink_words(part)) for part, _ in outs] or [trunk + middle.gates_width(plan.thrift)])
    split = middle.split
    fork = x0 + plan.host - 1 - middle.beside(plan.thrift) if split else last
    for end in middle.endpoints:
        if sheet.shows(end.part.real):
            _to_trunk(sheet, plan, middle, end, trunk, row)
    real = any(end.part.real for end in middle.endpoints) and (not outs or any(part.real for part, _ in outs))
    slots = _placed(middle, plan, trunk, fork if split else last + 1)
    if sheet.shows(real):
        style = "ghost" if not real else "route" if any(_usable(end.part) for end in middle.endpoints) else "dim"
        _exit_wire(sheet, trunk, fork if split else last, row, slots, style)
    for part, at in outs:
        style = "route" if part.real and real else "ghost"
        if split and sheet.shows(part.real and real):
            sheet.canvas.down(fork, row, plan.y + at, style)
            sheet.canvas.across(fork, x0 + plan.host - 4 - len(uplink_words(part)), plan.y + at, style)
        for end in middle.endpoints:
            if part.real and end.part.real:
                turn = [(fork, row), (fork, plan.y + at)] if split else []
                way = cells([*_start(plan, middle, end, trunk, row), *turn, (x0 + plan.host - 1, plan.y + at)])
                sheet.wires[(end.part.place, part.place)] = way
    _between(sheet, plan, middle, trunk, row)
    for slot, x in slots:
        _gate(sheet, slot, x, row, real)
    if real and "NAT" not in sheet.stations and sheet.figure.gates:
        cell = Cell(max(trunk + 1, (fork if split else last) - 1), row)
        sheet.stations["NAT"] = Station(sheet.figure.host.name if sheet.figure.host else "", "NAT", "absent", cell, Rect(*cell, 1, 1))


def _usable(part: Part) -> bool:
    """Whether the host can send by this interface at all."""
    return part.real and part.link.up and bool(addresses(part.link))


def _start(plan: Lanes, middle: Middle, end: Endpoint, trunk: int, row: int) -> list[tuple[int, int]]:
    """Corner points from an endpoint's anchor to the trunk at the gates' row."""
    y = plan.y + end.row
    bar = next((bar for bar in middle.bars if bar.part is end.part), None)
    link_row = next((link_row for link_row in middle.link_rows.links if link_row.part is end.part), None)
    x = plan.host_x + (middle.bar_x(bar) if bar is not None else INDENT[link_row.side] if link_row is not None else 0)
    return [(x, y), (trunk, y), (trunk, row)]


def _to_trunk(sheet: Sheet, plan: Lanes, middle: Middle, end: Endpoint, trunk: int, row: int) -> None:
    if middle.straight:
        return
    style = "ghost" if not end.part.real else "route" if _usable(end.part) else "dim"
    y = plan.y + end.row
    sheet.canvas.across(plan.host_x + end.start, trunk, y, style)
    sheet.canvas.down(trunk, y, row, style)


def _exit_wire(sheet: Sheet, trunk: int, end: int, row: int, slots: list[tuple[GateSlot, int]], style: str) -> None:
    """The wire with the gates on it: plain up to the first closed gate, faint behind it."""
    sheet.canvas.across(trunk, end, row, style)
    shut = next((x + slot.width for slot, x in slots if slot.state == "closed"), None)
    if shut is not None and style == "route" and shut < end:
        sheet.canvas.across(shut, end, row, "dim")


def _between(sheet: Sheet, plan: Lanes, middle: Middle, trunk: int, row: int) -> None:
    """Ways from one routing interface to another: up to the gates' row and back."""
    for index, one in enumerate(middle.endpoints):
        for other in middle.endpoints[index + 1 :]:
            if one.part.real and other.part.real:
                there = _start(plan, middle, one, trunk, row)
                back = _start(plan, middle, other, trunk, row)[::-1]
                sheet.wires[(one.part.place, other.part.place)] = cells([*there, *back[1:]])


def _placed(middle: Middle, plan: Lanes, trunk: int, end: int) -> list[tuple[GateSlot, int]]:
    """Each gate with its column: in the middle of the wire, so that the gates stand free of its two ends."""
    room = end - trunk - 1
    spare = max(0, room - middle.gates_width(plan.thrift))
    x = trunk + 1 + (plan.thrift < 3) + spare // 2
    found = []
    for slot in middle.gates:
        found.append((slot, x))
        x += slot.width + (plan.thrift < 3)
    return found


def _gate(sheet: Sheet, slot: GateSlot, x: int, row: int, real: bool) -> None:
    host = sheet.figure.host
    assert host is not None
    text = slot.text if real else f"({slot.name})"
    wanted = slot.state != "absent" or sheet.ghosts
    style = _GATE_STYLE[slot.state]
    if slot.name == "fwd" and slot.state == "closed" and not slot.wanted:
        style = "gate-absent"
    if real and wanted:
        sheet.canvas.put(x, row, text, style)
    elif not real and sheet.ghosts and slot.wanted:
        sheet.canvas.put(x, row, text, "ghost")
    if real:
        rect = Rect(x, row, len(text), 1)
        sheet.stations[slot.name] = Station(host.name, slot.name, slot.state, Cell(x + len(text) // 2, row), rect)
        if slot.state != "absent":
            sheet.regions.append(Region("gate", host.name, slot.name, rect))


def _level_two(sheet: Sheet, plan: Lanes, middle: Middle, part: Part, row: int, bar: Bar) -> None:
    """An uplink that is a port of a bridge: frames leave by it unrouted, so there is no gate on that wire."""
    if not sheet.shows(part.real and bar.part.real):
        return
    real = part.real and bar.part.real
    x, y = plan.host_x + middle.bar_x(bar), plan.y + row
    sheet.canvas.across(x, plan.host_x + plan.host - 4 - len(uplink_words(part)), y, "wire-up" if real else "ghost")
    if real:
        sheet.wires[(part.place, bar.part.place)] = cells([(plan.host_x + plan.host - 1, y), (x, y), (x, plan.y + bar.row)])


def paint_host_words(sheet: Sheet, plan: Lanes, middle: Middle) -> None:
    """Title, labels and dots, over the wires."""
    host = sheet.figure.host
    assert host is not None
    x0, y0 = plan.host_x, plan.y
    if sheet.shows(host.real):
        sheet.canvas.put(x0 + 2, y0, f" {host.label} ", host.frame + "-title" if host.real else "ghost")
    for link_row in middle.link_rows.links:
        x, y = x0 + INDENT[link_row.side], y0 + link_row.row
        if sheet.shows(link_row.part.real):
            sheet.port(link_row.part.place, x, y)
            end = sheet.write(x + 2, y, link_row.label)
            if link_row.below:
                end = max(end, sheet.write(x + 2, y + 1, link_row.below))
            if link_row.part.real:
                sheet.link(link_row.part.place, Rect(x, y, end - x, 1 + bool(link_row.below)))
    for tap in middle.link_rows.taps:
        sheet.write(x0 + 2, y0 + tap.row, tap.label)
    for bar in middle.bars:
        if sheet.shows(bar.part.real):
            _bar_words(sheet, plan, middle, bar)
    for part, row in middle.uplinks:
        if sheet.shows(part.real):
            _uplink_words(sheet, plan, middle, part, row)


def _bar_words(sheet: Sheet, plan: Lanes, middle: Middle, bar: Bar) -> None:
    x, y = plan.host_x + middle.last + 2, plan.y + bar.row
    if bar.tall:
        sheet.write(x, y - 1, bar.name)
        for row, line in enumerate(bar.addresses, y + middle.leaves(bar)):
            sheet.write(x, row, line)
    else:
        sheet.write(x, y, bar.words)
    if bar.part.real:
        top, bottom = (y - 1, y + 1) if bar.tall else (y, y)
        sheet.link(bar.part.place, Rect(x - 2, top, bar.width + 2, bottom - top + 1))


def _uplink_words(sheet: Sheet, plan: Lanes, middle: Middle, part: Part, row: int) -> None:
    right = plan.host_x + plan.host - 1
    y = plan.y + row
    name = uplink_words(part)
    start = right - 2 - len(name)
    sheet.canvas.put(start, y, f" {name} ", "chip" if part.real else "ghost")
    sheet.port(part.place, right, y)
    address = first_address(part.link)
    taken = any(at == row + 1 for _, at in middle.uplinks) or row + 1 > middle.inner
    if middle.split and len(address) > middle.beside(plan.thrift) - 3:
        forked = [middle.exit_row, *(at for _, at in middle.uplinks)]
        taken = taken or min(forked) <= row + 1 <= max(forked)
    taken = taken or plan.thrift == 4
    if address and not taken:
        sheet.canvas.put(right - 1 - len(address), y + 1, address, "address" if part.real else "ghost")
    elif address:
        sheet.canvas.put(start, y, MORE, "dim" if part.real else "ghost")
    if part.real:
        width = max(len(name) + 2, len(address) + 1 if address and not taken else 0)
        sheet.link(part.place, Rect(right - width, y, width + 1, 1 if taken or not address else 2))
