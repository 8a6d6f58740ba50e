"""A small app around one terminal, and waiting for what the terminal shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from netless.app.terminal import PtyTerminal
from netless.config.colours import DARK, FURTHER
from netless.shell import command
from netless.vt import Event, Title

Told = TypeVar("Told", bound=Message)
SHELL = command()
"""The lab's own shell, straight on the machine."""
PATIENCE = 20.0
"""Seconds until something that never comes is called missing; a machine may be busy."""


class Heard(PtyTerminal):
    """A terminal that keeps what its program reports besides the picture."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], scrollback: int, clock: Callable[[], float]) -> None:
        super().__init__(argv, env=env, scrollback=scrollback, outer=frozenset(("f6", "f11")), clock=clock)
        self.titles: list[str] = []

    def happened(self, event: Event) -> None:
        """Keep titles."""
        super().happened(event)
        if isinstance(event, Title):
            self.titles.append(event.text)


class Host(App[None]):
    """One terminal under an input line.  Keeps every message the terminal sends, and what is copied."""

    CSS = "PtyTerminal { border: round white; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The words for colours that the tutor's themes have besides."""
        return {word: DARK.colours[word] for word in FURTHER}

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None, scrollback: int = 2000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        own = {"NETLESS_NODE": "c1", **(env or {})}
        self.terminal = Heard(argv, own, scrollback, clock)
        self.told: list[Message] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        """The terminal and something else that can have the focus."""
        yield Input(id="other")
        yield self.terminal

    def on_mount(self) -> None:
        """Keys go to the terminal."""
        self.terminal.focus()

    def copy_to_clipboard(self, text: str) -> None:
        """Keep it."""
        self.copied.append(text)
        super().copy_to_clipboard(text)

    def on_pty_terminal_exited(self, message: PtyTerminal.Exited) -> None:
        """Keep it."""
        self.told.append(message)

    def on_pty_terminal_leave(self, message: PtyTerminal.Leave) -> None:
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
        """Wait for a prompt that is ready: the shell has the terminal, and the last line is a prompt."""
        await self.until(lambda: self.foreground == self.terminal.pid and self.text.rstrip().endswith(("#", "$")), "the prompt")

    @property
    def foreground(self) -> int:
        """The process group that has the program's terminal, as the kernel says (proc(5), ``stat`` field 8, tpgid)."""
        stat = Path(f"/proc/{self.terminal.pid}/stat")
        return int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[5]) if self.terminal.pid else 0

    async def running(self, program: str) -> None:
        """Wait until a program that the shell started has the terminal: it is that one which a key reaches."""
        await self.until(lambda: self.leader == program, f"{program} in the foreground")

    @property
    def leader(self) -> str:
        """The name of the program that has the terminal."""
        try:
            return Path(f"/proc/{self.foreground}/comm").read_text("utf-8", "replace").strip()
        except OSError:
            return ""

    async def answers(self) -> None:
        """Let a bash report when it has read all that was typed: from now on `caught_up` asks it."""
        await self.run("""bind -x '"\\C-t": printf "\\e]2;caught up\\a"'; clear""")
        await self.caught_up()

    async def caught_up(self) -> None:
        """Wait until the shell has acted on everything typed so far, and all it printed about it is on the screen.

        ctrl+t is read after it, and its command (see `answers`) sets the title; the order in which bash reads and prints is kept by
        the terminal, so what has not happened by then was not going to.
        """
        self.terminal.titles.clear()
        self.type("\x14")
        await self.until(lambda: self.terminal.titles, "the shell's answer")

    def type(self, text: str) -> None:
        """Type, as the keyboard would, all at once."""
        self.terminal.send(text)

    async def run(self, line: str) -> None:
        """Type a command line and Enter."""
        self.type(line + "\r")


@asynccontextmanager
async def seat(
    argv: Sequence[str] = SHELL,
    env: Mapping[str, str] | None = None,
    scrollback: int = 2000,
    size: tuple[int, int] = (80, 24),
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Seat]:
    """The app running headless, its terminal started; nothing of it is left afterwards."""
    app = Host(argv, env, scrollback, clock)
    async with app.run_test(size=size) as pilot:
        person = Seat(app, pilot)
        await person.until(lambda: app.terminal.pid or app.told, "the program")
        if argv == SHELL:
            await person.prompt()
        yield person
