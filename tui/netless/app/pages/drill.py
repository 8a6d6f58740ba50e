"""The lesson pane while something is broken on purpose: what is noticed, the clock, the help asked for; at the end what it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from netless_lab.drill.spent import help_used, took
from netless_lab.protocol import FaultStatus

from ..blocks import EMPTY, Block, Blocks, barred, clickable, code_line, joined, plain, ticked
from ..view import View, step_called
from .lesson import hinted


def drill(view: View, now: float) -> Blocks:
    """What the learner reads instead of the lesson. ``now`` is the wall clock in seconds; it runs only while something is broken."""
    fault = view.fault
    if fault is None:
        return ()
    return tuple(_over(view, fault) if fault.healthy else _on(fault, view.drill_hints, now))


def _on(fault: FaultStatus, hints: Sequence[str], now: float) -> Iterator[Block]:
    yield Block(plain("Exam: something is broken" if fault.exam else "Something is broken", "bold $foreground"))
    yield EMPTY
    yield barred(ticked(fault.tells, "bold"), "$error")
    if fault.title:
        yield EMPTY
        yield Block(joined(("It is: ", "$muted")) + ticked(fault.title))
    yield EMPTY
    yield _row("for", took(max(fault.seconds, now - fault.began)), "bold")
    if fault.exam:
        yield _row("help", "none: hints and Why are locked")
    else:
        yield _row("with", help_used(fault.hints, fault.whys))
    if fault.seed is not None:
        yield _row("seed", f"{fault.seed}  (the same number breaks the same thing)")
    yield EMPTY
    yield Block(plain("Look, and repair it however you like, here or in any terminal. It is noticed when all the packets below go again."))
    if hints:
        yield EMPTY
    for number, hint in enumerate(hints, 1):
        yield hinted(f"hint {number}  ", hint)


def _over(view: View, fault: FaultStatus) -> Iterator[Block]:
    yield Block(plain("The network is healthy again", "bold $foreground"), first=joined(("✓ ", "bold $success")))
    yield EMPTY
    yield _row("took", took(fault.seconds), "bold")
    yield _row("with", help_used(fault.hints, fault.whys))
    if fault.seed is not None:
        yield _row("seed", str(fault.seed))
    yield EMPTY
    yield _row("told", fault.tells)
    yield _row("was", fault.title, "bold")
    if fault.solution:
        yield EMPTY
        for line in fault.solution.splitlines():
            yield code_line(line.strip()) if line.startswith(" ") else Block(ticked(line, "$muted"))
    taught = taught_in(view)
    if taught:
        yield EMPTY
        name = clickable(joined((step_called(view, taught), "underline")), "go_to", taught)
        yield Block(joined(("Taught in ", "$muted")) + name + joined(("   ", ""), ("g", "bold $accent"), (" goes there", "$muted")))
    yield EMPTY
    yield Block(clickable(joined(("m", "bold $accent"), " Done: back to the lesson"), "act", "mend"))


def drill_title(fault: FaultStatus) -> Content:
    """The check pane's title."""
    name = "Exam " if fault.exam else "Drill " if fault.drill else "Broken "
    return joined(name, ("✓ healthy", "bold $success") if fault.healthy else ("✗ not healthy", "bold $error"))


def taught_in(view: View) -> str:
    """The step that teaches what was broken, as a target of ``goto``; "" while that is a secret."""
    return step_target(view, view.fault.teaches) if view.fault is not None else ""


def step_target(view: View, teaches: str) -> str:
    """A step as faults name it (``internet/forwarding``) with its course; "" stays ""."""
    if view.status is None or not teaches:
        return ""
    course = view.status.course.id
    return teaches if teaches.startswith(f"{course}/") else f"{course}/{teaches}"


def _row(label: str, text: str, style: str = "") -> Block:
    return Block(plain(text, style), first=joined((f"{label:<6}", "$muted")), rest=Content(" " * 6))
