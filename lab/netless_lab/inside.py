"""What PID 1 of a lab does: build the world, open the session, serve clients until the lab is to end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from pathlib import Path

import msgspec

from .agent import Agent
from .course.files import every, read_folder
from .course.places import lessons_root
from .course.progress import Progress, encode
from .course.step import Course
from .orders import Orders
from .sandbox.boot import Room
from .sandbox.callers import Callers
from .sandbox.find import INSIDE, is_ours
from .sandbox.limits import raise_files
from .sandbox.reaper import Reaper
from .session.host import PretendHost
from .session.session import Session
from .session.world import World

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
    inner = _listen_inside()
    room.ready()
    later = loop.create_task(_when_greeted(world))
    await agent.serve(inner, is_ours)
    later.cancel()
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


def _listen_inside() -> socket.socket:
    """A socket that those who live in the lab can reach: abstract names end at the network namespace."""
    os.makedirs(os.path.dirname(INSIDE), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(INSIDE)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(INSIDE)
    sock.listen(16)
    return sock
