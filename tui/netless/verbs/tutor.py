"""The verb that opens the tutor: a lab, started when needed, and the app on it."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from netless_lab import labs
from netless_lab.errors import Refusal
from netless_lab.protocol import Down, GetStatus

from ..labs import find, known_course
from ..printer import Printer

if TYPE_CHECKING:
    import socket


def tutor(args: Namespace, printer: Printer) -> int:
    """Open the app. A lab that this app starts ends when the app is quit; one that ran before goes on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal("the tutor needs a terminal; in a script use `netless run`, `check`, `status` (see `netless --help`)")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise Refusal("this terminal (TERM=dumb) cannot draw; use `netless run`, `check`, `status` (see `netless --help`)", code=3)
    course = getattr(args, "course", None) or ""
    known_course(course)
    ours = False

    def connect() -> socket.socket:
        nonlocal ours
        sock = labs.connect(args.lab)
        if sock is None:
            ours = True
            sock = labs.start(args.lab, course)
        return sock

    from ..app.run import run_app

    code = run_app(connect, lab=args.lab, theme=args.theme, course=course or None)
    if ours:
        _end_unless_shared(args.lab, printer)
    return code


def _end_unless_shared(lab: str, printer: Printer) -> None:
    """The app that started a lab ends it, unless another view or shell is using it now."""
    client = find(lab)
    if client is None:
        return
    with client:
        if client.ask(GetStatus)["clients"] > 1:
            printer.narrate(f"the lab {lab} goes on: another view uses it; `netless down` ends it")
            return
        client.ask(Down)
