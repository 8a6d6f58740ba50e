"""The lesson pane: the step's title and prose, its commands in the chosen dialect, opened hints, and the lesson's steps."""

from __future__ import annotations

from textual.content import Content

from ..blocks import EMPTY, Block, Blocks, clickable, joined, plain
from ..prose import blocks_of, code_line
from ..view import View
from .steps import steps

HINT_KEY = "hint"
"""Marks the rows of hints, so that the pane can scroll to the newest."""

DIALECT_NAMES = {"ip": "ip", "legacy": "legacy", "pyroute2": "pyroute2"}


def lesson(view: View, width: int) -> Blocks:
    """Everything a learner reads about the current step."""
    status = view.status
    if status is None:
        return (Block(plain("Starting the lab …", "$muted")),)
    page = status.page
    blocks: list[Block] = [Block(plain(page.title, "bold $foreground")), EMPTY, *blocks_of(page.prose, width)]
    skipped = view.step.skipped if view.step else ""
    if skipped:
        blocks += [EMPTY, Block(plain(skipped, "$warning"), first=plain("! ", "bold $warning"))]
    if page.commands:
        blocks += [EMPTY, _tabs(view), *_commands(view)]
    if page.hints_open:
        blocks += _hints(view)
    blocks += [EMPTY, Block(plain(f"Steps of this lesson: {page.lesson_title}", "$muted")), *steps(view)]
    return tuple(blocks)


def _tabs(view: View) -> Block:
    """The dialects; the chosen one stands on the ground of the code below it."""
    assert view.status is not None
    parts: list[Content] = []
    for commands in view.status.page.commands:
        name = f" {DIALECT_NAMES[commands.dialect]} "
        if commands.dialect == view.dialect:
            parts.append(plain(name, "bold underline $accent on $code-background"))
        else:
            parts.append(clickable(plain(name, "$muted"), "use_dialect", commands.dialect))
    copy = clickable(plain(" copy ", "$faint"), "copy_commands")
    return Block(Content("").join([*parts, Content("  "), copy]), keep=True)


def _commands(view: View) -> Blocks:
    if not view.commands:
        return (Block(plain("Nothing to type in this step.", "$muted"), fill="on $code-background", first=Content(" ")),)
    return tuple(code_line(line) for line in view.commands)


def _hints(view: View) -> list[Block]:
    assert view.status is not None
    page = view.status.page
    bar = plain("▎ ", "$warning")
    out = [EMPTY]
    for number, hint in enumerate(page.hints_open, 1):
        label = f"hint {number}/{page.hints_total}  "
        content = _hint(hint)
        out.append(Block(joined((label, "$warning")) + content, first=bar, rest=bar, key=HINT_KEY))
    return out


def _hint(text: str) -> Content:
    """A hint: backticks mark code, everything else is as it stands."""
    parts = text.split("`")
    return Content("").join([plain(part, "$code" if odd % 2 else "") for odd, part in enumerate(parts)])
