"""A person at a desk: the real tutor on a real terminal, and commands typed in another one, about one lab."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.checkout import as_here
from helpers.seat import Seat, seated


class Desk:
    """A person with a lab's name in mind: opens the tutor on it, and types commands in another terminal."""

    def __init__(self, home: Path) -> None:
        self.lab = f"leave-{uuid.uuid4().hex[:10]}"
        self.environment = {**as_here(), "XDG_STATE_HOME": str(home)}

    def command(self, *words: str) -> list[str]:
        """``netless --lab NAME WORD...``"""
        return [sys.executable, "-P", "-m", "netless", "--lab", self.lab, *words]

    def netless(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, env=self.environment, timeout=60, check=False)

    @contextmanager
    def begin(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Begin a command that waits for input; it is ended afterwards."""
        process = subprocess.Popen(self.command(*words), env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @contextmanager
    def tutor(self, *, program: str = "netless", until: bytes = b"/run/netns/c1") -> Iterator[Seat]:
        """The tutor, painted and joined to its lab."""
        with seated([sys.executable, "-P", "-m", program, "--lab", self.lab], self.environment) as seat:
            seat.read_until(until)
            yield seat

    def build(self) -> None:
        """Something of the learner's own in the lab."""
        assert self.netless("exec", "host", "--", "ip", "link", "add", "mine", "type", "bridge").returncode == 0

    def agent(self) -> int:
        """The lab's process, as the machine numbers it."""
        return int(json.loads(self.netless("status", "--json").stdout)["agent_pid"])

    def still_built(self) -> bool:
        """Whether the lab lives with what was built in it."""
        return "mine" in self.netless("exec", "host", "--", "ip", "-br", "link").stdout if self.runs() else False

    def runs(self) -> bool:
        """Whether the lab runs, without starting it."""
        return self.lab in self.netless("labs").stdout.split()


@contextmanager
def at_a_desk(home: Path) -> Iterator[Desk]:
    """A person at a desk, whose lab is ended afterwards."""
    own = Desk(home)
    try:
        yield own
    finally:
        own.netless("down")
