"""What the keys of the main screen do: they ask the lab, and open the small screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netless_lab import protocol
from netless_lab.primitives.base import Dialect

from ..pages.lesson import taught_in
from ..reduce import Hinted, Told
from ..shells import as_typed, open_terminal, put_at_prompt, shell_in
from ..view import Act, can, known_courses

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
    """Mixed into the main screen, which gives it the lower pane and the app. What can be done is asked of the app's view, never of what is painted."""

    if TYPE_CHECKING:
        app: TutorApp
        lower: Lower

        def settle(self, anew: bool = False) -> None:
            """See ``TutorScreen``."""

        @property
        def where(self) -> str:
            """See ``TutorScreen``."""

        def action_pane(self, pane: Pane) -> None:
            """See ``TutorScreen``."""

    def action_act(self, act: Act) -> None:
        """Do what a key says, if it can be done now; while the lab is busy keys are dropped, never kept for later.

        In a terminal letters are the shell's: one that still arrives here was typed before the terminal had the focus.
        """
        if can(self.app.view, act) and self.where != "terminal":
            getattr(self, f"_do_{act}")()

    # -- one request each ---------------------------------------------------------------------------------------------------

    def _do_run(self) -> None:
        self.app.request("Running the step", protocol.Run())

    def _do_check(self) -> None:
        self.app.request("Checking", protocol.Check())

    def _do_back(self) -> None:
        self.app.request("Going back", protocol.Back())

    def _do_next(self) -> None:
        self.app.request("Moving on", protocol.Next())

    def _do_hint(self) -> None:
        if not any(worker.group == "hint" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._hint(), group="hint")

    async def _hint(self) -> None:
        given = await self.app.ask(protocol.Hint())
        if given is not None:
            self.app.take(Hinted(given.text))

    def _do_play(self) -> None:
        playing = self.app.view.status is not None and self.app.view.status.playing
        self.app.request("Restoring the step" if playing else "Pausing the judge", protocol.Play(not playing))

    def _do_dialect(self) -> None:
        assert self.app.view.status is not None
        order = [item.dialect for item in self.app.view.status.page.commands]
        here = order.index(self.app.view.dialect) if self.app.view.dialect in order else -1
        self.action_use_dialect(order[(here + 1) % len(order)])

    def action_use_dialect(self, dialect: Dialect) -> None:
        """Show commands in this dialect, in every view of the lab."""
        self.app.send(protocol.SetDialect(dialect))

    # -- the terminal -------------------------------------------------------------------------------------------------------

    def _do_type(self) -> None:
        assert self.app.view.status is not None
        text = as_typed(self.app.view.commands, self.app.view.dialect)
        self.run_worker(self._terminal(self.app.view.status.page.shell, text), group="terminal", exclusive=True)

    def action_open_terminal(self, node: str = "") -> None:
        """Go to the terminal of a node (the step's own when none is named), opening it if need be."""
        if self.app.view.status is not None:
            self.run_worker(self._terminal(node or self.app.view.status.page.shell), group="terminal", exclusive=True)

    async def _terminal(self, node: str, text: str = "") -> None:
        terminal = self.lower.terminal(node)
        if terminal is None:
            if await self.app.ask(protocol.Enter(node)) is None:
                return
            terminal = open_terminal(self.app.view.lab, node)
            await self.lower.add_terminal(node, terminal, self._identity(node))
            self.watch(terminal, "keys_hint", self._keys_changed, init=False)
        self.lower.choose(node)
        self.action_pane("lower")
        if text and not await put_at_prompt(terminal, text):
            self.app.take(Told("warning", "There is no prompt to type at: something runs in this terminal."))

    def _keys_changed(self) -> None:
        """Other keys count in a terminal: the border around it names them."""
        self.settle()

    def _identity(self, node: str) -> Identity | None:
        """Which namespace and process a node is just now."""
        nodes = self.app.view.status.nodes if self.app.view.status else ()
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
        if terminal is not None and await self.app.ask(protocol.Enter(node)) is not None:
            argv, env = shell_in(self.app.view.lab, node)
            await terminal.restart(argv, env)
            self.app.take(Told("info", f"{node} was built anew; its shell was started again there."))

    # -- moving in time -----------------------------------------------------------------------------------------------------

    def _do_goto(self) -> None:
        assert self.app.view.status is not None
        self.action_go_to(taught_in(self.app.view) or self.app.view.status.position)

    def _go(self, choice: tuple[str, bool] | None) -> None:
        if choice is not None and self._still("goto"):
            self.app.request("Rebuilding the lab", protocol.Goto(*choice))

    def _still(self, act: Act) -> bool:
        """Whether what was chosen in a small screen can still be done; when it cannot, the learner hears why."""
        if can(self.app.view, act):
            return True
        busy = self.app.view.busy
        why = f"the lab is busy ({busy[:1].lower()}{busy[1:]})" if busy else "it cannot be done just now"
        self.app.take(Told("warning", f"Not done: {why}. Choose it again when it is."))
        return False

    def action_go_to(self, target: str) -> None:
        """The list of all steps with this one chosen: a click alone never rebuilds the lab."""
        from .places import GotoScreen

        if self.app.view.status is not None and can(self.app.view, "goto"):
            self.app.push_screen(GotoScreen(known_courses(self.app.view), self.app.view.status.position, target), self._go)

    def _do_reset(self) -> None:
        from .rebuild import ResetScreen

        self.app.push_screen(ResetScreen(), self._reset)

    def _reset(self, scope: protocol.Scope | None) -> None:
        if scope and self._still("reset"):
            self.app.request("Resetting", protocol.Reset(scope))

    # -- other screens ------------------------------------------------------------------------------------------------------

    def first_look(self) -> None:
        """Once status and courses are known: the course that was asked for, or the picker when there is something to choose."""
        from .places import offers_choice

        assert self.app.view.status is not None
        status = self.app.view.status
        wanted, here = self.app.course, status.course.id
        if wanted and wanted != here and any(course.id == wanted for course in self.app.view.courses):
            self._go((wanted, False))
        elif offers_choice(self.app.view.courses, chosen=bool(wanted) or status.chosen) and self.is_active:
            self.action_courses()

    def action_help(self) -> None:
        """The keys of this view and what the marks mean."""
        from .help import HelpScreen

        self.app.push_screen(HelpScreen(self.where))

    def action_courses(self) -> None:
        """The course picker."""
        from .places import PickerScreen

        self.app.push_screen(PickerScreen(self.app.view), self._picked)

    def _picked(self, target: str | None) -> None:
        if target is not None:
            self._go((target, False))

    def action_export(self) -> None:
        """Write the session down as a shell script and as Markdown notes."""
        self.run_worker(self._export(), group="export", exclusive=True)

    async def _export(self) -> None:
        account = await self.app.ask(protocol.GetHistory())
        if account is not None:
            from ..export import write

            self.app.take(write(account, self.app.view.lab))

    # -- the clipboard ------------------------------------------------------------------------------------------------------

    def action_copy_commands(self) -> None:
        """Copy all commands of the step."""
        self.action_copy_text_of("\n".join(self.app.view.commands))

    def action_copy_text_of(self, text: str) -> None:
        """Copy a text that was clicked."""
        self.app.copy(text)
