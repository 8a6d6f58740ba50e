"""The kernel beside the whole course, and not one step of it: earned steps that hold no longer (after a crash, a reboot or a busy hand), who is
further on than the step that is asked about (ahead of it, or past what it built and a later step rightly took away).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from ..model.snapshot import Snapshot
from ..primitives.base import Expectation, NotMet, Where
from .bind import infer
from .bindings import UNBOUND, Bindings, apply
from .judge import result_of, state_holds
from .outline import outline
from .probe_words import target
from .step import Course, Position, ProbeCheck, Step, positions, step_at
from .verdict import Item, Verdict

HERE: Final = Where()
"""A shell on the host, for whom no command is worded."""


class Missing(msgspec.Struct, frozen=True):
    """An earned step whose result is not there: the first claim of it that fails, what was seen instead, and the command to look with."""

    position: Position
    title: str
    claim: str
    seen: str
    look: str = ""

    @property
    def words(self) -> str:
        """The likely cause, when packets of a later step are lost."""
        return f"Something from an earlier step ({self.title!r}) is not so any more: {self.claim}; seen: {self.seen}."


def difference(
    course: Course, earned: Collection[str], snapshot: Snapshot, bindings: Bindings = UNBOUND, until: Position | None = None
) -> tuple[Missing, ...]:
    """The earned steps (``lesson/step``) ahead of ``until`` whose state does not hold now, in order.

    Steps whose result a later earned step, or the one at ``until``, rightly takes away (``undoes``) are not asked.
    """
    found = (_missing(course, place, snapshot, bindings) for place in _lasting(course, earned, until))
    return tuple(own for own in found if own is not None)


def _every(course: Course) -> frozenset[str]:
    return frozenset(place.key for place in positions(course))


def _lasting(course: Course, earned: Collection[str], until: Position | None) -> Iterator[Position]:
    """The earned steps ahead of ``until`` whose results no other of them, nor the one there, takes away."""
    places = positions(course)
    gone = set(step_at(course, until).undoes) if until is not None and until in places else set()
    if until in places:
        places = places[: places.index(until)]
    done = [place for place in places if place.key in earned]
    gone |= {name for place in done for name in step_at(course, place).undoes}
    return (place for place in done if place.key not in gone)


def lacks_before(
    course: Course, until: Position, snapshot: Snapshot, bindings: Bindings = UNBOUND, where: Where = HERE
) -> Iterator[tuple[Missing, Expectation]]:
    """Everything that the steps ahead of ``until`` ask for and that is not so now, each beside the expectation that says so, in order."""
    for place in _lasting(course, _every(course), until):
        yield from _lacks(course, place, snapshot, bindings, where)


def _missing(course: Course, place: Position, snapshot: Snapshot, bindings: Bindings) -> Missing | None:
    return next((missing for missing, _ in _lacks(course, place, snapshot, bindings, HERE)), None)


def _lacks(course: Course, place: Position, snapshot: Snapshot, bindings: Bindings, where: Where) -> Iterator[tuple[Missing, Expectation]]:
    step = step_at(course, place)
    for expectation in (apply(own, bindings) for own in step.expect):
        finding = expectation.check(snapshot, where)
        if isinstance(finding, NotMet):
            yield Missing(place, step.title, finding.claim, finding.seen or finding.expected, finding.look), expectation


class Lacking:
    """What each step of a course lacks in one snapshot, in these words: asked once, by whoever wants to know it first."""

    def __init__(self, course: Course, snapshot: Snapshot, bindings: Bindings = UNBOUND) -> None:
        self._course, self._snapshot, self._bindings = course, snapshot, bindings
        self._found: dict[Position, Missing | None] = {}

    def is_of(self, course: Course, snapshot: Snapshot, bindings: Bindings) -> bool:
        """Whether it tells of this very snapshot, and of these."""
        return self._snapshot is snapshot and self._course is course and self._bindings == bindings

    def at(self, place: Position) -> Missing | None:
        """What a step lacks; None when its state holds."""
        if place not in self._found:
            self._found[place] = _missing(self._course, place, self._snapshot, self._bindings)
        return self._found[place]

    def before(self, until: Position) -> Iterator[Missing]:
        """Of the steps ahead of ``until`` each whose state does not hold, whoever did it or did not, in order, no further than somebody reads."""
        found = (self.at(place) for place in _lasting(self._course, _every(self._course), until))
        return (own for own in found if own is not None)


def in_words(missing: tuple[Missing, ...], earned: int) -> str:
    """The difference in one or two sentences; "" when there is none. ``earned`` is how many steps were asked about."""
    if not missing:
        return ""
    first = missing[0]
    if earned > 1 and len(missing) >= max(earned - 1, 2):
        return f"Your progress counts {earned} steps, but of what they built the kernel holds nothing, beginning with: {first.claim}."
    count = "one earned step does" if len(missing) == 1 else f"{len(missing)} earned steps do"
    return f"{count.capitalize()} not hold any more, the first is {first.title!r}: {first.claim}; seen: {first.seen}."


def ahead(course: Course, place: Position, snapshot: Snapshot, bindings: Bindings, baseline: Snapshot) -> tuple[tuple[Step, Bindings], ...]:
    """The steps after ``place`` whose result is there already, in whatever words the learner has for it: those of each beside it.

    What holds by itself once ``place`` is done (the decoy that nobody made is not there) makes nobody ahead: the sketch of its end,
    drawn over ``baseline``, tells.
    """
    every = positions(course)
    here = every.index(place)
    done = outline(baseline, (action for own in every[: here + 1] for action in step_at(course, own).do))
    found = []
    for later in every[here + 1 :]:
        step = step_at(course, later)
        names = infer(step, snapshot, bindings, baseline)
        if names is not None and not state_holds(step, done, UNBOUND):
            found.append((step, names))
            bindings = names
    return tuple(found)


class Standing(msgspec.Struct, frozen=True):
    """Where a learner stands: at the step ``here``, ``done`` or still under way, before this ``snapshot``, in these words."""

    course: Course
    here: Position
    done: bool
    snapshot: Snapshot
    bindings: Bindings = UNBOUND

    def holds(self, step: Step) -> bool:
        """Whether the state a step asks for is there."""
        return state_holds(step, self.snapshot, self.bindings)

    def taken_away(self, place: Position) -> Step | None:
        """The step up to here that rightly took away what the step at ``place`` built; None when that is there, or none did.

        One that took it away for a while does not count when the step that undid it in turn is done and does not hold.
        """
        if self.holds(step_at(self.course, place)):
            return None
        for own in self._since(place):
            step = step_at(self.course, own)
            later = (step_at(self.course, one) for one in self._since(own) if self.done or one != self.here)
            if place.key in step.undoes and not any(own.key in one.undoes and not self.holds(one) for one in later):
                return step
        return None

    def since(self, place: Position) -> tuple[Step, ...]:
        """The steps after ``place``, up to here, whose result is there."""
        return tuple(step for own in self._since(place) if self.holds(step := step_at(self.course, own)))

    def cut(self, place: Position) -> Step | None:
        """The later step that rightly took away what the step at ``place``, or one before it, had built; None when all of it is there."""
        every, later = positions(self.course), tuple(step_at(self.course, own) for own in self._since(place))
        gone = (self.taken_away(own) for own in every[: every.index(place) + 1])
        return next((by for by in gone if by is not None and by in later), None)

    def _since(self, place: Position) -> tuple[Position, ...]:
        every = positions(self.course)
        return every[every.index(place) + 1 : every.index(self.here) + 1]


def past(step: Step, by: Step) -> Verdict:
    """The verdict on a step that is behind the learner: rightly passed, and what took its result away."""
    return Verdict(step.id, "pass", (Item("ahead", f"what this step built was rightly taken away by the step {by.title!r}: you are ahead"),))


def with_more(verdict: Verdict, later: tuple[Step, ...]) -> Verdict:
    """The verdict on a step that passed, with a line about the ``later`` steps whose result is there already."""
    if not verdict.passed or not later:
        return verdict
    more = len(later) - 1
    others = "" if not more else ", and so is that of one more step" if more == 1 else f", and so is that of {more} more steps"
    line = Item("ahead", f"the result of the step {later[0].title!r} is there already{others}: you are ahead")
    return msgspec.structs.replace(verdict, items=(*verdict.items, line))


def with_less(verdict: Verdict, lapsed: Missing | None) -> Verdict:
    """The verdict on a step that passed, with a line about what an earlier step had built and is not there."""
    if not verdict.passed or lapsed is None:
        return verdict
    line = Item("lapsed", f"the step {lapsed.title!r} does not hold any more: {lapsed.claim}", seen=lapsed.seen)
    return msgspec.structs.replace(verdict, items=(*verdict.items, line))


def excused(verdict: Verdict, step: Step, later: tuple[Step, ...], broken: Step | None = None) -> Verdict:
    """The verdict on a step, without blame for packets of which ``later`` steps, done by then, rightly want the opposite.

    The last of them that speaks of packets on the same way counts. ``broken`` is a step that took away what every answer needs.
    """
    if verdict.passed or not (later or broken):
        return verdict
    items = list(verdict.items)
    for number, check in enumerate(step.probes, len(step.expect)):
        by = (broken if check.reply else None) or _overruled(check, later)
        if by is not None and check.demand != "observation" and items[number].result == "fail":
            items[number] = Item("ahead", f"no longer so that {items[number].claim}, and rightly since the step {by.title!r}: you are ahead", "probe")
    return msgspec.structs.replace(verdict, items=tuple(items), result=result_of(tuple(items)))


def _overruled(check: ProbeCheck, later: tuple[Step, ...]) -> Step | None:
    """The last step that speaks of packets on the way of ``check``, when it wants the opposite of them."""
    to = target(check.probe)
    for step in reversed(later):
        spoken = tuple(own for own in step.probes if own.probe.node == check.probe.node and target(own.probe) == to and to is not None)
        if spoken:
            return step if all(own.reply != check.reply for own in spoken) else None
    return None
