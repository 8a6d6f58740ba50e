"""The lab is gone, or never came: says so, and offers to build it (again, up to the same step)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ..blocks import EMPTY, Block, Blocks, plain
from ..widgets.bars import Key
from ..widgets.document import Document
from .panel import Panel

if TYPE_CHECKING:
    from ..app import TutorApp


class GoneScreen(Panel[None]):
    """The end of a lab, or a new beginning."""

    app: TutorApp
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,enter", "rebuild", show=False),
        Binding("q", "app.leave", show=False),
        Binding("escape", "nothing", show=False),
    ]

    def __init__(self, reason: str, step: str) -> None:
        super().__init__()
        self._reason = reason
        self._step = step
        self.TITLE_TEXT = "The lab is gone" if step else "The lab could not be started"
        self.KEYS = (Key("r", "Rebuild to the same step" if step else "Try again", "screen.rebuild"), Key("q", "Quit", "app.leave"))

    def body(self) -> ComposeResult:
        """What happened, and what can be done."""
        document = Document(id="panel-body")
        document.set_source(lambda width: gone_text(self._reason, self._step))
        yield document

    def action_rebuild(self) -> None:
        """Build it again."""
        self.app.pop_screen()
        self.app.rebuild()

    def action_nothing(self) -> None:
        """There is nothing behind this screen to go back to."""


def gone_text(reason: str, step: str) -> Blocks:
    """What happened; ``step`` is the title of the step the learner was in, "" when the lab never came."""
    text = reason.strip().rstrip(".")
    blocks = [Block(plain(line[:1].upper() + line[1:])) for line in f"{text}.".split("\n")]
    if step:
        lost = "Everything in the lab went with it; nothing of it is left on this machine. Your progress is kept."
        blocks += [EMPTY, Block(plain(lost, "$muted")), EMPTY, Block(plain(f"r builds it again and brings you back to “{step}”."))]
    return tuple(blocks)
