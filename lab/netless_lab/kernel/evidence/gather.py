"""Send one probe and gather every fact about what became of it.

The order is that of the ladder: the wire first; then state, counters, connection table; the rules only when there are any on the way
and the packet died, by one replay; routing decisions in every node that had the packet. 75 ms for a ping that dies of silence, of which
60 are the silence itself; 20 more when rules are traced.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from ...model.evidence import Count, Evidence, RuleHit
from ...model.journeys.assemble import Followed, follow
from ...model.journeys.flow import Flow
from ...model.journeys.frame import Frame
from ...model.journeys.ground import Ground
from ...model.journeys.runs import errors, runs
from ...model.probe import Fetch, Lookup, Outcome, Probe
from ...model.snapshot import Snapshot
from .. import probe as probing
from ..read import NodeRef, Reader
from . import counters
from .conntrack_events import newest
from .drops import DropEar
from .lookout import Lookout, Seen, sieve_for
from .replay import replay
from .ways import ways

GRACE_S: Final = 0.06
"""How long silence must last to count: inside one kernel an answer is there when sendto() returns."""
ASKED_S: Final = 1.0
"""How long to wait for the end of other questions who has an address: in a lab they take 0.1 s (``sandbox.tune``)."""
_LOOK_S: Final = 0.01
PATIENCE_S: Final = 0.2
"""The same for a name or a page, whose servers are programs that must be scheduled first."""


class Gathered(NamedTuple):
    """The evidence, and the frames that the hops of its journey were made of, one each."""

    evidence: Evidence
    frames: tuple[Frame, ...]


async def investigate(
    probe: Probe, refs: Mapping[str, NodeRef], lookout: Lookout, reader: Reader, drop_ear: DropEar | None = None
) -> Evidence:
    """``gather`` for those who do not keep frames."""
    return (await gather(probe, refs, lookout, reader, drop_ear)).evidence


async def gather(
    probe: Probe, refs: Mapping[str, NodeRef], lookout: Lookout, reader: Reader, drop_ear: DropEar | None = None
) -> Gathered:
    """What became of ``probe``, sent once (and once more when rules have to be traced). Nothing the network does raises.

    ``reader`` is the lab's own; ``drop_ear`` hears the kernel's drop reasons when there is one.
    """
    began = time.monotonic()
    nodes = tuple(refs.values())
    await lookout.attend(nodes)
    before = await _with_nobody_asking(reader, nodes)
    texts = _counters(refs)
    if drop_ear is not None:
        drop_ear.skip()
    outcome, seen = await _watched(probe, refs, lookout)
    after = reader.snapshot(nodes)
    counts = _risen(texts, _counters(refs))
    ground = Ground.of(before)
    flows = newest(seen.flows)
    followed = follow(probe, outcome, seen.recording, flows, ground)
    drops = None if drop_ear is None else drop_ear.take(before, followed)
    missing = list(seen.missing)
    trace = None
    if outcome.result == "failed" and seen.recording.complete:
        trace, untold = await replay(probe, followed, refs, lookout, before)
        missing += untold
    own, others = _split(flows, followed)
    if not seen.recording.complete:
        lost = seen.recording.lost + seen.recording.left_out
        missing.append(f"{lost} frames passed too fast to be seen, so a packet that is not here may still have passed")
    evidence = Evidence(
        probe=probe,
        outcome=outcome,
        journey=followed.journey,
        before=before,
        after=after,
        runs=runs(followed.sights, ground, probe.node),
        errors=errors(followed.sights, probe.node),
        routes=ways(probe, outcome, followed, flows, refs, after),
        counts=counts,
        rules=rule_hits(before, after),
        flows=own,
        other_flows=others,
        trace=trace,
        drops=drops,
        lost=seen.recording.lost + seen.recording.left_out,
        missing=tuple(dict.fromkeys(missing)),
        took_ms=(time.monotonic() - began) * 1000,
    )
    return Gathered(evidence, tuple(sight.frame for sight in followed.sights))


async def _with_nobody_asking(reader: Reader, nodes: tuple[NodeRef, ...]) -> Snapshot:
    """The state before the probe, once no node waits to hear who has an address.

    A packet for a neighbour that is being asked for joins the queue of the question under way (neigh_event_send(), net/core/neighbour.c),
    and so would the probe: it would die of a question that nobody here saw.
    """
    end = time.monotonic() + ASKED_S
    while True:
        state = reader.snapshot(nodes)
        asking = any(entry.state == "incomplete" for node in state.nodes for entry in node.neighbours)
        if not asking or time.monotonic() > end:
            return state
        await asyncio.sleep(_LOOK_S)


async def _watched(probe: Probe, refs: Mapping[str, NodeRef], lookout: Lookout) -> tuple[Outcome, Seen]:
    """One attempt of the probe, watched."""
    patience = PATIENCE_S if isinstance(probe, Lookup | Fetch) else GRACE_S
    with lookout.watch(sieve_for(probe)) as watching:
        outcome = await probing.run(probe, refs, deadline_s=patience, grace_s=patience)
        if outcome.result == "answered":  # what follows the answer, an ACK or the last copies of a flood, may be on another processor
            await asyncio.sleep(0.001)
        return outcome, watching.stop()


def rule_hits(before: Snapshot, after: Snapshot) -> tuple[RuleHit, ...]:
    """The rules whose counters rose."""
    known = {
        (node.name, chain.family, chain.table, chain.name, rule.handle): rule.packets or 0
        for node in before.nodes
        for chain in node.chains
        for rule in chain.rules
    }
    return tuple(
        RuleHit(node.name, chain.family, chain.table, chain.name, rule.handle, rule.text, rule.verdict, by)
        for node in after.nodes
        for chain in node.chains
        for rule in chain.rules
        if (by := (rule.packets or 0) - known.get((node.name, chain.family, chain.table, chain.name, rule.handle), 0)) > 0
    )


def _counters(refs: Mapping[str, NodeRef]) -> dict[str, counters.Texts]:
    texts: dict[str, counters.Texts] = {}
    for name, ref in refs.items():
        try:
            texts[name] = counters.read(ref.namespace)
        except OSError:  # the node has just gone; the snapshot says so
            continue
    return texts


def _risen(before: Mapping[str, counters.Texts], after: Mapping[str, counters.Texts]) -> tuple[Count, ...]:
    return tuple(count for node in after for count in counters.risen(node, before.get(node, {}), after[node]))


def _split(flows: tuple[Flow, ...], followed: Followed) -> tuple[tuple[Flow, ...], tuple[Flow, ...]]:
    """(the probe's own entries, others)."""
    talks = {sight.packet.subject.talk for conversation in followed.own for sight in conversation.sights}
    talks |= {talk.reverse for talk in talks}
    own = tuple(flow for flow in flows if flow.original in talks or flow.reply in talks)
    return own, tuple(flow for flow in flows if flow not in own)
