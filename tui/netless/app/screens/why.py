"""Why a packet died: what was seen, the likely cause, the facts it rests on, how to look for oneself, and the step that teaches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content

from netless_lab.model.journey import Explanation

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain, ticked
from ..toolkit import bound
from ..widgets.bars import Key
from .panel import Panel

if TYPE_CHECKING:
    from ..app import TutorApp

CERTAINTY: dict[str, tuple[str, str, str]] = {
    "certain": ("●", "certain: a fact proves it", "bold $success"),
    "likely": ("◐", "likely: the state suggests it", "bold $warning"),
    "unknown": ("○", "unknown: no fact names a cause", "bold $muted"),
}
"""Shape, words and style."""
GATES = {
    "fwd": "the forwarding of {}",
    "fw": "the firewall rules of {}",
    "NAT": "the address translation of {}",
    "routing": "the routes and routing rules of {}",
    "neighbour": "the neighbour table of {}",
    "names": "the name lookup of {}",
    "service": "the listening programs of {}",
}
"""Places inside a node, by the word after the colon; any other word there is a link."""


class WhyScreen(Panel[str]):
    """One explanation. Returns the step that teaches the cause when the learner wants to go there."""

    app: TutorApp
    TITLE_TEXT = "Why"
    BINDINGS: ClassVar[list[BindingType]] = bound({"w,q,enter": "close", "f": "fix", "g": "learn"})

    def __init__(self, explanation: Explanation, lesson: str = "") -> None:
        super().__init__()
        self._explanation = explanation
        self._lesson = lesson or explanation.lesson
        self._fix_shown = False

    def text(self, width: int) -> Blocks:
        """The explanation."""
        return why_text(self._explanation, self._lesson, fix_shown=self._fix_shown)

    def keys(self) -> tuple[Key, ...]:
        """A mend and a step are offered where there are any."""
        fix = (Key("f", "What would mend it", "screen.fix"),) if self._explanation.fix and not self._fix_shown else ()
        learn = (Key("g", "Go to the step", "screen.learn"),) if self._explanation.lesson else ()
        return (Key("Esc", "Close", "screen.close"), *fix, *learn, Key("click", "Copies a command", "", live=False))

    def action_fix(self) -> None:
        """Show the command that would mend it: only on request, for finding it is the exercise."""
        if self._explanation.fix and not self._fix_shown:
            self._fix_shown = True
            self.paint()
            self.query_one("#panel-body").scroll_end(animate=False)

    def action_learn(self) -> None:
        """To the step that teaches it."""
        if self._explanation.lesson:
            self.dismiss(self._explanation.lesson)

    def action_copy_text_of(self, text: str) -> None:
        """Copy a command that was clicked."""
        self.app.copy(text)


def why_text(explanation: Explanation, lesson: str, *, fix_shown: bool) -> Blocks:
    """An explanation as blocks; ``lesson`` is how the step that teaches it is called."""
    glyph = ("✓ ", "bold $success") if explanation.answered else ("✗ ", "bold $error")
    blocks = [Block(ticked(explanation.seen, "bold"), first=joined(glyph))]
    if explanation.cause or not explanation.answered:
        blocks += _cause(explanation)
    if explanation.facts:
        blocks += [EMPTY, Block(plain("The facts", "$muted"))]
    for fact in explanation.facts:
        blocks.append(Block(ticked(fact.text), first=joined(("• ", "$accent"))))
        if fact.look:
            blocks += _commands(fact.look)
    if explanation.fix and fix_shown:
        blocks += [EMPTY, Block(plain("This would mend it", "$muted")), *_commands(explanation.fix)]
    if explanation.lesson:
        go = clickable(joined(lesson), "learn")
        blocks += [EMPTY, Block(joined(("Taught in ", "$muted")) + go)]
    return tuple(blocks)


def _cause(explanation: Explanation) -> Iterator[Block]:
    shape, words, style = CERTAINTY[explanation.certainty]
    yield EMPTY
    if explanation.cause:
        yield Block(ticked(explanation.cause, "bold"), first=joined((f"{shape} ", style)))
        yield Block(plain(words, "$muted"), first=Content("  "))
    else:
        yield Block(plain(f"The cause is {words}.", "bold"), first=joined((f"{shape} ", style)))
    if explanation.place:
        yield Block(plain(place_words(explanation.place), "$muted"), first=Content("  "))


def place_words(place: str) -> str:
    """``host:fwd`` as "place: the forwarding of the host"."""
    node, _, rest = place.partition(":")
    where = f"the {node}" if node in ("host", "internet") else node
    if rest in GATES:
        return f"place: {GATES[rest].format(where)}"
    return f"place: {rest} in {where}" if rest else f"place: {where}"


def _commands(text: str) -> Iterator[Block]:
    for line in text.splitlines():
        yield Block(clickable(plain(line, "$code"), "copy_text_of", line), first=Content("  "), rest=Content("    "))
