"""A program on a pseudo-terminal of its own: start it, read and write without ever blocking, end it and all it started.

The child is made by ``posix_spawn``: no Python runs between fork and exec, so other threads of the app cannot make it hang (a known
trouble of ``preexec_fn``).  It begins a session, and the first terminal a session leader opens becomes its controlling terminal (Linux,
credentials(7) and tty(4)): that is how ctrl+c, job control and the hangup at the end reach it.  If the app dies, the kernel closes the
master side, and hangs up on the session by itself unless somebody else has that side open too: then the terminal is only left, and whoever
has its master side can join the program later.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final, Self

TURN: Final = 0.008
"""Seconds of output handled before the event loop gets a turn: keys and painting wait no longer than this."""

PAUSE: Final = 0.002
"""Seconds without reading after a full turn.  A key passes through several queues of the app, one for each round of the event loop;
in the pause those rounds are short."""

GRACE: Final = 0.3
"""Seconds between the polite hangup and SIGKILL."""

_TIOCGSID: Final = 0x5429
"""ioctl_tty(2); the module termios does not have it."""
_CHUNK: Final = 1 << 16
_REPLY_LIMIT: Final = 1 << 16
_DEFAULT_SIGNALS: Final = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN,
    signal.SIGTTOU, signal.SIGWINCH, signal.SIGXFSZ,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told: bytes the program printed; its end with the exit code (negative: killed by that signal; None: only its parent would know)."""

    printed: Callable[[bytes], None]
    ended: Callable[[int | None], None]


class Child:
    """A running program.  Made (``start``, ``join``) and used in the thread of the running event loop."""

    def __init__(self, pid: int, exit_fd: int, master: int, listener: Listener, *, ours: bool) -> None:
        """``exit_fd`` is a pidfd of it.  ``ours``: we are its parent."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()
        self.pid = pid
        self._exit = exit_fd
        self._ours = ours
        self._master: int | None = master
        self._finished = False
        self.holds: Callable[[], bool] = lambda: True
        """Whether the terminal is still for us to read and to write: where it is somebody else's meanwhile nothing is done to it."""
        os.set_blocking(master, False)
        self._loop.add_reader(master, self._readable)
        self._loop.add_reader(self._exit, self._exited)

    @classmethod
    def start(cls, argv: Sequence[str], environment: Mapping[str, str], size: tuple[int, int], listener: Listener) -> Self:
        """Start it on a terminal of ``size`` (columns, rows).  OSError when it cannot be started."""
        master, slave = os.openpty()
        try:
            _set_size(slave, size)
            pid = _spawn(argv, environment, os.ttyname(slave))
        except OSError:
            os.close(master)
            raise
        finally:
            os.close(slave)
        return cls(pid, os.pidfd_open(pid), master, listener, ours=True)

    @classmethod
    def join(cls, master: int, listener: Listener) -> Self:
        """The program that leads the session on a terminal somebody else began, by its master side, which is ours from now on.

        OSError when it has ended.
        """
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, master)
            pid = _leader(master)
            exit_fd = os.pidfd_open(pid)
            opened.callback(os.close, exit_fd)
            if _leader(master) != pid:  # it had ended, and somebody else had its number
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
            opened.pop_all()
        return cls(pid, exit_fd, master, listener, ours=False)

    @property
    def master(self) -> int:
        """The master side of its terminal; -1 when that is closed."""
        return -1 if self._master is None else self._master

    @property
    def running(self) -> bool:
        """False once the program has ended or was stopped."""
        return self._exit >= 0

    def write(self, text: str) -> None:
        """Type into the program.  What it does not take now waits for it."""
        if self._master is not None:
            self._out += text.encode("utf-8", "replace")
            self._writable()

    def reply(self, text: str) -> None:
        """Answer a question of the program.  Answers it never reads are dropped, so that they cannot pile up."""
        if len(self._out) < _REPLY_LIMIT:
            self.write(text)

    def catch_up(self) -> None:
        """Have told what it has printed by now, as far as the terminal holds it."""
        if not self._finished and (data := self._read()):
            self._listener.printed(data)

    def resize(self, size: tuple[int, int]) -> None:
        """Tell it the new size (columns, rows); the kernel sends SIGWINCH."""
        if self._master is not None and self.holds():
            _set_size(self._master, size)

    async def stop(self) -> None:
        """End the program and everything in its session: hang up, and after `GRACE` kill.  Reaps it.

        A program that began a session of its own is out of reach; it ends with the lab's process namespace. So does what heeds no hangup in the
        session of a program that was joined and has ended by then: we are not its parent, and the session's number may be another's.
        """
        if not self.running:
            return
        if not self.holds():
            self.leave()
            return
        self._loop.remove_reader(self._exit)
        exit_fd, self._exit = self._exit, -1
        _signal_groups(self.pid, self._foreground(), (signal.SIGHUP, signal.SIGCONT))
        self._close()
        try:
            ended = await _readable(self._loop, exit_fd, GRACE)
            if self._ours or not ended:
                _kill_session(self.pid)  # before the reaping: until then nobody else can get this session's number
            if await _readable(self._loop, exit_fd, 1.0):
                self._reap()
        finally:
            os.close(exit_fd)

    def leave(self) -> None:
        """Leave it as it is: nothing is read, and nobody is told of it any more.  It goes on if somebody else has its master side open; nothing is left
        of a child of ours when it ends."""
        if self.running:
            self._loop.remove_reader(self._exit)
            exit_fd, self._exit = self._exit, -1
            if self._ours:
                self._loop.add_reader(exit_fd, self._collect, exit_fd)
            else:
                os.close(exit_fd)
        self._close()

    def _collect(self, exit_fd: int) -> None:
        self._loop.remove_reader(exit_fd)
        os.close(exit_fd)
        self._reap()

    def _foreground(self) -> int:
        """The process group that has the terminal now."""
        try:
            return os.tcgetpgrp(self._master) if self._master is not None else 0
        except OSError:
            return 0

    def _readable(self) -> None:
        """Read for one turn."""
        end = monotonic() + TURN
        while data := self._read():
            self._listener.printed(data)
            if monotonic() > end:
                self._pause()
                return

    def _pause(self) -> None:
        if self._master is not None:
            self._loop.remove_reader(self._master)
            self._loop.call_later(PAUSE, self._resume)

    def _resume(self) -> None:
        if self._master is not None and not self._finished:
            self._loop.add_reader(self._master, self._readable)

    def _read(self) -> bytes:
        """What there is to read, joined; nothing at the end of the output, or when there is no more (for us) now."""
        pieces: list[bytes] = []
        size = 0
        while size < _CHUNK and self._master is not None:
            try:
                piece = os.read(self._master, _CHUNK) if self.holds() else b""
            except BlockingIOError:
                break
            except OSError:  # EIO: nobody has the other side open any more
                piece = b""
            if not piece:
                self._finished = True
                self._loop.remove_reader(self._master)
                break
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _writable(self) -> None:
        if self._master is None:
            return
        try:
            if not self.holds():
                self._out.clear()
            elif self._out:
                del self._out[: os.write(self._master, self._out[:4096])]
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()
        if self._out:
            self._loop.add_writer(self._master, self._writable)
        else:
            self._loop.remove_writer(self._master)

    def _exited(self) -> None:
        """The program is gone: read the last of its output, reap it, tell."""
        self._loop.remove_reader(self._exit)
        os.close(self._exit)
        self._exit = -1
        code = self._reap()
        # the kernel hung up when the session leader ended, so no more than its buffer is left
        while data := self._read():
            self._listener.printed(data)
        self._close()
        self._listener.ended(code)

    def _reap(self) -> int | None:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) if self._ours else None

    def _close(self) -> None:
        if self._master is not None:
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            os.close(self._master)
            self._master = None
        self._out.clear()


