"""The packet on the picture: starts, moves and takes away the replay; refreshes only the cells it touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.geometry import Region as Area
from textual.strip import Strip
from textual.timer import Timer

from ..blocks import joined, plain
from ..drawing import gate_at, splice
from ..replay import Frame, Replay
from .document import paint

if TYPE_CHECKING:
    from textual.widget import Widget

    from netless_lab.model.scene import Scene

    Base = Widget
else:
    Base = object

FPS = 20
LINGER_S = 1.5
"""How long the packet stays where it arrived."""
PACKET, DEAD = "●", "✗"


class Replaying(Base):
    """Mixed into the picture. A timer runs only while a packet moves."""

    scene: Scene | None
    replay: Replay | None = None
    _clock: Timer | None = None
    _leaving: Timer | None = None

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
        keys = joined(
            ("space", "$accent"), (" hold  ", "$muted"), (".", "$accent"), (" step  ", "$muted"), ("a", "$accent"), (" again ", "$muted")
        )
        text, width = mark + plain(frame.label), self.size.width
        if self.has_focus and text.cell_length + keys.cell_length + 2 <= width:
            text = text.pad_right(width - text.cell_length - keys.cell_length) + keys
        return paint(text.truncate(width, ellipsis=True), self.visual_style + self._get_style("on $panel"), self._get_style, width)
