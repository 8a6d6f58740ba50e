"""Progress against the kernel: which earned steps no longer hold, in words. For resuming after a crash, a reboot or a busy hand."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from ..model.snapshot import Snapshot
from ..primitives.base import NotMet, Where
from .bindings import UNBOUND, Bindings
from .step import Course, Position, positions, step_at
from .substitute import apply


class Missing(msgspec.Struct, frozen=True):
    """An earned step whose result is not there: the first claim of it that fails, and what was seen instead."""

    position: Position
    title: str
    claim: str
    seen: str


def difference(
    course: Course, earned: Collection[str], snapshot: Snapshot, bindings: Bindings = UNBOUND, until: Position | None = None
) -> tuple[Missing, ...]:
    """The earned steps (``lesson/step``) ahead of ``until`` whose state does not hold now, in order.

    Steps whose result a later earned step, or the one at ``until``, rightly takes away (``undoes``) are not asked.
    """
    places = positions(course)
    gone = set(step_at(course, until).undoes) if until is not None and until in places else set()
    if until in places:
        places = places[: places.index(until)]
    done = [place for place in places if place.key in earned]
    gone |= {name for place in done for name in step_at(course, place).undoes}
    found = []
    for place in done:
        step = step_at(course, place)
        if place.key in gone:
            continue
        for expectation in step.expect:
            finding = apply(expectation, bindings).check(snapshot, Where())
            if isinstance(finding, NotMet):
                found.append(Missing(place, step.title, finding.claim, finding.seen or finding.expected))
                break
    return tuple(found)


def missing_before(course: Course, until: Position, snapshot: Snapshot, bindings: Bindings = UNBOUND) -> tuple[Missing, ...]:
    """The steps ahead of ``until`` whose state does not hold now, whoever did them or did not, in order."""
    return difference(course, {place.key for place in positions(course)}, snapshot, bindings, until)


def in_words(missing: tuple[Missing, ...], earned: int) -> str:
    """The difference in one or two sentences; "" when there is none. ``earned`` is how many steps were asked about."""
    if not missing:
        return ""
    first = missing[0]
    if earned > 1 and len(missing) >= max(earned - 1, 2):
        return f"Your progress counts {earned} steps, but of what they built the kernel holds nothing, beginning with: {first.claim}."
    count = "one earned step does" if len(missing) == 1 else f"{len(missing)} earned steps do"
    return f"{count.capitalize()} not hold any more, the first is {first.title!r}: {first.claim}; seen: {first.seen}."
