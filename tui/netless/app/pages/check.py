"""The check pane: what must be true, whether it is, and for what is not: expected, seen, and one command to look with."""

from __future__ import annotations

from textual.content import Content

from netless_lab.course.verdict import Item

from ..blocks import EMPTY, Block, Blocks, barred, clickable, joined, plain, ticked
from ..view import View, holding
from .drill import drill_title

GLYPHS: dict[str, tuple[str, str]] = {
    "pass": ("✓", "bold $success"),
    "fail": ("✗", "bold $error"),
    "error": ("!", "bold $warning"),
    "waiting": ("…", "$muted"),
    "unknown": ("-", "$accent"),
    "ahead": ("»", "bold $accent"),
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
    if item.result == "unknown":
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
