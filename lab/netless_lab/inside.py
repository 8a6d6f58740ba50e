"""What PID 1 of a lab does: build the world, open the session, serve clients until the lab is to end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from .agent import Agent
from .course.files import every, read_folder
from .course.places import lessons_root
from .course.progress import Progress, encode
from .course.step import Course
from .kernel.inotify import Inotify
from .orders import Orders
from .protocol import Notice
from .room import NETLESS, SOCKET
from .sandbox.boot import Room
from .sandbox.callers import Callers
from .sandbox.find import is_ours
from .sandbox.limits import raise_files
from .sandbox.reaper import Reaper
from .session.host import PretendHost
from .session.session import Session
from .session.world import World

AGAIN_S = 0.1
"""Until the next look for the inner socket where it could not be made."""
MOST_TOLD = 20
"""Of failures nobody foresaw so many different ones are told of; the log has them all."""
WARM_UP_S = 0.7
"""After being ready: by then a client has been answered, and an app has drawn its first frame."""


def main(room: Room) -> None:
    """Be the lab's agent; returning ends the lab."""
    raise_files()
    orders = msgspec.json.decode(room.argument.encode(), type=Orders) if room.argument else Orders()
    asyncio.run(_live(room, orders))


async def _live(room: Room, orders: Orders) -> None:
    loop = asyncio.get_running_loop()
    reaper = Reaper(loop)
    host = PretendHost(room, reaper)
    courses = _courses(orders)
    await host.build(courses[0].world.containers)
    world = World(host)
    if orders.drops is not None:
        world.following.hear_drops(orders.drops.ring_fd, orders.drops.ring_size, orders.drops.layout, orders.drops.reasons)
    await world.begin()

    callers = Callers(loop, room.callers, room.words)

    def save(progress: Progress) -> None:
        callers.keep(encode(progress))

    session = Session(room.lab, world, courses, orders.progress, save)
    agent = Agent(session, callers)
    await session.begin()
    for notice in (*room.notes, orders.notice):
        if notice:
            session.note(notice)
    loop.set_exception_handler(_Unforeseen(session))
    inner = _listen_inside()
    door = _InnerDoor(loop, callers.welcome)
    room.ready()
    later = loop.create_task(_when_greeted(world))
    await agent.serve(inner, is_ours)
    later.cancel()
    door.close()
    os._exit(0)


async def _when_greeted(world: World) -> None:
    """What nobody shall wait for: the import of what actions need, and a heap the collector never has to walk again.

    Collecting was off since ``boot`` began: what a start makes stays.
    """
    await asyncio.sleep(WARM_UP_S)
    try:
        await world.warm_up()
    except (ImportError, RuntimeError):  # no such module, or no room for a thread: the first action will say so
        pass
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def _courses(orders: Orders) -> tuple[Course, ...]:
    """The course in the folder that was named, or every course there is, the wanted one first."""
    if orders.folder:
        only = read_folder(Path(orders.folder)).course
        courses: tuple[Course, ...] = (only,) if only is not None and only.lessons else ()
    else:
        courses = every(orders.lessons)
    if not courses:
        raise LookupError(f"no course can be read in {orders.folder or lessons_root()}: `netless lint` says why")
    return tuple(sorted(courses, key=lambda course: course.id != orders.course)) if orders.course else courses


class _Unforeseen:
    """What becomes of an exception that a callback or a task of the loop let out: the log has all of it, whoever looks on hears of it once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: set[str] = set()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self._session.report(error)
        text = f"Something in the lab itself failed ({error!r}). The lab goes on; details are in its log." if error else str(context["message"])
        if text not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(text)
            self._session.on_event(Notice("error", text))


class _InnerDoor:
    """Sees that those who live in the lab find its socket: when its name has gone (``rm -rf /``), there is a new one at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, welcome: Callable[[socket.socket], None]) -> None:
        self._loop, self._welcome = loop, welcome
        self._sock: socket.socket | None = None
        self._inotify: Inotify | None = None
        with contextlib.suppress(OSError):  # none left for this user: then only the first one is there
            self._inotify = Inotify()
            self._inotify.watch(NETLESS)
            loop.add_reader(self._inotify.fileno(), self._look)

    def close(self) -> None:
        """Let nobody in any more."""
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _look(self) -> None:
        assert self._inotify is not None
        lost = [event.lost for event in self._inotify.read()]
        if os.path.exists(SOCKET):
            return
        try:
            fresh = _listen_inside()
        except OSError:  # the directory is being removed while we look: its end is an event of its own
            if any(lost):
                self._loop.call_later(AGAIN_S, self._look)
            return
        self._inotify.watch(NETLESS)
        fresh.setblocking(False)
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._sock.close()
        self._sock = fresh
        self._loop.add_reader(fresh, self._accept, fresh)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            caller, _ = listener.accept()
            if is_ours(caller):
                self._welcome(caller)
            else:
                caller.close()


def _listen_inside() -> socket.socket:
    """A socket that those who live in the lab can reach: abstract names end at the network namespace."""
    os.makedirs(NETLESS, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(SOCKET)
    sock.listen(16)
    return sock
