"""What the keys of the main screen do: they ask the lab, and open the small screens.

Moving through the course and in time, terminals, the cause of a lost packet, drills, packets and their replay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from netless_lab import protocol
from netless_lab.drill.spent import help_used, took
from netless_lab.model.journey import Journey
from netless_lab.primitives.base import Dialect

from ..drawing import frames_of
from ..export import write, write_packets
from ..pages.lesson import step_target, taught_in
from ..pages.logs import Packet
from ..reduce import Following, Hinted, Told
from ..shells import as_typed, open_terminal, put_at_prompt, shell_in
from ..view import Act, can, failed_probe, known_courses, step_called

if TYPE_CHECKING:
    from textual.screen import Screen

    from ..app import TutorApp
    from ..geometry import Pane
    from ..widgets.lower import Lower
    from ..widgets.picture import Picture

    Base = Screen[None]
else:
    Base = object

R = TypeVar("R")
Identity = tuple[int, int | None]
"""A node's namespace and the process that holds it."""
GOING_BACK: Final = "Going back to the lesson"
PLAIN: Final[dict[Act, tuple[str, protocol.Request[Any]]]] = {
    "run": ("Running the step", protocol.Run()), "check": ("Checking", protocol.Check()),
    "back": ("Going back", protocol.Back()), "next": ("Moving on", protocol.Next()),
}  # fmt: skip
"""What asks for one thing and waits for nothing: what it is called meanwhile, and the request."""


class Acting(Base):
    """Mixed into the main screen, which gives it the panes and the app. What can be done is asked of the app's view, never of what is painted."""

    _came_from = ""
    """Where the learner was when a drill began, to go back there; "" when another client began it."""
    _hop_at = ""
    """The hop that was looked at last, as ``journey:hop``."""

    if TYPE_CHECKING:
        app: TutorApp
        lower: Lower
        picture: Picture

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
        if not can(self.app.view, act) or self.where == "terminal":
            return
        if act in PLAIN:
            self.app.request(*PLAIN[act])
        else:
            getattr(self, f"_do_{act}")()

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
            self.watch(terminal, "keys_hint", lambda: self.settle(), init=False)  # other keys count there: the border names them
        self.lower.choose(node)
        self.action_pane("lower")
        if text and not await put_at_prompt(terminal, text):
            self.app.take(Told("warning", "There is no prompt to type at: something runs in this terminal."))

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
            if here := self._way_back():
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
        elif here := self._way_back():
            self.app.request(GOING_BACK, protocol.Goto(here))

    def _way_back(self) -> str:
        """Where to go after a drill, once: where the learner came from, or "" when that is here."""
        here, self._came_from = self._came_from, ""
        status = self.app.view.status
        return here if status is not None and status.position != here else ""

    # -- replay ------------------------------------------------------------------------------------------------------------

    def replay_last(self, after: Sequence[Packet] = ()) -> None:
        """Let the newest packet that was followed move over the picture; only one that came after these, when they are given."""
        known = {id(event) for event in after}
        followed = (event.journey for event in reversed(self.app.view.packets) if event.journey is not None and id(event) not in known)
        self._replay(next(followed, None))

    def _replay(self, journey: Journey | None) -> None:
        scene = self.picture.scene
        if journey is not None and scene is not None:
            self.picture.play(frames_of(journey, scene))

    # -- packets -------------------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Follow the learner's own packets, or stop."""
        self.run_worker(self._follow(not self.app.view.following), group="follow", exclusive=True)

    async def _follow(self, on: bool) -> None:
        told = await self.app.ask(protocol.Follow(on))
        if told is not None:
            self.app.take(Following(told.following))
            for text in told.missing:
                self.app.take(Told("warning", text))

    def action_save_packets(self) -> None:
        """Save every packet that is kept, for Wireshark."""
        self.run_worker(self._write(protocol.GetCapture(), write_packets), group="save", exclusive=True)

    def action_seek(self) -> None:
        """Show only some packets."""
        from .packets import SeekScreen

        self.app.push_screen(SeekScreen(self.lower.packets.sought), self._seek)

    def _seek(self, sought: str | None) -> None:
        if sought is not None:
            self.lower.packets.seek(sought)
            self.settle()

    def action_look_at_hop(self, journey: int, hop: int) -> None:
        """What the bytes of one hop mean."""
        self.run_worker(self._look_at_hop(journey, hop), group="hop", exclusive=True)

    def action_choose_hop(self) -> None:
        """Choose a hop by key; its bytes follow."""
        from .packets import HopsScreen

        self.app.push_screen(HopsScreen(self.app.view.packets, self.lower.packets.sought, self._hop_at), self._hop_chosen)

    def _hop_chosen(self, chosen: tuple[int, int] | None) -> None:
        if chosen is not None:
            self._hop_at = f"{chosen[0]}:{chosen[1]}"
            self.action_look_at_hop(*chosen)

    async def _look_at_hop(self, journey: int, hop: int) -> None:
        packet = await self.app.ask(protocol.GetPacket(journey, hop))
        if packet is None:
            return
        if self.is_active:
            from .packets import LayersScreen

            self.app.push_screen(LayersScreen(packet))
        else:
            self.app.take(Told("info", "The bytes of the packet are there: choose its hop again to see them."))

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

        self.app.push_screen(PickerScreen(self.app.view), self._go)

    def action_export(self) -> None:
        """Write the session down as a shell script and as Markdown notes."""
        self.run_worker(self._write(protocol.GetHistory(), write), group="export", exclusive=True)

    async def _write(self, request: protocol.Request[R], write: Callable[[R, str], Told]) -> None:
        answer = await self.app.ask(request)
        if answer is not None:
            self.app.take(write(answer, self.app.view.lab))

    # -- the clipboard ------------------------------------------------------------------------------------------------------

    def action_copy_commands(self) -> None:
        """Copy all commands of the step."""
        self.action_copy_text_of("\n".join(self.app.view.commands))

    def action_copy_text_of(self, text: str) -> None:
        """Copy a text that was clicked."""
        self.app.copy(text)
