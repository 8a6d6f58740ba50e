"""The verb that tells what happens in a lab, line by line, as long as it goes on. It only looks on: no lab lasts for it."""

from __future__ import annotations

import io
import os
import socket
import sys

from netless_lab import labs
from netless_lab.lean import import_asyncio

from ..called import called
from ..options import Namespace
from ..printer import Printer
from ..say.narration import USUAL, Line
from ..say.plain import rows
from ..say.stamps import clock
from ..say.text import Block, blanks, joined
from . import missing


def follow(args: Namespace, printer: Printer) -> int:
    """Tell it until the lab ends: 0 when it ended in good order, 4 when it was killed. Raises Refusal (5) when it does not run."""
    import_asyncio()
    import asyncio

    from ..linear.onlooker import look_on

    printer.go_on()
    wanted = {*(args.only or USUAL), "end"} | ({"packet"} if args.packets else set())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # whoever reads it reads it as it happens
    sock = labs.connect(args.lab)
    if sock is None:
        raise missing(args.lab)

    def connect() -> socket.socket:
        assert sock is not None
        return sock

    def tell(line: Line) -> None:
        if line.kind in wanted:
            _print(line, printer)

    view = asyncio.run(look_on(args.lab, connect, called(args.lab, os.environ), tell, sys.stdout.fileno()))
    if not view.code or not printer.as_json:  # its last line has said why
        return view.code
    return printer.failure(view.ended, view.code)


def _print(line: Line, printer: Printer) -> None:
    """One line, and what belongs to it below."""
    if printer.as_json:
        (text,) = (row.plain for row in rows((Block(line.text),)))
        below = [row.plain for row in rows(line.below)]
        printer.document({"at": line.at, "kind": line.kind, "position": line.position, "text": text, "below": below})
        return
    when = joined((clock(line.at), "faint"), "  ")
    printer.tell((Block(line.text, first=when), *(Block(own.content, first=blanks(when.cells) + own.first) for own in line.below)))
