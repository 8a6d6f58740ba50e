"""Packets: why one died, which are shown, what their bytes mean, and one that moves again over the picture."""

from __future__ import annotations

from netless_lab import protocol

from ..desk.desk import Desk
from ..say.passing import BYTES_THERE, seen_and_cause
from .stage import Stage
from .time import choose_from


async def why(desk: Desk, stage: Stage) -> None:
    """Explain where the last packet died; then go to the step that teaches it, or see the packet die again."""
    explanation = await desk.ask(protocol.Explain(), saying="Looking for the cause")
    if explanation is None:
        return
    if not stage.in_sight:
        desk.tell("info", seen_and_cause(explanation.seen, explanation.cause), of_step=True)
        return
    lesson = await stage.windows.show_cause(explanation)
    if lesson:
        await choose_from(desk, stage, lesson)
    else:
        stage.replay(explanation.journey)


async def look_again(desk: Desk) -> None:
    """Let the judge send its packets, so that the learner sees which go and which do not."""
    await desk.ask(protocol.Check(), saying="Sending packets")


async def follow(desk: Desk, stage: Stage) -> None:
    """Follow the learner's own packets, or stop."""
    told = await desk.ask(protocol.Follow(not desk.view.following))
    for text in told.missing if told is not None else ():
        desk.tell("warning", text)


async def seek(desk: Desk, stage: Stage) -> None:
    """Show only some packets."""
    sought = await stage.windows.choose_words(stage.sought)
    if sought is not None:
        stage.sought = sought


async def choose_hop(desk: Desk, stage: Stage) -> None:
    """Choose a hop; its bytes follow."""
    chosen = await stage.windows.choose_hop(stage.sought)
    if chosen is not None:
        await look_at_hop(desk, stage, *chosen)


async def look_at_hop(desk: Desk, stage: Stage, journey: int, hop: int) -> None:
    """What the bytes of one hop mean."""
    packet = await desk.ask(protocol.GetPacket(journey, hop))
    if packet is None:
        return
    if stage.in_sight:
        await stage.windows.show_packet(packet)
    else:
        desk.tell("info", BYTES_THERE)
