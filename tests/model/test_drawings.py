"""The drawings themselves, kept in ``drawings/``. Look at them when they change: NETLESS_DRAW=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.shapes import goal, shapes, steps
from helpers.snapshots import forward_drop, lab_with
from netless_lab.model.printers import text
from netless_lab.model.scene import Scene, lay_out

HERE = Path(__file__).parent / "drawings"


def drawings() -> dict[str, str]:
    """Every drawing by its file's name; one file may hold several, one below the other."""
    found = {}
    journey, ghosts = [], []
    for name, snapshot in steps().items():
        journey.append(_titled(name, lay_out(snapshot, goal=goal(), width=80, height=11)))
        ghosts.append(_titled(name, lay_out(snapshot, goal=goal(), width=80, height=11, ghosts=True)))
    found["steps"] = "\n".join(journey)
    found["steps-ghosts"] = "\n".join(ghosts)
    found["steps-without-goal"] = "\n".join(_titled(name, lay_out(snapshot, width=80, height=11)) for name, snapshot in steps().items())
    for n in (1, 2, 4, 8):
        snapshot = lab_with(n, firewall=forward_drop('iifname "br0"'))
        sizes = ((80, 24), (120, 40), (78, 15), (80, 6), (38, 10), (200, 60))
        found[f"containers-{n}"] = "\n".join(_titled(f"{w}x{h}", lay_out(snapshot, width=w, height=h)) for w, h in sizes)
    found["containers-8-next"] = "\n".join(
        _titled(f"goal of 8, {n} built", lay_out(lab_with(n), goal=lab_with(8), width=80, height=24, ghosts=True)) for n in (0, 1, 3)
    )
    for name, snapshot in shapes().items():
        drawn = [_titled(f"{w}x{h}", lay_out(snapshot, width=w, height=h)) for w, h in ((80, 24), (60, 14), (40, 12))]
        found[f"shape-{name}"] = "\n".join(drawn)
    found["ascii"] = "\n".join(
        text(lay_out(snapshot, width=80, height=24), ascii=True) for snapshot in (lab_with(2), shapes()["two-bridges"])
    )
    found["tiny"] = "\n".join(_titled(f"{w}x{h}", lay_out(lab_with(3), width=w, height=h)) for w, h in ((24, 6), (16, 4), (12, 3), (6, 2)))
    return found


def _titled(title: str, scene: Scene) -> str:
    return f"{title} ({scene.level})\n\n{text(scene)}"


DRAWINGS = drawings()


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing(name: str) -> None:
    """The drawing is the one that was looked at and kept."""
    path = HERE / f"{name}.txt"
    if os.environ.get("NETLESS_DRAW"):
        path.write_text(DRAWINGS[name], encoding="utf-8")
    assert DRAWINGS[name] == path.read_text(encoding="utf-8")


def test_no_drawing_is_left_over() -> None:
    """Each kept file belongs to a drawing that is still made."""
    assert {path.stem for path in HERE.glob("*.txt")} == set(DRAWINGS)
