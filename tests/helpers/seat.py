"""A seat at a terminal: a real process on a real pseudo-terminal, what it wrote, and how it ended."""

from __future__ import annotations

import codecs
import contextlib
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from typing import Any


class Seat:
    """A program on a pseudo-terminal: what it wrote so far, and the terminal's settings before it began."""

    def __init__(self, terminal: int, ours: int, pid: int) -> None:
        self.terminal, self.ours, self.pid = terminal, ours, pid
        self.before = termios.tcgetattr(ours)
        self.said = b""
        self.cpu_s = 0.0
        """The processor time it and its children took in all; known once it has ended."""

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.terminal, keys)

    def read_until(self, word: bytes, seconds: float = 20.0, *, after: bytes = b"") -> None:
        """Read what the program writes until it holds ``word``, later than the last ``after``: a screen may paint the same words more than once."""
        end = time.monotonic() + seconds
        while word not in self.said[self.said.rfind(after) if after else 0 :]:
            left = end - time.monotonic()
            assert left > 0, (word, self.said[-2000:])
            self._read(left)

    def ended(self, seconds: float = 20.0) -> int:
        """Wait for the end, reading on while there is a terminal; returns the exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read(0.02)
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                while self._read(0.05):
                    pass
                self.cpu_s = usage.ru_utime + usage.ru_stime
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"it did not end: {self.said[-2000:]!r}")

    def close(self) -> None:
        """The terminal goes away for good: nobody has either end of it any more but the program."""
        for fd in (self.terminal, self.ours):
            if fd >= 0:
                os.close(fd)
        self.terminal = self.ours = -1

    def restored(self) -> bool:
        """Ordinary screen, visible cursor, no mouse reports, and the line settings as before."""
        pairs = ((b"\x1b[?1049l", b"\x1b[?1049h"), (b"\x1b[?25h", b"\x1b[?25l"), (b"\x1b[?1000l", b"\x1b[?1000h"))
        back = all(self.said.rfind(last) > self.said.rfind(first) for last, first in pairs)
        return back and termios.tcgetattr(self.ours) == self.before

    def told(self) -> str:
        """What is to be read on the ordinary screen after it was given back, on one line; "" when it was not. A letter may be written by halves."""
        _, given_back, told = self.said.rpartition(b"\x1b[?1049l")
        return " ".join(codecs.getincrementaldecoder("utf-8")().decode(told).split()) if given_back else ""

    def _read(self, seconds: float) -> bool:
        if self.terminal < 0:
            time.sleep(seconds)
            return False
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        self.said += os.read(self.terminal, 65536)
        return True


@contextmanager
def seated(
    command: Sequence[str], environment: Mapping[str, str], *, output: Any = None, size: tuple[int, int] = (120, 40)
) -> Iterator[Seat]:
    """The command on a terminal of its own, whose foreground it is. Our own handle on it keeps the terminal alive when the program is gone.

    ``output``: a file that takes its standard output instead of the terminal, as behind ``>``.
    """
    terminal, ours = pty.openpty()
    ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    pid = os.fork()
    if pid == 0:
        os.setsid()
        ioctl(ours, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(ours if output is None or fd != 1 else output.fileno(), fd)
        os.closerange(3, 256)
        os.execve(command[0], list(command), dict(environment))
    seat = Seat(terminal, ours, pid)
    try:
        yield seat
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        seat.close()