def _spawn(argv: Sequence[str], environment: Mapping[str, str], terminal: str) -> int:
    inherited = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.name.isdecimal()]
    closing = [(os.POSIX_SPAWN_CLOSE, fd) for fd in inherited if fd > 2 and _inheritable(fd)]
    return os.posix_spawnp(
        argv[0],
        list(argv),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, terminal, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
            *closing,
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=_DEFAULT_SIGNALS,
    )


def _inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:  # the descriptor of the listing itself
        return False


def size_of(terminal: int) -> tuple[int, int]:
    """The size (columns, rows) that a terminal has.  OSError when it is none."""
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))
    return columns, rows


def _leader(master: int) -> int:
    """The process that leads the session on a terminal.  OSError when there is none."""
    leader: int = struct.unpack("i", fcntl.ioctl(master, _TIOCGSID, bytes(4)))[0]
    return leader


def _set_size(fd: int, size: tuple[int, int]) -> None:
    columns, rows = size
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


async def _readable(loop: asyncio.AbstractEventLoop, fd: int, seconds: float) -> bool:
    """Wait until ``fd`` can be read; False when that takes too long."""
    ready = asyncio.Event()
    loop.add_reader(fd, ready.set)
    try:
        async with asyncio.timeout(seconds):
            await ready.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(fd)
    return True


def _signal_groups(leader: int, foreground: int, signals: Sequence[signal.Signals]) -> None:
    for group in {leader, foreground} - {0}:
        for number in signals:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)


def _kill_session(session: int) -> None:
    """SIGKILL to every process of a session, whatever process group a shell put it in (proc(5), ``stat`` field 6)."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[3]) == session:
                os.kill(int(folder.name), signal.SIGKILL)
