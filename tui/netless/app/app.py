"""The app: one view of one lab, the messages that change it, and the screens that show it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final, TypeVar

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.widgets import Input
from textual.worker import WorkerFailed

from netless_lab.client import LabGone, Refused
from netless_lab.errors import Refusal
from netless_lab.harmless import harmless
from netless_lab.protocol import Back, Goto, Moved, Play, Request, Reset

from ..called import called
from .connection import Connection
from .geometry import fits
from .leaving import Crashed, HungUp, Leaving, Overdue, Quit, Signalled, crash_report, crash_sentence, exit_code
from .reduce import Answered, Asked, Event, Told, reduce
from .screens.tutor import TutorScreen
from .terminal.widget import PtyTerminal
from .themes import THEMES
from .toolkit import HangupWatch, TerminalDriver, bound
from .view import KEPT_SAYINGS, Level, Saying, View

R = TypeVar("R")
Connect = Callable[[], socket.socket]
"""A way to a connected socket of the lab's agent; may start the lab first, and may block."""
TELLING = (Back, Reset, Play)
"""Requests whose answer says something that the screen does not show by itself."""
TOLD_AS: Final[dict[Level, tuple[str, SeverityLevel, float]]] = {
    "info": ("", "information", 4), "warning": ("! ", "warning", 8), "error": ("✗ ", "error", 8),
}  # fmt: skip
"""How a saying of a level is marked, coloured, and for how many seconds it stays."""
LATELY_S = 4.0
"""In so many seconds no more is told in passing than a view keeps to be told."""


