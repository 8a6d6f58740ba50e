"""Break something on purpose: any fault in secret, as an exam, or a chosen one; and the way out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from netless_lab import protocol

from ..blocks import Block, joined, plain
from ..widgets.choices import Choices, Row
from ..widgets.document import Document
from ..widgets.keybar import Key
from .panel import Panel

if TYPE_CHECKING:
    from ..app import TutorApp

ANY, EXAM = "?drill", "?exam"
"""Choices that name no fault."""


class DrillScreen(Panel[dict[str, Any]]):
    """Returns the arguments of the call ``break``, or None."""

    app: TutorApp
    TITLE_TEXT = "Drill"
    KEYS = (Key("Enter", "Break it", "screen.take"), Key("↑↓", "Choose", "", live=False), Key("Esc", "Leave it whole", "screen.close"))

    def __init__(self) -> None:
        super().__init__()
        self._faults: list[dict[str, Any]] = []

    def body(self) -> ComposeResult:
        """What it is, and the list."""
        yield Choices(lambda width: rows(self._faults, width), at=ANY, id="panel-body")

    def on_mount(self) -> None:
        """Ask the lab what it can break."""
        self.query_one(Choices).focus()
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        found = await self.app.ask(protocol.Call, name="faults")
        if isinstance(found, list):
            self._faults = found
            self.query_one(Choices).show(lambda width: rows(self._faults, width))

    def action_take(self) -> None:
        """This one."""
        self.query_one(Choices).action_choose()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Break it."""
        secret = event.value in (ANY, EXAM)
        self.dismiss({"fault": "" if secret else event.value, "drill": secret, "exam": event.value == EXAM})


def rows(faults: list[dict[str, Any]], width: int) -> list[Row]:
    """The two ways of being surprised, then every fault by what is noticed of it."""
    text = "Something in the network is broken on purpose. You are told what is noticed, find the cause and repair it, however you like."
    out = [Row(line) for line in plain(text, "$muted").wrap(max(8, width))]
    out += [
        Row(joined("")),
        Row(joined(("Anything, in secret", "bold"), ("   hints and Why help", "$muted")), ANY),
        Row(joined(("Anything, as an exam", "bold"), ("  no help, the clock runs", "$muted")), EXAM),
    ]
    if faults:
        out += [Row(joined("")), Row(joined(("Or one by name", "$muted")))]
    for fault in faults:
        lacks = str(fault.get("lacks") or "")
        title = joined(str(fault.get("title", "")), ("  " + str(fault.get("teaches", "")), "$faint"))
        out.append(
            Row(joined((f"{fault.get('title', '')}  this machine lacks {lacks}", "$faint"))) if lacks else Row(title, str(fault["id"]))
        )
    return out


class GiveUpScreen(Panel[bool]):
    """Asks before a fault is taken away and told."""

    TITLE_TEXT = "Give up?"
    KEYS = (Key("y", "Mend it and tell me", "screen.yes"), Key("Enter", "Go on", "screen.close"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", show=False), Binding("enter,n,q", "close", show=False)]

    def body(self) -> ComposeResult:
        """What will happen."""
        document = Document(id="panel-body")
        text = "The fault is taken away, the network is brought back to health, and you are told what it was."
        document.set_source(lambda width: (Block(plain(text)),))
        yield document

    def action_yes(self) -> None:
        """Give up."""
        self.dismiss(True)
