"""The scene and its words, imported when the first picture is drawn: the first frame of the app does not wait for them.

What each style word of a scene looks like: theme variables only, so that a change of theme repaints the same scene.

Cells of a drawing: what changed between two of them, and how a row is cut and spliced. Pure but for strips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

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


LOOKS: dict[str, str] = {
    "": "$foreground",
    "node-host": "$host",
    "node-host-title": "bold $foreground",
    "node-internet": "$internet",
    "node-internet-title": "bold $foreground",
    "node-router": "$internet",
    "node-router-title": "bold $foreground",
    "node-unknown": "$faint",
    "node-unknown-title": "bold $muted",
    "container-0": "$box-1",
    "container-0-title": "bold $box-1",
    "container-1": "$box-2",
    "container-1-title": "bold $box-2",
    "container-2": "$box-3",
    "container-2-title": "bold $box-3",
    "chip": "$chip",
    "address": "$foreground",
    "dim": "$muted",
    "ghost": "$faint",
    "more": "$warning",
    "bridge": "bold $bridge",
    "bridge-wait": "$bridge",
    "bridge-down": "$muted",
    "port-up": "$success",
    "port-wait": "$warning",
    "port-down": "$muted",
    "dead": "bold $error",
    "wire-up": "$wire",
    "wire-wait": "$muted",
    "wire-down": "$faint",
    "route": "$wire",
    "gate-open": "bold $success",
    "gate-narrow": "bold $warning",
    "gate-closed": "bold $error",
    "gate-absent": "$faint",
    "gate-unknown": "$muted",
}
"""Style word -> style, for every word of ``netless_lab.model.scene.STYLES``; a test holds the two together."""


def splice(strip: Strip, x: int, piece: Strip) -> Strip:
    """The strip with a piece laid over it from column ``x``."""
    end = x + piece.cell_length
    return Strip.join([strip.crop(0, x), piece, strip.crop(end, strip.cell_length)])


def grounds(start: int, end: int, y: int, lit: set[int], picked: Rect | None) -> list[tuple[int, int, str]]:
    """Cut a run of cells where the ground under it changes: "lit" by a flash, "picked", or plain."""
    if not lit and picked is None:
        return [(start, end, "")]
    pieces: list[tuple[int, int, str]] = []
    for x in range(start, end):
        ground = "lit" if x in lit else "picked" if picked is not None and picked.holds(x, y) else ""
        if pieces and pieces[-1][2] == ground:
            pieces[-1] = (pieces[-1][0], x + 1, ground)
        else:
            pieces.append((x, x + 1, ground))
    return pieces


def cells_of(scene: Scene) -> list[list[tuple[str, str]]]:
    """(character, style) of every cell."""
    return [[(character, run.style) for run in row for character in run.text] for row in scene.rows]


def changed_cells(before: Scene, after: Scene) -> dict[int, set[int]]:
    """Row -> columns whose character or style differ; both scenes are of one size."""
    changed: dict[int, set[int]] = {}
    for y, (old, new) in enumerate(zip(before.rows, after.rows, strict=True)):
        if old == new:
            continue
        was = [(character, run.style) for run in old for character in run.text]
        now = [(character, run.style) for run in new for character in run.text]
        columns = {x for x, (one, other) in enumerate(zip(was, now, strict=False)) if one != other}
        if columns:
            changed[y] = columns
    return changed
