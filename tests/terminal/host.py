"""A small app around one terminal, and waiting for what the terminal shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from netless.app.terminal import PtyTerminal
from netless.app.terminal.messages import CommandLine, Copied, Exited, Leave, TerminalMessage, Title
from netless.shell import BASHRC

Told = TypeVar("Told", bound=TerminalMessage)
BASH = ("bash", "--rcfile", str(BASHRC), "-i")
PATIENCE = 20.0
"""Seconds until something that never comes is called missing; a machine may be busy."""


class Host(App[None]):
    """One terminal under an input line.  Keeps every message the terminal sends."""

    CSS = "PtyTerminal { border: round white; }"

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None, scrollback: int = 2000) -> None:
        super().__init__()
        self.terminal = PtyTerminal(argv, env={"NETLESS_NODE": "c1", **(env or {})}, title="[b]c1", scrollback=scrollback, id="shell")
        self.told: list[TerminalMessage] = []

    def compose(self) -> ComposeResult:
        """The terminal and something else that can have the focus."""
        yield Input(id="other")
        yield self.terminal

    def on_mount(self) -> None:
        """Keys go to the terminal."""
        self.terminal.focus()

    def on_pty_terminal_exited(self, message: Exited) -> None:
        """Keep it."""
        self.told.append(message)

    def on_pty_terminal_title(self, message: Title) -> None:
        """Keep it."""
        self.told.append(message)

    def on_pty_terminal_command_line(self, message: CommandLine) -> None:
        """Keep it."""
        self.told.append(message)

    def on_pty_terminal_copied(self, message: Copied) -> None:
        """Keep it."""
        self.told.append(message)

    def on_pty_terminal_leave(self, message: Leave) -> None:
        """Do what a screen does: give the focus to something else."""
        self.told.append(message)
        self.query_one("#other").focus()

    def of(self, kind: type[Told]) -> list[Told]:
        """The messages of one kind."""
        return [message for message in self.told if isinstance(message, kind)]


class Seat:
    """Hands and eyes in front of the terminal."""

    def __init__(self, app: Host, pilot: Pilot[None]) -> None:
        self.app, self.pilot, self.terminal = app, pilot, app.terminal

    @property
    def text(self) -> str:
        """What the terminal holds, as text."""
        return self.terminal.terminal.screen.text

    @property
    def painted(self) -> list[str]:
        """The lines the widget really paints."""
        return [self.terminal.render_line(y).text.rstrip() for y in range(self.terminal.content_size.height)]

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for a condition."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what or 'it'} did not come; on the screen:\n{self.text}")
            await asyncio.sleep(0.01)

    async def sees(self, text: str) -> None:
        """Wait for a text on the screen."""
        await self.until(lambda: text in self.text, repr(text))

    async def line(self, text: str) -> None:
        """Wait for a line that says exactly this."""
        await self.until(lambda: text in self.text.split("\n"), f"a line {text!r}")

    async def prompt(self) -> None:
        """Wait for a prompt that is ready."""
        await self.until(lambda: self.text.rstrip().endswith(("#", "$")), "the prompt")

    def type(self, text: str) -> None:
        """Type, as the keyboard would, all at once."""
        self.terminal.send(text)

    async def run(self, line: str) -> None:
        """Type a command line and Enter."""
        self.type(line + "\r")


@asynccontextmanager
async def seat(
    argv: Sequence[str] = BASH, env: Mapping[str, str] | None = None, scrollback: int = 2000, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Seat]:
    """The app running headless, its terminal started; nothing of it is left afterwards."""
    app = Host(argv, env, scrollback)
    async with app.run_test(size=size) as pilot:
        person = Seat(app, pilot)
        await person.until(lambda: app.terminal.pid or app.told, "the program")
        if argv == BASH:
            await person.prompt()
        yield person
