"""A fault in a lab: what was asked for, what is broken, and what became of it, with which help, in which time; and what is told of it: in the
learner's own names, and as hints that lead to it step by step. Pure.
"""

from __future__ import annotations

import time
from itertools import groupby

import msgspec

from ..course.bindings import Bindings, apply, apply_text
from ..course.hints import command_lines
from ..course.outline import placed
from ..course.probe_words import claim
from ..course.progress import DrillRecord
from ..course.step import Position, ProbeCheck, Step
from ..course.verdict import Verdict
from ..model.snapshot import Snapshot
from ..primitives.base import Dialect, Where
from ..primitives.registry import FIREWALL
from .format import Fault, in_words
from .spent import help_used, took


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which fault, and how. Without ``fault`` one is drawn by ``seed``; a drawn one and a drill's stay secret.

    An ``exam`` is a drill without help.
    """

    fault: str = ""
    seed: int | None = None
    node: str = ""
    drill: bool = False
    exam: bool = False


class Broken(msgspec.Struct, frozen=True):
    """The fault that is in the lab, and what became of it so far.

    ``began`` is the wall clock, to be told; ``since`` the clock that nobody sets, to count from (clock_gettime(2), CLOCK_MONOTONIC).
    ``came_from``: where the learner was before it, with that step ``came_done``. ``lasted``: after how many seconds the network was healthy, or
    nobody sought any longer; None while it is broken.
    """

    fault: Fault
    place: Position
    wanted: Wanted
    began: float
    since: float
    came_from: Position
    came_done: bool = False
    hints: int = 0
    whys: int = 0
    verdict: Verdict | None = None
    lasted: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether it is over."""
        return self.lasted is not None

    @property
    def seconds(self) -> float:
        """How long it is, or was, broken."""
        return round(time.monotonic() - self.since if self.lasted is None else self.lasted, 3)

    @property
    def secret(self) -> bool:
        """Whether the learner must not be told which fault it is."""
        return not self.healthy and self.recorded

    @property
    def recorded(self) -> bool:
        """Whether the learner had to find out what it was: what became of that is kept."""
        return self.wanted.drill or not self.wanted.fault

    @property
    def kind(self) -> str:
        """What to call it."""
        return "exam" if self.wanted.exam else "drill" if self.recorded else "fault"

    def over(self) -> Broken:
        """The same, ended now."""
        return msgspec.structs.replace(self, lasted=self.seconds)

    def told_well(self) -> str:
        """That the network is healthy again, and how that went."""
        used = help_used(self.hints, self.whys)
        return f"The network is healthy again, after {took(self.seconds)}, with {used}. It was: {self.fault.title}."

    def told_gone(self) -> str:
        """What a rebuild does to it, in words that tell what it was."""
        ended = f"That ended the {self.kind}: it counts as given up." if self.recorded else "The fault is gone with the rebuild."
        return f"{ended} It was: {self.fault.title}."

    def given_up(self) -> str:
        """That it was given up, for the history."""
        return f"the {self.kind} was given up; it was: {self.fault.title}"


def record(broken: Broken, *, solved: bool) -> DrillRecord:
    """What is kept of it."""
    return DrillRecord(broken.fault.id, "solved" if solved else "gave up", time.time(), broken.seconds, broken.fault.node,
                       broken.wanted.seed, broken.wanted.exam, broken.hints, broken.whys)


def discreet(verdict: Verdict) -> Verdict:
    """The same verdict without the commands to look with and the near misses: they would say where it is."""
    items = tuple(msgspec.structs.replace(item, look="", near="") for item in verdict.items)
    return msgspec.structs.replace(verdict, items=items)


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


def hints(fault: Fault, lesson_title: str, now: Snapshot, where: Where, dialect: Dialect) -> tuple[str, ...]:
    """What still works; which lesson it is about; where to look; the facts; and at last what was done and what undoes it."""
    working = "; ".join(claim(check) for check in fault.still)
    return (
        f"What still works narrows it down: {working}.",
        f'It has to do with "{lesson_title}" ({fault.teaches}).',
        f"Look {in_words(fault.place)}.",
        " ".join(f"{text.rstrip('.')}." for text in fault.evidence),
        solution(fault, now, where, dialect),
    )


def solution(fault: Fault, now: Snapshot, where: Where, dialect: Dialect) -> str:
    """What was broken, and the commands that mend it where ``now`` is there.

    Of the firewall in nft's words, also for who speaks iptables: the tables of the lessons are nft's when something is broken (``breaking``).
    """
    by_nft = [dialect == "legacy" and isinstance(action, FIREWALL) for action in fault.mend]
    mend = groupby(zip(by_nft, placed(fault.mend, now), strict=True), key=lambda own: own[0])
    lines = [line for nft, own in mend for line in command_lines((action for _, action in own), "ip" if nft else dialect, where)]
    way = "\n".join(["It is mended by:", *(f"  {line}" for line in lines)]) if lines else "`netless mend` rebuilds what is missing."
    return f"{fault.title}. {way}"
