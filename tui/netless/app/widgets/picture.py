"""The picture of the network: paints a scene by rows, repaints only rows that changed, and moves packets cell by cell.

No timer runs while nothing moves: one is started for a flash (it fires once) or for a replay (it stops with it). A replay refreshes only the
cells that its packet touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region as Area
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from netless_lab.model.snapshot import Snapshot

from ..blocks import joined, keyed, plain
from ..drawing import LOOKS, Frame, Replay, brief_rows, cells_of, changed_cells, draw, gate_at, grounds, splice, words
from ..toolkit import bound
from ..view import View
from .document import paint

if TYPE_CHECKING:
    from netless_lab.model.scene import Region, Scene

FLASH_S = 0.6
"""How long a part that changed stays lit."""
FLASH_LIMIT = 0.4
"""When more than this share of the drawing changed at once it is another drawing, and flashing it all would tell nothing."""
FPS = 20
LINGER_S = 1.5
"""How long the packet stays where it arrived."""
PACKET, DEAD = "●", "✗"

Part = tuple[str, str, str]
"""What a part is, wherever it is drawn: kind, node, name."""


def part_of(region: Region) -> Part:
    """Which part is drawn there."""
    return region.kind, region.node, region.name


class Picture(Widget, can_focus=True):
    """The live network. Click or walk with the arrows to pick a part and read what it is."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Picture { overflow: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = bound(
        {"right,down": "walk(1)", "left,up": "walk(-1)", "space": "hold", "full_stop": "step", "a": "again"}
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scene: Scene | None = None
        self._snapshot: Snapshot | None = None
        self._goal: Snapshot | None = None
        self._picked: Part | None = None
        self._detail: tuple[str, ...] = ()
        self._strips: dict[int, Strip] = {}
        self._lit: dict[int, set[int]] = {}
        self._flash: Timer | None = None
        self.replay: Replay | None = None
        self._clock: Timer | None = None
        self._leaving: Timer | None = None
        self._brief: tuple[Snapshot | None, int, int] = (None, 0, 5)
        self.border_title = Content("Network")

    # -- what is shown ------------------------------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Paint this view's network."""
        if view.snapshot is self._snapshot and view.goal is self._goal:
            return
        self._snapshot, self._goal = view.snapshot, view.goal
        self._draw()

    def on_resize(self) -> None:
        """Another size is another drawing."""
        self._draw()

    def notify_style_update(self) -> None:
        """The theme changed: forget the strips."""
        self._strips.clear()
        super().notify_style_update()

    def brief_rows(self, width: int) -> int:
        """How many rows a strip of this width needs; see ``drawing.brief_rows``."""
        network = self._goal or self._snapshot
        if network is None or width < 1:
            return 5
        if self._brief[0] is not network or self._brief[1] != width:
            self._brief = (network, width, brief_rows(network, width))
        return self._brief[2]

    def _draw(self) -> None:
        width, height = self.size
        if self._snapshot is None or width < 1 or height < 1:
            self.refresh()
            return
        before, shown = self.scene, self.picked
        self.scene = scene = draw(self._snapshot, self._goal, width, height)
        self._read_detail()
        if before is None or (before.width, before.height) != (scene.width, scene.height):
            self._strips.clear()
            self._lit.clear()
            self.stop_replay()
            self.refresh()
            return
        if (before.wires, before.anchors) != (scene.wires, scene.anchors):
            self.stop_replay()
        if self.picked != shown:
            self._strips.clear()
            self.refresh()
        changed = changed_cells(before, scene)
        for y in changed:
            self._strips.pop(y, None)
        self._refresh_cells(changed)
        if before.level == scene.level:
            self._light(changed)

    def _refresh_cells(self, cells: dict[int, set[int]]) -> None:
        if cells:
            self.refresh(*(Area(min(xs), y, max(xs) - min(xs) + 1, 1) for y, xs in cells.items()))

    # -- the flash ----------------------------------------------------------------------------------------------------------

    def _light(self, changed: dict[int, set[int]]) -> None:
        if self.app.animation_level == "none" or self.scene is None or not changed:
            return
        drawn = sum(len(run.text.strip()) for row in self.scene.rows for run in row)
        if sum(map(len, changed.values())) > drawn * FLASH_LIMIT:
            return
        self._fade()
        rows = {y: cells_of(self.scene.rows[y]) for y in changed}
        self._lit = {y: {x for x in xs if rows[y][x][0] != " "} for y, xs in changed.items()}
        for y in self._lit:
            self._strips.pop(y, None)
        self._flash = self.set_timer(FLASH_S, self._fade)

    def _fade(self) -> None:
        """Put out what is lit; the cells of an earlier flash do not wait for the end of a later one."""
        if self._flash is not None:
            self._flash.stop()
        lit, self._lit, self._flash = self._lit, {}, None
        for y in lit:
            self._strips.pop(y, None)
        self._refresh_cells({y: xs for y, xs in lit.items() if xs})

    # -- the packet on its way ----------------------------------------------------------------------------------------------

    def play(self, frames: Sequence[Frame]) -> None:
        """Move a packet through these frames; with animations off it is shown at its end at once."""
        self.stop_replay()
        if not frames:
            return
        still = self.app.animation_level == "none"
        self.replay = Replay(tuple(frames), at=len(frames) - 1 if still else 0)
        self._refresh_packet(self.replay.here)
        if not still:
            self._clock = self.set_interval(1 / FPS, self._tick)

    def stop_replay(self) -> None:
        """Take the packet away."""
        for timer in (self._clock, self._leaving):
            if timer is not None:
                timer.stop()
        self._clock = self._leaving = None
        if self.replay is not None:
            gone, self.replay = self.replay, None
            self._refresh_packet(gone.here)

    def _tick(self) -> None:
        if self.replay is None:
            return
        self._move(self.replay.tick())
        if self.replay.over and self._clock is not None:
            self._clock.stop()
            self._clock = None
            self._leaving = self.set_timer(LINGER_S, self.stop_replay)

    def _move(self, after: Replay) -> None:
        before, self.replay = self.replay, after
        if before is not None and before.here != after.here:
            new_words = before.here.label != after.here.label or before.here.dead != after.here.dead
            self._refresh_packet(before.here, caption=False)
            self._refresh_packet(after.here, caption=new_words)

    def action_hold(self) -> None:
        """Hold the packet, or let it go on."""
        if self.replay is not None:
            self._move(self.replay.pause())

    def action_step(self) -> None:
        """One cell on."""
        if self.replay is not None:
            self._move(self.replay.step())

    def action_again(self) -> None:
        """The same way once more, or the newest packet when none is moving."""
        if self.replay is not None:
            self.play(self.replay.frames)
        else:
            self.screen.replay_last()  # type: ignore[attr-defined]

    def _refresh_packet(self, frame: Frame, *, caption: bool = True) -> None:
        gate = gate_at(self.scene, frame.x, frame.y)
        areas = [Area(*((gate.x, gate.y, gate.width, gate.height) if gate is not None else (frame.x, frame.y, 1, 1)))]
        if caption:
            areas.append(Area(0, self.size.height - 1, self.size.width, 1))
        self.refresh(*areas)

    def with_packet(self, strip: Strip, y: int) -> Strip:
        """The row with the packet laid over it; the last row says what is seen."""
        if self.replay is None:
            return strip
        frame, base = self.replay.here, self.visual_style
        if y == self.size.height - 1:
            return self._caption(frame)
        if y == frame.y:
            gate = gate_at(self.scene, frame.x, frame.y)
            if gate is not None and not frame.dead:
                lit = strip.crop(gate.x, gate.x + gate.width).apply_style((base + self._get_style("reverse")).rich_style)
                strip = splice(strip, gate.x, lit)
            else:
                look = "bold $background on $error" if frame.dead else "bold $chip"
                mark = DEAD if frame.dead else PACKET
                strip = splice(strip, frame.x, Strip([Segment(mark, (base + self._get_style(look)).rich_style)], 1))
        return strip

    def _caption(self, frame: Frame) -> Strip:
        """What is seen now, and the keys that hold and step while the picture has the focus."""
        mark = joined((f" {DEAD} ", "bold $error")) if frame.dead else joined((f" {PACKET} ", "bold $chip"))
        keys = keyed({"space": "hold", ".": "step", "a": "again"}, " ")
        text, width = mark + plain(frame.label), self.size.width
        if self.has_focus and text.cell_length + keys.cell_length + 2 <= width:
            text = text.pad_right(width - text.cell_length - keys.cell_length) + keys
        return paint(text.truncate(width, ellipsis=True), self.visual_style + self._get_style("on $panel"), self._get_style, width)

    # -- parts --------------------------------------------------------------------------------------------------------------

    @property
    def picked(self) -> Region | None:
        """Where the part is drawn whose details are shown; None when there is none, or no room for it just now."""
        regions = self.scene.regions if self.scene is not None else ()
        return next((region for region in regions if part_of(region) == self._picked), None)

    def pick(self, region: Region | None) -> None:
        """Show the details of a part, or none."""
        chosen = part_of(region) if region is not None else None
        self._picked = chosen if chosen != self._picked else None
        self._read_detail()
        self._strips.clear()
        self.refresh()

    def _read_detail(self) -> None:
        found = words(self._snapshot, self.picked)
        room = max(0, self.size.height // 2)
        self._detail = found[:room] if room else ()

    def action_walk(self, by: int) -> None:
        """Pick the next or previous part in reading order."""
        if self.scene is None or not self.scene.regions:
            return
        parts = sorted(self.scene.regions, key=lambda region: (region.rect.y, region.rect.x))
        here = self.picked
        index = parts.index(here) + by if here is not None else (0 if by > 0 else -1)
        self.pick(parts[index % len(parts)])

    def on_click(self, event: events.Click) -> None:
        """Pick what was clicked."""
        offset = event.get_content_offset(self)
        if self.scene is not None and offset is not None:
            self.pick(self.scene.at(offset.x, offset.y))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell what is under the mouse."""
        offset = event.get_content_offset(self)
        region = self.scene.at(offset.x, offset.y) if self.scene is not None and offset is not None else None
        text = "\n".join(words(self._snapshot, region))
        tooltip = plain(text) if text else None
        if (self.tooltip is None) != (tooltip is None) or (tooltip is not None and str(self.tooltip) != text):
            self.tooltip = tooltip

    # -- painting -----------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One row: from the cache, with the packet and its label spliced in."""
        width = self.size.width
        scene = self.scene
        if scene is None or y >= len(scene.rows):
            return self._empty(y, width)
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._row(scene, y)
        return self.with_packet(strip, y)

    def _empty(self, y: int, width: int) -> Strip:
        text = "Reading the kernel …" if self.scene is None and y == self.size.height // 2 else ""
        return paint(plain(text.center(width)[:width], "$faint"), self.visual_style, self._get_style, width)

    def _row(self, scene: Scene, y: int) -> Strip:
        width = self.size.width
        first = self.size.height - len(self._detail)
        if self._detail and y >= first:
            text = plain(" " + self._detail[y - first], "bold" if y == first else "$muted").truncate(width, ellipsis=True)
            return paint(text, self.visual_style + self._get_style("on $panel"), self._get_style, width)
        base = self.visual_style
        lit = self._lit.get(y, set())
        here = self.picked if self._detail else None
        picked = here.rect if here is not None else None
        flash, chosen = self._get_style("on $flash"), self._get_style("on $panel")
        segments: list[Segment] = []
        x = 0
        for run in scene.rows[y]:
            style = base + self._get_style(LOOKS.get(run.style, ""))
            for start, end, ground in grounds(x, x + len(run.text), y, lit, picked):
                over = style if ground == "" else style + (flash if ground == "lit" else chosen)
                segments.append(Segment(run.text[start - x : end - x], over.rich_style))
            x += len(run.text)
        return Strip(segments, x).adjust_cell_length(width, base.rich_style)
