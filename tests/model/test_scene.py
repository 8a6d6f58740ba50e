"""The scene as a value: what lies where, which way a packet goes, and that nothing jumps from step to step."""

from __future__ import annotations

import functools
import re
from itertools import pairwise

import pytest

from helpers.shapes import goal, shapes, steps
from helpers.snapshots import bridge, container, edit, forward_drop, host, internet, lab, lab_with, masquerade, uplink, veth
from netless_lab.model.printers import text
from netless_lab.model.scene import ASCII, UNICODE, Cell, Glyphs, Scene, lay_out

VETH1, VETH2, BR0, ETH0, ISP0 = ("c1", "veth1"), ("host", "veth2"), ("host", "br0"), ("host", "eth0"), ("internet", "isp0")


def char(scene: Scene, cell: Cell) -> str:
    """The character at a cell."""
    return "".join(run.text for run in scene.rows[cell.y])[cell.x]


def style(scene: Scene, cell: Cell) -> str:
    """The style at a cell."""
    x = cell.x
    for run in scene.rows[cell.y]:
        if x < len(run.text):
            return run.style
        x -= len(run.text)
    raise AssertionError("off the sheet")


def test_a_port_shows_its_state_by_shape_and_style() -> None:
    """Up and live, up without carrier, and down differ in both."""
    scene = lay_out(edit(lab_with(1), "host", "veth2", up=False, carrier=False), width=80, height=24)
    assert (char(scene, scene.anchors[VETH2]), style(scene, scene.anchors[VETH2])) == ("○", "port-down")
    scene = lay_out(edit(lab_with(1), "c1", "veth1", carrier=False), width=80, height=24)
    assert (char(scene, scene.anchors[VETH1]), style(scene, scene.anchors[VETH1])) == ("◐", "port-wait")
    assert (char(scene, scene.anchors[ETH0]), style(scene, scene.anchors[ETH0])) == ("●", "port-up")


def test_a_cable_looks_as_its_two_ends_are() -> None:
    """Both ends up, one end up, none up: three styles of wire."""
    found = []
    for ups in ((True, True), (True, False), (False, False)):
        snapshot = edit(edit(lab_with(1), "c1", "veth1", up=ups[0]), "host", "veth2", up=ups[1])
        scene = lay_out(snapshot, width=80, height=24)
        found.append(style(scene, scene.wire(VETH1, VETH2)[2]))
    assert found == ["wire-up", "wire-wait", "wire-down"]


def test_a_host_port_is_on_its_peers_row() -> None:
    """Eight cables, eight straight lines."""
    scene = lay_out(lab_with(8), width=80, height=24)
    for n in range(1, 9):
        wire = scene.wire((f"c{n}", f"veth{2 * n - 1}"), ("host", f"veth{2 * n}"))
        assert len({cell.y for cell in wire}) == 1 and len(wire) > 3


def test_the_way_out_runs_through_the_gates() -> None:
    """From the container to the internet: every cell next to the one before, and each gate passed in the kernel's order."""
    scene = lay_out(lab_with(2, firewall=forward_drop('iifname "br0"')), width=80, height=24)
    path = scene.path([VETH1, VETH2, BR0, ETH0, ISP0])
    assert (path[0], path[-1]) == (scene.anchors[VETH1], scene.anchors[ISP0])
    assert all(abs(a.x - b.x) + abs(a.y - b.y) == 1 for a, b in pairwise(path))
    passed = [station.gate for cell in path if (station := scene.gate_at(cell)) is not None]
    assert list(dict.fromkeys(passed)) == ["fwd", "fw", "NAT"]
    assert scene.path([ISP0, ETH0, BR0, VETH2, VETH1]) == path[::-1]


def test_places_left_out_are_bridged_by_the_fewest_wires() -> None:
    """Two ends are enough: the wires between are found."""
    scene = lay_out(lab_with(2), width=80, height=24)
    assert scene.path([VETH1, ISP0]) == scene.path([VETH1, VETH2, BR0, ETH0, ISP0])


