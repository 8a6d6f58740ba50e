"""What a write would come to, told before the first of its actions is done: what each changes, what takes it back, which cannot be. Pure.

It is worked out on sketches (``Action.outline``), so it holds as far as these do: where somebody's own command line comes (``Run``), nobody
knows what is there after it, and nothing more is foretold.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Final

import msgspec

from ..model.changes import Change, done_by_somebody
from ..model.likeness import differences
from ..model.snapshot import Snapshot
from ..model.telling import sentence
from ..primitives.address import HasAddress
from ..primitives.base import Action, Expectation, NotMet, Where
from ..primitives.bridge import BridgeExists
from ..primitives.link import LinkExists, NoLink
from ..primitives.run import Run

_ERRNO: Final[dict[type[Expectation], int]] = {
    NoLink: errno.EEXIST, LinkExists: errno.ENODEV, BridgeExists: errno.ENODEV, HasAddress: errno.EADDRNOTAVAIL,
}  # fmt: skip
"""What the kernel says where a need of this kind is not met."""


class Planned(msgspec.Struct, frozen=True):
    """One action of a plan, with the sketches of what is there before it and after it; None where nobody can tell. ``undo`` takes it back, in
    order; () when only a rebuild does.
    """

    action: Action
    undo: tuple[Action, ...]
    before: Snapshot | None
    after: Snapshot | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it will be seen by."""
        return _somebodys(self.before, self.after) if self.before is not None and self.after is not None else ()


class Lacking(msgspec.Struct, frozen=True):
    """An action that cannot be done when its turn comes: why, in words, and the errno (a number) that the kernel would have for it, or 0."""

    action: Action
    why: str
    errno: int


class Plan(msgspec.Struct, frozen=True):
    """The whole of a write. ``goal`` is the sketch of what is there after it; None when nobody can tell. ``lacking``: it must not begin."""

    steps: tuple[Planned, ...]
    before: Snapshot
    goal: Snapshot | None
    lacking: Lacking | None = None


def plan(actions: Iterable[Action], before: Snapshot) -> Plan:
    """What these actions come to, one after the other, where ``before`` is what is there.

    Whether the first can be done, the kernel itself says best, and nothing is touched when it says no: only later ones are looked at.
    """
    steps: list[Planned] = []
    now: Snapshot | None = before
    for action in actions:
        if now is not None and steps and (lacking := _lacking(action, now)) is not None:
            return Plan(tuple(steps), before, None, lacking)
        then = None if now is None or isinstance(action, Run) else action.outline(now)
        steps.append(Planned(action, action.inverse(), now, then))
        now = then
    return Plan(tuple(steps), before, now)


def missed(made: Plan, after: Snapshot) -> tuple[str, ...]:
    """What was planned and is not there now that all is done, in words: each change that was to be made and still would have to be."""
    if made.goal is None or not (left := _somebodys(after, made.goal)):
        return ()
    wanted = {sentence(change) for change in _somebodys(made.before, made.goal)}
    return tuple(words for change in left if (words := sentence(change)) in wanted)


def _somebodys(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    return tuple(change for change in differences(before, after) if done_by_somebody(change))


def _lacking(action: Action, now: Snapshot) -> Lacking | None:
    for need in action.needs():
        found = need.check(now, Where())
        if isinstance(found, NotMet):
            return Lacking(action, f"it needs {found.expected}; seen: {found.seen}", _ERRNO.get(type(need), 0))
    return None
