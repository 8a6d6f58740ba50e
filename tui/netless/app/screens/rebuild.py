"""The lab built anew: reset, which asks first and lists what will go; and a lab that is gone, or never came, up to the same step."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace
from textual.binding import BindingType

from netless_lab.model.clearing import Clearing
from netless_lab.protocol import Scope, WhatGoes

from ...desk.desk import Desk
from ...say.rebuild import SCOPES, consenting, gone, resetting
from ...say.text import Blocks
from ..keys import bindings
from ..widgets.bars import Key, keys_in
from .panel import Panel


class ResetScreen(Panel[Scope]):
    """Returns the scope, or None to leave everything as it is."""

    TITLE_TEXT = "Reset"
    BINDINGS: ClassVar[list[BindingType]] = bindings("reset")

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
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
        self._clearing = await self.desk.ask(WhatGoes(scope))
        self._refused = self._clearing is None
        self.paint()

    def keys(self) -> tuple[Key, ...]:
        """Reset acts as soon as it is known what goes."""
        yes, *others = keys_in("reset")
        return (replace(yes, live=self._clearing is not None), *others)

    def text(self, width: int) -> Blocks:
        """The scopes, and what goes and comes with this one."""
        return resetting(self._scope, self._clearing, refused=self._refused)

    def action_confirm(self) -> None:
        """Do it, once it is known what goes."""
        if self._clearing is not None:
            self.dismiss(self._scope)


class ConsentScreen(Panel[bool]):
    """Asks before more goes than what was asked for. Returns True to do it all the same; ``title`` is what is to be done."""

    KEYS = keys_in("consent")
    BINDINGS: ClassVar[list[BindingType]] = bindings("consent")

    def __init__(self, title: str, why: str, clearing: Clearing) -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self._why = why
        self._clearing = clearing

    def text(self, width: int) -> Blocks:
        """Why it asks, and what goes and comes."""
        return consenting(self._why, self._clearing)

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)


class GoneScreen(Panel[bool]):
    """The end of a lab, or a new beginning: returns True. ``step`` is the title of the step the learner was in, "" when the lab never came."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("gone")

    def __init__(self, reason: str, step: str) -> None:
        super().__init__()
        self._reason = reason
        self._step = step
        self.TITLE_TEXT = "The lab is gone" if step else "The lab could not be started"
        again, *others = keys_in("gone")
        self.KEYS = (again if step else replace(again, label="Try again"), *others)

    def text(self, width: int) -> Blocks:
        """What happened, and what can be done."""
        return gone(self._reason, self._step, self.keymap)

    def action_rebuild(self) -> None:
        """Build it again."""
        self.dismiss(True)

    def action_nothing(self) -> None:
        """There is nothing behind this screen to go back to."""
