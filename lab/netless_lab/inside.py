"""What PID 1 of a lab does: build the world, open the session, serve clients until the lab is to end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from _pickle import loads  # to import what else there is in pickle takes as long as to read all that is handed over
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import protocol
from .agent import Agent
from .connection import Audience
from .course.catalog import Library
from .course.progress import Progress, encode
from .kernel.inotify import Inotify
from .kernel.room import make_table
from .kernel.terminals import Terminals
from .orders import Orders
from .primitives import registry as registry  # what the courses that are handed over are made of: in there nobody may be able to read it
from .protocol import Notice
from .room import NETLESS, SOCKET
from .sandbox.callers import Callers
from .sandbox.in_place import clear
from .sandbox.limits import raise_files
from .sandbox.pid1 import Room
from .sandbox.reaper import Reaper
from .session.lesson import Lesson
from .session.session import Answering, Session
from .session.stage import Stage
from .session.world import World

if TYPE_CHECKING:
    from .course.step import Course
    from .drill.verbs import Drills

MOST_TOLD = 20
"""Of failures nobody foresaw so many different ones are told of; the log has them all."""
LATER: Final = (
    "netless_lab.drill.verbs", "netless_lab.explain.ladder", "netless_lab.kernel.evidence.drops", "netless_lab.kernel.purge",
    "netless_lab.kernel.xtables_rules", "netless_lab.session.undo", "netless_lab.watching.gather", "netless_lab.watching.traffic",
)  # fmt: skip
"""What no lab needs to be ready is imported when somebody asks for what it does, and by then when nobody waits."""
WARM_UP_S = 0.7
"""After being ready: by then a client has been answered, and an app has drawn its first frame."""


def main(room: Room) -> None:
    """Be the lab's agent; returning ends the lab."""
    raise_files()
    make_table()
    asyncio.run(_live(room, Orders.from_json(room.argument)))


async def _live(room: Room, orders: Orders) -> None:
    loop = asyncio.get_running_loop()
    reaper = Reaper(loop)
    callers = Callers(loop, room.callers, room.words)

    def save(progress: Progress) -> None:
        callers.keep(encode(progress))

    audience = Audience()
    courses: Library = loads(room.ahead)  # begun with the same code
    course = courses.course(orders.course) or courses.course(orders.progress.here) or courses.courses[0]
    stage = Stage(room, reaper, courses, course, orders.progress, save, audience.tell, Lesson)
    if orders.drops is not None:
        drops = orders.drops
        stage.world.following.hear_drops(room.files[0], drops.ring_size, drops.layout, drops.reasons)
    await stage.world.begin(course.world)
    session = Session(stage, _drills(courses.courses))
    agent = Agent(session, callers, audience)
    await session.begin()
    if course.id == orders.course:
        stage.remember(stage.state.progress.at(stage.state.position))
    for notice in (*room.notes, orders.notice):
        if notice:
            stage.note(notice)
    loop.set_exception_handler(_Unforeseen(stage))
    door, terminals = _InnerDoor(loop, callers), Terminals(loop, session.command_ended)
    room.ready()
    protocol.expect_requests()  # while the first client is on its way
    later = loop.create_task(_when_greeted(stage.world))
    await agent.serve()
    later.cancel()
    door.close()
    terminals.close()
    os._exit(0)


async def _when_greeted(world: World) -> None:
    """What nobody shall wait for: the import of what was not needed so far, and a heap the collector never has to walk again.

    Collecting was off since ``boot`` began: what a start makes stays.
    """
    await asyncio.sleep(WARM_UP_S)
    try:
        await world.warm_up(LATER)
    except (ImportError, OSError, RuntimeError):  # no such module, no file can be opened, or no room for a thread: the first who needs it will say so
        pass
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def _drills(courses: tuple[Course, ...]) -> Answering:
    """What answers all that is asked about faults."""

    @cache
    def drills() -> Drills:
        from .drill.verbs import Drills  # no lab needs it to be ready

        return Drills(courses)

    async def answer(stage: Stage, request: protocol.Asked) -> protocol.Done | None:
        return await drills().answer(stage, request)

    return answer


class _Unforeseen:
    """What becomes of an exception that a callback or a task of the loop let out: the log has all of it, whoever looks on hears of it once."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._told: set[str] = set()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self._stage.report(error)
        text = f"Something in the lab itself failed ({error!r}). The lab goes on; details are in its log." if error else str(context["message"])
        if text not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(text)
            self._stage.tell(Notice("error", text))


class _InnerDoor:
    """Where those who live in the lab are heard. When its name has gone (``rm -rf /``), there is a new one at once, or, when its folder has gone
    too, as soon as that is there.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, callers: Callers) -> None:
        """Raises OSError when there cannot be even the first one."""
        self._loop, self._callers = loop, callers
        self._sock, self._inode = _listen_inside()
        callers.listen(self._sock)
        self._inotify: Inotify | None = None
        with contextlib.suppress(OSError):  # none left for this user: then only the first one is there
            self._inotify = Inotify()
            self._inotify.watch(os.path.dirname(NETLESS))
            self._inotify.watch(NETLESS)
            loop.add_reader(self._inotify.fileno(), self._look)

    def close(self) -> None:
        """Let nobody in any more."""
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()
        self._callers.close(self._sock)

    def _look(self) -> None:
        assert self._inotify is not None
        tuple(self._inotify.read())
        self._inotify.watch(NETLESS)  # which may be another folder now, or none: that there is one again is news of the folder around it
        with contextlib.suppress(OSError):
            if os.stat(SOCKET).st_ino == self._inode:
                return
        try:
            fresh, self._inode = _listen_inside()
        except OSError:
            return
        self._callers.close(self._sock)
        self._sock = fresh
        self._callers.listen(fresh)


def _listen_inside() -> tuple[socket.socket, int]:
    """A socket that those who live in the lab can reach, since abstract names end at the network namespace; and the inode of its name. Raises
    OSError.
    """
    clear(Path(SOCKET))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(SOCKET)
        sock.listen(16)
        return sock, os.stat(SOCKET).st_ino
    except OSError:
        sock.close()
        raise
