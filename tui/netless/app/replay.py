"""A packet moving over the picture: pure state, one frame a tick, with pause and step. The widget paints it and keeps the time.

A followed packet really takes some hundred microseconds; here every leg of its way takes about a second, and the packets pane has the
true times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from .pages.logs import death_words, learned_words

if TYPE_CHECKING:
    from netless_lab.model.journey import Death, Hop, Journey
    from netless_lab.model.scene import Scene

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


@dataclass(frozen=True)
class Replay:
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
    """The mark where a packet died: on its gate, else on the last place it was seen, else in its node."""
    gate = next((found for found in scene.stations.values() if (found.node, found.gate) == (death.node, death.gate)), None)
    node = next((region.rect for region in scene.regions if region.kind == "node" and region.node == death.node), None)
    if gate is not None:
        x, y = gate.cell.x, gate.cell.y
    elif frames:
        x, y = frames[-1].x, frames[-1].y
    elif node is not None:
        x, y = node.x + node.width // 2, node.y + node.height // 2
    else:
        return []
    return [Frame(x, y, death_words(death), dead=True)] * (HOLD_FRAMES * 2)


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
