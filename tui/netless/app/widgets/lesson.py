"""The two panes on the left: the lesson with its commands, and the check below it."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer

from ...commands.table import Keymap
from ...desk.view import View
from ...say.check import check, check_title
from ...say.drill import drill
from ...say.hints import HINT_KEY
from ...say.lesson import commands, lesson
from ...say.text import Blocks
from .document import Document, retitle

COMMANDS_FROM = 9
"""Rows of the pane below which the commands stand at the end of the text instead of below it."""


class Commands(Document, can_focus=False):
    """The commands of the step, always in sight."""


class LessonPane(Vertical):
    """What the current step is about, and below it the commands; see ``say.lesson``."""

    DEFAULT_CSS = """
    LessonPane > #prose { height: 1fr; padding: 0 1; }
    LessonPane > #commands { height: auto; padding: 0 1; border-top: solid $line; }
    """

    def __init__(self, keymap: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view, self._keymap = View(), keymap
        self.prose = Document(id="prose")
        self.commands = Commands(id="commands")
        self._clock: Timer | None = None
        self.prose.set_source(self._text)
        self.commands.set_source(lambda width: commands(self._view, width) if self.teaches else ())

    def compose(self) -> ComposeResult:
        """Text and commands."""
        yield self.prose
        yield self.commands

    @property
    def teaches(self) -> bool:
        """Whether a step is told; else what was broken on purpose."""
        return self._view.fault is None

    def _text(self, width: int) -> Blocks:
        if not self.teaches:
            return drill(self._view, time.time(), self._keymap)
        return lesson(self._view, width, whole=not self.commands.display)

    def _run_clock(self) -> None:
        """Once a second while something is broken on purpose, and not at all otherwise."""
        if self._view.broken and self._clock is None:
            self._clock = self.set_interval(1, self.prose.lay_out_anew)
        elif not self._view.broken and self._clock is not None:
            self._clock.stop()
            self._clock = None

    def on_resize(self) -> None:
        """The commands stand below the text where all of them have room in half of the pane; else they go into the text, where keys scroll to them."""
        self._fit()

    def show(self, view: View) -> None:
        """Paint this view: a new step starts at its top, a new hint scrolls into sight."""
        before, self._view = self._view, view
        if before.status is view.status and before.verdict is view.verdict and before.hint == view.hint:
            return
        self._run_clock()
        self.commands.lay_out_anew()
        self._fit()
        self.prose.lay_out_anew()
        if before.status is None or view.status is None or _page(before) != _page(view):
            self.prose.scroll_home(animate=False, immediate=True)
        elif len(view.status.page.hints_open) > len(before.status.page.hints_open) or (view.hint and view.hint != before.hint):
            self.prose.reveal(HINT_KEY)

    def _fit(self) -> None:
        height, width = self.content_size.height, self.content_size.width
        rows = self.commands.rows_at(max(8, width - 2)) if width else 0
        shown = height >= COMMANDS_FROM and 0 < rows < height // 2
        if shown != self.commands.display:
            self.commands.display = shown
            self.prose.lay_out_anew()


def _page(view: View) -> tuple[str, bool, bool]:
    """What is read: a step, a drill, or its end."""
    return view.status.position if view.status else "", view.fault is None, view.broken


class CheckPane(Document):
    """What must be true and whether it is; see ``say.check``."""

    DEFAULT_CSS = "CheckPane { padding: 0 1; }"

    def __init__(self, keymap: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()
        self.border_title = "Check"
        self.set_source(lambda width: check(self._view, width, keymap))

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        same = before.verdict is view.verdict or before.verdict == view.verdict
        if before.status is view.status and same:
            return
        retitle(self, check_title(view))
        self.lay_out_anew()
        if not same:
            self.scroll_home(animate=False, immediate=True)
