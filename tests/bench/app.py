"""The tutor's screen: first frame, idle CPU and memory, and what a moving packet costs. In real processes on pseudo-terminals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

from bench.row import Row
from netless_lab import labs

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
IDLE_S = 5.0
MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("Plug one end")
Minimal().run()
"""
OURS = ["-P", "-m", "app.child_app"]
REFERENCE = ["-P", "-c", MINIMAL]


class Run:
    """One process on a pseudo-terminal of 120x40."""

    def __init__(self, words: list[str]) -> None:
        self.start = time.perf_counter()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            path = f"{ROOT / 'tui'}:{ROOT / 'lab'}:{TESTS}"
            os.execve(sys.executable, [sys.executable, *words], {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": path})
        self.said = b""

    def until(self, word: bytes) -> float:
        """Milliseconds from the start of the process until it wrote ``word``."""
        while word not in self.said:
            if not select.select([self.terminal], [], [], 30)[0]:
                raise TimeoutError(f"{word!r} never came")
            self.said += os.read(self.terminal, 65536)
        return (time.perf_counter() - self.start) * 1000

    def drain(self) -> None:
        """Read away what was written so far."""
        while select.select([self.terminal], [], [], 0)[0]:
            os.read(self.terminal, 65536)

    def idle(self) -> tuple[float, float]:
        """(percent of one core, MiB of resident memory) while nothing happens."""
        time.sleep(2)
        before = self.cpu_s()
        time.sleep(IDLE_S)
        return (self.cpu_s() - before) / IDLE_S * 100, _resident(self.pid)

    def cpu_s(self) -> float:
        """Processor seconds used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Ask it to end, and wait."""
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    os.read(self.terminal, 65536)
                except OSError:
                    break
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def first_frame(words: list[str], word: bytes, times: int = 9) -> float:
    """Median milliseconds from exec until ``word`` is on the terminal."""
    taken = []
    for _ in range(times):
        run = Run(words)
        try:
            taken.append(run.until(word))
        finally:
            run.end()
    return statistics.median(taken)


def idle(words: list[str], word: bytes) -> tuple[float, float]:
    """CPU and memory at rest."""
    run = Run(words)
    try:
        run.until(word)
        return run.idle()
    finally:
        run.end()


def change_until_painted(times: int = 40) -> tuple[float, float]:
    """(median, 95th percentile) milliseconds from a command in another terminal until its change is on the screen of a real lab."""
    lab = f"bench{os.getpid()}"
    netless = [sys.executable, "-P", "-m", "netless", "--lab", lab]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tui'}:{ROOT / 'lab'}"}
    subprocess.run([*netless, "up"], env=environment, check=True, capture_output=True)
    run = Run(["-P", "-m", "netless", "--lab", lab])
    shell = subprocess.Popen([*netless, "exec", "host", "--", "sh"], env=environment, stdin=subprocess.PIPE, text=True)
    taken: list[float] = []
    try:
        run.until(b"eth0")
        time.sleep(1.5)
        assert shell.stdin is not None
        for number in range(times):
            state, mark = (("down", "○"), ("up", "●"))[number % 2]
            run.drain()
            run.said, run.start = b"", time.perf_counter()
            shell.stdin.write(f"ip link set eth0 {state}\n")
            shell.stdin.flush()
            taken.append(run.until(mark.encode()))
            time.sleep(0.9)
    finally:
        shell.kill()
        shell.wait()
        run.end()
        subprocess.run([*netless, "down"], env=environment, check=False, capture_output=True)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def memory_with_agent() -> tuple[float, float, float]:
    """MiB of resident memory of the tutor's screen, of the agent with its rings, and of the lab's keeper, at the end of the course.

    Pages that they share, of Python itself and of libraries, count in each.
    """
    lab = f"bench{os.getpid()}"
    netless = [sys.executable, "-P", "-m", "netless", "--lab", lab]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tui'}:{ROOT / 'lab'}"}
    subprocess.run([*netless, "up", "container"], env=environment, check=True, capture_output=True)
    run = Run(["-P", "-m", "netless", "--lab", lab])
    try:
        run.until(b"eth0")
        subprocess.run([*netless, "goto", "container", "--end"], env=environment, check=True, capture_output=True)
        time.sleep(2)
        run.drain()
        status = subprocess.run([*netless, "status", "--json"], env=environment, check=True, capture_output=True)
        sock = labs.connect(lab)
        assert sock is not None
        with sock:
            keeper = labs.keeper_of(sock)
        return _resident(run.pid), _resident(json.loads(status.stdout)["agent_pid"]), _resident(keeper)
    finally:
        run.end()
        subprocess.run([*netless, "down"], env=environment, check=False, capture_output=True)


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def replay(seconds: float = 6.0) -> tuple[float, float]:
    """(percent of one core, bytes sent to the terminal a frame) while a packet moves over the picture, 20 frames a second."""
    run = Run([*OURS, "replay"])
    try:
        run.until(b"Borrow the host")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            run.drain()
            time.sleep(0.02)
        before, sent, end = run.cpu_s(), 0, time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([run.terminal], [], [], 0.05)[0]:
                sent += len(os.read(run.terminal, 65536))
        return (run.cpu_s() - before) / seconds * 100, sent / (seconds * 20)
    finally:
        run.end()


def rows() -> Iterator[Row]:
    """The rows of the screen."""
    first_frame(OURS, b"netless", 2)
    minimal = first_frame(REFERENCE, b"Plug one end")
    note = "recorded lab in the same process"
    yield Row("app: exec until the first frame", first_frame(OURS, b"netless"), "<= 400 ms", "minimal Textual app", minimal, note)
    yield Row("app: exec until the lesson is shown", first_frame(OURS, b"Plug one end"), "", "minimal Textual app", minimal, note)
    cpu, frame = replay()
    yield Row("app: CPU of one core while a packet moves", cpu, "<= 5 %", note="20 frames a second, 120x40", unit="%")
    yield Row("app: bytes to the terminal a frame", frame, "<= 1500 B", note="20 frames a second, 120x40", unit="B")
    middle, late = change_until_painted()
    note = f"median {middle:.0f} ms, with the time ip(8) takes"
    yield Row("a change in another terminal, until painted (p95)", late, "<= 100 ms", note=note)
    ours, bare = idle(OURS, b"Plug one end"), idle(REFERENCE, b"Plug one end")
    yield Row("app: CPU of one core, idle", ours[0], "< 1 %", "minimal Textual app", bare[0], unit="%")
    yield Row("app: resident memory", ours[1], "", "minimal Textual app", bare[1], unit="MiB")
    app, agent, keeper = memory_with_agent()
    note = f"app {app:.1f}, agent {agent:.1f}; the lab's keeper besides {keeper:.1f}"
    yield Row("app and agent at the course's end: resident memory", app + agent, "<= 90 MiB", note=note, unit="MiB")
