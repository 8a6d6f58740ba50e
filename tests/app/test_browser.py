"""The tutor behind textual-serve: no terminal but pipes, and Textual's own framing of what is typed and painted.

textual-serve starts a command with TEXTUAL_DRIVER set to Textual's web driver and COLUMNS and ROWS for the size; each packet is a letter, four bytes
of length, and that much: D is data, M is JSON about the session (textual.drivers.web_driver).
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from helpers.desk import Desk, at_a_desk

pytestmark = pytest.mark.kernel


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A lab of this test's own."""
    with at_a_desk(tmp_path) as own:
        yield own


class Tab:
    """A browser's tab as its server sees it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = b""

    @property
    def to(self) -> IO[bytes]:
        """Where its packets go."""
        assert self.process.stdin is not None
        return self.process.stdin

    def send(self, letter: bytes, payload: bytes) -> None:
        """One packet."""
        self.to.write(letter + len(payload).to_bytes(4, "big") + payload)
        self.to.flush()

    def read_until(self, word: bytes, seconds: float = 20.0) -> None:
        """Read what is painted until it holds ``word``."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        while word not in self.said:
            assert select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))[0], self.said[-2000:]
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            assert chunk, self.said[-2000:]
            self.said += chunk


@contextmanager
def tab(desk: Desk) -> Iterator[Tab]:
    """The tutor in a tab, painted and joined to its lab."""
    environment = {**desk.environment, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver", "COLUMNS": "120", "ROWS": "40", "TERM": "dumb"}
    with subprocess.Popen(
        desk.command(), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        seat = Tab(process)
        try:
            seat.read_until(b"__GANGLION__\n")
            seat.read_until(b"/run/netns/c1")
            yield seat
        finally:
            process.kill()


def ended(seat: Tab) -> tuple[int, str]:
    """Its exit code, and what its server's log got."""
    assert seat.process.stdout is not None and seat.process.stderr is not None
    while os.read(seat.process.stdout.fileno(), 1 << 16):
        pass
    return seat.process.wait(20), seat.process.stderr.read().decode()


def test_it_starts_and_quitting_ends_the_lab(desk: Desk) -> None:
    """It needs no terminal of its own; q, typed in the browser, ends the tutor and its lab."""
    with tab(desk) as seat:
        assert desk.runs()
        seat.send(b"D", b"q")
        assert ended(seat)[0] == 0
    assert not desk.runs()


@pytest.mark.parametrize("way", ["quit", "server", "SIGTERM", "SIGINT"])
def test_a_closed_tab_keeps_the_lab(desk: Desk, way: str) -> None:
    """A tab that is closed (textual-serve says quit), a server that is gone, or one that is shut down: the tutor ends, and the lab stays."""
    with tab(desk) as seat:
        desk.build()
        if way == "quit":
            seat.send(b"M", json.dumps({"type": "quit"}).encode())
        elif way == "server":
            seat.to.close()
        else:
            os.kill(seat.process.pid, signal.Signals[way])
        code, told = ended(seat)
        assert code > 128 and "Traceback" not in told
    assert desk.still_built()
