"""A fault in words: in the learner's own names, and as hints that lead to it step by step. Pure."""

from __future__ import annotations

import msgspec

from ..course.bindings import Bindings, apply, apply_text
from ..course.probe_words import claim
from ..course.step import ProbeCheck, Step
from ..primitives.base import Dialect, Where
from .format import Fault, in_words


def bound(fault: Fault, bindings: Bindings) -> Fault:
    """The same fault where the learner called things otherwise."""
    if not bindings.words():
        return fault
    return msgspec.structs.replace(
        fault,
        tells=apply_text(fault.tells, bindings),
        title=apply_text(fault.title, bindings),
        evidence=tuple(apply_text(text, bindings) for text in fault.evidence),
        places=tuple(msgspec.structs.replace(place, link=bindings.word("link", place.link)) for place in fault.places),
        setup=tuple(apply(action, bindings) for action in fault.setup),
        inject=tuple(apply(action, bindings) for action in fault.inject),
        mend=tuple(apply(action, bindings) for action in fault.mend),
        symptom=tuple(apply(check, bindings) for check in fault.symptom),
        still=tuple(apply(check, bindings) for check in fault.still),
    )


def as_step(checks: tuple[ProbeCheck, ...]) -> Step:
    """Probes of a fault for the judge of steps. Its id says nothing: in a drill the fault is a secret."""
    return Step(id="fault", title="The network as it was", prose="", do=(), expect=(), probes=checks)


def hints(fault: Fault, lesson_title: str, where: Where, dialect: Dialect) -> tuple[str, ...]:
    """What still works; which lesson it is about; where to look; the facts; and at last what was done and what undoes it."""
    working = "; ".join(claim(check) for check in fault.still)
    return (
        f"What still works narrows it down: {working}.",
        f'It has to do with "{lesson_title}" ({fault.teaches}).',
        f"Look {in_words(fault.place)}.",
        " ".join(f"{text.rstrip('.')}." for text in fault.evidence),
        solution(fault, where, dialect),
    )


def solution(fault: Fault, where: Where, dialect: Dialect) -> str:
    """What was broken, and the commands that mend it."""
    lines = [line for action in fault.mend for line in action.commands(dialect, where)]
    way = "\n".join(["It is mended by:", *(f"  {line}" for line in lines)]) if lines else "`netless mend` rebuilds what is missing."
    return f"{fault.title}. {way}"
