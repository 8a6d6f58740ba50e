"""The picture's cells: how the network is drawn, what changed between two drawings, how a row is cut and spliced; and a packet moving over it.

The scene and its words are imported when the first picture is drawn: the first frame of the app does not wait for them. Styles are theme
variables only, so that a change of theme repaints the same scene. Pure but for strips; the widget paints, and keeps the time.

A followed packet really takes some hundred microseconds; here every leg of its way takes about a second, and the packets pane has the
true times.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec.structs import replace
from textual.strip import Strip

from ..say.packets import death_words, learned_words
from ..say.text import Block, Text, blanks, plain
from ..say.text import lay_out as rows_of

if TYPE_CHECKING:
    from netless_lab.model.journey import Death, Hop, Journey
    from netless_lab.model.scene import Rect, Region, Run, Scene
    from netless_lab.model.snapshot import Snapshot


def draw(snapshot: Snapshot, goal: Snapshot | None, width: int, height: int) -> Scene:
    """The network on so many cells, with what the goal still lacks drawn faintly."""
    from netless_lab.model.scene import lay_out

    return lay_out(snapshot, goal=goal, width=width, height=height, ghosts=True)


def words(snapshot: Snapshot | None, region: Region | None) -> tuple[str, ...]:
    """What a part is, in lines; () for nothing."""
    if snapshot is None or region is None:
        return ()
    from ..say.detail import detail

    return detail(snapshot, region)


def detail_rows(lines: Sequence[str], width: int, room: int) -> tuple[Text, ...]:
    """What a part is, in at most ``room`` rows of this width; what has no room leaves a mark."""
    blocks = (Block(plain(line, "muted" if number else "strong"), first=blanks(1), rest=blanks(3)) for number, line in enumerate(lines))
    rows = tuple(line.content for line in rows_of(blocks, width))
    if len(rows) <= room or not room:
        return rows[:room]
    return (*rows[: room - 1], rows[room - 1].cut(width - 2) + plain(" …", "muted"))


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


def full_rows(network: Snapshot, goal: Snapshot | None, width: int) -> int:
    """How many rows the network takes at this width where it can have as many as it likes."""
    scene = draw(network, goal, width, UNLIMITED_ROWS)
    drawn = [y for y, row in enumerate(scene.rows) if any(run.text.strip() for run in row)]
    return drawn[-1] - drawn[0] + 1 if drawn else 0


UNLIMITED_ROWS: Final = 100
"""More than a picture gets on any screen, and than it wants."""

LOOKS: Final[dict[str, str]] = {
    "": "$foreground", "node-host": "$host", "node-host-title": "bold $foreground", "node-internet": "$internet",
    "node-internet-title": "bold $foreground", "node-router": "$internet", "node-router-title": "bold $foreground",
    "node-unknown": "$faint", "node-unknown-title": "bold $muted", "container-0": "$box-1", "container-0-title": "bold $box-1",
    "container-1": "$box-2", "container-1-title": "bold $box-2", "container-2": "$box-3", "container-2-title": "bold $box-3",
    "chip": "$chip", "address": "$foreground", "dim": "$muted", "ghost": "$faint", "more": "$warning", "bridge": "bold $bridge",
    "bridge-wait": "$bridge", "bridge-down": "$muted", "port-up": "$success", "port-wait": "$warning", "port-down": "$muted",
    "dead": "bold $error", "wire-up": "$wire", "wire-wait": "$muted", "wire-down": "$faint", "route": "$wire",
    "gate-open": "bold $success", "gate-narrow": "bold $warning", "gate-closed": "bold $error", "gate-absent": "$faint",
    "gate-unknown": "$muted",
}  # fmt: skip
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


def cells_of(row: Sequence[Run]) -> list[tuple[str, str]]:
    """(character, style) of every cell of a row."""
    return [(character, run.style) for run in row for character in run.text]


def changed_cells(before: Scene, after: Scene) -> dict[int, set[int]]:
    """Row -> columns whose character or style differ; both scenes are of one size."""
    changed: dict[int, set[int]] = {}
    for y, (old, new) in enumerate(zip(before.rows, after.rows, strict=True)):
        if old == new:
            continue
        columns = {x for x, (one, other) in enumerate(zip(cells_of(old), cells_of(new), strict=False)) if one != other}
        if columns:
            changed[y] = columns
    return changed


LEG_FRAMES = 24
"""Frames a leg takes at most: long wires are crossed in larger strides."""
FEW_LEGS = 5
"""Up to so many legs each takes its time; a longer conversation is shown faster, so that it is over in some ten seconds."""
HOLD_FRAMES = 6
"""Frames the packet rests at the end of a leg, so that its label can be read."""


class Frame(NamedTuple):
    """Where the packet is, what is said of it, and whether it has just died here."""

    x: int
    y: int
    label: str = ""
    dead: bool = False


class Replay(msgspec.Struct, frozen=True):
    """One packet on its way."""

    frames: tuple[Frame, ...]
    at: int = 0
    paused: bool = False

    @property
    def here(self) -> Frame:
        """The frame it is on."""
        return self.frames[self.at]

    @property
    def over(self) -> bool:
        """True when it has arrived, or died."""
        return self.at >= len(self.frames) - 1

    def tick(self) -> Replay:
        """One frame on, unless paused or over."""
        return self if self.paused or self.over else replace(self, at=self.at + 1)

    def step(self) -> Replay:
        """On by hand, to the next frame that differs; pauses."""
        at = self.at
        while at < len(self.frames) - 1 and self.frames[at] == self.here:
            at += 1
        return replace(self, paused=True, at=at)

    def pause(self) -> Replay:
        """Hold, or go on."""
        return replace(self, paused=not self.paused)


def frames_of(journey: Journey, scene: Scene) -> tuple[Frame, ...]:
    """The frames of a journey on a drawing; () when nothing of it is drawn.

    Hops of one kind follow each other as one leg: the question for a MAC, its answer, the request, the reply. Where an address is
    rewritten the caption says so; where the packet was last seen, a death is marked.
    """
    legs = [list(group) for _, group in groupby(journey.hops, key=lambda hop: (hop.kind, hop.leg))]
    most = LEG_FRAMES if len(legs) <= FEW_LEGS else max(6, LEG_FRAMES * FEW_LEGS // len(legs))
    notes = {learned.at_hop: learned_words(learned) for learned in journey.learned}
    notes |= {rewrite.after_hop: f"{rewrite.what} rewritten: {rewrite.before} → {rewrite.after}" for rewrite in journey.rewrites}
    frames: list[Frame] = []
    index = 0
    for hops in legs:
        noted = next((notes[number] for number in range(index, index + len(hops)) if number in notes), "")
        frames += _leg(hops, noted, scene, most)
        index += len(hops)
    if journey.death is not None and not journey.complete and not journey.lost_frames:
        frames += _end(journey.death, frames, scene)
    return tuple(frames)


def _end(death: Death, frames: Sequence[Frame], scene: Scene) -> list[Frame]:
    """The mark where a packet died: on its gate, else on the place where it was seen last, else in its node."""
    gate = next((found for found in scene.stations.values() if (found.node, found.gate) == (death.node, death.gate)), None)
    node = next((region.rect for region in scene.regions if region.kind == "node" and region.node == death.node), None)
    place = gate.cell if gate is not None else scene.anchors.get((death.node, death.link))
    if place is not None:
        x, y = place.x, place.y
    elif frames:
        x, y = frames[-1].x, frames[-1].y
    elif node is not None:
        x, y = _unwritten(scene, node)
    else:
        return []
    return [Frame(x, y, death_words(death), dead=True)] * (HOLD_FRAMES * 2)


def _unwritten(scene: Scene, box: Rect) -> tuple[int, int]:
    """The cell of a box nearest to its middle in which nothing is written, rather a blank one than one of a line; its middle when there is none."""
    middle = box.x + box.width // 2, box.y + box.height // 2
    free: list[tuple[bool, int, int, int]] = []
    for y in range(max(box.y, 0), min(box.y + box.height, scene.height)):
        for x, (letter, _) in enumerate(cells_of(scene.rows[y])):
            if box.holds(x, y) and letter in (" ", "─"):
                free.append((letter != " ", abs(x - middle[0]) + 2 * abs(y - middle[1]), x, y))
    return min(free)[2:] if free else middle


def _leg(hops: Sequence[Hop], changed: str, scene: Scene, most: int) -> list[Frame]:
    cells = scene.path([(hop.node, hop.link) for hop in hops])
    if not cells:
        return []
    stride = max(1, -(-len(cells) // most))
    kept = [*cells[:-1:stride], cells[-1]]
    said = f"{hops[0].at_us:.0f} us  {hops[0].text}"
    turn = len(kept) * 2 // 3
    frames = [Frame(cell.x, cell.y, changed if changed and number >= turn else said) for number, cell in enumerate(kept)]
    return frames + [frames[-1]] * HOLD_FRAMES
