"""The scene and its words, imported when the first picture is drawn: the first frame of the app does not wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netless_lab.model.scene import Rect, Region, Scene
    from netless_lab.model.snapshot import Snapshot


def draw(snapshot: Snapshot, goal: Snapshot | None, width: int, height: int) -> Scene:
    """The network on so many cells, with what the goal still lacks drawn faintly."""
    from netless_lab.model.scene import lay_out

    return lay_out(snapshot, goal=goal, width=width, height=height, ghosts=True)


def words(snapshot: Snapshot | None, region: Region | None) -> tuple[str, ...]:
    """What a part is, in lines; () for nothing."""
    if snapshot is None or region is None:
        return ()
    from .pages.detail import detail

    return detail(snapshot, region)


def gate_at(scene: Scene | None, x: int, y: int) -> Rect | None:
    """The cells of the gate whose letters stand here: a packet lights it and does not cover it."""
    from netless_lab.model.scene import Cell

    station = scene.gate_at(Cell(x, y)) if scene is not None else None
    return station.rect if station is not None else None


def brief_rows(network: Snapshot, width: int) -> int:
    """How many rows a strip of this width needs to show the whole network with its wires; 4 when that is not possible."""
    from netless_lab.model.scene import lay_out

    for rows in range(5, 10):
        scene = lay_out(network, width=width, height=rows)
        if scene.level not in ("outline", "roster") and not scene.hidden:
            return rows
    return 4
