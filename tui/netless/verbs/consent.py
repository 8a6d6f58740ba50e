"""A yes at the command line: what goes is listed, and goes only after it, or with --yes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from netless_lab import protocol
from netless_lab.client import Client, Refused

from ..printer import Printer
from ..say.rebuild import cleared

R = TypeVar("R")


def with_consent(
    client: Client, request: protocol.Move[R], forced: protocol.Move[R], doing: str, tell: Callable[[R, Printer], int], printer: Printer
) -> int:  # fmt: skip
    """Ask the lab for what it may want a yes to, list what that takes away, and ask for what is ``forced`` then, of the lab as it was listed. How it
    went ``tell`` says.
    """
    try:
        return tell(client.ask(request), printer)
    except Refused as refused:
        if refused.going is None:
            raise
        seen = moves(client)
        printer.narrate(f"netless: {refused}")
        list_going(doing, refused.going, refused.coming, printer)
        if agreed(printer):
            return tell(client.ask(replace(forced, seen=seen)), printer)
        return left(str(refused), refused.code, refused.going, refused.coming, printer)


def left(why: str, code: int, going: Sequence[str], coming: Sequence[str], printer: Printer) -> int:
    """Nobody agreed to what was listed."""
    printer.document({"error": why, "code": code, "nearest": (), "going": going, "coming": coming})
    printer.narrate("nothing was changed")
    return code


def moves(client: Client) -> int:
    """Which lab it is now (``Move.seen``): what is listed of it goes only from that one."""
    return client.ask(protocol.GetStatus()).moves


def list_going(doing: str, going: Sequence[str], coming: Sequence[str], printer: Printer) -> None:
    """Every line is true afterwards."""
    printer.narrate(f"after {doing}:")
    printer.tell(cleared(going, coming), indent=2, aside=True)


def agreed(printer: Printer) -> bool:
    """Whether the person at the terminal says yes; where nobody is there, nobody does."""
    if not sys.stdin.isatty():
        printer.narrate("add --yes to go on without being asked")
        return False
    printer.narrate("go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
