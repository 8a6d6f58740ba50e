"""The app: one view of one lab, the messages that change it, and the screens that show it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from netless_lab.client import LabGone, Refused
from netless_lab.protocol import Back, Call, Goto, Play, Request, Reset

from . import crash
from .connection import Connection
from .geometry import fits
from .messages import LabEvent
from .reduce import Answered, Asked, Ended, Event, Told, reduce
from .screens.tutor import TutorScreen
from .themes import THEMES
from .view import Saying, View

Connect = Callable[[], socket.socket]
"""A way to a connected socket of the lab's agent; may start the lab first, and may block."""


TELLING = (Back, Reset, Play, Call)
"""Requests whose answer says something that the screen does not show by itself."""


class TutorApp(App[None], inherit_bindings=False):
    """The tutor. ``restart`` makes the lab anew after it died; when None, ``connect`` is trusted to."""

    CSS_PATH = "netless.tcss"
    TITLE = "netless"
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False
    PAUSE_GC_ON_SCROLL = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "leave", "Quit", show=False)]

    def __init__(
        self,
        connect: Connect,
        *,
        theme: str,
        lab: str = "default",
        course: str | None = None,
        restart: Callable[[], None] | None = None,
        driver: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver)
        for own in THEMES:
            self.register_theme(own)
        self.theme = theme
        self.view = View(lab=lab)
        self.course = course
        self._connect = connect
        self._restart = restart
        self._lab = Connection(connect, self._post)
        self._painting = False
        self._told = 0
        self._rebuild_to = ""
        self._tutor = TutorScreen()

    def get_default_screen(self) -> TutorScreen:
        """The main screen is the first one."""
        return self._tutor

    def on_mount(self) -> None:
        """Join the lab; from now on signals end the app in good order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            try:
                loop.add_signal_handler(number, self._signalled, number)
            except (ValueError, RuntimeError):
                break
        self.join()
        self.call_after_refresh(_settle_memory)

    def join(self) -> None:
        """Start the conversation with the lab."""
        self.run_worker(self._lab.converse(), group="lab", exclusive=True, exit_on_error=True)

    def _post(self, event: Event) -> None:
        self.post_message(LabEvent(event))

    def on_lab_event(self, message: LabEvent) -> None:
        """Something came from the lab."""
        self.take(message.event)

    def take(self, event: Event) -> None:
        """Change the view and paint it once, however many events come in one go."""
        before, self.view = self.view, reduce(self.view, event)
        if self.view is before:
            return
        if not self._painting:
            self._painting = True
            self.call_later(self._paint)

    def _paint(self) -> None:
        self._painting = False
        view = self.view
        if self._tutor.is_mounted:
            self._tutor.show(view)
        saying = view.saying
        if saying is not None and saying.serial > self._told:
            self._told = saying.serial
            self._tell(saying)
        if view.ended:
            self._show_gone()
        elif self._rebuild_to and view.joined and view.status is not None:
            target, self._rebuild_to = self._rebuild_to, ""
            self.request("Rebuilding the lab", Goto, target=target)

    def _tell(self, saying: Saying) -> None:
        """Say something in passing; its weight is told by a mark as well as by colour."""
        if saying.level == "info":
            self.notify(saying.text, timeout=4, markup=False)
        elif saying.level == "warning":
            self.notify(f"! {saying.text}", severity="warning", timeout=8, markup=False)
        else:
            self.notify(f"✗ {saying.text}", severity="error", timeout=8, markup=False)

    def request(self, what: str, kind: type[Request], **fields: Any) -> None:
        """Ask the lab for something that takes a while; until it answers the lab counts as busy."""
        self.take(Asked(what))
        self.run_worker(self._request(kind, fields), group="request", exit_on_error=True)

    async def _request(self, kind: type[Request], fields: dict[str, Any]) -> None:
        try:
            answer = await self._lab.ask(kind, **fields)
        except Refused as refused:
            self.take(Answered(str(refused), refused.nearest))
        except LabGone:
            self.take(Answered())
        else:
            self.take(Answered())
            if kind in TELLING and isinstance(answer, dict) and answer.get("text"):
                self.take(Told("info", str(answer["text"])))

    async def ask(self, kind: type[Request], **fields: Any) -> Any:
        """Ask and wait for the answer; a refusal is told to the learner and comes back as None."""
        try:
            return await self._lab.ask(kind, **fields)
        except Refused as refused:
            self.take(Told("error", str(refused)))
        except LabGone:
            pass
        return None

    def send(self, kind: type[Request], **fields: Any) -> None:
        """Ask for something small and do not wait; a refusal is told to the learner."""
        self.run_worker(self.ask(kind, **fields), group="send", exit_on_error=True)

    async def asking(self, what: str, kind: type[Request], **fields: Any) -> Any:
        """Ask for something that takes a while and wait for the answer; None when it was refused."""
        self.take(Asked(what))
        answer = await self.ask(kind, **fields)
        self.take(Answered())
        return answer

    def rebuild(self) -> None:
        """The lab is gone: make it anew and go back to where the learner was."""
        self._rebuild_to = self.view.status.position if self.view.status else ""
        self.view = View(lab=self.view.lab, courses=self.view.courses, saying=self.view.saying)
        self._tutor.show(self.view)
        self._lab = Connection(self._reconnect, self._post)
        self.join()

    def _reconnect(self) -> socket.socket:
        if self._restart is not None:
            self._restart()
        return self._connect()

    def _show_gone(self) -> None:
        from .screens.gone import GoneScreen

        if not any(isinstance(screen, GoneScreen) for screen in self.screen_stack):
            step = self.view.status.page.title if self.view.status else ""
            self.push_screen(GoneScreen(self.view.ended, step))

    def on_resize(self, event: events.Resize) -> None:
        """Too small a terminal gets a plain message, and the tutor back as soon as there is room."""
        from .screens.too_small import TooSmallScreen

        small = isinstance(self.screen, TooSmallScreen)
        if not fits(event.size.width, event.size.height):
            if not small:
                self.push_screen(TooSmallScreen())
        elif small:
            self.pop_screen()

    def action_leave(self) -> None:
        """Quit; the lab's own rules say whether it stays. A lab that never came leaves its exit code."""
        self.exit(return_code=self.view.code if self.view.status is None else 0)

    def _signalled(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    def _handle_exception(self, error: Exception) -> None:
        """One sentence on the restored terminal instead of a traceback; the traceback is in the report."""
        from rich.text import Text

        self._return_code = 4
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(Text(crash.sentence(error, crash.report(error))))
        self._close_messages_no_wait()


def _settle_memory() -> None:
    """After the first frame: what lives now lives to the end, so the collector need not look at it again."""
    gc.enable()
    gc.collect()
    gc.freeze()


def no_animation() -> bool:
    """Reduced motion, as Textual reads it."""
    return os.environ.get("TEXTUAL_ANIMATIONS", "full") == "none"


__all__ = ["Connect", "Ended", "TutorApp"]
