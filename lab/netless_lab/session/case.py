"""What the judge is told beside a step: the course up to it, what the learner has done, and how to find what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ..course.bindings import Bindings, apply
from ..course.blame import nearest
from ..course.extras import extras
from ..course.further import Missing, ahead, lacks_before
from ..course.judge import can_be_told, state_holds
from ..course.outline import commanded, lesson_actions, outline, owners
from ..course.step import Position, Step, step_at
from ..model.changes import LinkMoved
from ..model.probe import Probe
from ..model.snapshot import Snapshot
from .pages import where_of
from .state import actions_before, before, undone

if TYPE_CHECKING:
    from .stage import Stage


class Case(msgspec.Struct, frozen=True):
    """A step and the learner's names, whose address is whose by now and whose it is ``coming`` to be, the ``earlier`` steps of the course, and what
    nobody asked for (``extras``).

    ``lapsed`` says which earlier step's result is gone, None when none is, and ``blamed`` which of them a packet, in the learner's words, has need of:
    the likely cause when it is lost. ``ahead``: which later steps' results are there already. ``wiped`` are the (node, link) that lost addresses when
    they were moved there.
    """

    step: Step
    bindings: Bindings = Bindings()
    owners: dict[str, str] = {}
    coming: dict[str, str] = {}
    earlier: tuple[Step, ...] = ()
    extras: Callable[[Snapshot, Bindings], tuple[str, ...]] = lambda snapshot, bindings: ()
    lapsed: Callable[[Snapshot, Bindings], Missing | None] = lambda snapshot, bindings: None
    blamed: Callable[[Probe, Snapshot, Bindings], Missing | None] = lambda probe, snapshot, bindings: None
    ahead: Callable[[Snapshot, Bindings], tuple[Step, ...]] = lambda snapshot, bindings: ()
    wiped: frozenset[tuple[str, str]] = frozenset()


def case_at(stage: Stage, place: Position, step: Step | None = None) -> Case:
    """The case of the step at this place, or of ``step``, which is less of it."""
    course, baseline = stage.state.course, stage.world.baseline
    step = step or step_at(course, place)
    asked = (*actions_before(course, place), *step.do)
    gone = undone(course, place)
    earlier = tuple(step_at(course, own) for own in before(course, place) if own.key not in gone)

    def beyond(snapshot: Snapshot, names: Bindings) -> tuple[str, ...]:
        actions = tuple(apply(action, names) for action in asked)
        # until the step is done, what it changes may be as it was, or on the way
        first = len(asked) if state_holds(step, snapshot, names) else len(asked) - len(step.do)
        sketches = tuple(outline(baseline, actions[:done]) for done in range(first, len(asked) + 1))
        expected = tuple(apply(own, names) for one in (*earlier, step) for own in one.expect)
        found = extras(snapshot, (baseline, *sketches), expected, commanded(sketches[-1], actions))
        # what later steps have made already is asked for too
        made = [own for own in (ahead(course, place, snapshot, names, baseline) if found else ()) if can_be_told(own[0], snapshot, own[1])]
        if not made:
            return found
        for later, own in made:
            actions += tuple(apply(action, own) for action in later.do)
            sketches += (outline(baseline, actions),)
            expected += tuple(apply(one, own) for one in later.expect)
        return extras(snapshot, (baseline, *sketches), expected, commanded(sketches[-1], actions))

    def lapsed(snapshot: Snapshot, names: Bindings) -> Missing | None:
        return _lapsed(stage, place, snapshot, names)

    def further(snapshot: Snapshot, names: Bindings) -> tuple[Step, ...]:
        return tuple(later for later, _ in ahead(course, place, snapshot, names, baseline))

    changes = (change for deed in stage.own_changes if deed is not None for change in deed.changes)
    wiped = frozenset((own.node, own.after.name) for own in changes if isinstance(own, LinkMoved) and own.before.v4)
    coming = owners(outline(baseline, lesson_actions(course, course.lessons[-1].id)))
    now = owners(outline(baseline, asked))

    def blamed(probe: Probe, snapshot: Snapshot, names: Bindings) -> Missing | None:
        return _blamed(stage, place, probe, snapshot, names, {**coming, **now})

    return Case(step, stage.state.bindings, now, coming, earlier, beyond, lapsed, blamed, further, wiped)


def _lapsed(stage: Stage, place: Position, snapshot: Snapshot, names: Bindings) -> Missing | None:
    """The first earlier result that is not there any more and that no step rightly took away; None when all hold."""
    gone, lacking = undone(stage.state.course, stage.state.position), stage.lacking_in(snapshot, names)
    return next((own for own in lacking.before(place) if own.position.key not in gone), None)


def _blamed(stage: Stage, place: Position, probe: Probe, snapshot: Snapshot, names: Bindings, homes: Mapping[str, str]) -> Missing | None:
    """What is gone of the earlier results that no step rightly took away, as far as a packet has need of it; None when nothing is."""
    gone = undone(stage.state.course, stage.state.position)
    lacks = lacks_before(stage.state.course, place, snapshot, names, where_of(snapshot, "host"))
    at_home = {names.address(address): node for address, node in homes.items()}
    return nearest((own for own in lacks if own[0].position.key not in gone), probe, snapshot, at_home)


def owners_here(stage: Stage) -> dict[str, str]:
    """In which node the lessons up to here mean each address to live, in the learner's words."""
    bindings = stage.state.bindings
    return {bindings.address(address): node for address, node in case_at(stage, stage.state.position).owners.items()}
