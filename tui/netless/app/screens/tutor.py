"""The main screen: lesson and check, the live picture, the lower pane, and how one moves about between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen

from ..blocks import joined, keyed
from ..geometry import PANES, Body, Frame, Pane, TooSmall, arrange
from ..reduce import Told
from ..toolkit import bound
from ..view import View
from ..widgets.bars import ACTS, HeaderStrip, KeyBar, keys_of
from ..widgets.document import retitle
from ..widgets.lesson import CheckPane, LessonPane
from ..widgets.lower import CHANGES, PACKETS, Lower, all_tabs, lower_tabs
from ..widgets.picture import Picture
from .acting import Acting

if TYPE_CHECKING:
    from ..app import TutorApp

BORDER, PADDING = 2, 2
"""Cells a pane's border and its padding take, both sides together."""


class TutorScreen(Acting, Screen[None]):
    """Everything at once when there is room, one pane at a time when there is not."""

    app: TutorApp
    focused = Reactive(None, repaint=False)
    """A change of focus repaints the two panes it concerns; Textual's own repaints the whole screen three times."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bound({key: f"act('{act}')" for key, _, act in ACTS}),
        *bound({
            "m": "act('mend')", "y": "copy_commands", "question_mark": "help", "q": "app.leave", "escape": "courses", "ctrl+c": "app.leave_or_copy",
            "f1": "pane('lesson')", "f2": "pane('network')", "f3": "open_terminal", "f4": "show_tab('packets')", "f5": "show_tab('changes')",
            "f6,tab": "next_pane(1)", "shift+tab": "next_pane(-1)", "z": "zoom",
        }),
        *bound({"f11": "zoom"}, priority=True),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.shown = View()
        """What is painted now. The truth is ``app.view``; only painting may look here."""
        self.pane: Pane = "lesson"
        self.zoomed = False
        self.looked = False
        """Whether it was decided what to open with; see ``first_look``."""
        self.header = HeaderStrip(id="header")
        self.lesson = LessonPane(id="lesson")
        self.check = CheckPane(id="check")
        self.picture = Picture(id="network")
        self.lower = Lower(id="lower")
        self.keys = KeyBar(keys_of(self.shown, "lesson"), id="keys")
        self.body = Body(self.header, self.lesson, self.check, self.picture, self.lower, self.keys, frame=self.frame, id="body")

    def compose(self) -> ComposeResult:
        """All panes, placed by ``geometry``."""
        yield self.body
        yield TooSmall()

    def on_mount(self) -> None:
        """The keys act from the start: the lesson has the focus, the terminal does not. What the lab has said so far is shown."""
        self.lesson.prose.focus()
        self.show(self.app.view)

    def show(self, view: View) -> None:
        """Paint this view."""
        check_rows = self.check.virtual_size.height
        before, self.shown = self.shown, view
        completed = bool(view.passed) and view.passed != before.passed
        self.header.show(view)
        self.lesson.show(view)
        self.check.show(view)
        self.picture.show(view)
        self.lower.show(view)
        self.settle(anew=check_rows != self.check.virtual_size.height)
        self.follow_nodes()
        if view.packets is not before.packets and (view.busy or before.busy or view.following) and self.picture.replay is None:
            self.replay_last(after=before.packets)
        if completed and self.frame(self.size).check is None and view.status is not None:
            told = view.verdict.told(view.status.page.success) if view.verdict is not None else ""
            self.app.take(Told("info", f"✓ {told or 'Done.'}"))
        if not self.looked and view.status is not None and view.courses:
            self.looked = True
            self.first_look()

    # -- where things are ---------------------------------------------------------------------------------------------------

    def frame(self, size: Size) -> Frame:
        """The frame for this size, as things stand."""
        return arrange(
            size.width,
            size.height,
            pane=self.pane,
            zoomed=self.zoomed,
            key_rows=self.keys.rows_at(size.width),
            check_rows=lambda width: self.check.rows_at(width - BORDER - PADDING) + BORDER,
            wanted_strip=self.picture.brief_rows(size.width - PADDING),
        )

    def settle(self, anew: bool = False) -> None:
        """After anything that may change keys, titles or places."""
        rows = self.keys.rows_at(self.size.width)
        self.keys.show(keys_of(self.shown, self.where))
        frame = self.frame(self.size)
        if frame.lower is not None:
            self.lower.seen()
        if anew or rows != self.keys.rows_at(self.size.width) or frame.strip != self.picture.has_class("strip"):
            self.picture.set_class(frame.strip, "strip")
            self.body.arrange_anew()
        self._show_titles(frame)

    def _show_titles(self, frame: Frame) -> None:
        nodes, fresh, room = self.lower.nodes, self.lower.fresh, self.size.width - 6
        if frame.side:
            lesson, network = Content("Lesson" if self.shown.fault is None else "Drill"), Content("Network")
            lower = lower_tabs(self.lower.tab, nodes, fresh, (frame.lower.width if frame.lower else 0) - 6)
        else:
            lesson, network, lower = (all_tabs(tab, nodes, fresh, room) for tab in ("lesson", "network", self.lower.tab))
        retitle(self.lesson, lesson, self._moves("lesson", "check"))
        retitle(self.picture, network, self._moves("network"))
        retitle(self.lower, lower, self._moves(PACKETS, CHANGES))

    def _moves(self, *places: str) -> Content:
        """The keys that move between panes, in the border of the pane that has the focus."""
        where = self.where
        if where == "terminal" and places == (PACKETS, CHANGES):
            terminal = self.lower.terminal(self.lower.tab)
            return joined((terminal.keys_hint if terminal else "", "$muted"))
        if where not in places:
            return Content("")
        own, moves = self._pane_keys(where), keyed({"F6": "next pane", "F11": "all panes" if self.zoomed else "zoom"})
        frame = self.frame(self.size)
        room = frame.lower.width - BORDER - PADDING if frame.lower is not None else self.size.width
        return own + moves if not own.cell_length or own.cell_length + moves.cell_length <= room else own.truncate(room, ellipsis=True)

    def _pane_keys(self, where: str) -> Content:
        """The keys of a log."""
        if where == CHANGES:
            return keyed({"e": "export"}, "  ")
        if where != PACKETS:
            return Content("")
        sought = self.lower.packets.sought
        follow, seek = "stop" if self.shown.following else "follow mine", f"only {sought}" if sought else "filter"
        return keyed({"f": follow, "s": "save", "/": seek, "Enter": "bytes"}, "  ")

    @property
    def where(self) -> str:
        """Which pane has the focus: lesson, check, network, packets, changes or terminal."""
        focused = self.focused
        if focused is None or focused is self.lesson.prose:
            return "lesson"
        if focused is self.check or focused is self.picture:
            return focused.id or ""
        return "terminal" if self.lower.in_terminal else self.lower.tab

    # -- moving about -------------------------------------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane that has the focus is the one shown when there is room for one only."""
        left = event.widget in (self.lesson.prose, self.check)
        place: Pane = "network" if event.widget is self.picture else "lesson" if left else "lower"
        changed = place != self.pane
        self.pane = place
        self.settle(anew=changed)

    def on_resize(self) -> None:
        """Another size may be another arrangement."""
        self.settle(anew=True)

    def action_pane(self, pane: Pane) -> None:
        """Show and focus a pane."""
        changed, self.pane = pane != self.pane, pane
        {"lesson": self.lesson.prose, "network": self.picture, "lower": self.lower.current}[pane].focus()
        self.settle(anew=changed)

    def action_next_pane(self, by: int) -> None:
        """Round the panes."""
        self.action_pane(PANES[(PANES.index(self.pane) + by) % len(PANES)])

    def action_zoom(self) -> None:
        """One pane on the whole screen, or all of them again."""
        self.zoomed = not self.zoomed
        self.settle(anew=True)

    def action_show_tab(self, tab: str) -> None:
        """Show a tab of the lower pane: packets, changes, or the terminal of a node."""
        if tab in (PACKETS, CHANGES):
            self.lower.choose(tab)
            self.action_pane("lower")
        else:
            self.action_open_terminal(tab)

    def on_pty_terminal_exited(self) -> None:
        """A shell has ended: the border says what Enter does now."""
        self.settle()

    def on_pty_terminal_leave(self) -> None:
        """Back from the shell to the tutor."""
        self.action_pane("lesson")
