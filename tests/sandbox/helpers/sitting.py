"""Somebody who sits at a terminal of the machine, in front of a program."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import termios
import time
from typing import Any

import pytest


class Sitting:
    """A program on a terminal, and somebody who types."""

    def __init__(self, arguments: dict[str, Any], size: tuple[int, int] = (24, 80)) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(arguments["args"][0], arguments["args"], arguments["env"])
        self.text = ""
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """(rows, columns)"""
        termios.tcsetwinsize(self.master, size)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def paste(self, line: bytes) -> None:
        """So often that nothing more goes in: nobody reads it."""
        os.set_blocking(self.master, False)
        refused = 0
        while refused < 50:
            try:
                os.write(self.master, line * 100)
                refused = 0
            except BlockingIOError:
                refused += 1
            if select.select([self.master], [], [], 0.005)[0]:  # what is shown of it
                os.read(self.master, 65536)

    def wait_for(self, pattern: str, seconds: float = 15) -> str:
        """Read until the pattern was printed; answers all since the last one."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if not select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
                pytest.fail(f"{pattern!r} was not printed, but: {self.text!r}")
            try:
                chunk = os.read(self.master, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                pytest.fail(f"{pattern!r} was not printed before the end, but: {self.text!r}")
            self.text += chunk.decode(errors="replace")
        seen, self.text = self.text, ""
        return seen

    def end(self) -> int:
        """Its exit code."""
        with contextlib.suppress(OSError):
            while os.read(self.master, 65536):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