def test_a_frame_from_port_to_port_turns_off_at_the_bar() -> None:
    """A bridged frame goes along the bar from row to row and never runs to the middle and back."""
    scene = lay_out(lab_with(8), width=80, height=24)
    path = scene.path([("host", "veth2"), ("host", "veth4")])
    assert len(path) == len(set(path))
    assert max(cell.y for cell in path) == scene.anchors[("host", "veth4")].y


def test_routing_between_two_bridges_passes_the_trunk() -> None:
    """From one bridge to another the packet goes through the host's trunk, and arrives."""
    scene = lay_out(shapes()["two-bridges"], width=80, height=24)
    path = scene.path([("host", "br0"), ("host", "br1")])
    assert (path[0], path[-1]) == (scene.anchors[("host", "br0")], scene.anchors[("host", "br1")])
    assert all(abs(a.x - b.x) + abs(a.y - b.y) == 1 for a, b in pairwise(path))


def test_hidden_and_unknown_places_are_left_out_of_a_path() -> None:
    """A journey may name the loopback, or a link that is gone: the rest is drawn all the same."""
    scene = lay_out(lab_with(1), width=80, height=24)
    assert scene.path([("c1", "lo"), VETH1, ("c1", "gone"), VETH2]) == scene.wire(VETH1, VETH2)
    assert scene.path([("c1", "lo")]) == ()


def test_gates_follow_the_facts() -> None:
    """Closed, open, narrow and absent are told apart by their letters, and each gate has a place even when absent."""
    wide = functools.partial(lay_out, width=100, height=24)
    shut = wide(lab_with(1, nat=False, forwarding=False))
    assert "[fwd✗]" in text(shut) and "NAT" not in text(shut)
    assert {name: station.state for name, station in shut.stations.items()} == {"fwd": "closed", "NAT": "absent"}
    assert "[fwd]" in text(wide(lab_with(1))) and "[NAT]" in text(wide(lab_with(1)))
    assert "[fw✗]" in text(wide(lab_with(1, firewall=forward_drop())))
    assert "›fw‹" in text(wide(lab_with(1, firewall=forward_drop('iifname "br0"'))))


def test_the_wire_is_faint_behind_a_closed_gate() -> None:
    """What lies behind a closed gate is not reached, and looks it."""
    scene = lay_out(lab_with(1, forwarding=False), width=100, height=24)
    wire = scene.wire(BR0, ETH0)
    gate = scene.stations["fwd"].rect
    assert style(scene, next(cell for cell in wire if cell.x == gate.x - 1)) == "route"
    assert style(scene, next(cell for cell in wire if cell.x == gate.x + gate.width)) == "dim"


def test_pointing_finds_the_smallest_thing() -> None:
    """A cell belongs to the gate, else the link, else the node under it; nothing under blank paper."""
    scene = lay_out(lab_with(1), width=80, height=24)
    at = scene.anchors[VETH1]
    assert scene.at(*at) is not None and (scene.at(*at).kind, scene.at(*at).name) == ("link", "veth1")  # type: ignore[union-attr]
    gate = scene.stations["fwd"].cell
    assert (scene.at(*gate).kind, scene.at(*gate).name) == ("gate", "fwd")  # type: ignore[union-attr]
    corner = next(region.rect for region in scene.regions if region.kind == "node" and region.node == "c1")
    assert (scene.at(corner.x, corner.y).kind, scene.at(corner.x, corner.y).node) == ("node", "c1")  # type: ignore[union-attr]
    assert scene.at(0, 0) is None


