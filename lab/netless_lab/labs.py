"""Find a lab, or start one: what the command line and the app need before they can talk to an agent."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from . import ending
from .address import address
from .client import Client, LabGone, Refused
from .course.places import lessons_root, own_root, spoken
from .errors import Refusal
from .protocol import VERSION, Hello
from .sandbox import find

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from .course.progress import Progress
    from .orders import Orders
    from .sandbox.drops.load import Loaded
    from .sandbox.start import Boot

ENTRY: Final = "netless_lab.inside:main"
_COURSES: Final = "netless_lab.courses:read"
_SAVER: Final = "netless_lab.course.saved:saver"
_JOIN_S: Final = 5.0
"""How long a lab that another process starts may take to answer."""
_GRACE_S: Final = 2.0
"""How long a lab may take to be gone after it has agreed to end and hung up."""

LEAVING_S: Final = ending.PATIENCE_S + _GRACE_S
"""How long a lab may take to be gone that has agreed to end and has not hung up yet."""


def running() -> tuple[str, ...]:
    """The labs of this user that are ready, by name."""
    return tuple(lab.lab for lab in find.labs() if lab.ready)


def connect(lab: str, patience_s: int = find.PATIENCE_S) -> socket.socket | None:
    """A connection to the lab's agent, or None when it does not run. Raises Refusal when it takes nobody in for ``patience_s`` seconds."""
    try:
        return find.connect(lab, patience_s)
    except find.NoSuchLab:
        return None
    except (find.NotOurs, find.TakesNobody) as error:
        raise Refusal(str(error.strerror or error), code=3) from error
    except ValueError as error:
        raise Refusal(str(error)) from error


class Begun(NamedTuple):
    """A connection to a lab. ``keeper`` is its keeper's pid when this very call started it, 0 when another process was faster."""

    sock: socket.socket
    keeper: int


def start(lab: str, course: str = "", *, folder: str = "", show: tuple[str, ...] = (), keep_progress: bool = True) -> socket.socket:
    """``begin``, for those who do not ask whose lab it is."""
    return begin(lab, course, folder=folder, show=show, keep_progress=keep_progress).sock


def begin(lab: str, course: str = "", *, folder: str = "", show: tuple[str, ...] = (), keep_progress: bool = True) -> Begun:
    """Start the lab and connect to it; one that another process starts meanwhile is simply joined.

    The learner's own courses (``places.own_root``) are there beside those that come along. ``folder`` takes the only course from
    there; ``show`` are folders of the machine's to be seen inside, read-only, where they are; without ``keep_progress`` nothing is read
    or written. Raises Refusal.
    """
    from .sandbox.plan import shown
    from .sandbox.start import AlreadyRuns, StartError

    try:
        seen = tuple(shown(path) for path in show)
    except ValueError as error:
        raise Refusal(str(error)) from error

    give_up = time.monotonic() + _JOIN_S
    while time.monotonic() < give_up:
        try:
            keeper = _launch(lab, course, folder=folder, show=seen, keep_progress=keep_progress)
            give_up = time.monotonic() + _JOIN_S
        except AlreadyRuns:
            keeper = 0
        except StartError as error:
            advice = error.do or "`netless doctor` tries everything this machine can and says what is missing."
            raise Refusal(f"{error}\n{advice}", code=3) from error
        except ValueError as error:
            raise Refusal(str(error)) from error
        while time.monotonic() < give_up:
            sock = connect(lab)
            if sock is not None:
                if show and not keeper:
                    sock.close()
                    raise shows_what_it_shows(lab)
                return Begun(sock, keeper)
            if all(known.lab != lab for known in find.labs()):
                break  # it has ended meanwhile, and its name is free
            time.sleep(0.02)
    text = f"The name of the lab {lab} is held by another process, and no lab has answered there for {_JOIN_S:.0f} seconds: --lab NAME takes another one."
    raise Refusal(text, code=3)


def shows_what_it_shows(lab: str) -> Refusal:
    """Why a lab that runs cannot be made to show a folder."""
    return Refusal(f"the lab {lab} runs, and what a lab shows of the machine is settled when it starts: `netless down` ends it")


def speaks_what_it_speaks(lab: str, language: str) -> Refusal:
    """Why a lab that runs cannot be made to tell its lessons in another language than this."""
    own = language or "the language they were written in"
    return Refusal(f"the lab {lab} runs, and tells its lessons in {own}: that is settled when it starts, and `netless down` ends it")


def has_what_it_has(lab: str, lessons: str) -> Refusal:
    """Why a lab that runs cannot be given another folder of courses than this."""
    own = f"the courses of {lessons}" if lessons else "no courses but those that come along"
    return Refusal(f"the lab {lab} runs, and has {own}: that is settled when it starts, and `netless down` ends it")


