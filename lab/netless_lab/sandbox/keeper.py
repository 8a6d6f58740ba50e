"""The one process of a lab that stays outside: it holds the lab's name, lets its own user's callers in, and writes what is to be kept.

It lives in the machine's own namespaces, so nothing inside can see, signal or trace it, and what it holds nobody inside holds: the
socket by which the lab is found, the right to write files, and the terminals of shells that nobody is at (``terminals``). Two lines lead
to the agent (``lines``).

Who calls is asked of the kernel here, where the users' numbers are the machine's: inside, everybody but the lab's own user is nobody.
The keeper ends when the agent does or lets go of ``words``, and the agent when the keeper does: for whatever reason that is, it kills the
agent, which may not be of a mind to end. A signal to the keeper is a request from outside to end the lab: it asks the agent, and kills an
agent that has not ended after ``PATIENCE_S``.

Whoever of the lab loses his parent is collected here and not by the machine's PID 1: that one may collect nobody, as in many a container,
and PID 1 of a room ends only when everybody in it is collected (pid_namespaces(7)).

What the agent sends is read without waiting for it, and nothing that it hands over is ever taken: a file of somebody else's, closed here,
may take as long as he likes (a TCP connection with SO_LINGER, socket(7)).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Final, NoReturn

from ..address import socket_name, terminals_name
from ..kernel import syscalls as sc
from . import way
from .find import is_ours, refuse_files
from .lines import AGENT, CALLER, END, HEADER, KEEP, LAST, MOST, READY, UserMap
from .plan import Plan
from .status import Reporter
from .terminals import Terminals

PATIENCE_S: Final = 3.0
WRITINGS_APART_S: Final = 0.1
"""At least so long between two writings: what was to be kept meanwhile is written once, the newest."""
_RATE: Final = 1 << 16
"""And no more bytes in a second than this, as a mean: a progress has a few thousand, and changes with a step."""
AGAIN_S: Final = 5.0
"""What could not be written is tried again after so long: a disk that is full may have room by then."""
_BACKLOG: Final = 64
_CHUNK: Final = 1 << 16
Save = Callable[[bytes], None]
"""Keep these bytes. ValueError when they are not what may be kept, OSError when they cannot be."""


def _refusal(text: str) -> bytes:
    """As ``protocol.Failed`` is written."""
    return json.dumps({"type": "failed", "id": 0, "code": 3, "text": text}).encode() + b"\n"


_REFUSED: Final = _refusal("this lab belongs to another user")
_DEAF: Final = _refusal("this lab takes nobody in, its agent does not react: `netless down` ends it")


def main(text: str, files: tuple[int, ...], callers: int, words: int) -> NoReturn:
    """The keeper's whole life, with the files that came with the plan and its ends of the two lines (``boot``)."""
    plan = Plan.from_json(text)
    sc.set_process_name("netless-keeper")
    sc.take_in_orphans()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing is left of a child that ends, and nobody has to wait for it (wait(2))
    reporter = Reporter(plan.status_fd)
    with reporter.to_the_end():
        for fd in files[: plan.passed]:
            os.close(fd)
        reporter.stage = "name"
        terminals = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # the first to be closed when we end: who has the lab's name gets this one too
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(socket_name(plan.lab, os.geteuid()))
        with contextlib.suppress(OSError):  # another user may hold it: no reason to have no lab
            terminals.bind(terminals_name(plan.lab, os.geteuid()))
        reporter.keeper(os.getpid())
        reporter.stage = "uid map"
        line = socket.socket(fileno=callers)
        if (wanted := UserMap.from_bytes(line.recv(_CHUNK))) is not None:
            sc.map_root_to(wanted.uid, wanted.gid, of=str(wanted.pid))
            line.send(b"m")
        reporter.stage = "keeper"
        Keeper(reporter, listener, terminals, line, words, partial(_saver, plan.saver, plan.kept_in)).run()
    raise AssertionError("unreachable")


