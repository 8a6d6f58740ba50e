"""The picture of the network: paints a scene by rows, repaints only rows that changed, and moves packets cell by cell.

No timer runs while nothing moves: one is started for a flash (it fires once) or for a replay (it stops with it). A replay refreshes only the
cells that its packet touches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region as Area
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.timer import Timer
from textual.widget import Widget

from ...commands.table import USUAL, Keymap
from ...desk.view import View
from ...say.text import Text, joined, plain
from ..drawing import LOOKS, Frame, Replay, brief_rows, cells_of, changed_cells, detail_rows, draw, full_rows, gate_at, grounds, splice, words
from ..keys import bindings, hints
from ..paint import strip_of

if TYPE_CHECKING:
    from netless_lab.model.scene import Region, Scene
    from netless_lab.model.snapshot import Snapshot

FLASH_S = 0.6
"""How long a part that changed stays lit."""
FLASH_LIMIT = 0.4
"""When more than this share of the drawing changed at once it is another drawing, and flashing it all would tell nothing."""
FPS = 20
LINGER_S = 1.5
"""How long the packet stays where it arrived."""
PACKET, DEAD = "◆", "✗"
"""A packet on its way, unlike any state of a port that it passes; and where it died."""

LEAST_DRAWN: Final = 8
"""Rows the drawing is given at least, so that its pane is as high in one lesson as in the next."""
DETAIL_ROWS: Final = 4
"""Rows of a caption or of what is told of a part, commonly. The drawing stands in the middle, so that as many are blank above."""

Part = tuple[str, str, str]
"""What a part is, wherever it is drawn: kind, node, name."""


def part_of(region: Region) -> Part:
    """Which part is drawn there."""
    return region.kind, region.node, region.name


class Picture(Widget, can_focus=True):
    """The live network. Click or walk with the arrows to pick a part and read what it is."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Picture { overflow: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings("network")

    class Again(Message):
        """The newest packet is to move once more."""

    class Unmoved(Message):
        """A packet was to be held or moved, and there is none on its way."""

    def __init__(self, keymap: Keymap = USUAL, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keymap = keymap
        self.scene: Scene | None = None
        self._snapshot: Snapshot | None = None
        self._goal: Snapshot | None = None
        self._picked: Part | None = None
        self._pressed: Region | None = None
        self._detail: tuple[Text, ...] = ()
        self._strips: dict[int, Strip] = {}
        self._lit: dict[int, set[int]] = {}
        self._flash: Timer | None = None
        self.replay: Replay | None = None
        self._clock: Timer | None = None
        self._leaving: Timer | None = None
        self.version = 0
        """How often the network has changed."""
        self._brief: tuple[Snapshot | None, int, int] = (None, 0, 5)
        self._full: tuple[int, int, int] = (-1, 0, 0)
        self.border_title = Content("Network")

    # -- what is shown ------------------------------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Paint this view's network."""
        if view.snapshot is self._snapshot and view.goal is self._goal:
            return
        self._snapshot, self._goal = view.snapshot, view.goal
        self.version += 1
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

    def wanted_rows(self, width: int) -> int:
        """How many rows show the whole network at this width, and a caption and what a part is without covering it."""
        if self._full[:2] != (self.version, width):
            drawn = full_rows(self._snapshot, self._goal, width) if self._snapshot is not None and width > 0 else 0
            self._full = (self.version, width, max(LEAST_DRAWN, drawn) + 2 * DETAIL_ROWS)
        return self._full[2]

    def _draw(self) -> None:
        width, height = self.size
        if self._snapshot is None:
            self.stop_replay()
            self.scene = None
            self._strips.clear()
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

    @property
    def moving(self) -> bool:
        """Whether a packet is on its way, or has just arrived: another does not take its place. One that stands still for good gives way."""
        return self._clock is not None or self._leaving is not None

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
        self._by_hand(Replay.pause)

    def action_step(self) -> None:
        """One cell on."""
        self._by_hand(Replay.step)

    def _by_hand(self, act: Callable[[Replay], Replay]) -> None:
        if self.replay is not None:
            self._move(act(self.replay))
        else:
            self.post_message(self.Unmoved())

    def action_again(self) -> None:
        """The same way once more, or the newest packet when none is moving."""
        if self.replay is not None and self.moving:
            self.play(self.replay.frames)
        else:
            self.post_message(self.Again())

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
                lit = strip.crop(gate.x, gate.x + gate.width).apply_style((base + Style.parse("reverse")).rich_style)
                strip = splice(strip, gate.x, lit)
            else:
                look = "bold $background on $error" if frame.dead else "bold $chip"
                mark = DEAD if frame.dead else PACKET
                strip = splice(strip, frame.x, Strip([Segment(mark, (base + Style.parse(look)).rich_style)], 1))
        return strip

    def _caption(self, frame: Frame) -> Strip:
        """What is seen now, and the keys that hold and step while the picture has the focus."""
        mark = joined((f" {DEAD} ", "strong", "bad")) if frame.dead else joined((f" {PACKET} ", "strong", "chip"))
        keys = hints("packet.hold", "packet.step", "packet.again", keymap=self._keymap, end=" ")
        text, width = mark + plain(frame.label), self.size.width
        if self.has_focus and text.cells + keys.cells + 2 <= width:
            text = text.padded(width - keys.cells) + keys
        return strip_of(text.cut(width), self.visual_style + Style.parse("on $panel"), width)

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
        room = 0 if self.has_class("brief") else max(0, self.size.height // 2)  # a strip has no row to spare: the network is what it is for
        self._detail = detail_rows(words(self._snapshot, self.picked), self.size.width, room)

    def action_walk(self, by: int) -> None:
        """Pick the next or previous part in reading order."""
        if self.scene is None or not self.scene.regions:
            return
        parts = sorted(self.scene.regions, key=lambda region: (region.rect.y, region.rect.x))
        here = self.picked
        index = parts.index(here) + by if here is not None else (0 if by > 0 else -1)
        self.pick(parts[index % len(parts)])

    def _under(self, event: events.MouseEvent) -> Region | None:
        offset = event.get_content_offset(self)
        return self.scene.at(offset.x, offset.y) if self.scene is not None and offset is not None else None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """What is pressed is what is clicked: the focus that comes with it may give the picture another size meanwhile."""
        self._pressed = self._under(event)

    def on_click(self, _event: events.Click) -> None:
        """Pick what was clicked."""
        self.pick(self._pressed)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell what is under the mouse."""
        text = "\n".join(words(self._snapshot, self._under(event)))
        tooltip = Content(text) if text else None
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
        return strip_of(plain(text.center(width)[:width], "faint"), self.visual_style, width)

    def _row(self, scene: Scene, y: int) -> Strip:
        width = self.size.width
        first = self.size.height - len(self._detail)
        if self._detail and y >= first:
            return strip_of(self._detail[y - first].cut(width), self.visual_style + Style.parse("on $panel"), width)
        base = self.visual_style
        lit = self._lit.get(y, set())
        here = self.picked if self._detail else None
        picked = here.rect if here is not None else None
        flash, chosen = Style.parse("on $flash"), Style.parse("on $chosen")
        segments: list[Segment] = []
        x = 0
        for run in scene.rows[y]:
            style = base + Style.parse(LOOKS[run.style])
            for start, end, ground in grounds(x, x + len(run.text), y, lit, picked):
                over = style if ground == "" else style + (flash if ground == "lit" else chosen)
                segments.append(Segment(run.text[start - x : end - x], over.rich_style))
            x += len(run.text)
        return Strip(segments, x).adjust_cell_length(width, base.rich_style)
