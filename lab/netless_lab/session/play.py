"""The mode in which nothing is judged, and how it is left."""

from __future__ import annotations

from typing import Final, Literal

from ..course.step import Position
from ..course.verdict import Verdict
from ..model.journey import Explanation
from ..model.probe import Probe
from ..model.snapshot import Snapshot
from ..protocol import Act, FaultStatus, Help, Judgement
from .mode import Mode
from .stage import Stage

STAYS: Final = ": the lab stays as you made it, and is judged again"
"""What becomes of it where nothing is rebuilt."""


class Play:
    """Nothing is judged unless somebody asks; for the rest the mode ``beneath`` it goes on."""

    name: Literal["play"] = "play"
    watches = False

    def __init__(self, beneath: Mode, place: Position, passed: bool) -> None:
        """``place`` and ``passed``: what is to be put back when it is over."""
        self.beneath = beneath
        self.place = place
        self.passed = passed

    def refuses(self, act: Act) -> str:
        """Nothing is broken on purpose where nothing is judged."""
        if act == "drill":
            return "play mode is on: nothing is judged, so a repair would go unseen. Leave it first"
        return self.beneath.refuses(act)

    async def judge(self, *, by_tutor: bool = False, looked: bool = False) -> Verdict:
        """Asked for, it is judged."""
        return await self.beneath.judge(by_tutor=by_tutor, looked=looked)

    async def check(self, target: str | None) -> Judgement:
        """As beneath."""
        return await self.beneath.check(target)

    def hint(self, rung: int | None) -> Help:
        """As beneath."""
        return self.beneath.hint(rung)

    async def explain(self, probe: Probe) -> Explanation:
        """As beneath."""
        return await self.beneath.explain(probe)

    async def watch(self, *, looked: bool) -> None:
        """Nothing."""

    def on_change(self, snapshot: Snapshot, *, by_somebody: bool) -> None:
        """As beneath; the stage asks ``watches`` before it has anything judged."""
        self.beneath.on_change(snapshot, by_somebody=by_somebody)

    def on_command(self) -> None:
        """Nothing is judged."""

    def going(self) -> tuple[str, ...]:
        """As beneath."""
        return self.beneath.going()

    def ending(self) -> str:
        """As beneath."""
        return self.beneath.ending()

    async def left(self) -> Mode:
        """Play goes on in the network that is built anew."""
        self.beneath = await self.beneath.left()
        return self

    def close(self) -> None:
        """As beneath."""
        self.beneath.close()

    def fault(self) -> FaultStatus | None:
        """As beneath."""
        return self.beneath.fault()


def stop_playing(stage: Stage, what: str = "") -> str:
    """A verb that moves the lab ends play mode: there is nothing left to put back. Every view hears when it ends, and whoever asked is to be told
    this, with ``what`` becomes of the lab; "" when it was not on.
    """
    if not isinstance(stage.mode, Play):
        return ""
    stage.enter(stage.mode.beneath)
    stage.views.tell_status()
    return f"Play mode is over{what}. "
