"""The lesson pane: the step's title and prose, its commands in the chosen dialect, opened hints, and the lesson's steps.

The steps of a lesson as a list: what is done, what is here, what is to come, and what no longer holds.
"""

from __future__ import annotations

from textual.content import Content

from netless_lab.model.needs import unable
from netless_lab.primitives.base import DIALECTS
from netless_lab.protocol import StepView

from ..blocks import EMPTY, Block, Blocks, barred, blocks_of, clickable, code_line, joined, plain, ticked
from ..view import View

HINT_KEY = "hint"
"""Marks the rows of hints, so that the pane can scroll to the newest."""


def lesson(view: View, width: int, *, whole: bool) -> Blocks:
    """Everything a learner reads about the current step; with the commands in it when it is the ``whole`` of the pane."""
    status = view.status
    if status is None:
        return (Block(plain("Starting the lab …", "$muted")),)
    page = status.page
    blocks: list[Block] = []
    for notice in (*filter(None, (unable(page.lacks),)), *status.notices):
        blocks += [barred(ticked(notice), "$warning"), EMPTY]
    blocks += [Block(plain(page.title, "bold $foreground")), EMPTY, *blocks_of(page.prose, width)]
    if whole:
        blocks += [EMPTY, *commands(view, width)]
    if page.hints_open or view.hint:
        blocks += _hints(view)
    blocks += [EMPTY, Block(plain(f"Steps of this lesson: {page.lesson_title}", "$muted")), *steps(view)]
    return tuple(blocks)


def commands(view: View, width: int) -> Blocks:
    """What Run would do, and the lines to type for it in the chosen dialect."""
    if view.status is None or not view.status.page.commands:
        return ()
    return (*(Block(ticked(text, "$muted")) for text in view.status.page.sentences), _tabs(view), *_commands(view))


def _tabs(view: View) -> Block:
    """The dialects; the chosen one stands on the ground of the code below it."""
    assert view.status is not None
    parts: list[Content] = []
    known = {commands.dialect for commands in view.status.page.commands}
    for dialect in DIALECTS:
        if dialect == view.dialect:
            parts.append(plain(f" {dialect} ", "bold underline $accent on $code-background"))
        elif dialect in known:
            parts.append(clickable(plain(f" {dialect} ", "$muted"), "use_dialect", dialect))
    copy = clickable(plain(" copy ", "$faint"), "copy_commands")
    return Block(Content("").join([*parts, Content("  "), copy]), keep=True)


def _commands(view: View) -> Blocks:
    if not view.commands:
        return (Block(plain("Nothing to type in this step.", "$muted"), fill="on $code-background", first=Content(" ")),)
    return tuple(code_line(line) for line in view.commands)


def _hints(view: View) -> list[Block]:
    assert view.status is not None
    page = view.status.page
    hints = [(f"hint {number}/{page.hints_total}  ", hint) for number, hint in enumerate(page.hints_open, 1)]
    if view.hint and view.hint not in page.hints_open:
        hints.append(("from what is seen  ", view.hint))
    return [EMPTY, *(hinted(label, hint) for label, hint in hints)]


def hinted(label: str, hint: str) -> Block:
    """One hint."""
    return barred(joined((label, "$warning")) + ticked(hint), "$warning", key=HINT_KEY)


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
