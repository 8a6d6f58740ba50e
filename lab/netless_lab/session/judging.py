"""Ask the judge: state first, then, when the state allows, the step's probes, once the network is ready for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from ..course.bind import by_another_bridge, closest, found_again, infer, vouched
from ..course.bindings import Bindings, apply
from ..course.further import Standing, excused, past, with_less, with_more
from ..course.judge import can_be_told, control_of, judge
from ..course.step import Position, ProbeCheck, Step, step_at
from ..course.verdict import Item, Result, Verdict
from ..model.probe import Outcome, Ping, Probe
from ..model.snapshot import Snapshot
from .case import Case
from .pages import where_of
from .world import World

READY_DEADLINE_S = 4.0
"""How long a probe waits for carriers and bridge ports; a new port forwards after up to 1 s, STP takes 30 s and is then named."""
REPLY_DEADLINE_S = 1.0
"""How long a packet that must be answered may take, retries included."""
SILENCE_S = 0.05
"""How long silence must last to count, at each of two attempts: inside one kernel an answer is there when sendto() returns."""
OVERLAP = 1.5
"""Two attempts of a ping in this many silences: its socket stays open, so the first one's answer is heard until the end."""

OnProbe = Callable[[Outcome, bool], None]
Outcomes = Mapping[ProbeCheck, Outcome]


async def send(world: World, probe: Probe, *, must_reply: bool) -> Outcome:
    """One probe, from readiness to outcome. A packet that must be answered gets more time than one that must not."""
    if must_reply:
        return await world.probe(probe, deadline_s=REPLY_DEADLINE_S, grace_s=SILENCE_S)
    return await world.probe(probe, deadline_s=SILENCE_S * (OVERLAP if isinstance(probe, Ping) else 2), grace_s=SILENCE_S)


async def settle(world: World, deadline_s: float = READY_DEADLINE_S) -> tuple[str, ...]:
    """Wait until carriers and ports are ready, from the last look on; what was still pending when the deadline passed, in words."""
    end = time.monotonic() + deadline_s
    while pending := world.pending(world.seen):
        left = end - time.monotonic()
        if left <= 0:
            return pending
        await world.changed(min(left, 0.05))
        await world.look()
    return ()


async def judge_step(
    world: World, case: Case, on_probe: OnProbe | None = None, on_state: Callable[[Verdict], None] = lambda verdict: None, looked: bool = False
) -> tuple[Verdict, Bindings]:
    """The verdict on a step as things are now, which the last look saw, and the learner's names: those it was passed with, else those of earlier steps.

    ``on_state`` hears of the state as soon as it is known to hold: its packets may take seconds when they are lost. ``looked``: the last look
    was just now. No other is needed then, nor after the packets, unless the kernel has told of something since; of what the packets themselves
    leave, neighbours and FDB entries, only when the step speaks of such.
    """
    step = case.step
    learned = any(expected.learned for expected in step.expect)
    snapshot = await world.latest(learned=learned) if looked else await world.look()
    likely = found_again(step, case.earlier, snapshot, case.bindings, world.baseline)
    settled = likely if vouched(case.earlier, snapshot, case.bindings, likely) else case.bindings
    names = infer(step, snapshot, settled, world.baseline) or by_another_bridge(step, case.earlier, snapshot, settled, world.baseline)
    names = names or closest(step, snapshot, likely, world.baseline)

    def verdict_on(snapshot: Snapshot, outcomes: Outcomes) -> Verdict:
        extras = case.extras(snapshot, names)
        where = msgspec.structs.replace(where_of(snapshot, "host"), wiped=case.wiped)
        return judge(step, snapshot, outcomes, where, names, owners={**case.coming, **case.owners}, extras=extras)

    verdict = verdict_on(snapshot, {})
    if verdict.passed:
        verdict = _further(verdict, case, snapshot, names)
    if not step.probes or any(item.kind == "state" and item.result in ("fail", "error") for item in verdict.items):
        return verdict, names if verdict.passed else settled
    pending: tuple[str, ...] = ()
    if any(check.reply for check in step.probes):
        pending = world.pending(snapshot)
        on_state(_waiting_for(verdict, pending))
        pending = pending and await settle(world)
    outcomes = await send_all(world, step.probes, names, on_probe)
    snapshot = await world.latest(learned=learned)
    verdict = verdict_on(snapshot, outcomes)
    if verdict.passed or any(check.demand == "guard" for check in step.probes):
        verdict = _further(verdict, case, snapshot, names)
    if not verdict.passed:
        verdict = msgspec.structs.replace(verdict, items=_explained(verdict.items, case, snapshot, names))
    if pending and not verdict.passed:
        verdict = _not_yet(step, verdict, pending)
    return verdict, names if verdict.passed else settled


