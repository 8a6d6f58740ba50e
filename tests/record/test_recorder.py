"""A recording as it is written: whole lines whatever happens, and nobody waits for the disk."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from helpers.checkout import as_here
from helpers.waiting import eventually
from netless.record import recorder
from netless.record.asciicast import header
from netless.record.recorder import Recorder

HEADER = header(80, 24, 0, "t", "xterm")


def lines_of(path: Path) -> list[object]:
    """Every line as JSON; the last one must be whole."""
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def test_it_writes_what_is_told_in_order(tmp_path: Path) -> None:
    """Output, sizes and places to jump to, at times that never fall, on the clock that was given; after its end nothing more."""
    path, seconds = tmp_path / "a.cast", iter((10.0, 10.5, 10.5, 12.25))
    lost: list[str] = []
    recorder = Recorder(os.open(path, os.O_WRONLY | os.O_CREAT), HEADER, lost.append, clock=lambda: next(seconds))
    recorder.written("one")
    recorder.resized(100, 30)
    recorder.passed("a step")
    recorder.close()
    recorder.written("late")
    recorder.close()
    assert lines_of(path)[1:] == [[0.5, "o", "one"], [0.5, "r", "100x30"], [2.25, "m", "a step"]]
    assert lost == [] and not recorder.failed


def test_kill_leaves_every_line_that_was_told(tmp_path: Path) -> None:
    """A line is with the kernel at once: a process that is killed a moment later leaves it, whole."""
    path = tmp_path / "a.cast"
    program = (
        "import os, sys, time\nfrom netless.record.recorder import Recorder\n"
        "told = Recorder(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b'{}\\n', print)\n"
        "while True:\n    told.written('x' * 5000)\n    time.sleep(0.0005)\n"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", program, path], env=as_here()) as writing:
        assert eventually(lambda: path.exists() and path.stat().st_size > 200_000)
        writing.send_signal(signal.SIGKILL)
    assert len(lines_of(path)) > 30


def test_a_full_disk_ends_it_with_a_whole_line(tmp_path: Path) -> None:
    """What finds no room is left out to the last letter, the reason is told once, and what comes later is not kept."""
    path = tmp_path / "a.cast"
    program = (
        "import os, resource, sys\nfrom netless.record.recorder import Recorder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "told = Recorder(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b'{}\\n', print)\n"
        "for _ in range(100):\n    told.written('x' * 3000)\n"
        "told.close()\ntold.written('y')\nprint(bool(told.failed))\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program, path], env=as_here(), capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "File too large\nTrue\n"
    assert 1 < len(lines_of(path)) < 40 and path.stat().st_size <= 100_000


def test_a_disk_that_stands_still_keeps_nobody_waiting() -> None:
    """Here a pipe that nobody reads: telling goes on at once, what waits is bounded, and the recording ends with a reason."""
    reading, writing = os.pipe()
    lost: list[str] = []
    told = Recorder(writing, HEADER, lost.append)
    text = "x" * (recorder.MOST_HELD // 8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        told.written(text)
    assert lost == ["the disk is too slow for it"] and told.failed
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < 8 * recorder.MOST_HELD
    os.close(reading)
    told.close()
    assert lost == ["the disk is too slow for it"]
