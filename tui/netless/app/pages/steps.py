"""The steps of a lesson as a list: what is done, what is here, what is to come, and what no longer holds."""

from __future__ import annotations

from netless_lab.protocol import StepView

from ..blocks import Block, Blocks, clickable, joined, plain
from ..view import View


def steps(view: View) -> Blocks:
    """One row a step. A step that was earned and does not hold now keeps its tick and says so."""
    lesson = view.lesson
    if lesson is None or view.status is None:
        return ()
    out: list[Block] = []
    for step in lesson.steps:
        here = step is view.step
        glyph, style, note = mark(step, here=here)
        text = joined((step.title, "bold" if here else "" if step.earned else "$muted"), (note, "$warning"))
        target = f"{view.status.course.id}/{lesson.id}/{step.id}"
        out.append(Block(clickable(text, "go_to", target), first=joined((glyph, style), " ")))
    return tuple(out)


def mark(step: StepView, *, here: bool) -> tuple[str, str, str]:
    """(glyph, style, note) of a step: ✓ earned, ▸ the current one, · to come."""
    if step.earned:
        return "✓", "bold $success", "  no longer so" if step.live is False else ""
    if here:
        return "▸", "bold $accent", ""
    return "·", "$faint", ""


def legend() -> Blocks:
    """What the marks mean, for the help."""
    return (
        Block(plain("done: the tick stays, whatever happens later"), first=joined(("✓ ", "bold $success"))),
        Block(plain("you are here"), first=joined(("▸ ", "bold $accent"))),
        Block(plain("to come"), first=joined(("· ", "$faint"))),
        Block(plain("skipped: this machine cannot do it"), first=joined(("– ", "$faint"))),
    )
