"""The verbs of the command line, imported only when asked for; and how each gets its lab, the one named on the command line.

Verbs that build or enter (tutor, up, run, goto, shell) start one that does not run; all others insist that it does, so that a
mistyped name is neither judged nor left running.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Literal

from netless_lab import labs, protocol
from netless_lab.client import ENDING_S, Client, LabGone, OnEvent
from netless_lab.course.places import own_root, spoken
from netless_lab.errors import Refusal
from netless_lab.lease import LASTING, Lease

from ..options import Namespace
from ..printer import Printer

if TYPE_CHECKING:
    from netless_lab.course.catalog import Library
    from netless_lab.primitives.base import Dialect


def find(lab: str, events: OnEvent | None = None) -> Client | None:
    """A client of a running lab, or None. With ``events`` what its own verbs do to the lab is handed on."""
    sock = labs.connect(lab)
    if sock is None:
        return None
    client = Client(sock, protocol.Hello(client="cli", lab=lab), events)
    if events is not None:
        client.ask(protocol.Subscribe(("actionevent", "notice"), mine=True))
    return client


def courses() -> Library:
    """Every course there is: those that come along, and the learner's own. Raises Refusal."""
    from netless_lab.course.files import library

    return library(own_root(os.environ), spoken(os.environ))


def of_course(status: protocol.Status, course: str | None) -> None:
    """Insist that a lab stands in the course that was named, if any was. Raises Refusal."""
    if course and status.course.id != course:
        from netless_lab.course.catalog import another_course

        raise another_course(status.course.id, course)


def as_begun(status: protocol.Status, args: Namespace) -> None:
    """Insist that a lab began with the language and the folder of courses that are named, if any are. Raises Refusal."""
    if args.lang and status.language != args.lang:
        raise labs.speaks_what_it_speaks(args.lab, status.language)
    if args.lessons and status.lessons != own_root(os.environ):
        raise labs.has_what_it_has(args.lab, status.lessons)


def known_course(course: str | None) -> None:
    """Insist that a course that was named is one that can be used. Raises Refusal."""
    if course:
        import difflib  # most names are right

        known = courses()
        known.insist_on(course)
        ids = tuple(own.id for own in known.courses)
        if course not in ids:
            near = tuple(difflib.get_close_matches(course, ids, n=3)) or ids
            raise Refusal(f"there is no course {course}: `netless courses` lists them", nearest=near)


def missing(lab: str) -> Refusal:
    """Why nothing can be done in a lab that does not run, which ones do, and how to start it. ``nearest``: the name perhaps meant."""
    import difflib

    others = labs.running()
    known = f"; those of yours that run: {', '.join(others)}" if others else ", nor is any other of yours"
    near = tuple(difflib.get_close_matches(lab, others, n=3))
    return Refusal(f"the lab {lab} is not running{known}. `netless up` starts {lab}", code=5, nearest=near)


def joined(args: Namespace, events: OnEvent | None = None) -> Client:
    """A client of the lab, which must run; ``events`` as for ``find``. Raises Refusal (5) when it does not."""
    client = find(args.lab, events)
    if client is None:
        raise missing(args.lab)
    return client


def speak(lab: str, dialect: Dialect | Literal[""]) -> None:
    """Let a lab that has just been started show commands in the dialect that is set, if any is."""
    client = find(lab) if dialect else None
    if client is not None and dialect:
        with client:
            client.ask(protocol.SetDialect(dialect))


def opened(
    args: Namespace, printer: Printer, *, course: str | None = None, events: OnEvent | None = None, lease: Lease | None = None,
    show: tuple[str, ...] = (),
) -> Client:  # fmt: skip
    """A client of the lab; one that does not run is started, and lasts. ``events`` as for ``find``.

    ``lease`` is for ``up``: the lab has it from now on, whoever started it. Otherwise the lease of a lab that runs stays as it is.
    ``show``: folders of the machine's to be seen in a lab that is started.
    """
    client = None
    give_up = time.monotonic() + ENDING_S
    while client is None:
        sock = labs.connect(args.lab)
        if sock is None:
            printer.narrate(f"starting the lab {args.lab} ...")
            sock = labs.start(args.lab, course or "", show=show)
            lease = lease or LASTING
            from ..config.place import settings  # only a lab that starts goes by them

            speak(args.lab, settings(args.environment, args.options).dialect)
        elif show:
            sock.close()
            raise labs.shows_what_it_shows(args.lab)
        try:
            client = Client(sock, protocol.Hello(client="cli", lab=args.lab, lease=lease), events)
        except LabGone:  # it was ending when we came, and its name will be free
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
    if args.lang or args.lessons:
        as_begun(client.ask(protocol.GetStatus()), args)
    if events is not None:
        client.ask(protocol.Subscribe(("actionevent", "notice"), mine=True))
    return client
