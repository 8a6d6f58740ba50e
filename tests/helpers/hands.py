"""A learner's hands: one shell in a node, kept open from step to step, in which lines are typed as one would at a terminal.

What was typed goes through the product's own door (``Entry``); the shell itself is the machine's sh.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.primitives.base import Dialect
from netless_lab.protocol import SetDialect


class Hands:
    """A shell in a node. ``type`` returns what was printed, error messages included."""

    def __init__(self, lab: Running, node: str = "host") -> None:
        entry = lab.entry(node)
        self._shell = subprocess.Popen(
            [*entry.argv, "sh"], env={**os.environ, **entry.env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    @property
    def alive(self) -> bool:
        """Whether the shell still runs."""
        return self._shell.poll() is None

    def type(self, text: str) -> str:
        """Type lines and wait until they are done."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        mark = uuid.uuid4().hex
        self._shell.stdin.write(f"{text}\necho; echo {mark}\n".encode())
        self._shell.stdin.flush()
        said: list[bytes] = []
        for line in self._shell.stdout:
            if line.strip() == mark.encode():
                return b"".join(said).decode(errors="replace").strip()
            said.append(line)
        raise AssertionError(f"the shell ended during {text!r}: {b''.join(said).decode(errors='replace')}")

    def close(self) -> None:
        """Leave."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.kill()
        self._shell.stdin.close()
        self._shell.stdout.close()
        self._shell.wait()


@contextmanager
def hands(lab: Running, node: str = "host") -> Iterator[Hands]:
    """A shell for the time of a block."""
    shell = Hands(lab, node)
    try:
        yield shell
    finally:
        shell.close()


def positions(lab: Running) -> list[str]:
    """Every step of the course in hand: ``lesson/step``."""
    return [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps]


def passed(lab: Running) -> bool:
    """Whether the watching judge has passed the current step, without being asked."""
    verdict = lab.status().verdict
    return verdict is not None and verdict.step == lab.status().position.rpartition("/")[2] and verdict.passed


def accepted(lab: Running, what: str) -> None:
    """Insist that the watching judge passes the current step by itself."""
    assert eventually(lambda: passed(lab)), f"{what}\n{lab.status().position}\n{reasons(lab)}"


def reasons(lab: Running) -> str:
    """What does not hold in the current verdict, in the judge's words."""
    verdict = lab.status().verdict
    items = verdict.items if verdict is not None else ()
    return "\n".join(f"{item.claim}: {item.result}; {item.expected}; {item.seen}; {item.near}" for item in items if item.result != "pass")


def type_the_page(lab: Running, shell: Hands, dialect: Dialect) -> str:
    """Type what the page shows; what the shell said.

    A line that names a process which has yet to be started (``$PID_c2``) waits until the page knows its number.
    """
    said = []
    while True:
        lines = _page(lab, dialect)
        now = tuple(takewhile(lambda line: "$PID_" not in line, lines))
        text = "\n".join(now)
        said.append(shell.type(f"python3 - <<'END'\n{text}\nEND" if dialect == "pyroute2" else text))
        if now == lines:
            return "\n".join(said)
        assert _turned(lab, dialect, lines), f"the page shows the same after it was typed: {lines}, {said}"


def _turned(lab: Running, dialect: Dialect, old: tuple[str, ...]) -> bool:
    return eventually(lambda: _page(lab, dialect) != old)


def _page(lab: Running, dialect: Dialect) -> tuple[str, ...]:
    return next(own.lines for own in lab.status().page.commands if own.dialect == dialect)


def speak(lab: Running, dialect: Dialect) -> None:
    """Choose the dialect of the page."""
    lab.client.ask(SetDialect(dialect=dialect))
