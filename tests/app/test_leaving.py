"""However the app ends, the terminal is given back as it was: a real process on a real pseudo-terminal."""

from __future__ import annotations

import os
import platform
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.checkout import as_here
from helpers.seat import Seat
from helpers.seat import seated as on_a_terminal
from netless import __version__


@contextmanager
def seated(tmp_path: Path, *words: str) -> Iterator[Seat]:
    """The app on a scripted lab, running and painted."""
    environment = {**as_here(), "XDG_STATE_HOME": str(tmp_path)}
    with on_a_terminal([sys.executable, "-P", "-m", "app.child_app", *words], environment) as seat:
        seat.read_until(b"Plug one end")
        yield seat


@pytest.mark.parametrize(("key", "code"), [(b"q", 0), (b"\x03", 0)], ids=["q", "ctrl-c"])
def test_keys_leave_in_good_order(tmp_path: Path, key: bytes, code: int) -> None:
    """q and ctrl-c quit with 0 and restore the terminal."""
    with seated(tmp_path) as seat:
        seat.type(key)
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


@pytest.mark.parametrize("asked", [b"q", b"\x03", signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["q", "ctrl-c", "SIGTERM", "SIGINT", "SIGHUP"])
def test_who_never_comes_back_to_keys_and_signals_ends_too(tmp_path: Path, asked: bytes | signal.Signals) -> None:
    """The event loop computes for ever: asked to end by key or signal, the tutor is ended all the same, the terminal is given back, and what
    becomes of the lab is said."""
    with seated(tmp_path, "stuck") as seat:
        seat.read_until(b"computes")
        if isinstance(asked, bytes):
            seat.type(asked)
        else:
            os.kill(seat.pid, asked)
        assert seat.ended() == (0 if isinstance(asked, bytes) else 128 + asked)
        assert seat.restored()
        assert "`netless down` ends it" in seat.told()


def test_the_key_that_somebody_quits_with_ends_what_is_stuck(tmp_path: Path) -> None:
    """The key is that of a person's keymap, not of the table."""
    with seated(tmp_path, "stuck", "f10") as seat:
        seat.read_until(b"computes")
        seat.type(b"\x1b[21~")
        assert seat.ended() == 0
        assert seat.restored()


@pytest.mark.parametrize(("printed", "told"), [(r"\033[?1049lgone \342\200", "gone"), (r"\342\200\246", "")], ids=["cut", "not given back"])
def test_a_seat_tells_what_can_be_read_of_it(printed: str, told: str) -> None:
    """A letter that was not written to its end is none; of a screen that was not given back there is nothing to tell."""
    with on_a_terminal(["/bin/sh", "-c", f"printf '{printed}'"], as_here()) as seat:
        assert seat.ended() == 0
        assert seat.told() == told


def test_ctrl_c_in_a_small_screen(tmp_path: Path) -> None:
    """Ctrl-c also leaves from help, goto and the rest."""
    with seated(tmp_path) as seat:
        seat.type(b"g")
        seat.read_until(b"Its start")
        seat.type(b"\x03")
        assert seat.ended() == 0
        assert seat.restored()


@pytest.mark.parametrize(("key", "where"), [(b"w", "in why"), (b"c", "in _paint")], ids=["in a worker", "while painting"])
def test_a_crash_restores_and_reports(tmp_path: Path, key: bytes, where: str) -> None:
    """A failure of our own: the terminal is restored, one sentence says where the report is, the report holds the traceback (F4)."""
    with seated(tmp_path, "crash") as seat:
        seat.type(key)
        assert seat.ended() == 4
        assert seat.restored()
        assert "netless failed in a way it should not (ValidationError: Expected `str`, got `" in seat.told()
        assert "Traceback" not in seat.told()
        reports = list((tmp_path / "netless" / "reports").glob("*.txt"))
        assert len(reports) == 1
        assert reports[0].name in seat.told().replace(" ", "")
        report = reports[0].read_text()
        assert "Traceback (most recent call last)" in report
        assert where in report
        assert "ValidationError: Expected `str`, got `" in report
        assert "at `$." in report
        assert f"netless {__version__}, Python {platform.python_version()}, textual 8." in report
        assert "terminal: TERM=" in report and "120x40" in report
        assert re.search("(?m)^asked of the lab: .*" + ("Explain" if key == b"w" else "Check"), report)
        assert re.search("(?m)^events: Joined, ", report)


def test_the_terminal_goes_away(tmp_path: Path) -> None:
    """When the terminal itself is gone (a dropped ssh, a closed tab) the app ends by itself, as SIGHUP says, and does not spin meanwhile."""
    with seated(tmp_path) as seat:
        before = cpu_s(seat.pid)
        seat.close()
        assert seat.ended() == 128 + signal.SIGHUP
        assert seat.cpu_s - before < 2, "it spun"


def cpu_s(pid: int) -> float:
    """The processor time a process took so far (proc(5), stat: utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
