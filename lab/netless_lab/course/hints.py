"""Help in rungs: from a question to the command itself. Which rung comes first depends on what is missing right now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from ..primitives.base import Action, Dialect, Where
from .bindings import UNBOUND, Bindings, apply_text
from .step import Step
from .verdict import Item, Verdict

LIVE = -1
"""The rung made from the live difference; the step's own rungs count from 0."""


class Seen(msgspec.Struct, frozen=True):
    """Help that is made from what is seen, and the claim that it is ``about``: true as long as that stands so."""

    text: str
    about: Item


class Rung(msgspec.Struct, frozen=True):
    """One piece of help. ``left`` tells how many of the step's own rungs are still closed after this one; ``about`` see ``Seen``."""

    number: int
    text: str
    left: int
    about: Item | None = None


def command_lines(actions: Iterable[Action], dialect: Dialect, where: Where) -> tuple[str, ...]:
    """What to type for these actions. Python lines form one program that imports each thing once."""
    lines = [line for action in actions for line in action.commands(dialect, where)]
    if dialect != "pyroute2":
        return tuple(lines)
    imports = dict.fromkeys(line for line in lines if line.startswith(("import ", "from ")))
    return (*imports, *(line for line in lines if line not in imports))


def rungs(step: Step, lines: tuple[str, ...], bindings: Bindings = UNBOUND) -> tuple[str, ...]:
    """The step's own hints, and last the commands ``lines``."""
    hints = tuple(apply_text(hint, bindings) for hint in step.hints)
    return (*hints, "\n".join(lines)) if lines else hints


def offer(step: Step, verdict: Verdict | None, opened: Collection[int], lines: tuple[str, ...], bindings: Bindings = UNBOUND) -> Rung:
    """The next rung to open. What was nearly right comes first, then what is left to do, then the step's own rungs in order.

    When all are open, the last is shown again.
    """
    every = rungs(step, lines, bindings)
    closed = [number for number in range(len(every)) if number not in opened]
    if LIVE not in opened and (live := live_hint(verdict)) is not None:
        return Rung(LIVE, live.text, len(closed), live.about)
    number = closed[0] if closed else len(every) - 1
    return Rung(number, every[number], max(len(closed) - 1, 0))


def live_hint(verdict: Verdict | None) -> Seen | None:
    """What the verdict itself tells a learner who is under way; None when nothing is there yet and the rungs say it better."""
    if verdict is None or verdict.passed:
        return None
    broken = sorted((item for item in verdict.items if item.result in ("fail", "error")), key=lambda item: item.result == "error")
    near = next((item for item in broken if item.near and (item.result == "fail" or broken[0].result == "error")), None)
    if near is not None:
        return Seen(near.near, near)
    state = [item for item in verdict.items if item.kind == "state"]
    if not broken or not any(item.result in ("pass", "unknown") for item in state):
        return None
    first = broken[0]
    unread = next((item for item in state if item.result == "unknown"), None)
    if first.kind == "probe" and unread is not None:
        return Seen(f"Nobody can tell from the kernel's state whether {unread.claim}: {unread.seen}. Seen: {first.seen}. Look with: {unread.look}", first)
    if first.kind == "probe":
        return Seen(f"What you built is right as far as it goes, but the packets disagree: {first.seen}. Look with: {first.look}", first)
    return Seen(f"Part of it is as it should be. Still to do: {first.claim}. Look with: {first.look}", first)
