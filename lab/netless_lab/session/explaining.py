"""Why: send one probe with every eye open, and say what was seen and what the likely cause is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from ..explain import explain
from ..kernel.evidence.knobs import knobs
from ..kernel.evidence.legacy import risen, stopping
from ..model.evidence import Evidence
from ..model.journey import Explanation
from ..model.probe import Probe
from .judging import settle
from .pages import where_of
from .world import World

SETTLE_S: Final = 1.5
"""How long a cable or a bridge port that has only just been made may take before its not being ready counts."""

AGAIN_S: Final = 0.015
"""A rule has counted a packet before sendto() returns."""


async def explained(
    world: World, probe: Probe, expected: Mapping[str, str], steps: Collection[str]
) -> tuple[Evidence, Explanation]:
    """The evidence about one probe, and what it says. ``expected`` says whose an address should be, ``steps`` which there are."""
    evidence = await world.investigate(probe)
    if evidence.outcome.result == "failed" and world.pending(evidence.before):
        await settle(world, SETTLE_S)
        evidence = await world.investigate(probe)
    if evidence.outcome.result == "failed":
        met = (probe.node, *(hop.node for hop in evidence.journey.hops))
        evidence = replace(evidence, knobs=knobs(met, world.refs(), evidence.before))
        evidence = await _with_legacy(world, evidence, met)
    told = explain(evidence, where_of(evidence.before, "host"), expected)
    return evidence, told if told.lesson in steps else replace(told, lesson="")


async def _with_legacy(world: World, evidence: Evidence, met: Collection[str]) -> Evidence:
    """Where the old iptables holds rules, send the probe once more and see which of them count it. No other node costs anything."""
    nodes = [(node.name, node.xtables) for node in evidence.before.nodes if node.name in met and node.xtables]
    if not nodes or (evidence.trace is not None and evidence.trace.dropped is not None):
        return evidence
    refs = world.refs()
    before = stopping(nodes, refs)
    await world.probe(evidence.probe, deadline_s=AGAIN_S, grace_s=AGAIN_S)
    return replace(evidence, legacy=risen(before, stopping(nodes, refs)))
