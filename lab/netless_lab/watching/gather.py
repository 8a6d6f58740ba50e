"""Send one probe and gather every fact about what became of it.

The order is that of the ladder: the wire first; then state, counters, connection table; the rules only when there are any on the way
and the packet died, by one replay; routing decisions in every node that had the packet; settings; what rules of the old iptables count
when the packet is sent once more. 75 ms for a packet that dies on its way, of which 60 are the silence itself; 20 more when rules are traced,
140 more when a program has it that does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from msgspec.structs import replace

from ..kernel import probe as probing
from ..kernel.evidence import counters
from ..kernel.evidence.conntrack import in_use, newest, tables
from ..kernel.evidence.drops import DropEar
from ..kernel.evidence.knobs import knobs
from ..kernel.evidence.legacy import risen, stopping
from ..kernel.evidence.lookout import Lookout, Seen, Watching, sieve_for
from ..kernel.evidence.replay import AsFar, replay
from ..kernel.evidence.under_way import UnderWay, asking
from ..kernel.evidence.ways import ways
from ..kernel.probe.patience import Hope
from ..kernel.probe.run import LAB_IDENTIFIERS
from ..kernel.read import NodeRef, Reader
from ..model.evidence import CLOSED_PORT, Afresh, Count, Evidence, RuleHit
from ..model.journeys.assemble import Followed, follow
from ..model.journeys.converse import Conversation
from ..model.journeys.flow import Flow, asked
from ..model.journeys.frame import Frame, Ground
from ..model.journeys.packet import ICMP, ICMP6
from ..model.journeys.path import errors, runs
from ..model.probe import Outcome, Probe, Udp, asks_names
from ..model.snapshot import Node, Snapshot

GRACE_S: Final = 0.06
"""How long silence must last to count: inside one kernel an answer is there when sendto() returns."""
ASKED_S: Final = 1.0
"""How long to wait for the end of other questions who has an address: in a lab they take 0.1 s (``sandbox.tune``)."""
_LOOK_S: Final = 0.01
_threads: Final = ThreadPoolExecutor(2, thread_name_prefix="gather")
COUNTED_S: Final = 0.015
"""A rule has counted a packet before sendto() returns."""
PATIENCE_S: Final = 0.2
"""The same for a datagram, a name or a page, whose servers are programs that must be scheduled first."""


class Gathered(NamedTuple):
    """The evidence, the frames that the hops of its journey were made of, one each, and what was said by the probe itself."""

    evidence: Evidence
    frames: tuple[Frame, ...]
    own: tuple[Conversation, ...]


async def gather(probe: Probe, refs: Mapping[str, NodeRef], lookout: Lookout, reader: Reader,
                 drop_ear: DropEar | None = None) -> Gathered:
    """What became of ``probe``, sent once (and once more when rules have to be traced). Nothing the network does raises.

    ``reader`` is the lab's own; ``drop_ear`` hears the kernel's drop reasons when there is one.
    """
    began = time.monotonic()
    nodes = tuple(refs.values())
    await lookout.attend(nodes)
    loop = asyncio.get_running_loop()
    reading = [loop.run_in_executor(_threads, tables, {name: ref}) for name, ref in refs.items()]
    watching, before = await _with_nobody_asking(probe, lookout, reader, nodes)
    with watching:
        read = await asyncio.gather(*reading)
        known = tuple(flow for found, _ in read for flow in found)
        texts = _counters(refs)
        if drop_ear is not None:
            drop_ear.skip()
        hope = UnderWay(before, GRACE_S, lambda: reader.snapshot(nodes), lambda: _risen(texts, _counters(refs)))
        outcome, seen = await _watched(probe, refs, watching, hope)
    after = reader.snapshot(nodes)
    counts = _risen(texts, _counters(refs))
    outcome = _of_a_filter(outcome, counts)
    ground = Ground.of(before)
    flows = _marked_as_known(newest((*known, *seen.flows)), known)
    followed = follow(probe, outcome, seen.recording, flows, ground)
    drops = None if drop_ear is None else drop_ear.take(before, followed)
    missing = [*seen.missing, *(untold for _, told in read for untold in told)]
    failed, met = outcome.result == "failed", (probe.node, *(hop.node for hop in followed.journey.hops))
    routes = loop.run_in_executor(_threads, ways, probe, outcome, followed, flows, refs, after)
    settings = loop.run_in_executor(_threads, knobs, met if failed else (), refs, before)
    trace = None
    if failed and seen.recording.complete:
        trace, untold = await replay(probe, followed, refs, lookout, before)
        missing += untold
    own = _own(flows, followed)
    if not seen.recording.complete:
        lost = seen.recording.lost + seen.recording.left_out
        missing.append(f"{lost} frames passed too fast to be seen, so a packet that is not here may still have passed")
    older = _in_use(_alike(known, own, followed), refs, before.node(probe.node))
    evidence = Evidence(
        probe=probe, outcome=outcome, journey=followed.journey, before=before, after=after,
        runs=runs(followed.sights, ground, probe.node), errors=errors(followed.sights, probe.node),
        routes=await routes, counts=counts, rules=rule_hits(before, after), flows=own, older=older,
        trace=trace, drops=drops, knobs=await settings, lost=seen.recording.lost + seen.recording.left_out, missing=tuple(dict.fromkeys(missing)),
    )  # fmt: skip
    said = list(followed.own)
    if failed and isinstance(probe, Udp) and any(flow.event == "known" for flow in own):
        with lookout.watch(sieve_for(probe)) as again_watching:
            again_outcome, again_seen = await _watched(replace(probe, source_port=None), refs, again_watching, hope)
        again_followed = follow(probe, again_outcome, again_seen.recording, newest(again_seen.flows), ground)
        evidence = replace(evidence, afresh=Afresh(again_outcome, _own(newest(again_seen.flows), again_followed)))
        said += again_followed.own
    if failed:
        evidence, again = await _with_legacy(evidence, followed, met, refs, lookout)
        said += again
    evidence = replace(evidence, took_ms=(time.monotonic() - began) * 1000)
    return Gathered(evidence, tuple(sight.frame for sight in followed.sights), tuple(said))


async def _with_legacy(
    evidence: Evidence, followed: Followed, met: Collection[str], refs: Mapping[str, NodeRef], lookout: Lookout
) -> tuple[Evidence, tuple[Conversation, ...]]:
    """Where the old iptables holds rules, send the probe once more and see which of them count it. No other node costs anything."""
    nodes = [(node.name, node.xtables) for node in evidence.before.nodes if node.name in met and node.xtables]
    if not nodes or (evidence.trace is not None and evidence.trace.dropped is not None):
        return evidence, ()
    before, probe = stopping(nodes, refs), evidence.probe
    with lookout.watch(sieve_for(probe)) as watching:
        patience = PATIENCE_S if asks_names(probe) else COUNTED_S
        outcome = await probing.run(probe, refs, deadline_s=patience, grace_s=patience, hope=AsFar(followed, watching, COUNTED_S))
        seen = watching.stop()
    again = follow(probe, outcome, seen.recording, newest(seen.flows), Ground.of(evidence.before))
    return replace(evidence, legacy=risen(before, stopping(nodes, refs))), tuple(again.own)


async def _with_nobody_asking(probe: Probe, lookout: Lookout, reader: Reader, nodes: tuple[NodeRef, ...]) -> tuple[Watching, Snapshot]:
    """The state before the probe, once no node waits to hear who has an address, and a watch that has gone on since before that was seen.

    A packet for a neighbour that is being asked for joins the queue of the question under way (neigh_event_send(), net/core/neighbour.c),
    and so would the probe: it would die of a question that nobody here saw. Whoever asks after the look is heard.
    """
    end = time.monotonic() + ASKED_S
    while True:
        watching = lookout.watch(sieve_for(probe))
        try:
            state = reader.snapshot(nodes)
        except BaseException:
            watching.stop()
            raise
        if not asking(state) or time.monotonic() > end:
            return watching, state
        watching.stop()
        await asyncio.sleep(_LOOK_S)


async def _watched(probe: Probe, refs: Mapping[str, NodeRef], watching: Watching, hope: Hope) -> tuple[Outcome, Seen]:
    """One attempt of the probe, to the end of its watch."""
    patience = PATIENCE_S if isinstance(probe, Udp) or asks_names(probe) else GRACE_S
    outcome = await probing.run(probe, refs, deadline_s=patience, grace_s=patience, hope=hope)
    if outcome.result == "answered":  # what follows the answer, an ACK or the last copies of a flood, may be on another processor
        await asyncio.sleep(0.001)
    return outcome, watching.stop()


def _of_a_filter(outcome: Outcome, counts: tuple[Count, ...]) -> Outcome:
    """A port whose target says that nobody listens, as a firewall there that rejects says too; but then no kernel has counted a closed port."""
    if not isinstance(outcome.probe, Udp) or outcome.result != "answered" or outcome.by is None:
        return outcome
    if any(count.name in CLOSED_PORT.values() for count in counts):
        return outcome
    text = f"{outcome.by} answered that nobody listens there (ICMP port unreachable), in the words of a firewall: no closed port was counted"
    return replace(outcome, result="failed", reason="filtered", text=text)


def rule_hits(before: Snapshot, after: Snapshot) -> tuple[RuleHit, ...]:
    """The rules whose counters rose."""
    known = {(node.name, chain.family, chain.table, chain.name, rule.handle): rule.packets or 0 for node in before.nodes for chain in node.chains
             for rule in chain.rules}
    return tuple(RuleHit(node.name, chain.family, chain.table, chain.name, rule.handle, rule.text, by) for node in after.nodes
                 for chain in node.chains for rule in chain.rules
                 if (by := (rule.packets or 0) - known.get((node.name, chain.family, chain.table, chain.name, rule.handle), 0)) > 0)


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


def _own(flows: tuple[Flow, ...], followed: Followed) -> tuple[Flow, ...]:
    """The probe's own entries."""
    talks = {sight.packet.subject.talk for conversation in followed.own for sight in conversation.sights}
    talks |= {talk.reverse for talk in talks}
    return tuple(flow for flow in flows if flow.original in talks or flow.reply in talks)


