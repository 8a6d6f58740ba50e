"""What must be true, whether it is, and for what is not: expected, seen, and one command to look with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ..commands.table import BY_ID, USUAL, Keymap, key_of
from .counted import every
from .drill import drill_title
from .links import Copy, Do
from .text import EMPTY, Block, Blocks, Looked, Text, barred, blanks, joined, labelled, plain, ticked

if TYPE_CHECKING:
    from netless_lab.course.verdict import Item, Verdict

    from ..desk.view import View

GLYPHS: Final[Mapping[str, Looked]] = {
    "pass": ("✓", "strong", "good"),
    "fail": ("✗", "strong", "bad"),
    "error": ("!", "strong", "warn"),
    "waiting": ("…", "muted"),
    "unknown": ("-", "accent"),
    "ahead": ("»", "strong", "accent"),
    "lapsed": ("«", "strong", "accent"),
}


def check(view: View, width: int, keymap: Keymap = USUAL) -> Blocks:
    """The verdict on the current step, or what will be judged; and by which key one goes on."""
    status = view.status
    if status is None:
        return ()
    blocks: list[Block] = []
    if status.playing:
        text = f"Play mode: nothing is judged. Press {key_of(BY_ID['play'], keymap)} to leave; the lab is rebuilt for this step then."
        blocks += [Block(plain(text, "warn"), first=joined(("▎ ", "warn"))), EMPTY]
    verdict = view.judged
    if verdict is None:
        return (*blocks, Block(plain("Not judged yet.", "muted")))
    if verdict.passed and view.fault is None:
        blocks += _success(view, keymap)
    blocks += claims(verdict)
    if verdict.extras:
        blocks += [EMPTY, *extras(verdict)]
    return tuple(blocks)


def judged(title: str, position: str, verdict: Verdict) -> Block:
    """Which step was judged, and how it ended."""
    return Block(joined((title, "strong"), "  ", (position, "muted")), first=joined(GLYPHS[verdict.result], " "))


def claims(verdict: Verdict) -> Iterator[Block]:
    """What must be true, claim by claim, and what is seen instead."""
    for item in verdict.items:
        yield from _item(item)


def extras(verdict: Verdict) -> Iterator[Block]:
    """What is there beyond what the step asks for."""
    for text in verdict.extras:
        yield Block(ticked(text, "muted"), first=joined(("+ ", "muted")))


def check_title(view: View) -> Text:
    """The pane's title with the score."""
    verdict = view.verdict
    if view.status is not None and view.status.playing:
        return joined("Check ", ("paused", "warn"))
    if view.fault is not None:
        return drill_title(view.fault)
    if verdict is None:
        return plain("Check")
    if verdict.passed:
        return joined("Check ", ("✓ done", "strong", "good"))
    return joined("Check ", (every(verdict), "muted"))


def scored(verdict: Verdict) -> Text:
    """How many conditions hold, in a sentence."""
    return plain(f"Conditions that hold: {every(verdict)}.")


def worse(before: Verdict | None, now: Verdict | None) -> str:
    """What has become worse in a step since it was judged before, for one who does not see the check: a claim that held, or something new that looks
    like what is asked for and is not; "" when there is none.
    """
    if before is None or now is None or before.step != now.step:
        return ""
    known = {item.claim: item for item in before.items}
    for item in now.items:
        was = known.get(item.claim)
        if item.result in ("fail", "error") and was is not None and was.result == "pass":
            return f"Not so any more: {item.claim}"
    return next((item.near for item in now.items if item.near and item.near != (known[item.claim].near if item.claim in known else "")), "")


def _success(view: View, keymap: Keymap) -> list[Block]:
    assert view.status is not None
    assert view.verdict is not None
    sentence = view.verdict.told(view.status.page.success) or "Done."
    out = [Block(ticked(sentence, "strong"), first=joined(("✓ ", "strong", "good")))]
    if view.more:
        out.append(Block(joined((key_of(BY_ID["next"], keymap), "strong", "accent"), " Next step").leading(Do("next")), first=blanks(2)))
    else:
        out.append(Block(plain("That was the last step of this course.", "muted"), first=blanks(2)))
        from netless_lab.course.ending import named

        from ..desk.view import passed_by

        if steps := passed_by(view):
            out.append(Block(plain(named([title for _, title in steps])), first=blanks(2)))
            out.append(Block(joined((key_of(BY_ID["goto"], keymap), "strong", "accent"), " Go to").leading(Do("goto")), first=blanks(2)))
    return [*out, EMPTY]


def _item(item: Item) -> list[Block]:
    claim = ticked(item.claim, "muted" if item.result in ("pass", "waiting") else None)
    out = [Block(claim, first=joined(GLYPHS[item.result], " "))]
    if item.result in ("pass", "waiting", "ahead"):
        return out
    if item.result in ("unknown", "lapsed"):
        return [*out, Block(ticked(item.seen, "muted"), first=blanks(2))]
    if item.near:
        out.append(barred(ticked(item.near), "warn", indent="  "))
    for label, text in (("expected", item.expected), ("seen", item.seen)):
        if text:
            out.append(labelled(f"  {label:<9}", ticked(text)))
    if item.look:
        out.append(labelled(f"  {'look':<9}", plain(item.look, "command").leading(Copy(item.look))))
    return out
