"""Why: send one probe with every eye open, and say what was seen and what the likely cause is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import Refusal
from ..explain import explain
from ..model.evidence import Evidence
from ..model.journey import Explanation
from ..model.probe import Probe
from .judging import settle
from .pages import where_of
from .world import World

SETTLE_S: Final = 1.5
"""How long a cable or a bridge port that has only just been made may take before its not being ready counts."""


async def explained(
    world: World, probe: Probe, expected: Mapping[str, str], taught: Mapping[str, str]
) -> tuple[Evidence, Explanation]:
    """The evidence about one probe, and what it says. ``expected`` says whose an address should be, ``taught`` which step teaches a cause.

    Raises Refusal when the probe cannot be sent at all, so that nothing can be said of the network.
    """
    evidence = await world.investigate(probe)
    if evidence.outcome.result == "failed" and world.pending(evidence.before):
        await world.look()
        await settle(world, SETTLE_S)
        evidence = await world.investigate(probe)
    if evidence.outcome.result == "error":
        raise Refusal(evidence.outcome.text, code=3)
    return evidence, explain(evidence, where_of(evidence.before, "host"), expected, taught)
