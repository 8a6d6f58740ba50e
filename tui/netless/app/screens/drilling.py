"""What the main screen does with drills and Why: begin one, give up or be done, ask for the cause, and go back to the lesson."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from netless_lab import protocol
from netless_lab.drill.spent import help_used, took
from netless_lab.model.journey import Journey

from ..pages.lesson import step_target
from ..reduce import Told
from ..view import Act, failed_probe, step_called

if TYPE_CHECKING:
    from textual.screen import Screen

    from ..app import TutorApp

    Base = Screen[None]
else:
    Base = object


GOING_BACK = "Going back to the lesson"


class Drilling(Base):
    """Mixed into the main screen, which gives it the app."""

    _came_from = ""
    """Where the learner was when the drill began, to go back there; "" when another client began it."""

    if TYPE_CHECKING:
        app: TutorApp

        def _replay(self, journey: Journey | None) -> None: ...
        def _still(self, act: Act) -> bool: ...
        def action_go_to(self, target: str) -> None:
            """See ``Acting``."""

    # -- why ----------------------------------------------------------------------------------------------------------------

    def _do_why(self) -> None:
        self.app.occupy("Looking for the cause", self._why())

    async def _why(self) -> None:
        if failed_probe(self.app.view) is None and self.app.view.broken:
            await self._look_again()
        probe = failed_probe(self.app.view)
        if probe is None:
            self.app.take(Told("info", "Every packet arrived: there is nothing to explain. Check again after the next change."))
            return
        explanation = await self.app.asking("Looking for the cause", protocol.Explain(probe))
        if explanation is None:
            return
        if not self.is_active:
            self.app.take(Told("info", f"{explanation.seen} {explanation.cause}".strip()))
            return
        from .why import WhyScreen

        called = step_called(self.app.view, explanation.lesson) if explanation.lesson else ""

        def closed(lesson: str | None) -> None:
            if lesson:
                self.action_go_to(lesson)
            else:
                self._replay(explanation.journey)

        self.app.push_screen(WhyScreen(explanation, called), closed)

    # -- drills -------------------------------------------------------------------------------------------------------------

    def _do_drill(self) -> None:
        from .drill import DrillScreen

        self.app.push_screen(DrillScreen(), self._take_drill)

    def _take_drill(self, wanted: protocol.Break | None) -> None:
        if wanted is not None and self._still("drill"):
            self.app.occupy("Breaking something", self._run_drill(wanted))

    async def _run_drill(self, wanted: protocol.Break) -> None:
        came_from = self.app.view.status.position if self.app.view.status else ""
        if await self.app.asking("Breaking something", wanted) is not None:
            self._came_from = came_from
            await self._look_again()

    async def _look_again(self) -> None:
        """Let the judge send its packets, so that the learner sees which go and which do not."""
        await self.app.asking("Sending packets", protocol.Check())

    def _do_mend(self) -> None:
        from .drill import GiveUpScreen

        if self.app.view.broken:
            self.app.push_screen(GiveUpScreen(), self._take_end)
        else:
            self._take_end(True)

    def _take_end(self, yes: bool | None) -> None:
        fault = self.app.view.fault
        if yes and fault is not None and self._still("mend"):
            self.app.occupy("Mending", self._run_mending(fault))

    async def _run_mending(self, fault: protocol.FaultStatus) -> None:
        """Mended and, when the learner gave up, told; then back to where the learner was, or to the step that teaches it."""
        told = await self.app.asking("Mending", protocol.Mend())
        if told is None:
            return
        if fault.healthy:
            here = self._way_back()
            if here:
                await self.app.asking(GOING_BACK, protocol.Goto(here))
            return
        taught = step_target(self.app.view, await self._teaches(told.mended))
        used = f"You looked for {took(time.time() - fault.began)}, with {help_used(fault.hints, fault.whys)}."
        if not self.is_active:
            self.app.take(Told("info", f"{told.text} {used}"))
            return
        from .drill import ToldScreen

        self.app.push_screen(ToldScreen(told.text, used, taught, step_called(self.app.view, taught)), self._told_closed)

    async def _teaches(self, fault: str) -> str:
        listed = await self.app.ask(protocol.GetFaults()) or ()
        return next((found.teaches for found in listed if found.id == fault), "")

    def _told_closed(self, taught: str | None) -> None:
        if taught:
            self._came_from = ""
            self.action_go_to(taught)
        else:
            here = self._way_back()
            if here:
                self.app.request(GOING_BACK, protocol.Goto(here))

    def _way_back(self) -> str:
        """Where to go after a drill, once: where the learner came from, or "" when that is here."""
        here, self._came_from = self._came_from, ""
        status = self.app.view.status
        return here if status is not None and status.position != here else ""
