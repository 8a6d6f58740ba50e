"""The verb that opens the tutor: a lab, started when needed, and the app on it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from netless_lab import labs, protocol
from netless_lab.client import Client, LabGone, Refused
from netless_lab.errors import Refusal
from netless_lab.lean import import_asyncio

from ..called import called
from ..config.glyphs import ascii_only, speaks_utf8
from ..config.place import settings
from ..leaving import Quit, ReadOut, Signalled, exit_code
from ..new_files import open_named
from ..options import Namespace
from ..printer import Printer
from . import as_begun, find, known_course, of_course, speak

if TYPE_CHECKING:
    import socket

_NOT_OURS: Final = "the lab {} goes on: this tutor did not start it; `netless down` ends it"


def tutor(args: Namespace, printer: Printer) -> int:
    """Open the app. A lab that this app starts ends when the app is quit on purpose; any other way of leaving leaves it."""
    own = settings(args.environment, args.options)
    if not own.plain:
        _insist_on_a_screen()
    elif args.record is not None:
        raise Refusal("--plain shows lines, and a recording is of a screen: `script` keeps what is said in lines")
    course = getattr(args, "course", None) or ""
    known_course(course)
    _as_wanted(args, course)
    record = None if args.record is None else (_new_recording(args.record), os.path.abspath(args.record))
    ours = keeper = 0

    def connect() -> socket.socket:
        nonlocal ours, keeper
        sock = labs.connect(args.lab)
        if sock is None:
            begun = labs.begin(args.lab, course)
            sock, ours = begun.sock, begun.keeper
            keeper = ours
            speak(args.lab, own.dialect)
        else:
            keeper = labs.keeper_of(sock)
        return sock

    def began() -> bool:
        return bool(ours) and keeper == ours

    import_asyncio()
    tell = printer.narrate
    if own.plain:
        from ..linear import run_lines
        from ..linear.paper import Paper
        from ..say.ascii import in_ascii

        plain = partial(in_ascii, letters=speaks_utf8(os.environ)) if ascii_only(own.glyphs, os.environ) else str
        paper = Paper(called(args.lab, os.environ), plain)
        leaving, tell = run_lines(connect, args.lab, course, paper, began), paper.say
    else:
        from ..app import run_app

        try:
            leaving = run_app(connect, own, lab=args.lab, course=course or None, record=record, began=began, say=printer.narrate)
        except Refusal:
            if record is not None:
                os.unlink(record[1])  # nothing was shown
            raise
    if isinstance(leaving, Quit) and leaving.keep and began() and args.lab in labs.running():
        from ..say.leaving import KEPT  # who opens the tutor need not wait for it

        tell(f"the lab {args.lab} goes on: {KEPT}, `netless down` ends it")
    elif isinstance(leaving, Quit) and not leaving.keep and ours:
        _end_unless_used(args.lab, ours, tell, agreed=leaving.agreed)
    elif isinstance(leaving, Quit) and args.lab in labs.running():
        tell(_NOT_OURS.format(args.lab))
    elif isinstance(leaving, Signalled | ReadOut) and leaving != Signalled(signal.SIGHUP) and args.lab in labs.running():
        tell(f"the lab {args.lab} goes on: `netless` comes back to it, `netless down` ends it")
    if isinstance(leaving, Quit | Signalled | ReadOut) and leaving != Signalled(signal.SIGHUP):
        _tell_shells(args.lab, tell)
    return exit_code(leaving)


def _tell_shells(lab: str, tell: Callable[[str], None]) -> None:
    """What runs in shells that the lab keeps, when it goes on."""
    import asyncio

    from netless_lab import keeping

    from ..desk.shells import Running
    from ..say.counted import listed
    from ..say.leaving import programs_in
    from ..shell.running import Processes

    processes = Processes()
    left = [own for own in asyncio.run(keeping.listed(lab)) if own.owner in (0, os.getpid()) and own.leader]
    if told := programs_in([Running(own.node, processes.programs(own.leader)) for own in left]):
        tell(f"what runs in its shells goes on too: {listed(told)}")


def _as_wanted(args: Namespace, course: str) -> None:
    """Insist, when the lab runs, that it stands in the course and began with the language and the courses that were named. Raises Refusal."""
    client = find(args.lab) if course or args.lang or args.lessons else None
    if client is not None:
        with client:
            status = client.ask(protocol.GetStatus())
        of_course(status, course)
        as_begun(status, args)


def _new_recording(path: str) -> int:
    """Open the file. Nobody else can read it: what a terminal shows may be private. Raises Refusal."""
    if os.environ.get("TEXTUAL_DRIVER"):
        raise Refusal("only what goes to a terminal can be recorded")
    try:
        return open_named(path, 0o600)
    except FileExistsError:
        raise Refusal(f"{path} is there already, and nothing is written over it: name another file") from None
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}") from error


def _insist_on_a_screen() -> None:
    """Refuse what cannot be drawn on. A driver of another kind than a terminal's, as textual-serve names it, brings its own screen."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal("the tutor needs a terminal; `netless --plain` needs none, and in a script there are `netless run`, `check`, `status` (see `netless --help`)")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise Refusal("this terminal (TERM=dumb) cannot draw; `netless --plain` tells the course line by line", code=3)


def _end_unless_used(lab: str, keeper: int, tell: Callable[[str], None], *, agreed: bool) -> None:
    """End the lab that this app started, unless somebody else uses it or wants it to last, or more would go than was ``agreed`` to. One that took its name
    since is not ours.
    """
    sock = labs.connect(lab)
    if sock is None:
        return
    if labs.keeper_of(sock) != keeper:
        sock.close()
        tell(_NOT_OURS.format(lab))
        return
    with contextlib.suppress(LabGone), Client(sock, protocol.Hello(client="app", lab=lab)) as client:
        earned = _earned(client)
        if stays := client.ask(protocol.Leave(agreed=agreed)):
            tell(f"the lab {lab} goes on: {stays}; `netless down` ends it")
            return
        labs.see_out(sock)
        kept = earned is not None and earned <= labs.progress_of(lab).ticks()
        tell(f"the lab {lab} is gone, with everything in it; your ticks {'are kept' if kept else 'could not be kept'}")


def _earned(client: Client) -> frozenset[tuple[str, str]] | None:
    """The ticks of a lab that is about to end; None when it does not say."""
    with contextlib.suppress(Refused, Refusal):
        return client.ask(protocol.GetProgress()).ticks()
    return None
