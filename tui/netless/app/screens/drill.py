"""Break something on purpose: any fault in secret, as an exam, or a chosen one; and the way out of it.

After giving up: what it was, how long it was looked for, and the step that teaches it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from netless_lab import protocol
from netless_lab.model.listed import Listed

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain, ticked
from ..toolkit import bound
from ..widgets.bars import Key
from ..widgets.document import Choices, Row
from .panel import CHOOSE, Panel, SearchPanel

if TYPE_CHECKING:
    from ..app import TutorApp

ANY, EXAM = "?drill", "?exam"
"""Choices that name no fault."""
SEEDS = 10_000
"""Seeds are drawn from 0 to this, so that they can be said to a neighbour and typed."""


class DrillScreen(SearchPanel[protocol.Break]):
    """Returns what to ask for, or None."""

    app: TutorApp
    TITLE_TEXT = "Drill"
    KEYS = (
        Key("Enter", "Break it", "screen.take"), CHOOSE, Key("ctrl+n", "Other seed", "screen.draw"), Key("Esc", "Leave it whole", "screen.close"),
    )  # fmt: skip
    PLACEHOLDER = "type to search the list, or a number as the seed"
    BINDINGS: ClassVar[list[BindingType]] = bound({"ctrl+n": "draw"}, priority=True)

    def __init__(self) -> None:
        super().__init__(ANY)
        self._faults: tuple[Listed, ...] = ()
        self._seed = drawn()

    def on_mount(self) -> None:
        """Ask the lab what it can break."""
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        faults = await self.app.ask(protocol.GetFaults())
        if faults is not None:
            self._faults = faults
            self.narrow()

    def rows(self, width: int) -> list[Row]:
        """The two surprises and the faults; a number that is typed is the seed."""
        return faults_of(self._faults, self._seed, "" if self.sought.isdecimal() else self.sought, width)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A number is the seed; words narrow the list, as Textual lets ``SearchPanel`` do next."""
        typed = event.value.strip()
        if typed.isdecimal():
            self._seed = int(typed[:9])

    def action_draw(self) -> None:
        """Another number."""
        self._seed = drawn()
        self.narrow()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Break it. A chosen fault stays a secret as well, so that an instructor can choose one for a learner."""
        if event.value in (ANY, EXAM):
            self.dismiss(protocol.Break(seed=self._seed, drill=True, exam=event.value == EXAM))
        else:
            self.dismiss(protocol.Break(event.value, drill=True))


def drawn() -> int:
    """A seed."""
    return random.SystemRandom().randrange(SEEDS)


def faults_of(faults: tuple[Listed, ...], seed: int, search: str, width: int) -> list[Row]:
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
    BINDINGS: ClassVar[list[BindingType]] = bound({"y": "yes", "enter,n,q,m": "close"})

    def text(self, width: int) -> Blocks:
        """What will happen."""
        return (Block(plain("The fault is taken away, the network is brought back to health, and you are told what it was.")),)

    def action_yes(self) -> None:
        """Give up."""
        self.dismiss(True)


class ToldScreen(Panel[str]):
    """Returns the step that teaches it when the learner wants to go there, else None."""

    TITLE_TEXT = "It was this"
    BINDINGS: ClassVar[list[BindingType]] = bound({"enter,m,q": "close", "g": "learn"})

    def __init__(self, text: str, used: str, taught: str, called: str) -> None:
        super().__init__()
        self._text, self._used, self._taught, self._called = text, used, taught, called
        learn = (Key("g", "Go to the step that teaches it", "screen.learn"),) if taught else ()
        self.KEYS = (Key("Enter", "Back to the lesson", "screen.close"), *learn)

    def text(self, width: int) -> Blocks:
        """The words."""
        blocks = [Block(ticked(self._text)), EMPTY, Block(plain(self._used, "$muted"))]
        if self._taught:
            blocks.append(Block(joined(("Taught in ", "$muted")) + clickable(joined(self._called), "learn")))
        return tuple(blocks)

    def action_learn(self) -> None:
        """To the step that teaches it."""
        if self._taught:
            self.dismiss(self._taught)
