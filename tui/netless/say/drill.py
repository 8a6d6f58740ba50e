"""Something is broken on purpose: what is noticed, the clock, the help asked for; at the end what it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from netless_lab.drill.spent import help_used, took

from ..commands.table import BY_ID, USUAL, Keymap, key_of
from ..desk.view import View, step_called
from .hints import hinted, taught
from .links import Do, ToStep
from .prose import code_line
from .text import EMPTY, Block, Blocks, Look, Text, barred, joined, labelled, plain, ticked

if TYPE_CHECKING:
    from netless_lab.protocol import FaultStatus


def drill(view: View, now: float, keymap: Keymap = USUAL) -> Blocks:
    """What the learner reads instead of the lesson, and at the end by which keys it goes on. ``now`` is the wall clock in seconds; it runs only
    while something is broken.
    """
    fault = view.fault
    if fault is None:
        return ()
    return tuple(_over(view, fault, keymap) if fault.healthy else _on(fault, now))


def _on(fault: FaultStatus, now: float) -> Iterator[Block]:
    yield Block(plain("Exam: something is broken" if fault.exam else "Something is broken", "strong", "main"))
    yield EMPTY
    yield barred(ticked(fault.tells, "strong"), "bad")
    if fault.title:
        yield EMPTY
        yield labelled("It is: ", ticked(fault.title))
    yield EMPTY
    yield _row("for", took(max(fault.seconds, now - fault.began)), "strong")
    if fault.exam:
        yield _row("help", "none: hints and Why are locked")
    else:
        yield _row("with", help_used(fault.hints, fault.whys))
    if fault.seed is not None:
        yield _row("seed", f"{fault.seed}  (the same number breaks the same thing)")
    yield EMPTY
    yield Block(plain("Look, and repair it however you like, here or in any terminal. It is noticed when all the packets below go again."))
    if fault.hints_open:
        yield EMPTY
    for number, hint in enumerate(fault.hints_open, 1):
        yield hinted(f"hint {number}  ", hint)


def _over(view: View, fault: FaultStatus, keymap: Keymap) -> Iterator[Block]:
    yield Block(plain("The network is healthy again", "strong", "main"), first=joined(("✓ ", "strong", "good")))
    yield EMPTY
    yield _row("took", took(fault.seconds), "strong")
    yield _row("with", help_used(fault.hints, fault.whys))
    if fault.seed is not None:
        yield _row("seed", str(fault.seed))
    yield EMPTY
    yield _row("told", fault.tells)
    yield _row("was", fault.title, "strong")
    if fault.solution:
        yield EMPTY
        for line in fault.solution.splitlines():
            yield code_line(line.strip()) if line.startswith(" ") else Block(ticked(line, "muted"))
    target = fault.teaches
    if target:
        yield EMPTY
        name = plain(step_called(view, target), "underlined").leading(ToStep(target))
        yield Block(joined(("Taught in ", "muted")) + name + joined("   ", (key_of(BY_ID["goto"], keymap), "strong", "accent"), (" goes there", "muted")))
    yield EMPTY
    yield Block(joined((key_of(BY_ID["mend"], keymap), "strong", "accent"), " Done: back to the lesson").leading(Do("mend")))


GIVING_UP: Final[Blocks] = (Block(plain("The fault is taken away, the network is brought back to health, and you are told what it was.")),)
"""What giving up means, before it is done."""


def told(text: str, used: str, target: str, called: str) -> Blocks:
    """What it was, which help was used, and the step that teaches it, if any does."""
    blocks = (Block(ticked(text)), EMPTY, Block(plain(used, "muted")))
    return (*blocks, taught(target, called)) if target else blocks


def sort(fault: FaultStatus) -> str:
    """Which kind of thing that is broken on purpose it is, in a word."""
    return "Exam" if fault.exam else "Drill" if fault.drill else "Broken"


def drill_title(fault: FaultStatus) -> Text:
    """The check pane's title."""
    return joined(f"{sort(fault)} ", ("✓ healthy", "strong", "good") if fault.healthy else ("✗ not healthy", "strong", "bad"))


def _row(label: str, text: str, *looks: Look) -> Block:
    return labelled(f"{label:<6}", ticked(text, *looks))
