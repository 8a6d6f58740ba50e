"""Whatever a learner builds is drawn: no crash, nothing dropped in silence, nothing written over anything else, at any size."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from helpers.random_labs import random_lab
from helpers.snapshots import lab_with
from netless_lab.model.scene import ASCII, STYLES, Region, Scene, lay_out
from netless_lab.model.scene.labels import is_lo, safe
from netless_lab.model.snapshot import Snapshot

SIZES = ((80, 24), (120, 40), (78, 15), (60, 20), (38, 10), (200, 60), (100, 12), (24, 3), (30, 30), (12, 4), (5, 2), (1, 1))


def words(scene: Scene, region: Region) -> str:
    """What is written in a region, row by row."""
    rows = ["".join(run.text for run in row) for row in scene.rows]
    rect = region.rect
    return "\n".join(row[rect.x : rect.x + rect.width] for row in rows[rect.y : rect.y + rect.height])


def check_sheet(scene: Scene, width: int, height: int) -> None:
    """Every row is exactly as wide as asked, every style is known, and everything noted lies on the sheet."""
    assert len(scene.rows) == height
    for row in scene.rows:
        assert sum(len(run.text) for run in row) == width
        assert all(run.style in STYLES for run in row)
    for cell in [*scene.anchors.values(), *(cell for wire in scene.wires.values() for cell in wire)]:
        assert 0 <= cell.x < width and 0 <= cell.y < height
    for station in scene.stations.values():
        assert 0 <= station.cell.x < width and 0 <= station.cell.y < height


def check_nothing_is_lost(snapshot: Snapshot, scene: Scene) -> None:
    """Each link is readable where the scene says it is, or it is hidden and the drawing says how many are."""
    regions = {(region.node, region.name): region for region in scene.regions if region.kind == "link"}
    text = "\n".join("".join(run.text for run in row) for row in scene.rows)
    for node in snapshot.nodes:
        assert (node.name, "") in scene.hidden or any(r.kind == "node" and r.node == node.name for r in scene.regions)
        for link in node.links:
            place = (node.name, link.name)
            if is_lo(link):
                continue
            if place in scene.hidden:
                assert re.search(r"\+\d", text), f"{place} is hidden and nothing says so"
                assert place not in scene.anchors
            else:
                assert place in scene.anchors, f"{place} has no anchor"
                assert safe(link.name) in words(scene, regions[place]), f"{place} is not written where it should be:\n{text}"


def check_wires(snapshot: Snapshot, scene: Scene) -> None:
    """A wire runs from anchor to anchor without a gap. The lower device of a macvlan may be reached by a jump at its end."""
    for (one, other), wire in scene.wires.items():
        assert wire[0] == scene.anchors[one] and wire[-1] == scene.anchors[other]
        link = next(link for node in snapshot.nodes if node.name == one[0] for link in node.links if link.name == one[1])
        gapless = wire[:-1] if link.kind == "macvlan" else wire
        for here, there in pairwise(gapless):
            assert abs(here.x - there.x) + abs(here.y - there.y) == 1, (one, other, wire)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_any_lab_is_drawn_whole_at_any_size(size: tuple[int, int]) -> None:
    """Random labs: drawn without an error, each link readable or counted, wires without gaps, everything on the sheet."""
    width, height = size
    for seed in range(120):
        snapshot = random_lab(seed)
        try:
            scene = lay_out(snapshot, width=width, height=height)
            check_sheet(scene, width, height)
            if width >= 12 and height >= 2:
                check_nothing_is_lost(snapshot, scene)
            check_wires(snapshot, scene)
        except Exception as error:
            raise AssertionError(f"random_lab({seed}) at {width}x{height}: {error}") from error


def test_any_goal_only_adds() -> None:
    """A goal, ghosts or not, changes where things are and never whether they are drawn."""
    for seed in range(150):
        snapshot, goal = random_lab(seed), random_lab(seed + 1000)
        for ghosts in (False, True):
            scene = lay_out(snapshot, goal=goal, width=140, height=50, ghosts=ghosts)
            check_sheet(scene, 140, 50)
            check_nothing_is_lost(snapshot, scene)
            check_wires(snapshot, scene)


def test_ascii_is_ascii_and_nothing_moves() -> None:
    """The ASCII set holds no other character, and every anchor stays where it is."""
    for seed in range(40):
        snapshot = random_lab(seed)
        plain, drawn = lay_out(snapshot, width=110, height=30, glyphs=ASCII), lay_out(snapshot, width=110, height=30)
        assert all(run.text.isascii() for row in plain.rows for run in row)
        assert plain.anchors == drawn.anchors and plain.wires == drawn.wires


def test_any_walk_stays_on_the_sheet() -> None:
    """A path over any places, joined or not, drawn or not, is a list of cells of the sheet; it ends where it should."""
    for seed in range(60):
        snapshot = random_lab(seed)
        scene = lay_out(snapshot, width=120, height=40)
        chance = random.Random(seed)
        places = [(node.name, link.name) for node in snapshot.nodes for link in node.links] + [("no", "where")]
        walk = chance.choices(places, k=6)
        path = scene.path(walk)
        drawn = [place for place in walk if place in scene.anchors]
        assert all(0 <= cell.x < 120 and 0 <= cell.y < 40 for cell in path)
        assert (path[0], path[-1]) == (scene.anchors[drawn[0]], scene.anchors[drawn[-1]]) if drawn else path == ()


def test_many_nodes_are_counted() -> None:
    """Forty containers in 24 rows: those that do not fit are counted to the last one."""
    scene = lay_out(lab_with(40), width=120, height=24)
    text = "\n".join("".join(run.text for run in row) for row in scene.rows)
    missing = [node for node, link in scene.hidden if not link]
    shown = [f"c{n}" for n in range(1, 41) if re.search(rf"\bc{n}\b", text)]
    assert len(missing) + len(shown) == 40
    assert f"+{len(missing)} more" in text


def test_the_same_snapshot_gives_the_same_scene() -> None:
    """Drawing is a function: nothing but its arguments counts."""
    for seed in range(20):
        assert lay_out(random_lab(seed), width=100, height=30) == lay_out(random_lab(seed), width=100, height=30)