@pytest.mark.parametrize("size", [(80, 24), (78, 15), (120, 40), (70, 12)], ids=str)
@pytest.mark.parametrize("ghosts", [False, True], ids=["plain", "ghosts"])
def test_nothing_jumps_from_step_to_step(size: tuple[int, int], ghosts: bool) -> None:
    """With the lesson's goal, boxes keep their place through all steps, and so does each port once its cable is plugged in."""
    scenes = [lay_out(snapshot, goal=goal(), width=size[0], height=size[1], ghosts=ghosts) for snapshot in steps().values()]
    for node in ("c1", "host", "internet"):
        boxes = {region.rect for scene in scenes for region in scene.regions if region.kind == "node" and region.node == node}
        assert len(boxes) == 1, f"{node} jumps: {boxes}"
    for place in (VETH1, BR0, ETH0, ISP0):
        assert len({scene.anchors[place] for scene in scenes if place in scene.anchors}) == 1, f"{place} jumps"
    assert {scene.anchors[VETH2].y for scene in scenes if VETH2 in scene.anchors} == {scenes[-1].anchors[VETH2].y}
    for gate in ("fwd", "fw", "NAT"):
        places = {scene.stations[gate].rect.x for scene in scenes if gate in scene.stations and gate in text(scene)}
        assert len(places) <= 1, f"{gate} jumps: {places}"


def test_a_goal_that_does_not_fit_is_left_out() -> None:
    """In a narrow pane the loose cable and the bridge to come have no room side by side: what is there stays a picture."""
    scene = lay_out(steps()["3-pair"], goal=goal(), width=64, height=12, ghosts=True)
    assert scene.level == "full" and all(run.style != "ghost" for row in scene.rows for run in row)


def test_ghosts_are_only_what_is_not_there_yet() -> None:
    """Nothing of a finished lesson is a ghost, and nothing real of an unfinished one."""
    done = lay_out(goal(), goal=goal(), width=80, height=24, ghosts=True)
    assert all(run.style != "ghost" for row in done.rows for run in row)
    assert done == lay_out(goal(), goal=goal(), width=80, height=24)
    early = lay_out(steps()["4-moved"], goal=goal(), width=80, height=24, ghosts=True)
    ghosts = "".join(run.text for row in early.rows for run in row if run.style == "ghost")
    assert "br0" in ghosts and "veth" not in ghosts
    assert BR0 not in early.anchors


def test_other_names_take_the_places_the_lesson_reserved() -> None:
    """A learner who calls the cable's ends otherwise gets the same picture with those names in it."""
    own = lab(
        host(uplink(), bridge("switch", "10.0.0.1/24"), veth("left", "c1:right", master="switch"), forwarding=True, chains=(masquerade(),)),
        container("c1", veth("right", "host:left", "10.0.0.2/24")),
        internet(),
    )
    mine = lay_out(own, goal=lab_with(1), width=80, height=24, ghosts=True)
    theirs = lay_out(lab_with(1), goal=lab_with(1), width=80, height=24, ghosts=True)
    assert mine.anchors[("c1", "right")] == theirs.anchors[VETH1]
    assert mine.anchors[("host", "switch")].y == theirs.anchors[BR0].y
    assert all(run.style != "ghost" for row in mine.rows for run in row)


def test_containers_take_three_hues_in_turn() -> None:
    """Orange, green, blue and orange again, as style words."""
    scene = lay_out(lab_with(4), width=80, height=24)
    frames = [
        style(scene, Cell(region.rect.x, region.rect.y)) for region in scene.regions if region.kind == "node" and region.node[0] == "c"
    ]
    assert frames == ["container-0", "container-1", "container-2", "container-0"]


def test_a_name_of_wide_characters_keeps_the_columns_straight() -> None:
    """Characters that terminals draw two cells wide, or not at all, are shown as question marks, one cell each."""
    scene = lay_out(lab(host(), container("名e\u0301x")), width=80, height=24)
    assert "??ex"[1:] not in text(scene) and "?e?x" in text(scene)


