"""The verbs that only look, and those that send a packet."""

from __future__ import annotations

import time

from ..errors import Refusal
from ..model.clearing import Things
from ..model.journey import Explanation
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from ..protocol import Account, Capture, CourseView, Enterable, Explained, FollowStatus, Message, Packet, SnapshotEvent, StatusEvent, VerdictEvent
from .history import notes, script
from .judging import send
from .offers import NOTHING_LOST, insist
from .pages import course_views
from .stage import Stage
from .target import aimed, insist_on_one_receiver


async def snapshot(stage: Stage) -> Snapshot:
    """The state of every node, read now."""
    return await stage.live.refresh() if not stage.state.busy else await stage.world.look()


def every_course(stage: Stage) -> tuple[CourseView, ...]:
    """Every course with its ticks, and those that cannot be used."""
    return course_views(stage.library, stage.state)


def introduction(stage: Stage, *, past: bool) -> tuple[Message, ...]:
    """What a new view needs to paint itself; with the ``past`` also what happened before it came."""
    events: list[Message] = [StatusEvent(stage.views.status()), SnapshotEvent(stage.live.last, stage.live.goal), stage.views.tell_summary()]
    if stage.state.verdict is not None:
        events.append(VerdictEvent(stage.state.verdict))
    return (*events, *stage.past.happened) if past else tuple(events)


def enterable(stage: Stage, node: str) -> Enterable:
    """The node, if it can be entered. Raises Refusal."""
    with stage.world.way_into(node):
        return Enterable(node)


async def account(stage: Stage) -> Account:
    """What was done, as entries and written down. Of what is broken on purpose nothing is told that was not seen."""
    entries = stage.history.entries
    unseen = Things() if stage.mode.going() else await stage.world.unseen(born=False)
    return Account(entries, script(entries, unseen), notes(entries))


async def follow(stage: Stage, on: bool | None) -> FollowStatus:
    """Follow the learner's own traffic from now on, or stop, or only tell whether."""
    following = stage.world.following
    before = following.overhears
    if on:
        await following.overhear()
    elif on is False:
        following.overhear_no_more()
    if following.overhears != before:
        stage.views.tell_status()
    return FollowStatus(following.overhears, following.missing)


def packet(stage: Stage, journey: int, hop: int) -> Packet:
    """One packet layer by layer. Raises Refusal."""
    data, found = stage.world.following.packet(journey, hop)
    return Packet(found, data)


def capture(stage: Stage, journey: int | None) -> Capture:
    """What was followed, as a file. Raises Refusal."""
    return Capture(*stage.world.following.pcapng(journey))


async def send_probe(stage: Stage, probe: Probe, must_reply: bool) -> Outcome:
    """One probe for whoever asks. Raises Refusal where there is no such node, or no such target."""
    stage.world.ref(probe.node)
    probe = aimed(await snapshot(stage), probe)
    await stage.world.following.ready()
    outcome = await send(stage.world, probe, must_reply=must_reply)
    stage.views.tell_probe(outcome, must_reply)
    return outcome


async def explain(stage: Stage, probe: Probe | None, *, named: bool) -> Explanation:
    """What became of one probe, None for the one that was lost last in this step, and why. Raises Refusal where there is no such node, no such target, or
    nothing was lost.
    """
    if probe is None:
        insist(stage, "why")
        if stage.past.lost is None:  # what is broken on purpose may not have lost any yet
            await stage.mode.judge()
        probe = stage.past.lost
    if probe is None:
        raise Refusal(NOTHING_LOST, code=1)
    now = await snapshot(stage)
    aim = aimed(now, probe, named=named)
    insist_on_one_receiver(now.node(probe.node), aim)
    explanation = await stage.mode.explain(aim)
    stage.tell(Explained(time.time(), explanation))
    return explanation
