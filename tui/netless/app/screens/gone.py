"""The lab is gone: says so, and offers to build it again up to the same step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ..blocks import EMPTY, Block, plain
from ..widgets.document import Document
from ..widgets.keybar import Key
from .panel import Panel

if TYPE_CHECKING:
    from ..app import TutorApp


class GoneScreen(Panel[None]):
    """The end of a lab, or a new beginning."""

    app: TutorApp
    TITLE_TEXT = "The lab is gone"
    KEYS = (Key("r", "Rebuild to the same step", "screen.rebuild"), Key("q", "Quit", "app.leave"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,enter", "rebuild", show=False),
        Binding("q", "app.leave", show=False),
        Binding("escape", "nothing", show=False),
    ]

    def __init__(self, reason: str, step: str) -> None:
        super().__init__()
        self._reason = reason
        self._step = step

    def body(self) -> ComposeResult:
        """What happened, and what can be done."""
        document = Document(id="panel-body")
        back = f"the step “{self._step}”" if self._step else "where you were"
        reason = self._reason.rstrip(".") + "."
        document.set_source(
            lambda width: (
                Block(plain(reason[:1].upper() + reason[1:])),
                EMPTY,
                Block(plain("Everything in the lab went with it; nothing of it is left on this machine. Your progress is kept.", "$muted")),
                EMPTY,
                Block(plain(f"r builds it again and brings you back to {back}.")),
            )
        )
        yield document

    def action_rebuild(self) -> None:
        """Build it again."""
        self.app.pop_screen()
        self.app.rebuild()

    def action_nothing(self) -> None:
        """There is nothing behind this screen to go back to."""
