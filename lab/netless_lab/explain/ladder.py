"""The ladder: rungs in the order in which they are believed. The first that finds a cause is the answer; if none does, nobody knows.

What the kernel said by itself comes first (an errno, an ICMP error, its own trace), then what the frames themselves show, then the
state in the place where the packet was last seen, and last what the rules read like.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from ..model.evidence import Evidence
from ..model.journey import Explanation, Fact
from ..primitives.base import Where
from .case import Case
from .cause import Cause, Rule
from .lessons import teaches
from .rungs import (
    bridge,
    cable,
    firewall,
    identity,
    kernel_said,
    names,
    nat,
    neighbour,
    nobody,
    router,
    sender,
    size,
    target,
    tunnel,
)
from .seen import seen, sentence

_SAID: Final[tuple[Rule, ...]] = (
    names.no_resolver,
    names.no_such_name,
    sender.no_way_out,
    sender.refused_by_route,
    firewall.traced,
    size.too_big,
    router.ran_out,
    names.wrong_resolver,
    target.refused,
    target.told_unreachable,
)
"""What somebody said: these hold even when the capture missed frames."""
_SEEN: Final[tuple[Rule, ...]] = (
    names.no_resolver,
    names.no_such_name,
    sender.no_way_out,
    sender.refused_by_route,
    sender.own_address,
    firewall.traced,
    size.too_big,
    router.ran_out,
    identity.claimed_twice,
    names.wrong_resolver,
    target.refused,
    nat.answer_from_another,
    nat.same_home,
    tunnel.not_unpacked,
    neighbour.address_on_port,
    neighbour.wrong_memory,
    firewall.counted,
    firewall.legacy,
    cable.no_carrier,
    router.astray,
    router.martian,
    router.strange_source,
    router.filtered_by_path,
    router.not_forwarding,
    nat.no_masquerade,
    router.no_way_on,
    target.told_unreachable,
    bridge.wrong_port,
    bridge.twin_mac,
    nobody.no_gateway,
    neighbour.unanswered,
    nobody.nobody,
    nobody.vanished,
    bridge.no_hairpin,
    bridge.between,
    size.swallowed,
    target.ignores_pings,
    target.keeps_silent,
    target.not_local,
    target.no_way_back,
    identity.sender_twice,
    firewall.read,
    router.marked,
    cable.held_back,
    kernel_said.reason,
)
_NONE: Final[Mapping[str, str]] = {}


def explain(evidence: Evidence, where: Where | None = None, expected: Mapping[str, str] = _NONE) -> Explanation:
    """Two sentences about a probe. ``where`` words the commands for the shell at hand, ``expected`` says whose an address should be."""
    case = Case(evidence, where or Where(), expected)
    told = seen(case)
    answered = evidence.outcome.result == "answered"
    if evidence.outcome.result != "failed":
        return Explanation(answered, told, journey=evidence.journey)
    cause = first(case, _SAID if case.blind else _SEEN)
    if cause is None:
        facts = tuple(Fact(line) for line in evidence.missing)
        return Explanation(False, told, facts=facts, journey=evidence.journey)
    cause = _confirmed(case, cause)
    return Explanation(
        answered=False,
        seen=told,
        cause=f"{sentence(case, cause.text)}.",
        certainty="certain" if cause.certain and not case.blind and not _by_six(case) else "likely",
        place=cause.place,
        code=cause.code,
        facts=cause.facts,
        lesson=teaches(cause.code),
        fix=cause.fix,
        journey=evidence.journey,
    )


def first(case: Case, rungs: tuple[Rule, ...]) -> Cause | None:
    """The first rung that finds something."""
    return next((cause for rung in rungs if (cause := rung(case)) is not None), None)


def _confirmed(case: Case, cause: Cause) -> Cause:
    """Add the kernel's own drop reason when it speaks of the same node."""
    node = cause.place.partition(":")[0]
    for drop in case.evidence.drops or ():
        if (
            drop.node == node
            and drop.reason not in kernel_said.NOISE
            and not any(drop.reason in fact.text for fact in cause.facts)
        ):
            fact = Fact(f"the kernel's own reason, in {drop.function}(): {drop.reason} ({drop.words})")
            return replace(cause, facts=(*cause.facts, fact))
    return cause


def _by_six(case: Case) -> bool:
    """Whether the probe went by IPv6: the rungs were tried on IPv4, so nothing they say of IPv6 is certain."""
    return ":" in str(getattr(case.evidence.probe, "to", ""))
