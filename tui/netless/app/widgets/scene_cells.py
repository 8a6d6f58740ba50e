"""Cells of a drawing: what changed between two of them, and how a row is cut and spliced. Pure but for strips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

if TYPE_CHECKING:
    from netless_lab.model.scene import Rect, Scene


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
