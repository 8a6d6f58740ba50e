"""The verb that opens the tutor: a lab, started when needed, and the app on it."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from netless_lab import labs
from netless_lab.errors import Refusal

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
    ours = False

    def connect() -> socket.socket:
        nonlocal ours
        sock = labs.connect(args.lab)
        if sock is None:
            ours = True
            sock = labs.start(args.lab, course)
        return sock

    from ..app.app import run_app

    return run_app(connect, lab=args.lab, theme=args.theme, owns_lab=lambda: ours)
