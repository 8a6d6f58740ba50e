"""What a person does in the tutor's terminals and sees of them, and what shells leave behind that can be asked elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.desk import Desk
from helpers.seat import Seat
from helpers.waiting import eventually
from netless.vt import Terminal
from netless_lab import keeping

TERMINAL = b"\x1bOR"
"""F3"""


def told(desk: Desk, name: str, node: str = "host") -> list[str]:
    """The words that a shell wrote into a file of its node, as soon as they are there."""
    said: list[str] = []

    def there() -> bool:
        said[:] = desk.netless("exec", node, "--", "cat", f"/tmp/{name}").stdout.splitlines()
        return bool(said)

    assert eventually(there, 30), f"nobody wrote {name}"
    return said


def in_a_shell(seat: Seat, *lines: str) -> None:
    """Type into the terminal of the host; the prompt is there when the first line is read."""
    seat.type(TERMINAL)
    seat.type("".join(f"{line}\r" for line in lines).encode())


def killed(seat: Seat) -> None:
    """kill -9"""
    os.kill(seat.pid, signal.SIGKILL)


def hung_up(seat: Seat) -> None:
    """The session's leader has gone."""
    os.kill(seat.pid, signal.SIGHUP)


def closed(seat: Seat) -> None:
    """A window that is closed, an ssh that drops."""
    seat.close()


def kept(seat: Seat) -> None:
    """Quit, and keep the lab."""
    seat.type(b"\x1d" + b"q")
    seat.read_until(b"Keep it")
    seat.type(b"k")


def shows(seat: Seat, text: str, *, but: str) -> bool:
    """Whether the screen comes to show a text, and not the other."""

    def shown() -> bool:
        seat._read(0.05)
        screen = "\n".join(seen(seat))
        return text in screen and but not in screen

    return eventually(shown)


def pid_of_the_shell(desk: Desk, seat: Seat, name: str) -> str:
    """The shell of the host's terminal, by a file of that name."""
    in_a_shell(seat, f"echo $$ >/tmp/{name}")
    return told(desk, name)[0]


def seen(seat: Seat) -> list[str]:
    """The rows on the screen, by all that was written until now."""
    while seat._read(0):
        pass
    eyes = Terminal(120, 40)
    eyes.feed(seat.said.decode(errors="replace"))
    return eyes.screen.text.split("\n")


@contextmanager
def somebody_at(lab: str) -> Iterator[keeping.Kept]:
    """Somebody has a terminal of the host, on which nothing runs."""
    master, far = os.openpty()
    kept = keeping.keep(lab, "host", b"null", master)
    assert kept is not None
    try:
        yield kept
    finally:
        kept.end()
        os.close(master)
        os.close(far)


def outside(lab: str) -> list[str]:
    """The processes of this machine with the lab's name among their words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if lab.encode() in words:
            found.append(words.decode(errors="replace"))
    return found