def _saver(saver: str, kept_in: str) -> Save:
    """How what the agent wants kept is kept: by ``saver`` (see ``Plan``), told where."""
    if not saver:
        return lambda data: None
    import_module("netless_lab.lean")
    module, _, name = saver.partition(":")
    made: Save = getattr(import_module(module), name)(kept_in)
    return made


class Keeper:
    """The keeper, once it has the lab's name."""

    def __init__(
        self, reporter: Reporter, listener: socket.socket, terminals: socket.socket, callers: socket.socket, words: int, saver: Callable[[], Save]
    ) -> None:
        """What ``saver`` answers keeps what the agent wants kept, from when the lab is ready.

        It is called when the agent is there: before, who imports that and who builds its root have each a processor to themselves, where there
        are two, and from when the lab is ready somebody waits to be let in.
        """
        self._reporter = reporter
        self._listener = listener
        self._callers = callers
        self._words = words
        self._saver = saver
        self._save: Save = lambda data: None
        self._ready = False
        self._agent = -1
        """A pidfd of the agent, -1 until it is known."""
        self._to_keep: bytes | None = None
        self._kept = b""
        self._keep_from = 0.0
        """The earliest time of the next writing."""
        self._told_why = False
        self._kill_at: float | None = None
        self._turn_away_at: float | None = None
        """When those who wait are told that nobody takes them in; None while the agent takes them."""
        self._text = b""
        self._poll = select.poll()
        self._terminals = Terminals(self._poll, terminals)

    def run(self) -> NoReturn:
        """Until the lab has ended, or, before it is ready, until its starter has gone. Raises SystemExit, and the agent is killed."""
        try:
            self._run()
        finally:
            self._kill()

    def _run(self) -> NoReturn:
        self._callers.setblocking(False)
        self._callers.shutdown(socket.SHUT_RD)
        os.set_blocking(self._words, False)
        self._listener.setblocking(False)
        wake = _woken_by_signals()
        for fd, events in ((self._reporter.fileno(), 0), (self._words, select.POLLIN), (wake, select.POLLIN)):
            self._poll.register(fd, events)
        while True:
            for fd, _ in self._poll.poll(self._wait_ms()):
                if fd == self._words:
                    self._hear()
                elif fd == wake:
                    os.read(wake, _CHUNK)
                    self._ask_for_the_end()
                elif fd == self._listener.fileno():
                    self._let_in()
                elif fd == self._callers.fileno():
                    self._turn_away_at = None
                    self._poll.unregister(fd)
                    self._poll.register(self._listener, select.POLLIN)
                elif not self._ready:
                    raise SystemExit(1)  # the starter has gone
                else:
                    self._terminals.hear(fd)
            self._be_in_time()

    def _wait_ms(self) -> float | None:
        times = (self._kill_at, self._turn_away_at, self._keep_from if self._may_keep else None, self._terminals.due)
        due = [at for at in times if at is not None]
        return max(0.0, min(due) - time.monotonic()) * 1000 if due else None

    @property
    def _may_keep(self) -> bool:
        """Whether there is something to keep, and it may be kept: what is said before the lab is ready waits until it is."""
        return self._to_keep is not None and self._ready

    def _be_in_time(self) -> None:
        now = time.monotonic()
        if self._may_keep and now >= self._keep_from:
            self._keep()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill()
        if self._turn_away_at is not None and now >= self._turn_away_at:
            self._turn_away()
        self._terminals.be_in_time(now)

    def _hear(self) -> None:
        try:
            got = os.read(self._words, _CHUNK)
        except BlockingIOError:  # somebody inside who has the pipe too was faster
            return
        if not got:
            self._keep()
            self._kill()
            if not self._ready:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(-1, 0)  # those who make the lab end with us, and one of them is telling why
            raise SystemExit(0)
        self._text += got
        while len(self._text) >= HEADER.size:
            letter, size = HEADER.unpack_from(self._text)
            if size > MOST or letter not in (AGENT, READY, KEEP, LAST):
                raise SystemExit(1)
            if len(self._text) < HEADER.size + size:
                return
            frame, self._text = self._text[HEADER.size : HEADER.size + size], self._text[HEADER.size + size :]
            self._take(letter, frame)

    def _take(self, letter: bytes, frame: bytes) -> None:
        if letter == KEEP and self._listener.fileno() >= 0:  # else the next lab of that name may have written since
            self._to_keep = frame
        elif letter == AGENT and self._agent < 0:
            with contextlib.suppress(ProcessLookupError):
                self._agent = os.pidfd_open(int(frame))
            self._save = self._saver()
        elif letter == READY and not self._ready:
            self._open(tuple(json.loads(frame)))
        elif letter == LAST and self._listener.fileno() >= 0:
            self._keep()  # before the name is free: the next lab of that name reads it
            self._to_keep = None  # and writes it, from when it is
            self._shut()

    def _open(self, notes: tuple[str, ...]) -> None:
        """The lab is ready: let callers in, and tell who started it."""
        self._poll.unregister(self._reporter.fileno())
        refuse_files(self._listener)
        self._listener.listen(_BACKLOG)
        self._poll.register(self._listener, select.POLLIN)
        self._terminals.open()
        try:
            self._reporter.ready(notes)
        except BrokenPipeError:
            raise SystemExit(1) from None
        self._ready = True

    def _shut(self) -> None:
        """Nobody more: the name is free from now on, and the agent hears that it is. It has to end soon: nobody finds it by now to end it."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + PATIENCE_S
        for fd in (self._listener.fileno(), self._callers.fileno()):
            with contextlib.suppress(KeyError):
                self._poll.unregister(fd)
        self._turn_away_at = None
        self._terminals.shut()
        self._listener.close()
        self._callers.close()

    def _let_in(self) -> None:
        """Pass one caller on. While the agent does not take them they wait at the listener, as with any busy server."""
        if not select.select([], [self._callers], [], 0)[1]:
            self._poll.unregister(self._listener)
            self._poll.register(self._callers, select.POLLOUT)
            self._turn_away_at = time.monotonic() + way.TURN_AWAY_S
            return
        try:
            caller, _ = self._listener.accept()
        except OSError:  # it has hung up already
            return
        with caller, contextlib.suppress(OSError):
            if is_ours(caller):
                socket.send_fds(self._callers, [CALLER], [caller.fileno()])
            else:
                caller.setblocking(False)
                caller.sendall(_REFUSED)

    def _turn_away(self) -> None:
        """All who wait just now, and in a moment those who have come since."""
        self._turn_away_at = time.monotonic() + WRITINGS_APART_S
        for _ in range(_BACKLOG):
            try:
                caller, _ = self._listener.accept()
            except OSError:  # nobody is left
                return
            with caller, contextlib.suppress(OSError):
                caller.setblocking(False)
                caller.sendall(_DEAF if is_ours(caller) else _REFUSED)

    def _ask_for_the_end(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + PATIENCE_S
            with contextlib.suppress(OSError):
                self._callers.send(END)

    def _kill(self) -> None:
        self._kill_at = None
        if self._agent >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._agent, signal.SIGKILL)

    def _keep(self) -> None:
        """Write what is to be kept now. What cannot be written is still to be kept; what is none of what may be is forgotten."""
        if self._to_keep is None or not self._ready:
            return
        frame, self._to_keep = self._to_keep, None
        if frame == self._kept:
            return
        pause_s = max(WRITINGS_APART_S, len(frame) / _RATE)
        try:
            self._save(frame)
            self._kept = frame
        except (OSError, ValueError) as error:
            if not self._told_why:  # the log is the starter's, and not to be filled from inside
                traceback.print_exc()
            self._told_why = True
            if isinstance(error, OSError):
                self._to_keep, pause_s = frame, max(pause_s, AGAIN_S)
        self._keep_from = time.monotonic() + pause_s


def _woken_by_signals() -> int:
    """A descriptor that becomes readable when somebody outside wants the lab to end."""
    wake, waken = os.pipe()
    os.set_blocking(waken, False)
    signal.set_wakeup_fd(waken, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return wake