def test_a_gate_the_lesson_has_not_come_to_is_faint() -> None:
    """Until forwarding is taught, a host that does not forward is no alarm: the closed gate is drawn faintly, and no ghost of it."""
    before = lab_with(1, nat=False, forwarding=False)
    scene = lay_out(before, goal=before, width=80, height=24, ghosts=True)
    assert "[fwd✗]" in text(scene) and style(scene, scene.stations["fwd"].cell) == "gate-absent"
    assert "fwd" not in text(lay_out(steps()["4-moved"], goal=before, width=80, height=24, ghosts=True))
    taught = lay_out(before, goal=goal(), width=80, height=24)
    assert style(taught, taught.stations["fwd"].cell) == "gate-closed"


def test_the_bridge_does_not_grow_when_a_port_is_plugged_in() -> None:
    """The bar spans the ports the goal gives it from the start, whatever the learner calls the bridge."""
    final = lab_with(2)
    for name in ("br0", "switch"):
        done = edit(edit(edit(final, "host", "br0", name=name), "host", "veth2", master=name), "host", "veth4", master=name)
        before = edit(edit(done, "host", "veth2", master=None, port=None), "host", "veth4", master=None, port=None)
        one = edit(done, "host", "veth4", master=None, port=None)
        bars = []
        for snapshot in (before, one, done):
            scene = lay_out(snapshot, goal=final, width=80, height=24)
            x = scene.anchors[("host", name)].x
            bars.append([y for y in range(24) if char(scene, Cell(x, y)) in "║╟╢╫╖╜"])
        assert bars[0] == bars[1] == bars[2]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (78, 15)])
def test_what_is_not_built_yet_is_told_by_shape(size: tuple[int, int], glyphs: Glyphs) -> None:
    """Also where no colour is: its words stand in brackets, its ports are dotted, and nothing real is either."""
    for snapshot in steps().values():
        scene = lay_out(snapshot, goal=goal(), width=size[0], height=size[1], ghosts=True, glyphs=glyphs)
        to_be = "◌" if glyphs is UNICODE else "."
        for row in scene.rows:
            shown = "".join(run.text for run in row)
            x = 0
            for run in row:
                for word in re.finditer(r"[\w./]+(?: [\w./]+)*", run.text) if run.style == "ghost" else ():
                    if word[0].strip(to_be):
                        assert shown[x + word.start() - 1] == "(" and shown[x + word.end()] == ")", (shown, word[0])
                x += len(run.text)
        solid = "".join(run.text for row in scene.rows for run in row if run.style != "ghost" and not run.style.startswith("node-internet"))
        assert "◌" not in solid


@pytest.mark.parametrize("master", ["br0", None], ids=["a port", "no port"])
@pytest.mark.parametrize("name", ["veth2", "mycable", "cable-to-the-c1"])
@pytest.mark.parametrize("width", range(50, 130, 7))
def test_an_address_on_a_port_of_the_host_is_told_or_marked(width: int, name: str, master: str | None) -> None:
    """Beside its name, else in the row below it, else by a mark that something is not told; whatever the port is called."""
    port = veth(name, "c1:veth1", "10.0.0.9/24", master=master)
    snapshot = lab(host(uplink(), bridge("br0", "10.0.0.1/24"), port), container("c1", veth("veth1", f"host:{name}", "10.0.0.2/24")), internet())
    for height in range(5, 17):
        drawn = text(lay_out(snapshot, width=width, height=height))
        assert "10.0.0.9/24" in drawn or f"{name} …" in drawn, drawn


@pytest.mark.parametrize("width", range(70, 100, 2))
@pytest.mark.parametrize("both", [False, True], ids=["one", "both"])
def test_a_real_address_is_told_before_room_is_kept_for_what_is_to_come(width: int, both: bool) -> None:
    """Of a cable that lies on the host, and will have its other address in the container: the one that is there is not hidden behind that one."""
    loose = [veth("veth1", "host:veth2", *["10.0.0.2/24"] * both), veth("veth2", "host:veth1", "10.7.0.1/24")]
    snapshot = lab(host(uplink(), *loose), container("c1"), internet())
    drawn = text(lay_out(snapshot, goal=steps()["5-addressed"], width=width, height=17, ghosts=True))
    assert "10.7.0.1/24" in drawn and "…" not in drawn, drawn


