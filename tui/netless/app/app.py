"""The app: one view of one lab, the messages that change it, and the screens that show it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final
from weakref import WeakKeyDictionary

from textual import events
from textual.binding import BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.reactive import reactive
from textual.widget import Widget

from .. import crash
from ..called import called
from ..commands.table import keys_of_verbs
from ..config.colours import DARK, Palette
from ..config.schema import DEFAULTS, Settings
from ..desk.desk import Connect, Desk
from ..desk.view import KEPT_SAYINGS, Saying, View
from ..leaving import Crashed, HungUp, Leaving, Overdue, Quit, Signalled, exit_code
from ..say import passing
from .appearance import Appearance
from .geometry import TooSmall, fits
from .hangup import HangupWatch
from .keys import ending
from .screens.tutor import TutorScreen
from .toolkit import SayingApp, bound, points_at_nothing, terminal_of
from .turns import Turn, Turns
from .widgets.notice import NoticeRow, Notices, Row

if TYPE_CHECKING:
    from netless_lab.protocol import Parting

    from ..commands.stage import WayOut
    from ..desk.shells import Running
    from .memory import Rest

LATELY_S = 4.0
"""In so many seconds no more is told in passing than a view keeps to be told."""
BELL_GAP_S: Final = 0.5
"""Seconds between two bells."""


class TutorApp(SayingApp, inherit_bindings=False):
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
        self, connect: Connect, *, palette: Palette = DARK, settings: Settings = DEFAULTS, lab: str = "default",
        course: str | None = None, driver: type[Driver] | None = None, read: bytes = b"", record: tuple[int, str] | None = None,
        began: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        super().__init__(driver_class=driver)
        self.read_ahead = read
        self.settings = settings
        self.appearance = Appearance(self, super().get_line_filters(), palette, settings)
        self.desk = Desk(lab, connect, self._paint_soon, called=called(lab, os.environ)._replace(keys=keys_of_verbs(settings.keys)), past=True)
        self._painting = False
        self._told = 0
        self._tellings: deque[float] = deque(maxlen=KEPT_SAYINGS)
        self._unsaid = 0
        self._belled = -BELL_GAP_S
        self._goes_back = False
        """Whether this lab was built anew, and has yet to be taken to where the one stood that is gone."""
        self._seen = asyncio.Event()
        """Set with the first frame."""
        self._settled = False
        self._rest: Rest | None = None
        self.leaving: Leaving | None = None
        """Why the app ends, from the moment it does."""
        self._hangup: HangupWatch | None = None
        self._overdue: Overdue | None = None
        self._record, self._began = record, began
        self.notice: Row | None = None
        """The row that is told in passing, while there is one."""
        self.notices = Notices(self._show_notice, self.set_timer)
        self._tutor = TutorScreen(self.desk, self.notices, course, settings)
        self._aims: WeakKeyDictionary[events.Event, Widget] = WeakKeyDictionary()
        """What had the focus when each key's turn came."""
        self._turns = Turns(self._take, self._tell_left_out)

    def get_default_screen(self) -> TutorScreen:
        """The main screen is the first one."""
        return self._tutor

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to every line before it is written."""
        return self.appearance.filters

    def action_turn_theme(self) -> None:
        """The next theme, on the whole screen."""
        for saying in self.appearance.turn():
            self.desk.take(saying)

    def on_mount(self) -> None:
        """Join the lab; from now on signals end the app in good order."""
        loop, terminal = asyncio.get_running_loop(), terminal_of(self)
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
        if self._record is not None:
            self._tutor.filming.begin(*self._record)
        self.screen_change_signal.subscribe(self, self._turns.left)
        self.join()
        for saying in self.appearance.complaints():
            self.desk.take(saying)
        self.call_after_refresh(self._seen.set)

    def on_unmount(self) -> None:
        """Nothing is watched any more."""
        if self._hangup is not None:
            self._hangup.close()
        if self._rest is not None:
            self._rest.close()

    def join(self) -> None:
        """Start the conversation with the lab, which is listened to from the first frame on."""
        self.run_worker(self.desk.converse(self._seen.wait), group="lab", exclusive=True, exit_on_error=True)

    @property
    def view(self) -> View:
        """What is known of the lab."""
        return self.desk.view

    def _paint_soon(self) -> None:
        if not self._painting:
            self._painting = True
            self.call_later(self._paint)

    def _paint(self) -> None:
        self._painting = False
        if self._rest is not None:
            self._rest.stirred()
        view = self.view
        if self._tutor.is_mounted:
            self._tutor.show(view.shown)
        self._tutor.filming.seen(view)
        if not self._settled and (view.status is not None or view.ended):
            self._settled = True
            self.call_after_refresh(self._settle_memory)
        for saying in view.sayings:
            if saying.serial > self._told and not self.too_small:
                new, self._told = saying.serial - self._told, saying.serial
                if self._told_lately():
                    self._leave_unsaid(new)
                else:
                    self.notices.tell(saying)
                    self._leave_unsaid(new - 1)
        if view.ended:
            self._show_gone()
        elif self._goes_back and view.joined and view.status is not None:
            from ..commands.time import go_back

            self._goes_back = False
            self.run_worker(go_back(self.desk), group="goto")

    def _settle_memory(self) -> None:
        """After the first lesson: what lives now lives to the end, so the collector need not look at it again. What comes from now on is bounded."""
        from .memory import Rest, bound_caches, keep_large_apart, tidy

        bound_caches()
        keep_large_apart()
        gc.enable()
        gc.collect()
        gc.freeze()
        self._rest = Rest(tidy)
        self._rest.stirred()

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
        self.notices.tell(Saying(0, "warning", passing.not_shown(count)))

    def _tell_left_out(self, count: int) -> None:
        self.desk.tell("warning", passing.keys_left_out(count))

    def _show_notice(self, row: Row | None) -> None:
        self.notice = row
        for screen in self.screen_stack:
            for told in screen.query(NoticeRow):
                told.show(row)

    def action_notice_read(self) -> None:
        """The notice that is told was clicked."""
        if self.notices:
            self.notices.over()

    def bell(self) -> None:
        """Ring, but not for every letter of a file that is pasted where it does not fit, nor for every one of a shell's."""
        now = time.monotonic()
        if now - self._belled > BELL_GAP_S:
            self._belled = now
            super().bell()

    def _rebuild(self, again: bool | None) -> None:
        """The lab is gone: make it anew and go back to where the learner was."""
        if again:
            self._goes_back = True
            self.desk.begin_anew()
            self.join()

    def _show_gone(self) -> None:
        from .screens.rebuild import GoneScreen

        if not any(isinstance(screen, GoneScreen) for screen in self.screen_stack):
            step = self.view.status.page.title if self.view.status else ""
            gone = GoneScreen(self.view.ended, step)
            gone.keymap = self.settings.keys
            self.push_screen(gone, self._rebuild)

    def on_resize(self, event: events.Resize) -> None:
        """Too small a terminal gets a plain sentence over everything, and all of it back as soon as there is room."""
        self._tutor.filming.resized(event.size)
        self.too_small = not fits(event.size.width, event.size.height)
        self.notices.resized(event.size.width)
        if not self.too_small:
            self._paint_soon()  # what was to be told meanwhile

    def watch_too_small(self, too_small: bool) -> None:
        """Cover every screen, or uncover it."""
        for screen in self.screen_stack:
            screen.query(TooSmall).set(display=too_small)

    async def on_event(self, event: events.Event) -> None:
        """A key is for what has the focus when its turn comes, and what is typed comes one after the other: see ``Turns``."""
        if self._rest is not None and isinstance(event, events.InputEvent | events.Paste):
            self._rest.stirred()
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._turns.read(event)
        else:
            await self._take(event)

    async def on_turn(self, turn: Turn) -> None:
        """What was typed has arrived, and done what it does."""
        await self._turns.over(turn)

    async def _take(self, event: events.Event) -> None:
        """What cannot be seen is not worked on: in too small a terminal nothing that is typed or clicked arrives, save to leave.

        What comes back from where the focus was when its turn came, and is not there any more, is read anew.
        """
        if self._overdue is not None and isinstance(event, events.Key):
            self._overdue.heeded()
        if self.too_small and isinstance(event, events.InputEvent | events.Paste):
            if isinstance(event, events.Key) and self._ends(event.key):
                self.action_leave()
            return
        if isinstance(event, events.MouseDown | events.MouseMove) and self.screen_stack and points_at_nothing(self.screen, event):
            return
        if isinstance(event, events.Key | events.Paste):
            if not self.screen_stack:
                return  # it is being taken down
            has = self.screen.focused or self.screen
            if not event.is_forwarded:
                self._aims[event] = has
                await super().on_event(event)
                self._turns.begin(has)
                return
            if self._aims.pop(event, has) is not has:
                event = events.Key(event.key, event.character) if isinstance(event, events.Key) else events.Paste(event.text)
                await self._take(event)
                return
        await super().on_event(event)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text (OSC 52: into the terminal's own clipboard) and say so, whoever copies it; nothing happens for an empty one."""
        if text:
            super().copy_to_clipboard(text)
            self.desk.tell("info", passing.copied(text))

    def action_leave_or_copy(self) -> None:
        """Ctrl-C, in every screen: copy what is selected there, else quit."""
        selected = self.screen.get_selected_text()
        if selected:
            self.screen.clear_selection()
            self.copy_to_clipboard(selected)
        else:
            self.action_leave()

    def action_copy_text_of(self, text: str) -> None:
        """A text that was clicked."""
        self.copy_to_clipboard(text)

    async def action_keep(self) -> None:
        """Keep the screen as a picture, whatever lies over the main screen."""
        await self._tutor.action_do("screenshot")

    def action_leave(self) -> None:
        """Quit on purpose, after asking where that would cost something; once, however often the key is pressed meanwhile. Where a question could
        not be read, the lab is kept. A lab that never came leaves its exit code.
        """
        from ..commands.leaving import nothing_to_ask

        if nothing_to_ask(self.view, self._began):
            self._leave(Quit(self.view.code if self.view.status is None else 0))
        elif not any(worker.group == "quit" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._quit(), group="quit")
        elif self.too_small:
            self._leave(Quit(keep=True))

    async def _quit(self) -> None:
        from ..commands.leaving import way_out

        if (chosen := await way_out(self.desk, self._ask_way_out, self._began, self._tutor.shells)) is not None:
            self._leave(Quit(keep=chosen == "keep", agreed=chosen == "end"))

    async def _ask_way_out(self, found: Parting | None, running: Sequence[Running]) -> WayOut | None:
        return "keep" if self.too_small else await self._tutor.windows.choose_way_out(found, running)

    def _signalled_at_once(self, number: int, frame: object) -> None:
        """Between two instructions of whatever the loop is at."""
        if self._overdue is not None:
            self._overdue.asked(Signalled(number))

    def key_read(self, key: str, character: str | None) -> None:
        """In the thread that reads keys: one that leaves, where nothing takes it for itself."""
        if self._overdue is not None and self._ends(key) and not (self.focused is not None and self.focused.check_consume_key(key, character)):
            self._overdue.pressed(Quit())

    def _ends(self, key: str) -> bool:
        return key in ending(self.settings.keys, gone=bool(self.view.ended))

    def _leave(self, leaving: Leaving) -> None:
        """End the app; the first reason counts."""
        self.leaving = self.leaving or leaving
        if self._overdue is not None:
            self._overdue.asked(self.leaving)
        self.exit(return_code=exit_code(self.leaving))

    def settled(self) -> str:
        """The app has ended and its terminal is given back. What is to be said there of a recording."""
        said = self._tutor.filming.close()
        if self._overdue is not None:
            self._overdue.close()
        return said

    def failed(self, error: Exception) -> tuple[int, str]:
        """One sentence on the restored terminal instead of a traceback; the traceback is in the report."""
        self.leaving = Crashed()
        report = crash.report(error, size=self.size, before=self.desk.trail.lines())
        return exit_code(self.leaving), crash.sentence(error, report, self.view.lab if self.view.joined else "")
