"""The main screen: lesson and check, the live picture, the lower pane, and how one moves about between them. It is the stage of every command."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from ...commands.stage import Pane, Tab, Where
from ...commands.table import BY_ID, Keymap, key_of
from ...config.schema import DEFAULTS, Settings
from ...desk.desk import Desk
from ...desk.view import View
from ...say import passing
from ...say.check import worse
from ...say.packets import Packet
from ...say.tabs import Fixed
from ..drawing import frames_of
from ..filming import Filming
from ..geometry import Body, Frame, TooSmall, arrange
from ..keys import bindings, outer
from ..shells import Shells, put_at_prompt
from ..toolkit import put_on_keys
from ..widgets.bars import HeaderStrip, KeyBar, keys_of
from ..widgets.lesson import CheckPane, LessonPane
from ..widgets.lower import Lower
from ..widgets.notice import NoticeRow, Notices
from ..widgets.picture import Picture
from .panes import Placed, Titles, main_panes
from .windows import Windows

if TYPE_CHECKING:
    from netless_lab.course.verdict import Verdict
    from netless_lab.model.journey import Journey
    from netless_lab.primitives.base import Dialect

    from ...record.still import Sight
    from ..terminal import PtyTerminal


class TutorScreen(Screen[None]):
    """Everything at once when there is room, one pane at a time when there is not. ``course`` is the one that was asked for."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """A change of focus repaints the two panes it concerns; Textual's own repaints the whole screen three times."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("tutor", "everywhere")

    def __init__(self, desk: Desk, notices: Notices, course: str | None = None, settings: Settings = DEFAULTS) -> None:
        super().__init__()
        self.desk, self.filming, self._notices = desk, Filming(self, desk), notices
        self.keymap: Keymap = settings.keys
        self._course = course
        self.shown = View()
        """What is painted now. The truth is ``desk.view``; only painting may look here."""
        self.pane: Pane = "lesson"
        self._been: tuple[Pane, ...] = ()
        """The panes one came through, from where one began."""
        self.zoomed = False
        self.looked = False
        """Whether it was decided what to open with; see ``first_look``."""
        self.header = HeaderStrip(id="header")
        self.lesson = LessonPane(self.keymap, id="lesson")
        self.check = CheckPane(self.keymap, id="check")
        self.picture = Picture(self.keymap, id="network")
        self.lower = Lower(id="lower")
        self.shells = Shells(desk, self.lower, settings.scrollback, outer(self.keymap), self._opened, self.action_show_terminal, key_of(BY_ID["shells"], self.keymap))
        self.windows = Windows(self, desk, self.keymap)
        self.keys = KeyBar(keys_of(self.shown, "lesson", self.keymap), id="keys")
        self.panes = main_panes(self.lesson, self.check, self.picture, self.lower)
        self._titles = Titles(self.panes, self.lower, self.keymap)
        for pane in self.panes:
            pane.widget.add_class("pane")
        self.body = Body(self.header, *(pane.widget for pane in self.panes), self.keys, frame=self.frame, id="body")
        self._judged: Verdict | None = None
        """What was found last, of all that was judged to its end."""
        self._frame: tuple[object, Frame] | None = None
        """The last frame, and what it was made of."""
        self._settled: Frame | None = None

    def compose(self) -> ComposeResult:
        """All panes, placed by ``geometry``."""
        yield self.body
        yield NoticeRow()
        yield TooSmall()

    def on_mount(self) -> None:
        """The keys act from the start: the lesson has the focus, the terminal does not. What the lab has said so far is shown."""
        put_on_keys(self, self.keymap)
        self.lesson.prose.focus()
        self.show(self.desk.view.shown)

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self.shown = self.shown, view
        completed = bool(view.passed) and view.passed != before.passed
        turned = self._turned(view)
        self._notices.stand(view)
        self.header.show(view)
        self.lesson.show(view)
        self.check.show(view)
        self.picture.show(view)
        self.lower.show(view)
        self.settle()
        for node in self.shells.moved():
            self.run_worker(self.shells.enter_again(node), group=f"enter {node}", exclusive=True)
        if view.packets is not before.packets and (view.busy or before.busy or view.following) and not self.picture.moving:
            self._replay_newest(after=before.packets)
        if self.check.id not in self.frame(self.size).boxes and view.status is not None:
            if completed:
                told = view.verdict.told(view.status.page.success) if view.verdict is not None else ""
                self.desk.tell("info", passing.done(told), lapses=True)
            elif turned and not view.busy:
                self.desk.tell("warning", turned, lapses=True)
        if not self.looked and view.status is not None and view.courses:
            self.looked = True
            self._first_look()

    def _turned(self, view: View) -> str:
        """What has become worse since the last judgement, in words."""
        if view.judged is None or view.judged.result == "waiting":
            return ""
        before, self._judged = self._judged, view.judged
        return worse(before, view.judged)

    # -- where things are ---------------------------------------------------------------------------------------------------

    def frame(self, size: Size) -> Frame:
        """The frame for this size, as things stand; made once for as long as they stand so."""
        made_of = (size, self.pane, self.zoomed, self.keys.rows_at(size.width), self.check.version, self.picture.version)
        if self._frame is None or self._frame[0] != made_of:
            specs = [pane.spec for pane in self.panes]
            frame = arrange(size.width, size.height, specs, group=self.pane, zoomed=self.zoomed, key_rows=self.keys.rows_at(size.width))
            self._frame = made_of, frame
        return self._frame[1]

    def settle(self) -> None:
        """After anything that may change keys, titles or places."""
        self.keys.show(keys_of(self.shown, self.where, self.keymap))
        frame = self.frame(self.size)
        if self.lower.id in frame.boxes:
            self.lower.seen()
        if frame != self._settled:
            self._settled = frame
            for pane in self.panes:
                pane.widget.set_class(pane.spec.id == frame.brief, "brief")
            self.body.arrange_anew()
        self._titles.show(frame, self.size.width, self._focused_pane, zoomed=self.zoomed, following=self.shown.following)

    @property
    def _focused_pane(self) -> Placed:
        return self.panes.around(self.focused)

    @property
    def where(self) -> Where:
        """Which place has the focus."""
        return self._focused_pane.where()

    # -- moving about -------------------------------------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane that has the focus is the one shown when there is room for one only."""
        self._enter(self.panes.around(event.widget).spec.group)
        self.settle()

    def on_resize(self) -> None:
        """Another size may be another arrangement."""
        self.settle()

    def show_pane(self, pane: Pane) -> None:
        """Show and focus a pane: at once, the key behind this one is for it."""
        self._enter(pane)
        self.settle()
        self.set_focus(self.panes.first(pane).target())

    def next_pane(self, by: int) -> None:
        """Round the panes."""
        groups = self.panes.groups
        self.show_pane(groups[(groups.index(self.pane) + by) % len(groups)])

    def _enter(self, pane: Pane) -> None:
        """Be in this pane; in one that one came through, the way from there on is forgotten."""
        if pane != self.pane:
            self._been = self._been[: self._been.index(pane)] if pane in self._been else (*self._been, self.pane)
            self.pane = pane

    def go_back(self) -> bool:
        """On in what is told, row by row; without any, out of a pane that stands alone, from the check to its lesson, or to the pane one came from."""
        here = self.panes.first(self.pane).target()
        if self._notices:
            self._notices.over()
        elif self.zoomed:
            self.zoom()
        elif self.focused is not here:
            self.set_focus(here)
        elif self._been:
            self.show_pane(self._been[-1])
        else:
            return False
        return True

    def zoom(self) -> None:
        """One pane on the whole screen, or all of them again."""
        self.zoomed = not self.zoomed
        self.settle()

    def show_log(self, tab: Tab) -> None:
        """Show a log in the lower pane."""
        self.lower.choose(Fixed(tab))
        self.show_pane("lower")

    def on_pty_terminal_exited(self) -> None:
        """A shell has ended: the border says what Enter does now."""
        self.settle()

    def on_pty_terminal_leave(self) -> None:
        """Back from the shell to the tutor."""
        self.show_pane("lesson")

    # -- commands -----------------------------------------------------------------------------------------------------------

    async def action_do(self, name: str) -> None:
        """Do what a key says, or say why it cannot be done; a key is never kept for later."""
        from ...commands.doing import DO

        command = BY_ID[name]
        if not command.does:
            return
        if reason := command.forbids(self.desk.view):
            self.desk.tell("info", passing.not_now(reason), lapses=True)
        else:
            await self._begin(DO[command.does](self.desk, self), name)

    async def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Begin something, unless it is being done already; when this returns, the lab counts as busy with it and its window is open.

        asyncio does what is ready in order, so one turn of the loop takes the new task to where it first waits.
        """
        if any(worker.group == name and not worker.is_finished for worker in self.workers):
            work.close()
            return
        self.run_worker(work, group=name)
        await asyncio.sleep(0)

    # -- what was clicked ---------------------------------------------------------------------------------------------------

    async def action_go_to(self, target: str) -> None:
        """The list of steps, at one that was clicked."""
        from ...commands.time import choose_from

        await self._begin(choose_from(self.desk, self, target), "goto")

    async def action_use_dialect(self, dialect: Dialect) -> None:
        """Another dialect."""
        from ...commands.steps import use_dialect

        await self._begin(use_dialect(self.desk, dialect), "dialect")

    async def action_look_at_hop(self, journey: int, hop: int) -> None:
        """One packet."""
        from ...commands.packets import look_at_hop

        await self._begin(look_at_hop(self.desk, self, journey, hop), "packets.bytes")

    def action_show_terminal(self, node: str) -> None:
        """The terminal of a node."""
        if self.desk.view.status is not None:
            self.run_worker(self.terminal(node), group="terminal")

    # -- the panes ----------------------------------------------------------------------------------------------------------

    @property
    def in_sight(self) -> bool:
        """Whether no other window lies over this screen."""
        return self.is_active

    def find(self) -> None:
        """Everything there is to do, unless another window has come first."""
        from .palette import Palette

        if self.in_sight:
            self.app.push_screen(Palette())

    @property
    def sought(self) -> str:
        """Only packets with these words are shown."""
        return self.lower.packets.sought

    @sought.setter
    def sought(self, words: str) -> None:
        self.lower.packets.seek(words)
        self.settle()

    async def terminal(self, node: str) -> bool:
        """Go to the terminal of a node, opening it if need be; what is typed meanwhile waits for its shell."""
        opened = self.lower.terminal(node) is None
        if opened:
            self.shells.open(node)
        before, tab = self.pane, self.lower.tab
        self.lower.choose(node)
        self.show_pane("lower")
        if not opened or await self.shells.enter(node):
            return True
        here = self.where == "terminal" and self.lower.tab == node
        self.lower.close(node, tab)
        if here:
            self.show_pane(before)
        return False

    def _opened(self, terminal: PtyTerminal) -> None:
        self.watch(terminal, "keys_hint", lambda: self.settle(), init=False)  # other keys count there: the border names them

    async def put_at_prompt(self, node: str, text: str) -> bool:
        """Type this there, without Enter."""
        terminal = self.lower.terminal(node)
        return terminal is not None and await put_at_prompt(terminal, text)

    def replay(self, journey: Journey | None = None) -> None:
        """Let a packet move over the picture."""
        if journey is None:
            self._replay_newest()
        else:
            self._play(journey)

    def _play(self, journey: Journey) -> bool:
        """False when nothing of its way is drawn."""
        frames = frames_of(journey, self.picture.scene) if self.picture.scene is not None else ()
        self.picture.play(frames)
        return bool(frames)

    def _replay_newest(self, after: Sequence[Packet] = ()) -> bool:
        """The newest packet that was followed; only one that came after these, when they are given. False when there is none to be seen."""
        known = {id(event) for event in after}
        followed = (event.journey for event in reversed(self.desk.view.packets) if event.journey is not None and id(event) not in known)
        journey = next(followed, None)
        return journey is not None and self._play(journey)

    def on_picture_again(self) -> None:
        """Its key was pressed while no packet moves."""
        if not self._replay_newest():
            self.desk.tell("info", passing.NO_WAY_DRAWN, lapses=True)

    def on_picture_unmoved(self) -> None:
        """A key was pressed that holds a packet, and none moves."""
        self.desk.tell("info", passing.nothing_moves(key_of(BY_ID["packet.again"], self.keymap)), lapses=True)

    def copy(self, text: str) -> None:
        """Copy a text and say so."""
        self.app.copy_to_clipboard(text)

    def sight(self) -> Sight:
        """The whole screen, with what lies over this one."""
        from ...record.still import Sight
        from ...record.svg import Ink
        from ..terminal.painter import palette
        from ..toolkit import sequences_of

        colours = self.app.theme_variables
        ink = Ink(colours["foreground"], colours["background"], palette(self.app.current_theme.dark))
        return Sight(*self.app.size, sequences_of(self.app), ink)

    def turn_theme(self) -> None:
        """The next theme, on the whole screen."""
        self.app.call_later(self.run_action, "app.turn_theme")

    async def leave(self) -> None:
        """Quit, unless somebody who is asked stays."""
        self.app.call_later(self.run_action, "app.leave")

    def _first_look(self) -> None:
        """Once status and courses are known: what there is to choose."""
        from ...commands import time

        self.call_after_refresh(lambda: self.run_worker(self.shells.join_left(), group="shells"))
        self.run_worker(time.arrive(self.desk, self, self._course or ""), group="courses")