def _marked_as_known(flows: tuple[Flow, ...], known: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """Entries that were there before stay known for that, whatever has changed of them since."""
    before = {(flow.node, flow.original) for flow in known}
    return tuple(replace(flow, event="known") if flow.event == "update" and (flow.node, flow.original) in before else flow for flow in flows)


def _alike(known: tuple[Flow, ...], own: tuple[Flow, ...], followed: Followed) -> tuple[Flow, ...]:
    """The entries from before of other flows between the same ends, to the same port; no pings of the lab's own, which nobody waits for."""
    wanted = {asked(sight.packet.subject.talk) for conversation in followed.own for sight in conversation.sights if sight.leg > 0}
    found = [flow for flow in known if flow not in own and flow.asked in wanted]
    return tuple(flow for flow in found if flow.original.proto not in (ICMP, ICMP6) or not LAB_IDENTIFIERS.gave(flow.original.sport))


def _in_use(flows: tuple[Flow, ...], refs: Mapping[str, NodeRef], sender: Node | None) -> tuple[Flow, ...]:
    found = []
    for flow in flows:
        own = refs[sender.name] if sender is not None and sender.owner(flow.original.src) is not None else None
        with contextlib.suppress(OSError, KeyError):  # the node has just gone
            found += [flow] if in_use(flow, refs[flow.node], own) else []
    return tuple(found)
