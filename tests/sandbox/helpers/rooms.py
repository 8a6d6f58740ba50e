"""Start rooms with the test agent, and ask it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netless_lab.sandbox import find
from netless_lab.sandbox.limits import DEFAULT_PROCESSES
from netless_lab.sandbox.start import Boot, Started, Starting
from sandbox.helpers.agent import ENTRY


def ask(lab: str, request: dict[str, Any]) -> Any:
    """One request to a room's agent."""
    with find.connect(lab) as sock, sock.makefile("rb") as answers:
        sock.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(answers.read())


def launch(lab: str, entry: str, **asked: Any) -> Starting:
    """Begin to start a room, for who knows at once what it is to be; the keywords are those of ``Boot.become``."""
    with Boot(lab) as boot:
        return boot.become(entry, **asked)


@dataclass(frozen=True)
class TestRoom:
    """A room that runs."""

    __test__ = False
    started: Started

    @property
    def lab(self) -> str:
        """Its name."""
        return self.started.lab

    def sh(self, script: str) -> str:
        """Run a script in the host and answer what it printed. Fails the test when its exit code is not 0."""
        answer = ask(self.lab, {"sh": script})
        assert answer["code"] == 0, f"exit {answer['code']} of:\n{script}\n{answer['text']}"
        return str(answer["text"])

    def code(self, script: str) -> int:
        """Run a script in the host and answer its exit code."""
        return int(ask(self.lab, {"sh": script})["code"])

    def kill(self) -> None:
        """SIGKILL to the agent, from outside."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.started.pid, signal.SIGKILL)


@contextlib.contextmanager
def room(lab: str = "test", processes: int = DEFAULT_PROCESSES, **asked: Any) -> Iterator[TestRoom]:
    """A room for the length of a block. Keywords go to the agent (``helpers/agent.py``)."""
    started = launch(lab, ENTRY, argument=json.dumps(asked), processes=processes).wait()
    made = TestRoom(started)
    try:
        yield made
    finally:
        made.kill()
        started.close()
