"""What the two panes on the left say.

The lesson: the step's title and prose, its commands in the chosen dialect, opened hints, and the steps of the lesson: what is done, what is
here, what is to come, and what no longer holds. While something is broken on purpose: what is noticed, the clock, the help asked for; at the
end what it was. The check: what must be true, whether it is, and for what is not: expected, seen, and one command to look with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from netless_lab.course.verdict import Item
from netless_lab.drill.spent import help_used, took
from netless_lab.model.needs import unable
from netless_lab.primitives.base import DIALECTS
from netless_lab.protocol import FaultStatus, StepView

from ..blocks import EMPTY, Block, Blocks, barred, blocks_of, clickable, code_line, joined, plain, ticked
from ..view import View, holding, step_called

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


GLYPHS: dict[str, tuple[str, str]] = {
    "pass": ("✓", "bold $success"),
    "fail": ("✗", "bold $error"),
    "error": ("!", "bold $warning"),
    "waiting": ("…", "$muted"),
    "unknown": ("-", "$accent"),
    "ahead": ("»", "bold $accent"),
    "lapsed": ("«", "bold $accent"),
}


def check(view: View, width: int) -> Blocks:
    """The verdict on the current step, or what will be judged."""
    status = view.status
    if status is None:
        return ()
    blocks: list[Block] = []
    if status.playing:
        text = "Play mode: nothing is judged. Press p to leave; the step is restored exactly."
        blocks += [Block(plain(text, "$warning"), first=joined(("▎ ", "$warning"))), EMPTY]
    verdict = view.verdict
    if view.fault is not None:
        verdict = view.fault.verdict
    if verdict is None:
        return (*blocks, Block(plain("Not judged yet.", "$muted")))
    if verdict.passed and view.fault is None:
        blocks += _success(view)
    for item in verdict.items:
        blocks += _item(item)
    if verdict.extras:
        blocks += [EMPTY, *(Block(ticked(text, "$muted"), first=joined(("+ ", "$muted"))) for text in verdict.extras)]
    return tuple(blocks)


def check_title(view: View) -> Content:
    """The pane's title with the score."""
    verdict = view.verdict
    if view.status is not None and view.status.playing:
        return joined("Check ", ("paused", "$warning"))
    if view.fault is not None:
        return drill_title(view.fault)
    if verdict is None:
        return plain("Check")
    if verdict.passed:
        return joined("Check ", ("✓ done", "bold $success"))
    deciding = sum(item.result not in ("ahead", "unknown") for item in verdict.items)
    return joined("Check ", (f"{holding(verdict.items)} of {deciding}", "$muted"))


def _success(view: View) -> list[Block]:
    assert view.status is not None
    assert view.verdict is not None
    sentence = view.verdict.told(view.status.page.success) or "Done."
    out = [Block(ticked(sentence, "bold"), first=joined(("✓ ", "bold $success")))]
    if view.more:
        out.append(Block(clickable(joined(("n", "bold $accent"), " Next step"), "act", "next"), first=Content("  ")))
    else:
        out.append(Block(plain("That was the last step of this course.", "$muted"), first=Content("  ")))
    return [*out, EMPTY]


def _item(item: Item) -> list[Block]:
    glyph, style = GLYPHS[item.result]
    claim = ticked(item.claim, "$muted" if item.result in ("pass", "waiting") else "")
    out = [Block(claim, first=joined((glyph, style), " "))]
    if item.result in ("pass", "waiting", "ahead"):
        return out
    if item.result in ("unknown", "lapsed"):
        return [*out, Block(ticked(item.seen, "$muted"), first=Content("  "))]
    if item.near:
        out.append(barred(ticked(item.near), "$warning", indent="  "))
    for label, text in (("expected", item.expected), ("seen", item.seen)):
        if text:
            out.append(Block(ticked(text), first=joined(("  " + label.ljust(9), "$muted"))))
    if item.look:
        look = clickable(plain(item.look, "$code"), "copy_text_of", item.look)
        out.append(Block(look, first=joined(("  " + "look".ljust(9), "$muted"))))
    return out
