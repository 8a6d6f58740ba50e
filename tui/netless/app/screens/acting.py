"""What the keys of the main screen do: they ask the lab, and open the small screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from netless_lab import protocol

from ..pages.drill import taught_in
from ..reduce import Hinted, Told
from ..shells import as_typed, open_terminal, put_at_prompt, shell_in
from ..view import Act, View, can

if TYPE_CHECKING:
    from textual.screen import Screen

    from ..app import TutorApp
    from ..geometry import Pane
    from ..widgets.lower import Lower

    Base = Screen[None]
else:
    Base = object

Identity = tuple[int, int | None]
"""A node's namespace and the process that holds it."""


class Acting(Base):
    """Mixed into the main screen, which gives it the view, the lower pane and the app."""

    if TYPE_CHECKING:
        app: TutorApp
        view: View
        lower: Lower

        def action_pane(self, pane: Pane) -> None:
            """See ``TutorScreen``."""

    def action_act(self, act: Act) -> None:
        """Do what a key says, if it can be done now; while the lab is busy keys are dropped, never kept for later."""
        if can(self.view, act):
            getattr(self, f"_do_{act}")()

    # -- one request each ---------------------------------------------------------------------------------------------------

    def _do_run(self) -> None:
        self.app.request("Running the step", protocol.Run)

    def _do_check(self) -> None:
        self.app.request("Checking", protocol.Check)

    def _do_back(self) -> None:
        self.app.request("Going back", protocol.Back)

    def _do_next(self) -> None:
        self.app.request("Moving on", protocol.Next)

    def _do_hint(self) -> None:
        self.run_worker(self._hint(), group="hint", exclusive=True)

    async def _hint(self) -> None:
        answer = await self.app.ask(protocol.Hint)
        if isinstance(answer, dict):
            self.app.take(Hinted(str(answer.get("text", ""))))

    def _do_play(self) -> None:
        playing = self.view.status is not None and self.view.status.playing
        self.app.request("Restoring the step" if playing else "Pausing the judge", protocol.Play, on=not playing)

    def _do_dialect(self) -> None:
        assert self.view.status is not None
        order = [item.dialect for item in self.view.status.page.commands]
        here = order.index(self.view.dialect) if self.view.dialect in order else -1
        self.action_use_dialect(order[(here + 1) % len(order)])

    def action_use_dialect(self, dialect: str) -> None:
        """Show commands in this dialect, in every view of the lab."""
        self.app.send(protocol.SetDialect, dialect=dialect)

    # -- the terminal -------------------------------------------------------------------------------------------------------

    def _do_type(self) -> None:
        assert self.view.status is not None
        text = as_typed(self.view.commands, self.view.dialect)
        self.run_worker(self._terminal(self.view.status.page.shell, text), group="terminal", exclusive=True)

    def action_open_terminal(self, node: str = "") -> None:
        """Go to the terminal of a node (the step's own when none is named), opening it if need be."""
        if self.view.status is not None:
            self.run_worker(self._terminal(node or self.view.status.page.shell), group="terminal", exclusive=True)

    async def _terminal(self, node: str, text: str = "") -> None:
        terminal = self.lower.terminal(node)
        if terminal is None:
            answer = await self.app.ask(protocol.Enter, node=node)
            if answer is None:
                return
            terminal = open_terminal(msgspec.convert(answer, protocol.Entry))
            await self.lower.add_terminal(node, terminal, self._identity(node))
        self.lower.choose(node)
        self.action_pane("lower")
        if text and not await put_at_prompt(terminal, text):
            self.app.take(Told("warning", "There is no prompt to type at: something runs in this terminal."))

    def _identity(self, node: str) -> Identity | None:
        """Which namespace and process a node is just now."""
        nodes = self.view.status.nodes if self.view.status else ()
        return next(((found.netns, found.outside_pid) for found in nodes if found.name == node), None)

    def follow_nodes(self) -> None:
        """Shells whose node was built anew sit in a namespace that is no longer part of the lab: start them in the new one."""
        for node, was in self.lower.entered.items():
            now = self._identity(node)
            if now is not None and was is not None and now != was:
                self.lower.entered[node] = now
                self.run_worker(self._enter_again(node), group=f"enter {node}", exclusive=True)

    async def _enter_again(self, node: str) -> None:
        terminal = self.lower.terminal(node)
        answer = await self.app.ask(protocol.Enter, node=node)
        if terminal is not None and answer is not None:
            argv, env = shell_in(msgspec.convert(answer, protocol.Entry))
            await terminal.restart(argv, env)
            self.app.take(Told("info", f"{node} was built anew; its shell was started again there."))

    # -- moving in time -----------------------------------------------------------------------------------------------------

    def _do_goto(self) -> None:
        assert self.view.status is not None
        self.action_go_to(taught_in(self.view) or self.view.status.position)

    def _go(self, choice: tuple[str, bool] | None) -> None:
        if choice is not None and can(self.view, "goto"):
            self.app.request("Rebuilding the lab", protocol.Goto, target=choice[0], end=choice[1])

    def action_go_to(self, target: str) -> None:
        """The list of all steps with this one chosen: a click alone never rebuilds the lab."""
        from .goto import GotoScreen

        if self.view.status is not None and can(self.view, "goto"):
            self.app.push_screen(GotoScreen(self.view.status.course, self.view.status.position, target), self._go)

    def _do_reset(self) -> None:
        from .confirm import ResetScreen

        self.app.push_screen(ResetScreen(), self._reset)

    def _reset(self, scope: str | None) -> None:
        if scope and can(self.view, "reset"):
            self.app.request("Resetting", protocol.Reset, scope=scope)

    # -- other screens ------------------------------------------------------------------------------------------------------

    def first_look(self) -> None:
        """Once status and courses are known: the course that was asked for, or the picker when there is something to choose."""
        from .picker import offers_choice

        assert self.view.status is not None
        wanted, here = self.app.course, self.view.status.course.id
        if wanted and wanted != here and any(course.id == wanted for course in self.view.courses):
            self._go((wanted, False))
        elif offers_choice(self.view.courses, wanted):
            self.action_courses()

    def action_help(self) -> None:
        """The keys of this view and what the marks mean."""
        from .help import HelpScreen

        self.app.push_screen(HelpScreen(self.where))  # type: ignore[attr-defined]

    def action_courses(self) -> None:
        """The course picker."""
        from .picker import PickerScreen

        self.app.push_screen(PickerScreen(self.view), self._picked)

    def _picked(self, target: str | None) -> None:
        if target is not None:
            self._go((target, False))

    def action_export(self) -> None:
        """Write the session down as a shell script and as Markdown notes."""
        self.run_worker(self._export(), group="export", exclusive=True)

    async def _export(self) -> None:
        answer = await self.app.ask(protocol.Call, name="history")
        if isinstance(answer, dict):
            from ..export import write

            self.app.take(write(answer.get("script", ""), answer.get("markdown", ""), self.view.lab))

    # -- the clipboard ------------------------------------------------------------------------------------------------------

    def action_copy_commands(self) -> None:
        """Copy all commands of the step."""
        self.action_copy_text_of("\n".join(self.view.commands))

    def action_copy_text_of(self, text: str) -> None:
        """Copy a text that was clicked (OSC 52: into the terminal's own clipboard)."""
        if text:
            self.app.copy_to_clipboard(text)
            first = text.split("\n")[0]
            self.app.take(Told("info", f"Copied: {first if first == text and len(text) < 60 else first[:56] + ' …'}"))

    def action_leave_or_copy(self) -> None:
        """Ctrl-C: copy what is selected, else quit."""
        selected = self.get_selected_text()
        if selected:
            self.clear_selection()
            self.action_copy_text_of(selected)
        else:
            self.app.action_leave()
