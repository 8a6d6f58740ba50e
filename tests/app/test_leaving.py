"""However the app ends, the terminal is given back as it was: a real process on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent


class Seat:
    """The app on a pseudo-terminal: what it wrote so far, and the terminal's settings before it began."""

    def __init__(self, terminal: int, ours: int, pid: int) -> None:
        self.terminal, self.ours, self.pid = terminal, ours, pid
        self.before = termios.tcgetattr(ours)
        self.said = b""

    def read_until(self, word: bytes, seconds: float = 20.0) -> None:
        """Read what the app writes until it holds ``word``."""
        end = time.monotonic() + seconds
        while word not in self.said:
            left = end - time.monotonic()
            assert left > 0, (word, self.said[-2000:])
            if select.select([self.terminal], [], [], left)[0]:
                self.said += os.read(self.terminal, 65536)

    def ended(self) -> int:
        """Wait for the end, reading on; returns the exit code."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.02)[0]:
                self.said += os.read(self.terminal, 65536)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while select.select([self.terminal], [], [], 0.05)[0]:
                    self.said += os.read(self.terminal, 65536)
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")

    def restored(self) -> bool:
        """Ordinary screen, visible cursor, no mouse reports, and the line settings as before."""
        pairs = ((b"\x1b[?1049l", b"\x1b[?1049h"), (b"\x1b[?25h", b"\x1b[?25l"), (b"\x1b[?1000l", b"\x1b[?1000h"))
        back = all(self.said.rfind(last) > self.said.rfind(first) for last, first in pairs)
        return back and termios.tcgetattr(self.ours) == self.before


@contextmanager
def seated(tmp_path: Path, *words: str) -> Iterator[Seat]:
    """The app, running and painted. Our own handle on the terminal keeps it alive when the app is gone."""
    terminal, ours = pty.openpty()
    ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path),
                   "PYTHONPATH": f"{ROOT / 'tui'}:{ROOT / 'lab'}:{TESTS}"}  # fmt: skip
    pid = os.fork()
    if pid == 0:
        os.setsid()
        ioctl(ours, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(ours, fd)
        os.closerange(3, 256)
        os.execve(sys.executable, [sys.executable, "-P", "-m", "app.child_app", *words], environment)
    seat = Seat(terminal, ours, pid)
    try:
        seat.read_until(b"Plug one end")
        yield seat
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(terminal)
        os.close(ours)


@pytest.mark.parametrize(("key", "code"), [(b"q", 0), (b"\x03", 0)], ids=["q", "ctrl-c"])
def test_keys_leave_in_good_order(tmp_path: Path, key: bytes, code: int) -> None:
    """q and ctrl-c quit with 0 and restore the terminal."""
    with seated(tmp_path) as seat:
        os.write(seat.terminal, key)
        assert seat.ended() == code
        assert seat.restored()
        assert b"Traceback" not in seat.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_signals_leave_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends the app with 128 + its number and restores the terminal (A5)."""
    with seated(tmp_path) as seat:
        os.kill(seat.pid, number)
        assert seat.ended() == 128 + number
        assert seat.restored()
        assert b"Traceback" not in seat.said


def test_ctrl_c_in_a_small_screen(tmp_path: Path) -> None:
    """Ctrl-c also leaves from help, goto and the rest."""
    with seated(tmp_path) as seat:
        os.write(seat.terminal, b"g")
        seat.read_until(b"Its start")
        os.write(seat.terminal, b"\x03")
        assert seat.ended() == 0
        assert seat.restored()


@pytest.mark.parametrize(("key", "where"), [(b"w", "in _why"), (b"c", "in _paint")], ids=["in a worker", "while painting"])
def test_a_crash_restores_and_reports(tmp_path: Path, key: bytes, where: str) -> None:
    """A failure of our own: the terminal is restored, one sentence says where the report is, the report holds the traceback (F4)."""
    with seated(tmp_path, "crash") as seat:
        os.write(seat.terminal, key)
        assert seat.ended() == 4
        assert seat.restored()
        told = seat.said[seat.said.rfind(b"\x1b[?1049l") :].decode()
        assert "netless failed in a way it should not (ValidationError: Expected `str`, got `" in " ".join(told.split())
        assert "Traceback" not in told
        reports = list((tmp_path / "netless" / "reports").glob("*.txt"))
        assert len(reports) == 1
        assert reports[0].name in told.replace("\r\n", "").replace("\n", "")
        report = reports[0].read_text()
        assert "Traceback (most recent call last)" in report
        assert where in report
        assert "ValidationError: Expected `str`, got `" in report
        assert "at `$." in report


def test_the_terminal_goes_away(tmp_path: Path) -> None:
    """When the terminal itself is closed (a dropped ssh) the app ends and does not spin."""
    with seated(tmp_path) as seat:
        os.kill(seat.pid, signal.SIGSTOP)
        os.kill(seat.pid, signal.SIGHUP)
        os.kill(seat.pid, signal.SIGCONT)
        assert seat.ended() == 128 + signal.SIGHUP