def _launch(lab: str, course: str, *, folder: str, show: tuple[str, ...], keep_progress: bool) -> int:
    """Start a lab and answer its keeper's pid. Raises what ``sandbox.start`` raises."""
    from .sandbox.start import Boot  # most verbs start no lab

    with Boot(lab) as boot:
        return _told(boot, lab, course, folder=folder, show=show, keep_progress=keep_progress)


def _told(boot: Boot, lab: str, course: str, *, folder: str, show: tuple[str, ...], keep_progress: bool) -> int:
    """Gather what a lab has to know while its interpreter begins, and have it become that; its keeper's pid."""
    from .course.saved import progress_path  # most verbs start no lab
    from .orders import DropSource, Orders

    lessons = "" if folder else own_root(os.environ)
    orders = Orders(course=course, folder=folder, lessons=lessons, language=spoken(os.environ))
    path = progress_path(lab, os.environ) if keep_progress else None
    if path is not None:
        orders = _with_progress(path, orders)
    drops = _drops()
    if drops is not None:
        orders = msgspec.structs.replace(orders, drops=DropSource(drops.ring_size, drops.layout, drops.reasons))
    try:
        started = boot.become(
            ENTRY,
            argument=orders.to_json(),
            # a checkout in /tmp would else lose its lessons: a lab has a /tmp of its own
            keep=(folder or str(lessons_root()), *((lessons,) if lessons else ()), *show),
            pass_fds=(drops.ring,) if drops is not None else (),
            held_fds=(drops.link,) if drops is not None else (),
            saver=_SAVER if path is not None else "",
            kept_in=str(path or ""),
            ahead=_COURSES,
        ).wait()
        if drops is not None:
            drops.aim(started.pid)
        started.close()
    finally:
        if drops is not None:
            drops.close()
    return started.keeper


def keeper_of(sock: socket.socket) -> int:
    """The pid of the keeper of the lab that a connected socket leads to."""
    return find.peer_pid(sock)


def end(lab: str) -> int | None:
    """End a lab, whatever version of netless it is of, and whatever its agent says; returns when it is gone.

    How many others had it open, 0 when it did not say so; None when it does not run. Asked from inside the lab, its end is ours too, and
    what returns is its agreement.
    """
    sock = connect(lab, find.ENDING_PATIENCE_S)
    if sock is None:
        return None
    try:
        others = ending.ask(sock, VERSION)
        if others is None or not address(lab).startswith("/"):
            from .sandbox.stop import stop

            stop(sock, grace=0.0 if others is None else _GRACE_S)
    except find.NotOurs as error:
        raise Refusal(str(error), code=3) from error
    finally:
        ending.hang_up(sock)
    return others or 0


def see_out(sock: socket.socket) -> None:
    """Return when the lab behind this connection is gone, which has agreed to end; in time it is ended, whatever it agreed to."""
    from .sandbox.stop import stop

    try:
        stop(sock, grace=LEAVING_S)
    except find.NotOurs as error:
        raise Refusal(str(error), code=3) from error


def _drops() -> Loaded | None:
    """The kernel's drop reasons for the lab to be, None for all but the machine's root and on kernels that cannot tell."""
    if os.geteuid() != 0:
        return None
    from .sandbox.drops.load import CannotListen, load

    with contextlib.suppress(CannotListen):
        return load()
    return None


def progress_of(lab: str) -> Progress:
    """What was earned in a lab: what it says itself when it runs, else what was kept of it."""
    from .course.saved import load, progress_path
    from .protocol import GetProgress

    sock = connect(lab)
    if sock is not None:
        with contextlib.suppress(LabGone, Refused), Client(sock, Hello(client="cli", lab=lab)) as client:
            return client.ask(GetProgress())
    return load(progress_path(lab, os.environ)).progress


def keep_progress(lab: str, progress: Progress) -> None:
    """Replace the progress of a lab that does not run. Raises Refusal when it is more than can be kept, and OSError."""
    from .course.progress import BadProgress
    from .course.saved import progress_path, save

    try:
        save(progress_path(lab, os.environ), progress)
    except BadProgress as error:
        raise Refusal(f"the progress of the lab {lab} cannot be kept: {error}") from error


def _with_progress(path: Path, orders: Orders) -> Orders:
    """The orders with what was kept of the last lab of this name. Written back at once, to know now whether it can be."""
    from .course.progress import BadProgress
    from .course.saved import load, save

    loaded = load(path)
    notice = loaded.notice
    try:
        save(path, loaded.progress)
    except OSError as error:
        notice = notice or f"Progress cannot be kept: {path.parent} cannot be written ({error.strerror})."
    except BadProgress as error:
        notice = notice or f"Progress cannot be kept: {error}."
    return msgspec.structs.replace(orders, progress=loaded.progress, notice=notice)
