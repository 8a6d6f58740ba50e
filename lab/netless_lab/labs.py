"""Find a lab, or start one: what the command line and the app need before they can talk to an agent."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from . import ending
from .course.journal import damaged, last
from .course.places import lessons_root, own_root
from .course.progress import Progress
from .course.saved import load, progress_path, save, set_aside
from .errors import Refusal
from .orders import DropSource, Orders
from .protocol import VERSION
from .sandbox import find

if TYPE_CHECKING:
    import socket

    from .sandbox.drops.load import Loaded

ENTRY = "netless_lab.inside:main"


def running() -> tuple[str, ...]:
    """The labs of this user that are ready, by name."""
    return tuple(lab.lab for lab in find.labs() if lab.ready)


def connect(lab: str) -> socket.socket | None:
    """A connection to the lab's agent, or None when it does not run."""
    try:
        return find.connect(lab)
    except find.NoSuchLab:
        return None
    except find.NotOurs as error:
        raise Refusal(str(error.strerror or error), code=3) from error
    except ValueError as error:
        raise Refusal(str(error)) from error


@dataclass(frozen=True, slots=True)
class Begun:
    """A connection to a lab. ``agent_pid`` is the agent's when this very call started it, 0 when another process was faster."""

    sock: socket.socket
    agent_pid: int


def start(lab: str, course: str = "", *, folder: str = "", keep_progress: bool = True) -> socket.socket:
    """``begin``, for those who do not ask whose lab it is."""
    return begin(lab, course, folder=folder, keep_progress=keep_progress).sock


def begin(lab: str, course: str = "", *, folder: str = "", keep_progress: bool = True) -> Begun:
    """Start the lab and connect to it; one that another process starts meanwhile is simply joined.

    The learner's own courses (``places.own_root``) are there beside those that come along. ``folder`` takes the only course from
    there; without ``keep_progress`` nothing is read or written.
    """
    from .sandbox.start import AlreadyRuns, StartError, launch

    journal, pid = -1, 0
    lessons = "" if folder else own_root(os.environ)
    orders = Orders(course=course, folder=folder, lessons=lessons)
    if keep_progress:
        journal, orders = _orders(lab, orders)
    drops = _drops()
    if drops is not None:
        source = DropSource(drops.ring, drops.link, drops.ring_size, drops.layout, drops.reasons)
        orders = msgspec.structs.replace(orders, drops=source)
    argument = msgspec.json.encode(orders).decode()
    keep = (folder or str(lessons_root()), *((lessons,) if lessons else ()))  # a checkout in /tmp would else lose its lessons: a lab has a /tmp of its own
    files = (*((journal,) if journal >= 0 else ()), *((drops.ring, drops.link) if drops is not None else ()))
    try:
        started = launch(lab, ENTRY, argument=argument, keep=keep, pass_fds=files).wait()
        if drops is not None:
            drops.aim(started.pid)
        pid = started.pid
        started.close()
    except AlreadyRuns:
        pass
    except StartError as error:
        advice = error.do or "`netless doctor` tries everything this machine can and says what is missing."
        raise Refusal(f"{error}\n{advice}", code=3) from error
    except ValueError as error:
        raise Refusal(str(error)) from error
    finally:
        if journal >= 0:
            os.close(journal)
        if drops is not None:
            drops.close()
    return Begun(_joined(lab), pid)


def agent_pid(sock: socket.socket) -> int:
    """The process of the agent that a connected socket leads to."""
    return find.peer_pid(sock)


def end(lab: str) -> int | None:
    """End a lab, whatever version of netless it is of, and return when it is gone.

    How many others had it open, 0 when it did not say so; None when it does not run.
    """
    sock = connect(lab)
    if sock is None:
        return None
    with sock:
        others = ending.ask(sock, VERSION)
        if others is None:
            from .sandbox.stop import stop

            try:
                stop(sock)
            except find.NotOurs as error:
                raise Refusal(str(error), code=3) from error
    return others or 0


def _drops() -> Loaded | None:
    """The kernel's drop reasons for the lab to be, None for all but the machine's root and on kernels that cannot tell."""
    if os.geteuid() != 0:
        return None
    from .sandbox.drops.load import CannotListen, load

    with contextlib.suppress(CannotListen):
        return load()
    return None


def progress_of(lab: str) -> Progress:
    """What was earned in a lab, whether it runs or not."""
    path = progress_path(lab, os.environ)
    newest = last(_read(_journal(path)))
    return newest if newest is not None else load(path).progress


def keep_progress(lab: str, progress: Progress) -> None:
    """Replace the progress of a lab that does not run."""
    path = progress_path(lab, os.environ)
    save(path, progress)
    with contextlib.suppress(FileNotFoundError):
        _journal(path).unlink()


def _joined(lab: str) -> socket.socket:
    """A connection to a lab that is there or about to be."""
    for _ in range(250):
        sock = connect(lab)
        if sock is not None:
            return sock
        time.sleep(0.02)
    raise Refusal(f"the lab {lab} was started by another process, but it does not answer", code=4)


def _orders(lab: str, orders: Orders) -> tuple[int, Orders]:
    """Fold the journal of the last run into the progress file, and open an empty one for the new lab."""
    path = progress_path(lab, os.environ)
    journal = _read(_journal(path))
    newest, fd = last(journal), -1
    loaded = load(path)
    progress, notice = newest if newest is not None else loaded.progress, loaded.notice
    if damaged(journal):
        aside = set_aside(_journal(path))
        notice = f"{notice} Part of the journal of your progress could not be read: what could be read counts. {aside}".strip()
    try:
        save(path, progress)
        fd = os.open(_journal(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        notice = notice or f"Progress cannot be kept: {path.parent} cannot be written ({error.strerror})."
    return fd, msgspec.structs.replace(orders, progress=progress, journal_fd=fd, notice=notice)


def _read(path: Path) -> bytes:
    """What a file holds; nothing when it is not there or may not be read."""
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def _journal(path: Path) -> Path:
    return path.with_suffix(".journal")
