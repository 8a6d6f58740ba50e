"""The current step as a learner reads it: title and prose, commands in the chosen dialect, opened hints, and the steps of the lesson: what is done,
what is here, what is to come, and what no longer holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .hints import hinted
from .links import Do, ToStep, UseDialect
from .passing import processes_in
from .prose import blocks_of, code_line
from .text import BLANK, EMPTY, Block, Blocks, Looked, Text, barred, blanks, joined, plain, ticked

if TYPE_CHECKING:
    from netless_lab.protocol import StepView

    from ..desk.view import View


def lesson(view: View, width: int, *, whole: bool) -> Blocks:
    """Everything a learner reads about the current step; with the commands in it when it is the ``whole`` of the pane."""
    status = view.status
    if status is None:
        return (Block(plain(f"Rebuilding the lab, up to “{view.returning.title}” …" if view.returning is not None else "Starting the lab …", "muted")),)
    from netless_lab.model.needs import unable

    page = status.page
    blocks: list[Block] = []
    for notice in (*filter(None, (unable(page.lacks),)), *status.notices):
        blocks += [barred(ticked(notice), "warn"), EMPTY]
    blocks += [Block(plain(page.title, "strong", "main")), EMPTY, *blocks_of(page.prose, width)]
    if whole:
        blocks += [EMPTY, *commands(view, width)]
    if page.hints_open or view.hint:
        blocks += _hints(view)
    blocks += [EMPTY, Block(plain(f"Steps of this lesson: {page.lesson_title}", "muted")), *steps(view)]
    return tuple(blocks)


def commands(view: View, width: int) -> Blocks:
    """What Run would do, and the lines to type for it in the chosen dialect."""
    if view.status is None or not view.status.page.commands:
        return ()
    return (*(Block(ticked(text, "muted")) for text in view.status.page.sentences), _tabs(view), *_commands(view), *to_come(view.commands))


def to_come(lines: Sequence[str]) -> Blocks:
    """What is to be said of commands that need the number of a process before it runs (``$PID_c2``): from when they can be typed."""
    return tuple(Block(ticked(f"`{name}` is a process that does not run yet: as soon as it does, its number stands here.", "muted")) for name in processes_in(lines))


def _tabs(view: View) -> Block:
    """The dialects; the chosen one stands on the ground of the code below it."""
    from netless_lab.primitives.roles import DIALECTS

    assert view.status is not None
    parts: list[Text] = []
    known = {commands.dialect for commands in view.status.page.commands}
    for dialect in DIALECTS:
        if dialect == view.dialect:
            parts.append(plain(f" {dialect} ", "strong", "underlined", "accent", "ground"))
        elif dialect in known:
            parts.append(plain(f" {dialect} ", "muted").leading(UseDialect(dialect)))
    copy = plain(" copy ", "faint").leading(Do("copy"))
    return Block(BLANK.between([*parts, blanks(2), copy]), keep=True)


def _commands(view: View) -> Blocks:
    if not view.commands:
        return (Block(plain("Nothing to type in this step.", "muted"), ground=True, first=blanks(1)),)
    return tuple(code_line(line, copies=not processes_in((line,))) for line in view.commands)


def _hints(view: View) -> list[Block]:
    assert view.status is not None
    page = view.status.page
    hints = [(f"hint {number}/{page.hints_total}  ", hint) for number, hint in enumerate(page.hints_open, 1)]
    if view.hint and view.hint not in page.hints_open:
        hints.append(("from what is seen  ", view.hint))
    return [EMPTY, *(hinted(label, hint) for label, hint in hints)]


def steps(view: View) -> Blocks:
    """One row a step. A step that was earned and does not hold now keeps its tick and says so."""
    lesson = view.lesson
    if lesson is None or view.status is None:
        return ()
    out: list[Block] = []
    for step in lesson.steps:
        here = step is view.step
        sign, note = mark(step, here=here)
        text = joined((step.title, "strong") if here else step.title if step.earned else (step.title, "muted"), (note, "warn"))
        target = f"{view.status.course.id}/{lesson.id}/{step.id}"
        out.append(Block(text.leading(ToStep(target)), first=joined(sign, " ")))
    return tuple(out)


def mark(step: StepView, *, here: bool) -> tuple[Looked, str]:
    """The sign of a step (✓ earned, ▸ the current one, · to come) and a note on it."""
    if step.earned:
        return ("✓", "strong", "good"), "  no longer so" if step.live is False else ""
    return (("▸", "strong", "accent") if here else ("·", "faint")), ""