@pytest.mark.parametrize("width", range(44, 90))
def test_the_address_of_the_way_out_is_told_or_marked(width: int) -> None:
    """Below the uplink's name, or a mark beside the name says that it is not told."""
    for height in range(5, 17):
        scene = lay_out(lab_with(2), width=width, height=height)
        if ("host", "eth0") in scene.anchors:
            assert "203.0.113.2/24" in text(scene) or "…eth0" in text(scene), text(scene)


@pytest.mark.parametrize(("width", "free"), [(70, 0), (78, 0), (80, 1), (100, 1), (140, 1)])
def test_no_box_leans_on_what_is_around_the_picture(width: int, free: int) -> None:
    """A column at each side is free wherever the words do not need it."""
    rows = text(lay_out(lab_with(2), goal=goal(), width=width, height=20)).split("\n")
    assert min(len(row) - len(row.lstrip()) for row in rows if row.strip()) >= free
    assert max(len(row.rstrip()) for row in rows) <= width - free


def test_a_narrow_gate_is_no_arrow_in_ascii() -> None:
    """On a wire of dashes angle brackets would be arrows: ASCII has braces for it."""
    scene = lay_out(lab_with(1, firewall=forward_drop('iifname "br0"')), width=100, height=20, glyphs=ASCII)
    assert "-{fw}-" in text(scene) and not {"<", ">"} & set(text(scene))


@pytest.mark.parametrize("name", ["veth2", "mycable"])
def test_in_the_medium_picture_it_is_told_in_words(name: str) -> None:
    """Where a row below the port is free, the address stands there, and pointing at it finds the link."""
    snapshot = lab(host(uplink(), veth(name, "c1:veth1", "10.0.0.1/24")), container("c1", veth("veth1", f"host:{name}", "10.0.0.2/24")), internet())
    scene = lay_out(snapshot, width=66, height=7)
    assert scene.level == "full"
    at = scene.anchors["host", name]
    rows = text(scene).split("\n")
    assert rows[at.y][at.x :].startswith(f"● {name}") and rows[at.y + 1][at.x :].startswith("│ 10.0.0.1/24")
    region = scene.at(at.x + 3, at.y + 1)
    assert region is not None and (region.kind, region.name) == ("link", name)


@pytest.mark.parametrize("size", [(78, 5), (78, 7), (78, 9), (78, 24), (120, 40)])
@pytest.mark.parametrize("first", ["br0", "br9"])
def test_a_bridge_without_ports_is_not_taken_for_that_of_its_neighbours(size: tuple[int, int], first: str) -> None:
    """Ports of one bridge lead to its name; the empty one beside it stands on a row without a port, and its bar touches no other."""
    empty, used = ("br0", "br9") if first == "br0" else ("br9", "br0")
    ports = (veth("veth2", "c1:veth1", master=used), veth("veth4", "c2:veth3", master=used))
    ends = (container("c1", veth("veth1", "host:veth2", "10.0.0.2/24")), container("c2", veth("veth3", "host:veth4", "10.0.0.3/24")))
    rows = text(lay_out(lab(host(uplink(), bridge("br0"), bridge("br9"), *ports), *ends, internet()), width=size[0], height=size[1])).splitlines()
    at = next(number for number, row in enumerate(rows) if empty in row)
    assert "veth" not in rows[at]
    bar = max(rows[at].rfind(sign, 0, rows[at].index(empty)) for sign in "║╥╨")
    assert all(row[bar : bar + 1] not in tuple("║╢╜╖╟") for row in (rows[at - 1], *rows[at + 1 : at + 2])), "\n".join(rows)
