"""Why a packet died: what was seen, the likely cause, the facts it rests on, and how to look for oneself."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from netless_lab.model.journey import Explanation

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain
from ..widgets.document import Document
from ..widgets.keybar import Key
from .panel import Panel

CERTAINTY = {"certain": "The cause", "likely": "The likely cause", "unknown": "The cause is unknown"}


class WhyScreen(Panel[None]):
    """One explanation."""

    TITLE_TEXT = "Why"
    KEYS = (Key("Esc", "Close", "screen.close"), Key("click", "Copies a command", "", live=False))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("w,q,enter", "close", "Close", show=False)]

    def __init__(self, explanation: Explanation) -> None:
        super().__init__()
        self._explanation = explanation

    def body(self) -> ComposeResult:
        """The text."""
        document = Document(id="panel-body")
        document.set_source(lambda width: why_text(self._explanation))
        yield document

    def on_mount(self) -> None:
        """The arrows scroll."""
        self.query_one("#panel-body").focus()

    def action_copy_text_of(self, text: str) -> None:
        """Copy a command that was clicked."""
        self.app.copy_to_clipboard(text)


def why_text(explanation: Explanation) -> Blocks:
    """An explanation as blocks."""
    glyph = ("✓ ", "bold $success") if explanation.answered else ("✗ ", "bold $error")
    blocks = [Block(plain("What was seen", "$muted")), Block(plain(explanation.seen), first=joined(glyph)), EMPTY]
    if not explanation.answered:
        blocks.append(Block(plain(CERTAINTY[explanation.certainty], "$muted")))
        if explanation.cause:
            blocks.append(Block(plain(explanation.cause, "bold"), first=Content("  ")))
        blocks.append(EMPTY)
    if explanation.facts:
        blocks.append(Block(plain("The facts", "$muted")))
    for fact in explanation.facts:
        blocks.append(Block(plain(fact.text), first=joined(("• ", "$accent"))))
        if fact.look:
            blocks.append(_command(fact.look))
    if explanation.fix:
        blocks += [EMPTY, Block(plain("This would mend it", "$muted")), _command(explanation.fix)]
    if explanation.lesson:
        blocks += [EMPTY, Block(joined(("Taught in ", "$muted"), explanation.lesson))]
    return tuple(blocks)


def _command(text: str) -> Block:
    return Block(clickable(plain(text, "$code"), "copy_text_of", text), first=Content("  "), rest=Content("    "))
