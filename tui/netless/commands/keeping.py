"""What is kept beyond the lab: the session as a script and notes, the packets for Wireshark, the screen as a picture and as a recording."""

from __future__ import annotations

import asyncio

from netless_lab import protocol

from ..desk.desk import Desk
from ..desk.reduce import Told
from ..say.passing import NO_SCREEN
from .export import open_recording, write, write_packets, write_screen
from .stage import Stage


async def export(desk: Desk, stage: Stage) -> None:
    """Write the session down as a shell script and as Markdown notes."""
    account = await desk.ask(protocol.GetHistory())
    if account is not None:
        desk.take(write(account, desk.view.lab))


async def save_packets(desk: Desk, stage: Stage) -> None:
    """Save every packet that is kept, for Wireshark."""
    capture = await desk.ask(protocol.GetCapture())
    if capture is not None:
        desk.take(write_packets(capture, desk.view.lab))


async def keep_screen(desk: Desk, stage: Stage) -> None:
    """Keep what is to be seen as a picture: SVG, and PNG where that can be made."""
    from ..record.still import drawn

    sight = stage.sight()
    if sight is None:
        desk.tell("warning", NO_SCREEN)
        return
    status = desk.view.status
    title = f"netless: {status.page.title}" if status is not None else "netless"
    desk.take(write_screen(await asyncio.to_thread(drawn, sight, title), desk.view.lab))


async def record(desk: Desk, stage: Stage) -> None:
    """Record all that is shown from now on, or stop."""
    if desk.view.recording:
        await stage.filming.end()
    elif stage.filming.forbidden:
        desk.tell("warning", stage.filming.forbidden)
    else:
        opened = open_recording(desk.view.lab)
        if isinstance(opened, Told):
            desk.take(opened)
        else:
            stage.filming.begin(*opened)
