"""How a verb gets its lab: the one named on the command line, started when it does not run."""

from __future__ import annotations

from argparse import Namespace

from netless_lab import labs
from netless_lab.client import Client, OnEvent
from netless_lab.protocol import Hello, Subscribe

from .printer import Printer

running = labs.running


def find(lab: str) -> Client | None:
    """A client of a running lab, or None."""
    sock = labs.connect(lab)
    return None if sock is None else Client(sock, Hello(client="cli", lab=lab))


def opened(args: Namespace, printer: Printer, *, course: str | None = None, events: OnEvent | None = None) -> Client:
    """A client of the lab; one that does not run is started, and lasts. With ``events`` the lab's events are handed on."""
    sock = labs.connect(args.lab)
    if sock is None:
        printer.narrate(f"starting the lab {args.lab} ...")
        sock = labs.start(args.lab, course or "")
    client = Client(sock, Hello(client="cli", lab=args.lab, keep=True), events)
    if events is not None:
        client.ask(Subscribe)
    return client
