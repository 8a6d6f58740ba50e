"""The tutor's terminal beside a bare pseudo-terminal: floods until the prompt is back, ctrl+c, keys, all measured from outside.

Both are driven alike, through a pseudo-terminal of 120x40: the bare one runs bash, ours runs a small app with the terminal widget in
it, and a clock stops when the wanted text comes out.  So ours pays for everything between the key and the outer screen.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

CHECKOUT = Path(__file__).resolve().parents[2]
COLUMNS, ROWS = 120, 40
BARE = ("bash", "--norc", "--noprofile", "-i")
OURS = (sys.executable, __file__, "host")
PATIENCE_S = 60.0
KEYS = 60
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


class Outside:
    """A person in front of a pseudo-terminal: types, and waits for text to come out."""

    def __init__(self, argv: Sequence[str]) -> None:
        environment = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PS1": "ready$ ", "PATH": os.environ["PATH"], "HOME": "/tmp"}
        environment["PYTHONPATH"] = f"{CHECKOUT / 'tui'}:{CHECKOUT / 'lab'}:{CHECKOUT / 'tests'}"
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], list(argv), environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self._fd, False)
        self._seen = b""

    def __enter__(self) -> Outside:
        self.until(b"ready$ ")
        self.rest(0.5)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.close(self._fd)
        os.waitpid(self.pid, 0)

    def type(self, text: bytes) -> float:
        """Send keys; what came out before is forgotten.  The time of sending."""
        self._drain()
        self._seen = b""
        sent = time.perf_counter()
        os.write(self._fd, text)
        return sent

    def until(self, text: bytes) -> float:
        """Wait for a text, whatever colours lie between its letters; the time it was there."""
        end = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < end:
            if self._drain(0.5) and text in _ESCAPES.sub(b"", self._seen):
                return time.perf_counter()
        raise TimeoutError(f"{text!r} never came; the last of it: {self._seen[-300:]!r}")

    def rest(self, seconds: float) -> None:
        """Read on, but wait for nothing."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._drain(left)

    def _drain(self, wait: float = 0.0) -> bool:
        if not select.select([self._fd], [], [], wait)[0]:
            return False
        try:
            self._seen = self._seen[-4096:] + os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return False
        return True

    def command_ms(self, line: str) -> float:
        """From Enter until the output is over and the shell has gone on."""
        self.type(f"{line}; echo nl''over".encode())
        self.rest(0.3)
        sent = self.type(b"\r")
        passed = self.until(b"nlover") - sent
        self.rest(0.3)
        self.type(b"clear\r")
        self.rest(0.3)
        return passed * 1000


def both(ours: Outside, bare: Outside, line: str, times: int = 9) -> tuple[float, float]:
    """Medians of a command line, taking turns."""
    pairs = [(ours.command_ms(line), bare.command_ms(line)) for _ in range(times)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def interrupt_ms(person: Outside, times: int = 7) -> float:
    """ctrl+c while ``yes`` floods, until its ^C is seen; the median."""
    taken = []
    for _ in range(times):
        person.type(b"yes\r")
        person.rest(0.5)
        sent = person.type(b"\x03")
        taken.append((person.until(b"^C") - sent) * 1000)
        person.rest(0.3)
        person.type(b"clear\r")
        person.rest(0.3)
    return statistics.median(taken)


def echoes_ms(person: Outside) -> list[float]:
    """From a key to its letter on the outer screen, sorted; keys come at random moments."""
    chance, taken = random.Random(5), []
    for number in range(KEYS):
        person.rest(0.05 + chance.random() * 0.05)
        letter = b"abcdefghijklmnopqrstuvwxyz"[number % 26 : number % 26 + 1]
        sent = person.type(letter)
        taken.append((person.until(letter) - sent) * 1000)
    person.type(b"\x15")
    person.rest(0.2)
    return sorted(taken)


def app_keys_ms(ours: Outside, times: int = 7) -> float:
    """The leave key while ``yes`` floods the terminal, until the app around it says it left; the worst."""
    taken = []
    ours.type(b"yes\r")
    ours.rest(0.5)
    for number in range(times):
        sent = ours.type(b"\x1d")
        taken.append((ours.until(b"left %d." % (number + 1)) - sent) * 1000)
        ours.rest(0.2)
    ours.type(b"\x03")
    ours.rest(0.3)
    ours.type(b"clear\r")
    ours.rest(0.3)
    return max(taken)


def rows() -> Iterator[object]:
    """Floods, ctrl+c and keys."""
    from bench.row import Row

    reference = "bare pty"
    with Outside(OURS) as ours, Outside(BARE) as bare:
        for line in ("seq 100000", "yes | head -200000", "ls -laR --color=always /usr/share"):
            here, there = both(ours, bare, line)
            yield Row(f"terminal: {line}", here, f"<= {2.5 * there:.0f} ms", reference, there, f"{here / there:.2f}x, reach 2.5x")
        yield Row("terminal: ctrl+c during yes", interrupt_ms(ours), "<= 100 ms", reference, interrupt_ms(bare))
        yield Row("terminal: app answers a key during yes", app_keys_ms(ours), "<= 100 ms", note="the worst of 7")
        echoes, plain = echoes_ms(ours), echoes_ms(bare)
        yield Row("terminal: key to echo", statistics.median(echoes), "<= 10 ms", reference, statistics.median(plain))
        yield Row("terminal: key to echo, p95", _p95(echoes), "<= 20 ms", reference, _p95(plain))


def _p95(values: list[float]) -> float:
    return values[int(len(values) * 0.95)]


def host() -> None:
    """The app around the widget, as a process of its own."""
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    from netless.app.terminal import PtyTerminal

    class Host(App[None], inherit_bindings=False):
        CSS = "PtyTerminal { border: round white; }"
        left = 0

        def compose(self) -> ComposeResult:
            yield Static("left 0.", id="left")
            yield PtyTerminal(BARE, env={"PS1": "ready$ "})

        def on_mount(self) -> None:
            self.query_one(PtyTerminal).focus()

        def on_pty_terminal_leave(self) -> None:
            self.left += 1
            self.query_one("#left", Static).update(f"left {self.left}.")

    Host().run()


if __name__ == "__main__" and sys.argv[1:] == ["host"]:
    host()
