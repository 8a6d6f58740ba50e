"""What a command may ask of a screen, where there is none: what would be shown is written down."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence

from netless_lab import join, protocol
from netless_lab.model.journey import Journey

from ..commands.stage import Pane, Tab, Where
from ..desk.desk import Desk
from ..desk.shells import Running, Shell
from ..say import changes, packets, spoken
from ..say.narration import packet
from ..say.text import EMPTY, Block, plain
from ..shell import command
from ..shell.running import Processes
from .paper import Paper
from .typed import Lines
from .windows import LATELY, Windows


class NoFilming:
    """There is no screen to record."""

    forbidden = "There is no screen to record here: script(1) keeps what is said in lines."

    def begin(self, file: int, path: str) -> None:
        """It is forbidden."""

    async def end(self) -> None:
        """Nothing was begun."""


class PageShells:
    """Those of a page, which end with it. ``here`` tells of each that runs its node and the process that leads it (``Processes.programs``)."""

    forbidden = "Shells of this lab are gone on with in the tutor that draws: `netless` without --plain has them."

    def __init__(self, here: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._here = here

    async def running(self) -> tuple[Running, ...]:
        """What runs in them ends with the page, whatever becomes of the lab."""
        processes = Processes()
        found = (Running(node, processes.programs(leader), kept=False) for node, leader in self._here())
        return tuple(own for own in found if own.programs)

    async def elsewhere(self) -> tuple[Shell, ...]:
        """It is forbidden."""
        return ()

    async def take_over(self, chosen: Sequence[Shell]) -> None:
        """There was none to choose."""


class Stage:
    """A sheet of paper that commands act on. ``here`` as for ``PageShells``; ``quit`` is done when somebody leaves."""

    sought = ""

    def __init__(
        self, desk: Desk, paper: Paper, lines: Lines, ask: Callable[[str], Awaitable[str]], here: Callable[[], Iterable[tuple[str, int]]],
        quit: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._desk, self._paper, self._lines, self._quit = desk, paper, lines, quit
        self._windows = Windows(desk, paper, ask, quit)
        self.filming = NoFilming()
        self.shells = PageShells(here)

    @property
    def where(self) -> Where:
        """There is one place."""
        return "lesson"

    @property
    def windows(self) -> Windows:
        """What is asked and told."""
        return self._windows

    @property
    def in_sight(self) -> bool:
        """Nothing lies over a sheet of paper."""
        return True

    async def terminal(self, node: str) -> bool:
        """Give the whole terminal to a shell in the node until it is left."""
        if await self._desk.ask(protocol.Enter(node)) is None:
            return False
        self._paper.say(f"A shell in {node}; `exit` comes back.")
        lab = self._desk.view.lab
        argv = (*join.command(lab, node, stay=True), *command())
        self._lines.pause()
        try:
            process = await asyncio.create_subprocess_exec(*argv, env={**os.environ, **join.environment(lab, node)})
            await process.wait()
        finally:
            self._lines.listen()
        return True

    async def put_at_prompt(self, node: str, text: str) -> bool:
        """Nothing is typed for anybody here: ``type`` tells the commands."""
        return False

    def replay(self, journey: Journey | None = None) -> None:
        """The way of a packet, hop by hop."""
        if journey is not None and journey.hops:
            self._paper.write((Block(plain("Its way:")), *packets.hops(journey)))

    def sight(self) -> None:
        """There is nothing to be seen."""

    def show_pane(self, pane: Pane) -> None:
        """The step, or the picture in words."""
        view, width = self._desk.view, self._paper.width
        if pane == "network":
            self._paper.write(spoken.picture(view.snapshot))
        else:
            self._paper.write((*spoken.step(view, width), EMPTY, *spoken.conditions(view.judged)))

    def next_pane(self, by: int) -> None:
        """There is no other."""

    def go_back(self) -> bool:
        """There is nowhere else to have come from."""
        return False

    def show_log(self, tab: Tab) -> None:
        """The last of what happened."""
        view, width = self._desk.view, self._paper.width
        if tab == "packets":
            told = [block for event in view.packets[-LATELY:] for block in packet(event, self.sought)]
            self._paper.write(told or packets.NO_PACKETS)
        else:
            self._paper.write([block for entry in view.entries[-LATELY:] for block in changes.change(entry, None, view.dialect, width)] or changes.NO_CHANGES)

    def zoom(self) -> None:
        """There is one size."""

    def turn_theme(self) -> None:
        """Say why not."""
        self._paper.say("There are no colours here, so there is no theme to choose.")

    def copy(self, text: str) -> None:
        """Tell it: a terminal's own way of copying is the only one here."""
        self._paper.say(text)

    def find(self) -> None:
        """No word leads here: `help` lists them all."""

    async def leave(self) -> None:
        """Quit, unless somebody who is asked stays."""
        await self._quit()
