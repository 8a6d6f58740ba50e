"""The windows over the main screen: each is opened, and what is chosen there handed on. Their modules are imported when they are first opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from textual.screen import Screen

from ...commands.stage import Target, WayOut, Where
from ...commands.table import Keymap
from ...desk.desk import Desk
from ...desk.view import known_courses, step_called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netless_lab import protocol
    from netless_lab.model.clearing import Clearing
    from netless_lab.model.journey import Explanation

    from ...desk.shells import Running, Shell
    from .panel import Panel

R = TypeVar("R")


class Windows:
    """The windows of one main screen."""

    def __init__(self, screen: Screen[None], desk: Desk, keymap: Keymap) -> None:
        self._screen, self._desk, self._keymap = screen, desk, keymap
        self._hop_at = ""

    async def _chosen(self, window: Panel[R]) -> R | None:
        window.keymap = self._keymap
        closed: asyncio.Future[R | None] = asyncio.get_running_loop().create_future()
        self._screen.app.push_screen(window, lambda chosen: None if closed.done() else closed.set_result(chosen))
        return await closed

    async def choose_step(self, at: str) -> Target | None:
        """The list of all steps."""
        from .places import GotoScreen

        view = self._desk.view
        return await self._chosen(GotoScreen(known_courses(view), view.status.position if view.status else "", at))

    async def choose_course(self) -> Target | None:
        """The course picker."""
        from .places import PickerScreen

        return await self._chosen(PickerScreen(self._desk.view))

    async def choose_scope(self) -> protocol.Scope | None:
        """How much to reset."""
        from .rebuild import ResetScreen

        return await self._chosen(ResetScreen(self._desk))

    async def choose_fault(self) -> protocol.Break | None:
        """What to break."""
        from .drill import DrillScreen

        return await self._chosen(DrillScreen(self._desk))

    async def choose_hop(self, sought: str) -> tuple[int, int] | None:
        """A hop; the list begins at the one that was chosen last."""
        from .packets import HopsScreen

        chosen = await self._chosen(HopsScreen(self._desk.view.packets, sought, self._hop_at))
        if chosen is not None:
            self._hop_at = f"{chosen[0]}:{chosen[1]}"
        return chosen

    async def choose_words(self, sought: str) -> str | None:
        """What to look for in the packets."""
        from .packets import SeekScreen

        return await self._chosen(SeekScreen(sought))

    async def agrees(self, title: str, why: str, clearing: Clearing) -> bool:
        """Whether more may go than what was asked for."""
        from .rebuild import ConsentScreen

        agreed = await self._chosen(ConsentScreen(title, why, clearing))
        return bool(agreed)

    async def choose_way_out(self, found: protocol.Parting | None, running: Sequence[Running]) -> WayOut | None:
        """What becomes of the lab."""
        from .leaving import LeavingScreen

        return await self._chosen(LeavingScreen(found, self._desk.view.called, running))

    async def choose_shells(self, shells: Sequence[Shell]) -> tuple[int, ...] | None:
        """Which of them to go on with here."""
        from .shells import ShellsScreen

        return await self._chosen(ShellsScreen(shells))

    async def agrees_to_give_up(self) -> bool:
        """Whether to give up."""
        from .drill import GiveUpScreen

        agreed = await self._chosen(GiveUpScreen())
        return bool(agreed)

    async def show_cause(self, explanation: Explanation) -> str | None:
        """Why a packet died."""
        from .why import WhyScreen

        called = step_called(self._desk.view, explanation.lesson) if explanation.lesson else ""
        return await self._chosen(WhyScreen(explanation, called))

    async def show_fault(self, text: str, used: str, teaches: str) -> str | None:
        """What was broken."""
        from .drill import ToldScreen

        return await self._chosen(ToldScreen(text, used, teaches, step_called(self._desk.view, teaches)))

    async def show_packet(self, packet: protocol.Packet) -> None:
        """The bytes of one packet."""
        from .packets import LayersScreen

        await self._chosen(LayersScreen(packet))

    async def show_help(self, where: Where) -> None:
        """The keys of this view and what the marks mean."""
        from .help import HelpScreen

        await self._chosen(HelpScreen(where))
