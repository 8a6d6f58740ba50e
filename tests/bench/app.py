"""The tutor's screen: first frame, a key and its verdict, idle CPU and memory, and what a moving packet costs. In real processes on pseudo-terminals."""

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
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

from bench.row import Row
from netless_lab import labs, protocol
from netless_lab.client import Client

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

    def rest(self) -> None:
        """Read away what is written, until nothing more comes: a packet that moves takes some seconds."""
        while select.select([self.terminal], [], [], 0.4)[0]:
            os.read(self.terminal, 65536)

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


def first_seen(cases: Mapping[str, tuple[list[str], bytes]], times: int = 15) -> dict[str, float]:
    """Median milliseconds of each case from exec until its word is on the terminal; in turn, since machines change their speed."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(times + 1):
        for name, (words, word) in cases.items():
            run = Run(words)
            try:
                taken[name] += [run.until(word)][: number]  # the first of each fills the disk's cache
            finally:
                run.end()
    return {name: statistics.median(own) for name, own in taken.items()}


def idle(words: list[str], word: bytes) -> tuple[float, float]:
    """CPU and memory at rest."""
    run = Run(words)
    try:
        run.until(word)
        return run.idle()
    finally:
        run.end()


def a_name() -> str:
    """One that no lab had before: by its name a lab knows its progress, and goes on there. Process numbers come again."""
    return f"bench-{uuid.uuid4().hex[:12]}"


@contextmanager
def a_lab() -> Iterator[str]:
    """A lab that runs, at the start of the course, and is ended afterwards."""
    lab = a_name()
    netless = [sys.executable, "-P", "-m", "netless", "--lab", lab]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tui'}:{ROOT / 'lab'}"}
    subprocess.run([*netless, "up", "container"], env=environment, check=True, capture_output=True)
    try:
        yield lab
    finally:
        subprocess.run([*netless, "down"], env=environment, check=False, capture_output=True)


def tutor_in(lab: str) -> list[str]:
    """The words that open the tutor in it. Nobody answers what the terminal's background is, so it is said."""
    return ["-P", "-m", "netless", "--theme", "dark", "--lab", lab]


def key_until_verdict(lab: str) -> tuple[list[float], list[float]]:
    """Milliseconds from the key ``r`` until the verdict is painted, for every step of the course; and for the same step, in turn, from the
    request until the reply to a client that has no screen.
    """
    sock = labs.connect(lab)
    assert sock is not None
    painted: list[float] = []
    answered: list[float] = []
    with Client(sock, protocol.Hello(client="bench", lab=lab)) as client:
        course = client.ask(protocol.GetStatus()).course
        run = Run(tutor_in(lab))
        try:
            run.until(b"eth0")
            for step in (f"{course.id}/{lesson.id}/{step.id}" for lesson in course.lessons for step in lesson.steps):
                client.ask(protocol.Goto(step, False))
                run.rest()
                run.said, run.start = b"", time.perf_counter()
                os.write(run.terminal, b"r")
                painted.append(run.until("✓ done".encode()))
                client.ask(protocol.Goto(step, False))
                run.rest()
                start = time.perf_counter()
                client.ask(protocol.Run())
                answered.append((time.perf_counter() - start) * 1000)
        finally:
            run.end()
    return painted, answered


def change_until_painted(times: int = 40) -> tuple[float, float]:
    """(median, 95th percentile) milliseconds from a command in another terminal until its change is on the screen of a real lab."""
    lab = a_name()
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
    return statistics.median(taken), _late(taken)


def _late(taken: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


def memory_with_agent() -> tuple[float, float, float]:
    """MiB of resident memory of the tutor's screen, of the agent with its rings, and of the lab's keeper, at the end of the course.

    Pages that they share, of Python itself and of libraries, count in each.
    """
    lab = a_name()
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
    with a_lab() as lab:
        cases = {"frame": (tutor_in(lab), b"netless"), "minimal": (REFERENCE, b"Plug one end"), "lesson": (tutor_in(lab), b"Give its namespace a name")}
        seen = first_seen(cases)
        for what, name, reach in (("the first frame", "frame", "<= 1.3 times"), ("the lesson is shown", "lesson", "")):
            note = f"{seen[name] / seen['minimal']:.2f} times as long, in a lab that runs"
            yield Row(f"app: exec until {what}", seen[name], reach, "minimal Textual app", seen["minimal"], note)
        ours, bare = idle(*cases["lesson"]), idle(REFERENCE, b"Plug one end")
        painted, answered = key_until_verdict(lab)
    note = f"every step of the course once; medians {statistics.median(painted):.0f} and {statistics.median(answered):.0f} ms"
    yield Row("key r, until its verdict is painted (p95)", _late(painted), "<= 150 ms", "the lab's reply alone (p95)", _late(answered), note)
    cpu, frame = replay()
    yield Row("app: CPU of one core while a packet moves", cpu, "<= 5 %", note="20 frames a second, 120x40", unit="%")
    yield Row("app: bytes to the terminal a frame", frame, "<= 1500 B", note="20 frames a second, 120x40", unit="B")
    middle, late = change_until_painted()
    note = f"median {middle:.0f} ms, with the time ip(8) takes"
    yield Row("a change in another terminal, until painted (p95)", late, "<= 100 ms", note=note)
    yield Row("app: CPU of one core, idle", ours[0], "< 1 %", "minimal Textual app", bare[0], unit="%")
    yield Row("app: resident memory", ours[1], "<= 14 MiB more", "minimal Textual app", bare[1], f"{ours[1] - bare[1]:.1f} MiB more", "MiB")
    app, agent, keeper = memory_with_agent()
    note = f"app {app:.1f}, agent {agent:.1f}; the lab's keeper besides {keeper:.1f}"
    yield Row("app and agent at the course's end: resident memory", app + agent, "<= 90 MiB", note=note, unit="MiB")
