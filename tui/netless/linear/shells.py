"""A shell in a node that takes one line after another: what was set and where one went stays. What it prints goes on as plain text.

It is on a terminal of this process, and ends with it: nothing of a page that was told stands anywhere to come back to.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final

from netless_lab import join

from ..shell import command, terminal_environment
from ..shell.child import Child, Listener
from .clean import Cleaner, Mark

_PLAIN: Final = {"TERM": "dumb", "NO_COLOR": "1", "PAGER": "cat", "COLORTERM": ""}
"""Nothing that draws, colours or pages."""
_STOP, _END = "\x03", "\x04"
"""What a terminal makes an interrupt and an end of input of (termios(3), VINTR and VEOF)."""


class Shell:
    """The shell of one node. ``printed`` gets its output, save what a program draws on a whole screen: that it does is told to ``drawn``. ``ready``
    is set while it waits for a line, and when it has ended.
    """

    def __init__(self, lab: str, node: str, size: tuple[int, int], printed: Callable[[str], None], drawn: Callable[[str], None]) -> None:
        self.node = node
        self.prompt = ""
        self.ready = asyncio.Event()
        self._printed, self._drawn = printed, drawn
        self._draws = False
        self._cleaner = Cleaner()
        self._in_prompt = True
        environment = terminal_environment(os.environ, True, {**join.environment(lab, node), **_PLAIN})
        listener = Listener(self._take, self._ended)
        self._child = Child.start((*join.command(lab, node), *command(line_editing=False)), environment, size, listener)

    @property
    def running(self) -> bool:
        """False when it has ended."""
        return self._child.running

    @property
    def pid(self) -> int:
        """The process that leads it out here."""
        return self._child.pid

    def type(self, line: str) -> None:
        """A line for the shell, or for the program that runs in it."""
        self._child.write(f"{line}\n")

    def begin(self, line: str) -> None:
        """A line for the shell, which is not ready from now on."""
        self.ready.clear()
        self.type(line)

    def interrupt(self) -> None:
        """As ctrl+c."""
        self._child.write(_STOP)

    def end_input(self) -> None:
        """As ctrl+d."""
        self._child.write(_END)

    def resize(self, size: tuple[int, int]) -> None:
        """The terminal has another size."""
        self._child.resize(size)

    async def stop(self) -> None:
        """End it, and all that was started in it."""
        await self._child.stop()

    def _take(self, data: bytes) -> None:
        for part in self._cleaner.feed(data):
            match part:
                case Mark("A"):
                    self._in_prompt, self._draws, self.prompt = True, False, ""
                case Mark("B"):
                    self._in_prompt = False
                    self.ready.set()
                case Mark("screen"):
                    if not self._draws and not self._in_prompt:
                        self._draws = True
                        self._drawn(self.node)
                case Mark():
                    pass
                case _ if self._draws:
                    pass
                case text if self._in_prompt:
                    self.prompt += text
                case text:
                    self._printed(text)

    def _ended(self, code: int | None) -> None:
        self.ready.set()
