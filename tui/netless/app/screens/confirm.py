"""Reset: asks first, and lists what will go."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from netless_lab.model.clearing import Clearing
from netless_lab.protocol import Scope, WhatGoes

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain
from ..widgets.bars import Key, KeyBar
from ..widgets.document import Document
from .panel import Panel

if TYPE_CHECKING:
    from ..app import TutorApp

SCOPES: dict[Scope, str] = {
    "step": "to the start of this step",
    "lesson": "to the start of this lesson",
    "lab": "the whole lab, as it was at the very beginning",
}


class ResetScreen(Panel[Scope]):
    """Returns the scope, or None to leave everything as it is."""

    app: TutorApp
    TITLE_TEXT = "Reset"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", show=False),
        Binding("s", "scope('step')", show=False),
        Binding("l", "scope('lesson')", show=False),
        Binding("a", "scope('lab')", show=False),
        Binding("left", "turn(-1)", show=False),
        Binding("right,tab", "turn(1)", show=False),
        Binding("enter,n,q", "close", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scope: Scope = "step"
        self._clearing: Clearing | None = None
        self._refused = False

    def body(self) -> ComposeResult:
        """What will go."""
        yield Document(id="panel-body")

    def on_mount(self) -> None:
        """Ask the lab what would go."""
        self.action_scope("step")

    def action_scope(self, scope: Scope) -> None:
        """Another scope."""
        self._scope, self._clearing, self._refused = scope, None, False
        self._paint()
        self.run_worker(self._ask(scope), exclusive=True, exit_on_error=True)

    def action_turn(self, by: int) -> None:
        """The next scope."""
        order = list(SCOPES)
        self.action_scope(order[(order.index(self._scope) + by) % len(order)])

    async def _ask(self, scope: Scope) -> None:
        self._clearing = await self.app.ask(WhatGoes(scope))
        self._refused = self._clearing is None
        self._paint()

    def _paint(self) -> None:
        """Show what is known; a screen that is being put away has nothing left to show it on."""
        for body in self.query("#panel-body").results(Document):
            body.set_source(lambda width: self._text())
        known = self._clearing is not None
        keys = (
            Key("y", "Reset", "screen.confirm", live=known),
            Key("Enter", "Keep", "screen.close"),
            Key("s", "Step", "screen.scope('step')"),
            Key("l", "Lesson", "screen.scope('lesson')"),
            Key("a", "All", "screen.scope('lab')"),
        )
        for bar in self.query(KeyBar):
            bar.show(keys)

    def _text(self) -> Blocks:
        tabs: list[Content] = []
        for scope in SCOPES:
            style = "bold underline $accent" if scope == self._scope else "$muted"
            tabs.append(clickable(plain(f" {scope} ", style), "scope", scope))
        blocks = [Block(Content("").join(tabs)), Block(plain(SCOPES[self._scope].capitalize() + ".", "$muted")), EMPTY]
        if self._refused:
            return (*blocks, Block(plain("The lab did not say what would go, so nothing is reset from here.")))
        if self._clearing is None:
            return (*blocks, Block(plain("Looking what would go …", "$muted")))
        if not self._clearing:
            return (*blocks, Block(plain("Nothing to reset: the lab is as it was.")))
        blocks.append(Block(plain("When it is done:", "bold")))
        for sign, style, lines in (("- ", "$error", self._clearing.going), ("+ ", "$success", self._clearing.coming)):
            blocks += [Block(plain(line), first=joined((sign, style))) for line in lines]
        return (*blocks,)

    def action_confirm(self) -> None:
        """Do it, once it is known what goes."""
        if self._clearing is not None:
            self.dismiss(self._scope)