class TutorApp(App[None], inherit_bindings=False):
    """The tutor: one lab on the screen."""

    CSS_PATH = "netless.tcss"
    TITLE = "netless"
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False
    PAUSE_GC_ON_SCROLL = True
    BINDINGS: ClassVar[list[BindingType]] = bound({"ctrl+c": "leave_or_copy"})
    too_small = reactive(False, init=False)
    """True while the terminal is smaller than anything useful: every screen is covered by one sentence, and no key acts but to leave."""

    def __init__(
        self, connect: Connect, *, theme: str, lab: str = "default", course: str | None = None, driver: type[Driver] | None = None
    ) -> None:
        super().__init__(driver_class=driver)
        for own in THEMES:
            self.register_theme(own)
        self.theme = theme
        self.view = View(lab=lab, called=called(lab, os.environ))
        self.course = course
        self._connect = connect
        self._lab = Connection(lab, connect, self.take)
        self._painting = False
        self._told = 0
        self._tellings: deque[float] = deque(maxlen=KEPT_SAYINGS)
        self._unsaid = 0
        self._rebuild_to = ""
        self.leaving: Leaving | None = None
        """Why the app ends, from the moment it does."""
        self._hangup: HangupWatch | None = None
        self._overdue: Overdue | None = None
        self._tutor = TutorScreen()

    def get_default_screen(self) -> TutorScreen:
        """The main screen is the first one."""
        return self._tutor

    def on_mount(self) -> None:
        """Join the lab; from now on signals end the app in good order."""
        loop, terminal = asyncio.get_running_loop(), self._driver if isinstance(self._driver, TerminalDriver) else None
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            try:
                loop.add_signal_handler(number, self._leave, Signalled(number))
            except (ValueError, RuntimeError):
                break
            if terminal is not None:
                # asyncio hears of a signal by a descriptor, and leaves the handler itself to do nothing
                signal.signal(number, self._signalled_at_once)
        if terminal is not None:
            self._overdue = Overdue(terminal.give_back, self.view.lab, self.view.called)
        if not self.is_headless and sys.__stdin__ is not None:
            self._hangup = HangupWatch(loop, sys.__stdin__.fileno(), lambda: self._leave(HungUp()))
        self.join()
        self.call_after_refresh(_settle_memory)

    def on_unmount(self) -> None:
        """Nothing is watched any more."""
        if self._hangup is not None:
            self._hangup.close()

    def join(self) -> None:
        """Start the conversation with the lab."""
        self.run_worker(self._lab.converse(), group="lab", exclusive=True, exit_on_error=True)

    def take(self, event: Event) -> None:
        """Change the view at once, and paint it once however many events come in one go.

        The connection calls this in wire order, so whoever waits for a reply finds in ``view`` all that the lab said before it.
        """
        before, self.view = self.view, reduce(self.view, event)
        if self.view is not before:
            self._paint_soon()

    def _paint_soon(self) -> None:
        if not self._painting:
            self._painting = True
            self.call_later(self._paint)

    def _paint(self) -> None:
        self._painting = False
        view = self.view
        if self._tutor.is_mounted:
            self._tutor.show(view)
        for saying in view.sayings:
            if saying.serial > self._told and not self.too_small:
                new, self._told = saying.serial - self._told, saying.serial
                if self._told_lately():
                    self._leave_unsaid(new)
                else:
                    self._tell(saying)
                    self._leave_unsaid(new - 1)
        if view.ended:
            self._show_gone()
        elif self._rebuild_to and view.joined and view.status is not None:
            target, self._rebuild_to = self._rebuild_to, ""
            self.request("Rebuilding the lab", Goto(target))

    def _told_lately(self) -> bool:
        """Whether as much was told of late as can be read; else this moment counts as one more."""
        now = time.monotonic()
        if len(self._tellings) == KEPT_SAYINGS and now < self._tellings[0] + LATELY_S:
            return True
        self._tellings.append(now)
        return False

    def _leave_unsaid(self, count: int) -> None:
        """Say a little later how many came too fast to be told."""
        if count and not self._unsaid:
            self.set_timer(LATELY_S, self._tell_unsaid)
        self._unsaid += count

    def _tell_unsaid(self) -> None:
        count, self._unsaid = self._unsaid, 0
        self.notify(f"! Notices that came too fast to be shown: {count}", severity="warning", timeout=8, markup=False)

    def _tell(self, saying: Saying) -> None:
        """Say something in passing; its weight is told by a mark as well as by colour. Textual passes on most of what acts on a terminal."""
        mark, severity, seconds = TOLD_AS[saying.level]
        self.notify(mark + harmless(saying.text, "\n"), severity=severity, timeout=seconds, markup=False)

    def request(self, what: str, request: Request[Any]) -> None:
        """Ask the lab for something that takes a while; until it answers the lab counts as busy."""
        self.take(Asked(what))
        self.run_worker(self._request(request), group="request", exit_on_error=True)

    async def _request(self, request: Request[Any]) -> None:
        try:
            answer = await self._lab.ask(request)
        except (Refused, Refusal) as refused:
            self.take(Answered(str(refused), refused.nearest))
        except LabGone:
            self.take(Answered())
        else:
            self.take(Answered())
            if isinstance(request, TELLING) and isinstance(answer, Moved) and answer.text:
                self.take(Told("info", answer.text))

    async def ask(self, request: Request[R]) -> R | None:
        """Ask and wait for the answer. A refusal, or what is no answer, is told to the learner and comes back as None."""
        try:
            return await self._lab.ask(request)
        except (Refused, Refusal) as refused:
            self.take(Told("error", str(refused)))
        except LabGone:
            pass
        return None

    def send(self, request: Request[Any]) -> None:
        """Ask for something small and do not wait; a refusal is told to the learner."""
        self.run_worker(self.ask(request), group="send", exit_on_error=True)

    def occupy(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes several requests. The lab counts as busy from this moment until the last of them is answered."""
        self.take(Asked(what))
        self.run_worker(self._occupied(work), group="request", exit_on_error=True)

    async def _occupied(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self.take(Answered())

    async def asking(self, what: str, request: Request[R]) -> R | None:
        """One of the requests of ``occupy``, under words of its own: waits for the answer; None when it was refused."""
        self.take(Asked(what))
        return await self.ask(request)

    def rebuild(self) -> None:
        """The lab is gone: make it anew and go back to where the learner was."""
        self._rebuild_to = self.view.status.position if self.view.status else ""
        self.view = View(lab=self.view.lab, courses=self.view.courses, sayings=self.view.sayings, called=self.view.called)
        self._tutor.show(self.view)
        self._lab = Connection(self.view.lab, self._connect, self.take)
        self.join()

    def _show_gone(self) -> None:
        from .screens.rebuild import GoneScreen

        if not any(isinstance(screen, GoneScreen) for screen in self.screen_stack):
            step = self.view.status.page.title if self.view.status else ""
            self.push_screen(GoneScreen(self.view.ended, step))

    def on_resize(self, event: events.Resize) -> None:
        """Too small a terminal gets a plain sentence over everything, and all of it back as soon as there is room."""
        self.too_small = not fits(event.size.width, event.size.height)
        if not self.too_small:
            self._paint_soon()  # what was to be told meanwhile

    async def on_event(self, event: events.Event) -> None:
        """What cannot be seen is not worked on: in too small a terminal nothing that is typed or clicked arrives, save to leave."""
        if self._overdue is not None and isinstance(event, events.Key):
            self._overdue.heeded()
        if self.too_small and isinstance(event, events.InputEvent | events.Paste):
            if isinstance(event, events.Key) and event.key in ("q", "ctrl+c"):
                self.action_leave()
            return
        await super().on_event(event)

    def copy(self, text: str) -> None:
        """Copy a text (OSC 52: into the terminal's own clipboard) and say so; nothing happens for an empty one."""
        if text:
            self.copy_to_clipboard(text)
            first = text.split("\n")[0]
            self.take(Told("info", f"Copied: {first if first == text and len(text) < 60 else first[:56] + ' …'}"))

    def action_leave_or_copy(self) -> None:
        """Ctrl-C, in every screen: copy what is selected there, else quit."""
        selected = self.screen.get_selected_text()
        if selected:
            self.screen.clear_selection()
            self.copy(selected)
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Quit on purpose. A lab that never came leaves its exit code."""
        self._leave(Quit(self.view.code if self.view.status is None else 0))

    def _signalled_at_once(self, number: int, frame: object) -> None:
        """Between two instructions of whatever the loop is at."""
        if self._overdue is not None:
            self._overdue.asked(Signalled(number))

    def key_read(self, key: str) -> None:
        """In the thread that reads keys: one that leaves, where no widget takes it for text."""
        if self._overdue is not None and key in ("q", "ctrl+c") and not isinstance(self.focused, PtyTerminal | Input):
            self._overdue.pressed(Quit())

    def _leave(self, leaving: Leaving) -> None:
        """End the app; the first reason counts."""
        self.leaving = self.leaving or leaving
        if self._overdue is not None:
            self._overdue.asked(self.leaving)
        self.exit(return_code=exit_code(self.leaving))

    def settled(self) -> None:
        """The app has ended and its terminal is given back."""
        if self._overdue is not None:
            self._overdue.close()

    def _handle_exception(self, error: Exception) -> None:
        """One sentence on the restored terminal instead of a traceback; the traceback is in the report."""
        from rich.text import Text

        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error  # the wrapper was never raised: only what it holds knows where it happened
        self.leaving = Crashed()
        self._return_code = exit_code(self.leaving)
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(Text(crash_sentence(error, crash_report(error), self.view.lab if self.view.joined else "")))
        self._close_messages_no_wait()


def _settle_memory() -> None:
    """After the first frame: what lives now lives to the end, so the collector need not look at it again."""
    gc.enable()
    gc.collect()
    gc.freeze()
