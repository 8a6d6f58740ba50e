"""The verb that opens the tutor: a lab, started when needed, and the app on it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from netless_lab import labs
from netless_lab.client import Client, LabGone
from netless_lab.errors import Refusal
from netless_lab.lean import import_asyncio
from netless_lab.protocol import GetStatus, Hello, Leave

from ..app.leaving import Quit, Signalled, exit_code
from ..options import Namespace
from ..printer import Printer
from . import as_begun, find, known_course, of_course

if TYPE_CHECKING:
    import socket


def tutor(args: Namespace, printer: Printer) -> int:
    """Open the app. A lab that this app starts ends when the app is quit on purpose; any other way of leaving leaves it."""
    _insist_on_a_screen()
    course = getattr(args, "course", None) or ""
    known_course(course)
    _as_wanted(args, course)
    ours = 0

    def connect() -> socket.socket:
        nonlocal ours
        sock = labs.connect(args.lab)
        if sock is None:
            begun = labs.begin(args.lab, course)
            sock, ours = begun.sock, begun.keeper
        return sock

    import_asyncio()
    from ..app import run_app

    leaving = run_app(connect, lab=args.lab, theme=args.theme, course=course or None)
    if isinstance(leaving, Quit) and ours:
        _end_unless_used(args.lab, ours, printer)
    elif isinstance(leaving, Signalled) and leaving.number != signal.SIGHUP and args.lab in labs.running():
        printer.narrate(f"the lab {args.lab} goes on: `netless` comes back to it, `netless down` ends it")
    return exit_code(leaving)


def _as_wanted(args: Namespace, course: str) -> None:
    """Insist, when the lab runs, that it stands in the course and began with the language and the courses that were named. Raises Refusal."""
    client = find(args.lab) if course or args.lang or args.lessons else None
    if client is not None:
        with client:
            status = client.ask(GetStatus())
        of_course(status, course)
        as_begun(status, args)


def _insist_on_a_screen() -> None:
    """Refuse what cannot be drawn on. A driver of another kind than a terminal's, as textual-serve names it, brings its own screen."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal("the tutor needs a terminal; in a script use `netless run`, `check`, `status` (see `netless --help`)")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise Refusal("this terminal (TERM=dumb) cannot draw; use `netless run`, `check`, `status` (see `netless --help`)", code=3)


def _end_unless_used(lab: str, keeper: int, printer: Printer) -> None:
    """End the lab that this app started, unless somebody else uses it or wants it to last. One that took its name since is not ours."""
    sock = labs.connect(lab)
    if sock is None:
        return
    if labs.keeper_of(sock) != keeper:
        sock.close()
        return
    with contextlib.suppress(LabGone), Client(sock, Hello(client="app", lab=lab)) as client:
        if stays := client.ask(Leave()):
            printer.narrate(f"the lab {lab} goes on: {stays}; `netless down` ends it")
            return
        labs.see_out(sock)
        printer.narrate(f"the lab {lab} is gone, with everything in it; your ticks are kept")
