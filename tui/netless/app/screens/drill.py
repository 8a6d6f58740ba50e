"""Break something on purpose: any fault in secret, as an exam, or a chosen one; and the way out of it.

After giving up: what it was, how long it was looked for, and the step that teaches it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from netless_lab import protocol
from netless_lab.model.listed import Listed

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain, ticked
from ..widgets.bars import Key, KeyBar
from ..widgets.document import Choices, Document, Row
from .panel import Panel

if TYPE_CHECKING:
    from ..app import TutorApp


ANY, EXAM = "?drill", "?exam"
"""Choices that name no fault."""
SEEDS = 10_000
"""Seeds are drawn from 0 to this, so that they can be said to a neighbour and typed."""


class DrillScreen(Panel[protocol.Break]):
    """Returns what to ask for, or None."""

    app: TutorApp
    TITLE_TEXT = "Drill"
    KEYS = (
        Key("Enter", "Break it", "screen.take"),
        Key("↑↓", "Choose", "", live=False),
        Key("ctrl+n", "Other seed", "screen.draw"),
        Key("Esc", "Leave it whole", "screen.close"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("ctrl+n", "draw", show=False, priority=True),
    ]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self._faults: tuple[Listed, ...] = ()
        self._seed = drawn() if seed is None else seed
        self._typed = ""

    def body(self) -> ComposeResult:
        """A field, and the list."""
        yield Input(placeholder="type to search the list, or a number as the seed", id="search", compact=True)
        yield Choices(self._rows, at=ANY, id="panel-body")

    def on_mount(self) -> None:
        """Ask the lab what it can break."""
        self.query_one("#search").focus()
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        faults = await self.app.ask(protocol.GetFaults())
        if faults is not None:
            self._faults = faults
            self._show()

    def _rows(self, width: int) -> list[Row]:
        return rows(self._faults, self._seed, "" if self._typed.isdecimal() else self._typed, width)

    def _show(self) -> None:
        self.query_one(Choices).show(self._rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A number is the seed; words narrow the list."""
        self._typed = event.value.strip()
        if self._typed.isdecimal():
            self._seed = int(self._typed[:9])
        self._show()

    def on_input_submitted(self) -> None:
        """Enter in the field."""
        self.action_take()

    def action_move(self, by: int) -> None:
        """Up or down in the list, while the field keeps the focus."""
        self.query_one(Choices).action_move(by)

    def action_draw(self) -> None:
        """Another number."""
        self._seed = drawn()
        self._show()

    def action_take(self) -> None:
        """This one."""
        self.query_one(Choices).action_choose()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Break it. A chosen fault stays a secret as well, so that an instructor can choose one for a learner."""
        if event.value in (ANY, EXAM):
            self.dismiss(protocol.Break(seed=self._seed, drill=True, exam=event.value == EXAM))
        else:
            self.dismiss(protocol.Break(event.value, drill=True))


def drawn() -> int:
    """A seed."""
    return random.SystemRandom().randrange(SEEDS)


def rows(faults: tuple[Listed, ...], seed: int, search: str, width: int) -> list[Row]:
    """The two ways of being surprised, then every fault by its title, as far as it holds every word of the search."""
    words, out = search.lower().split(), []
    if not words:
        text = "Something in the network is broken on purpose. You are told what is noticed; find the cause and repair it however you like."
        out += [Row(line) for line in plain(text, "$muted").wrap(max(8, width))]
        number = (f"  seed {seed}", "$faint")
        out += [
            Row(joined("")),
            Row(joined(("Anything, in secret", "bold"), ("   hints and Why help", "$muted"), number), ANY),
            Row(joined(("Anything, as an exam", "bold"), ("  hints and Why locked", "$muted"), number), EXAM),
            Row(joined("")),
        ]
        head = "Or one by name. Titles tell what is wrong: for instructors."
        out += [Row(line) for line in plain(head, "$warning").wrap(max(8, width))]
    found = [
        row
        for fault in faults
        for row in _fault(fault, width)
        if all(word in f"{fault.title} {fault.id} {fault.teaches}".lower() for word in words)
    ]
    return [*out, *found] if found or not words else [Row(joined(("Nothing matches.", "$muted")))]


def _fault(fault: Listed, width: int) -> list[Row]:
    """A fault by its title, with what it teaches when both go on one row; a long title goes on below."""
    if fault.lacks:
        return [Row(line) for line in plain(f"{fault.title}: this machine lacks {fault.lacks}", "$faint").wrap(max(8, width))]
    both = joined(fault.title, (f"  {fault.teaches}", "$faint"))
    first, *more = [both] if both.cell_length <= width else plain(fault.title).wrap(max(8, width - 2))
    return [Row(first, fault.id), *(Row(Content("  ") + line) for line in more)]


class GiveUpScreen(Panel[bool]):
    """Asks before a fault is taken away and told."""

    TITLE_TEXT = "Give up?"
    KEYS = (Key("y", "Mend it and tell me", "screen.yes"), Key("Enter", "Go on", "screen.close"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", show=False), Binding("enter,n,q,m", "close", show=False)]

    def body(self) -> ComposeResult:
        """What will happen."""
        document = Document(id="panel-body")
        text = "The fault is taken away, the network is brought back to health, and you are told what it was."
        document.set_source(lambda width: (Block(plain(text)),))
        yield document

    def action_yes(self) -> None:
        """Give up."""
        self.dismiss(True)


class ToldScreen(Panel[str]):
    """Returns the step that teaches it when the learner wants to go there, else None."""

    TITLE_TEXT = "It was this"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,m,q", "close", show=False), Binding("g", "learn", show=False)]

    def __init__(self, text: str, used: str, taught: str, called: str) -> None:
        super().__init__()
        self._text, self._used, self._taught, self._called = text, used, taught, called

    def body(self) -> ComposeResult:
        """The words."""
        document = Document(id="panel-body")
        document.set_source(lambda width: self._blocks())
        yield document

    def on_mount(self) -> None:
        """The arrows scroll."""
        learn = (Key("g", "Go to the step that teaches it", "screen.learn"),) if self._taught else ()
        self.query_one(KeyBar).show((Key("Enter", "Back to the lesson", "screen.close"), *learn))
        self.query_one("#panel-body").focus()

    def _blocks(self) -> Blocks:
        blocks = [Block(ticked(self._text)), EMPTY, Block(plain(self._used, "$muted"))]
        if self._taught:
            blocks.append(Block(joined(("Taught in ", "$muted")) + clickable(joined(self._called), "learn")))
        return tuple(blocks)

    def action_learn(self) -> None:
        """To the step that teaches it."""
        if self._taught:
            self.dismiss(self._taught)
