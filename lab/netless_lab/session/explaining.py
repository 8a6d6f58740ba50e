"""Why: send one probe with every eye open, and say what was seen and what the likely cause is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from ..explain import explain
from ..kernel.evidence.knobs import knobs
from ..model.evidence import Evidence
from ..model.journey import Explanation
from ..model.probe import Probe
from .judging import settle
from .pages import where_of
from .world import World

SETTLE_S: Final = 1.5
"""How long a cable or a bridge port that has only just been made may take before its not being ready counts."""


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
    told = explain(evidence, where_of(evidence.before, "host"), expected)
    return evidence, told if told.lesson in steps else replace(told, lesson="")
