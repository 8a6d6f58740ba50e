"""Start a lab: a fresh single-threaded process (``boot``) becomes a room with an agent in it, and lives on by itself.

``Boot`` returns at once, so that what a lab is to know can be gathered meanwhile; ``start`` waits. Both leave nothing behind when they fail or
are killed: the room ends when the pipe to its starter closes before it is ready.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from ..address import check_name
from . import sealed
from .limits import DEFAULT_PROCESSES
from .plan import Plan, import_path, kept
from .status import Failure, Heard

DEADLINE_S: Final = 20.0
_BOOT: Final = Path(__file__).with_name("boot.py")


class StartError(Exception):
    """The room could not be made. ``why`` and ``do`` are sentences for a person, "" when the cause is not known."""

    def __init__(self, failure: Failure, log: str = "") -> None:
        from .explain import explain_start
        from .facts import gather

        advice = explain_start(failure, gather())
        self.failure, self.log, self.why, self.do = failure, log, advice.why, advice.do
        super().__init__(f"the lab could not be started ({failure.stage}): {failure.text}" + (f"; {advice.why}" if advice.why else ""))


class AlreadyRuns(StartError):
    """A lab of this name runs already, or is being started: connect to it instead."""


class Started(NamedTuple):
    """A lab that is ready. ``pid`` is the agent's as seen from here, ``keeper`` that of the process which stays outside."""

    lab: str
    pid: int
    keeper: int
    notes: tuple[str, ...]
    log_fd: int

    def log(self) -> str:
        """What the agent wrote to its standard error so far; readable even after it was killed."""
        size = os.fstat(self.log_fd).st_size
        return os.pread(self.log_fd, size, 0).decode(errors="replace")

    def close(self) -> None:
        """Let go of the log. The lab is not touched."""
        os.close(self.log_fd)


class Starting:
    """A lab on its way. ``fileno`` becomes readable when ``wait`` would not block for long."""

    def __init__(self, plan: Plan, process: subprocess.Popen[bytes], status_fd: int, log_fd: int) -> None:
        self._plan = plan
        self._process = process
        self._status_fd = status_fd
        self._log_fd = log_fd

    def fileno(self) -> int:
        """The reading end of the status pipe."""
        return self._status_fd

    def wait(self, seconds: float = DEADLINE_S) -> Started:
        """Until the lab is ready. Raises StartError; whatever was begun is gone then."""
        end = time.monotonic() + seconds
        text, heard = b"", Heard()
        try:
            while True:
                while b"\n" in text:
                    line, _, text = text.partition(b"\n")
                    heard = heard.and_also(line)
                    if heard.failed is not None:
                        raise self._error(heard.failed)
                    if heard.ready is not None:
                        return Started(self._plan.lab, heard.pid, heard.keeper, heard.ready, os.dup(self._log_fd))
                if not select.select([self._status_fd], [], [], max(0.0, end - time.monotonic()))[0]:
                    raise self._error(Failure("agent", errno.ETIMEDOUT, f"it was not ready within {seconds:g} s"))
                chunk = os.read(self._status_fd, 4096)
                if not chunk:
                    raise self._error(Failure("agent", 0, "it ended before it was ready, without a word"))
                text += chunk
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is not ready; reap the starting process. Harmless when called again."""
        for name in ("_status_fd", "_log_fd"):
            fd = getattr(self, name)
            setattr(self, name, -1)
            if fd >= 0:
                os.close(fd)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _error(self, failure: Failure) -> StartError:
        log = os.pread(self._log_fd, os.fstat(self._log_fd).st_size, 0).decode(errors="replace")
        kind = AlreadyRuns if failure.stage == "name" and failure.errno == errno.EADDRINUSE else StartError
        return kind(failure, log)


class Boot:
    """An interpreter on its way to become a lab: it takes some 20 ms until it asks what to be, and by then its starter may know (``become``).

    With the block it ends, and leaves nothing, if nobody said what to be.
    """

    def __init__(self, lab: str) -> None:
        """Raises ValueError for an impossible name."""
        check_name(lab)
        self._lab = lab
        self._status_fd, self._its_status_fd = os.pipe()
        self._log_fd = os.memfd_create("netless-log", os.MFD_CLOEXEC)
        os.set_blocking(self._log_fd, True)
        self._held, self._notes = _copied_interpreter()
        self._orders, its = socket.socketpair()
        with its:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                [sys.executable, *_flags(), str(_BOOT), lab],  # by its own name also where a copy runs: Python finds its home by it
                executable=f"/proc/self/fd/{self._held[0]}" if self._held else None,
                env=sealed.environment() if self._held else None,
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._log_fd,
                pass_fds=(self._its_status_fd, *self._held),
                start_new_session=True,
            )
        for fd in (self._its_status_fd, *self._held):
            os.close(fd)

    def become(
        self,
        entry: str,
        *,
        argument: str = "",
        keep: tuple[str, ...] = (),
        processes: int = DEFAULT_PROCESSES,
        pass_fds: tuple[int, ...] = (),
        held_fds: tuple[int, ...] = (),
        saver: str = "",
        kept_in: str = "",
        ahead: str = "",
    ) -> Starting:
        """Say what to be; once. ``entry`` is ``module:function``, called in the room with a ``pid1.Room`` that carries ``argument``.

        ``keep`` are paths of what a room covers that must stay visible inside; ``pass_fds`` are open files for the agent (``Room.files``),
        ``held_fds`` files that stay open outside as long as the lab lives; ``saver``, ``kept_in`` and ``ahead``: see ``Plan``.
        """
        plan = Plan(
            lab=self._lab,
            entry=entry,
            path=import_path(),
            keep=kept(keep),
            status_fd=self._its_status_fd,
            processes=processes,
            executable=sys.executable,
            argument=argument,
            passed=len(pass_fds),
            held=self._held,
            notes=self._notes,
            saver=saver,
            kept_in=kept_in,
            ahead=ahead,
        )
        text = plan.to_json().encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError), self._orders:  # it has died: its silence will tell
            socket.send_fds(self._orders, [text[:1]], [*pass_fds, *held_fds])
            self._orders.sendall(text[1:])
        process, self._process = self._process, None
        assert process is not None
        return Starting(plan, process, self._status_fd, self._log_fd)

    def __enter__(self) -> Boot:
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            self._orders.close()
            for fd in (self._status_fd, self._log_fd):
                os.close(fd)


def start(lab: str, entry: str, *, argument: str = "", keep: tuple[str, ...] = (), seconds: float = DEADLINE_S) -> Started:
    """Start a lab and wait until it is ready. Raises StartError or AlreadyRuns; see ``Boot.become`` for the arguments."""
    with Boot(lab) as boot:
        return boot.become(entry, argument=argument, keep=keep).wait(seconds)


def _copied_interpreter() -> tuple[tuple[int, ...], tuple[str, ...]]:
    """What the lab is to be run from in place of this interpreter's file, if that is needed and can be; and else that it cannot, in words."""
    if not sealed.is_needed():
        return (), ()
    try:
        return (sealed.copied(),), ()
    except OSError as error:
        return (), (f"its Python is not run from memory ({error.strerror}): who gets hold of the agent can change {sys.executable}, which is yours",)


def _flags() -> list[str]:
    """Isolated, without ``site`` (the plan carries the whole path), UTF-8, and as this interpreter about byte code."""
    flags = ["-I", "-S", "-X", "utf8"]
    if sys.dont_write_bytecode:
        flags.append("-B")
    if sys.pycache_prefix:
        flags += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    return flags