def _further(verdict: Verdict, case: Case, snapshot: Snapshot, names: Bindings) -> Verdict:
    """The verdict with the later steps that are done already, no blame for what they rightly opened again, and what earlier ones lack."""
    later = case.ahead(snapshot, names)
    told = tuple(step for step in later if can_be_told(step, snapshot, names))
    return with_less(with_more(excused(verdict, case.step, later), told), case.lapsed(snapshot, names))


async def judge_places(
    world: World, learner: Standing, wanted: Sequence[Position], case_of: Callable[[Position, Step], Case], on_probe: OnProbe
) -> list[tuple[Position, Verdict]]:
    """The verdicts on steps of the course that the learner does not stand at, one after the other.

    A step whose result a later one rightly took away is past. The last one's packets are sent, of the others only those that have to
    decide what the state does not tell.
    """
    last, judged = wanted[-1], []
    by_the_end = msgspec.structs.replace(learner, here=last)
    for place in wanted:
        step = step_at(learner.course, place)
        if (by := learner.taken_away(place)) is not None:
            judged.append((place, past(step, by)))
            continue
        if place != last and by_the_end.taken_away(place) is not None:
            continue
        if place != last and can_be_told(step, learner.snapshot, learner.bindings):
            step = msgspec.structs.replace(step, probes=())
        verdict, _ = await judge_step(world, case_of(place, step), on_probe)
        if step.probes:
            verdict = excused(verdict, step, learner.since(place), learner.cut(place))
        judged.append((place, verdict))
    return judged


async def observe(world: World, case: Case) -> Verdict:
    """What the step's observations show now, whatever its state; nothing else of it is judged."""
    checks = tuple(check for check in case.step.probes if check.demand == "observation")
    await world.look()
    await settle(world)
    snapshot = world.seen
    outcomes = await send_all(world, checks, case.bindings, None)
    step = msgspec.structs.replace(case.step, expect=(), probes=checks)
    return judge(step, snapshot, outcomes, where_of(snapshot, "host"), case.bindings, owners={**case.coming, **case.owners})


def _not_yet(step: Step, verdict: Verdict, pending: tuple[str, ...]) -> Verdict:
    """While the network is not ready, an answer that did not come is no failure: it is waited for, and what for is said.

    A packet that arrived where none should is a failure at any time.
    """
    split = len(verdict.items) - len(step.probes)
    probed = zip(step.probes, verdict.items[split:], strict=True)
    unripe = tuple(
        Item("waiting", item.claim, "probe") if item.result == "error" or (check.reply and item.result == "fail") else item
        for check, item in probed
    )
    result: Result = "fail" if any(item.result == "fail" for item in unripe) else "waiting"
    return _waiting_for(Verdict(verdict.step, result, (*verdict.items[:split], *unripe), verdict.extras), pending)


def _waiting_for(verdict: Verdict, pending: tuple[str, ...]) -> Verdict:
    """The verdict, and what is waited for."""
    lines = tuple(Item("waiting", line, "probe") for line in pending)
    return msgspec.structs.replace(verdict, items=(*verdict.items, *lines))


def _explained(items: tuple[Item, ...], case: Case, snapshot: Snapshot, names: Bindings) -> tuple[Item, ...]:
    """The items, those of packets each with the earlier result that is gone and that its packet, or the one to compare with, has need of as its near
    sentence, and what shows that to look with, unless it has a nearer one.
    """
    found = list(items)
    for number, check in enumerate(case.step.probes, len(case.step.expect)):
        item, bound = items[number], apply(check, names)
        if item.result == "error" or (item.result == "fail" and not item.near):
            lost = bound.control if item.result == "error" and bound.control is not None else bound.probe
            if gone := case.blamed(lost, snapshot, names):
                found[number] = msgspec.structs.replace(item, near=gone.words, look=gone.look or item.look)
    return tuple(found)


async def send_all(
    world: World, checks: tuple[ProbeCheck, ...], names: Bindings, on_probe: OnProbe | None, *, patient: bool = True
) -> dict[ProbeCheck, Outcome]:
    """Send probes and their controls, all at once: each waits for its own answer, or for its own silence to count. ``patient``: what should be
    answered gets time.
    """
    outcomes: dict[ProbeCheck, Outcome] = {}

    async def one(check: ProbeCheck) -> None:
        bound = apply(check, names)
        outcomes[check] = await send(world, bound.probe, must_reply=check.reply and patient)
        if on_probe is not None:
            answered = outcomes[check].result == "answered"
            on_probe(outcomes[check], answered if check.demand == "observation" else check.reply)

    async def control(check: ProbeCheck) -> None:
        bound = apply(check, names)
        if check.control is not None and bound.control is not None:
            outcomes[control_of(check)] = await send(world, bound.control, must_reply=patient)

    await asyncio.gather(*(ask(check) for check in checks for ask in (one, control)))
    return outcomes
