"""From a snapshot to a picture, and to words: what one kernel change costs before it can be painted."""

from __future__ import annotations

from collections.abc import Iterator

from bench.row import Row, median_ms
from helpers.random_labs import random_lab
from helpers.shapes import goal
from helpers.snapshots import edit, lab_with
from netless_lab.model.diff import diff
from netless_lab.model.printers import svg
from netless_lab.model.scene import lay_out
from netless_lab.model.telling import sentence


def rows() -> Iterator[Row]:
    """Scenes of 1 and 8 containers as the app draws them (with goal and ghosts), a crowded one, a packet's path, a diff, an SVG."""
    for n, reach in ((1, "<= 1 ms"), (8, "<= 2 ms")):
        snapshot, final = lab_with(n), goal(n)
        for width, height in ((80, 24), (120, 40)):
            work = median_ms(lambda: lay_out(snapshot, goal=final, width=width, height=height, ghosts=True), 300)  # noqa: B023
            plural = "s" if n > 1 else ""
            yield Row(f"scene, {n} container{plural}, {width}x{height}", work, reach if width == 80 else "", note="with goal and ghosts")
    crowded = random_lab(17, nodes=9, links=7)
    yield Row("scene of any odd lab, 120x40", median_ms(lambda: lay_out(crowded, width=120, height=40), 100), "")
    scene = lay_out(lab_with(8), width=80, height=24)
    way = [("c1", "veth1"), ("host", "veth2"), ("host", "br0"), ("host", "eth0"), ("internet", "isp0")]
    yield Row("path of a packet, container to internet", median_ms(lambda: scene.path(way), 300), "")
    before = lab_with(8)
    after = edit(before, "host", "veth2", up=False, carrier=False)
    yield Row("what changed, 8 containers, one link down", median_ms(lambda: [sentence(c) for c in diff(before, after)], 300), "")
    yield Row("SVG of 8 containers", median_ms(lambda: svg(scene), 50), "")
