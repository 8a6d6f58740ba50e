"""One who only looks on: hears what happens at a lab as lines of text, until it ends."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable

from ..called import Called
from ..desk.desk import Connect, Desk
from ..desk.reduce import Event
from ..desk.view import View
from ..say.narration import Line, Narrator


async def look_on(lab: str, connect: Connect, called: Called, tell: Callable[[Line], None], read_by: int) -> View:
    """Tell every line until the lab ends, or nobody reads the file ``read_by`` any more: what is known then. What ``tell`` raises ends it."""
    narrator, told = Narrator(), asyncio.Queue[tuple[Line, ...]]()

    def heard(before: View, event: Event, after: View) -> None:
        told.put_nowait(narrator.tell(before, event, after, time.time()))

    desk = Desk(lab, connect, called=called, heard=heard, onlooker=True)
    conversation = asyncio.create_task(desk.converse())
    conversation.add_done_callback(lambda _: told.put_nowait(()))
    if stat.S_ISFIFO(os.fstat(read_by).st_mode):  # of a pipe that nobody reads the kernel tells whatever is asked (EPOLLERR, epoll_ctl(2))
        asyncio.get_running_loop().add_reader(read_by, conversation.cancel)
    while not conversation.done() or not told.empty():
        for line in await told.get():
            tell(line)
    return desk.view
