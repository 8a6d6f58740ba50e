"""The lab built anew: reset, which asks first and lists what will go; and a lab that is gone, or never came, up to the same step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content

from netless_lab.model.clearing import Clearing
from netless_lab.protocol import Scope, WhatGoes

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain
from ..toolkit import bound
from ..widgets.bars import Key
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
    BINDINGS: ClassVar[list[BindingType]] = bound({
        "y": "confirm", "s": "scope('step')", "l": "scope('lesson')", "a": "scope('lab')",
        "left": "turn(-1)", "right,tab": "turn(1)", "enter,n,q": "close",
    })  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._scope: Scope = "step"
        self._clearing: Clearing | None = None
        self._refused = False

    def on_mount(self) -> None:
        """Ask the lab what would go."""
        self.action_scope("step")

    def action_scope(self, scope: Scope) -> None:
        """Another scope."""
        self._scope, self._clearing, self._refused = scope, None, False
        self.paint()
        self.run_worker(self._ask(scope), exclusive=True, exit_on_error=True)

    def action_turn(self, by: int) -> None:
        """The next scope."""
        order = list(SCOPES)
        self.action_scope(order[(order.index(self._scope) + by) % len(order)])

    async def _ask(self, scope: Scope) -> None:
        self._clearing = await self.app.ask(WhatGoes(scope))
        self._refused = self._clearing is None
        self.paint()

    def keys(self) -> tuple[Key, ...]:
        """Reset acts as soon as it is known what goes."""
        return (
            Key("y", "Reset", "screen.confirm", live=self._clearing is not None), Key("Enter", "Keep", "screen.close"),
            Key("s", "Step", "screen.scope('step')"), Key("l", "Lesson", "screen.scope('lesson')"), Key("a", "All", "screen.scope('lab')"),
        )  # fmt: skip

    def text(self, width: int) -> Blocks:
        """The scopes, and what goes and comes with this one."""
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


class GoneScreen(Panel[None]):
    """The end of a lab, or a new beginning. ``step`` is the title of the step the learner was in, "" when the lab never came."""

    app: TutorApp
    BINDINGS: ClassVar[list[BindingType]] = bound({"r,enter": "rebuild", "q": "app.leave", "escape": "nothing"})

    def __init__(self, reason: str, step: str) -> None:
        super().__init__()
        self._reason = reason
        self._step = step
        self.TITLE_TEXT = "The lab is gone" if step else "The lab could not be started"
        self.KEYS = (Key("r", "Rebuild to the same step" if step else "Try again", "screen.rebuild"), Key("q", "Quit", "app.leave"))

    def text(self, width: int) -> Blocks:
        """What happened, and what can be done."""
        reason = self._reason.strip().rstrip(".")
        blocks = [Block(plain(line[:1].upper() + line[1:])) for line in f"{reason}.".split("\n")]
        if self._step:
            lost = "Everything in the lab went with it; nothing of it is left on this machine. Your progress is kept."
            again = f"r builds it again and brings you back to “{self._step}”."
            blocks += [EMPTY, Block(plain(lost, "$muted")), EMPTY, Block(plain(again))]
        return tuple(blocks)

    def action_rebuild(self) -> None:
        """Build it again."""
        self.app.pop_screen()
        self.app.rebuild()

    def action_nothing(self) -> None:
        """There is nothing behind this screen to go back to."""
