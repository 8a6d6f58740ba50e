"""The ladder: every rung, the stages at which it is asked, and what it needs. The first that finds a cause is the answer; if none does, nobody knows.

Where the packet was last seen picks the rungs: each is asked only at the places it can explain. Among them those come first that rest on
what the kernel said by itself (an errno, an ICMP error, its own trace), then on what the frames show, then on how things are set, and last
on what rules read like. While frames were missed only those are asked that need no whole capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from ..model import icmp
from ..model.addresses import is_address
from ..model.evidence import Evidence
from ..model.journey import Explanation, Fact
from ..primitives.base import Where
from .case import Case
from .cause import Cause, Look, about_the_packet, certainty, owner_words
from .last_seen import Stage
from .rungs import back, bridge, hook, link, local, neighbour, nobody, resolve, route, source

_NONE: Final[Mapping[str, str]] = {}
_ALL: Final[frozenset[Stage]] = frozenset({"refused", "unsent", "asking", "crossing", "bridging", "stray", "routing", "delivered", "home"})
_WIRED: Final = _ALL - {"refused", "unsent"}
"""The packet was on a wire, and no answer came."""


class Rung(NamedTuple):
    """One question to the evidence. ``at`` are the stages it is asked at; ``whole``: it rests on what was not seen, so no frame may be missing."""

    look: Look
    at: tuple[Stage, ...] | frozenset[Stage] = _ALL
    whole: bool = True


RUNGS: Final[tuple[Rung, ...]] = (
    Rung(resolve.no_resolver, whole=False),
    Rung(resolve.no_such_name, whole=False),
    Rung(back.stale, _ALL - {"unsent"}, whole=False),
    Rung(source.no_way_out, whole=False),
    Rung(source.refused_by_route, whole=False),
    Rung(source.of_one_link, ("routing", "delivered"), whole=False),
    Rung(source.without_source, ("unsent", "crossing", "bridging", "stray", "routing", "delivered"), whole=False),
    Rung(source.from_broadcast, ("routing", "delivered")),
    Rung(source.own_address, ("unsent", "delivered", "crossing", "routing")),
    Rung(link.unplugged, ("routing", "delivered")),
    Rung(back.answer_in_another_zone, _WIRED),
    Rung(hook.traced, whole=False),
    Rung(link.too_big, whole=False),
    Rung(route.ran_out, whole=False),
    Rung(source.claimed_twice),
    Rung(source.gateway_twice, ("routing",)),
    Rung(resolve.wrong_resolver, whole=False),
    Rung(resolve.wrong_hosts),
    Rung(local.refused, whole=False),
    Rung(back.answer_from_another),
    Rung(back.same_home),
    Rung(local.from_elsewhere, ("home",)),
    Rung(bridge.not_unpacked),
    Rung(neighbour.address_on_port),
    Rung(route.own_gateway, ("asking", "unsent", "crossing", "stray", "bridging")),
    Rung(route.by_policy, _WIRED),
    Rung(neighbour.wrong_memory, _WIRED),
    Rung(hook.counted),
    Rung(hook.legacy),
    Rung(link.no_carrier, ("unsent", "asking", "routing", "delivered")),
    Rung(source.not_led_back, _WIRED - {"home", "asking"}),
    Rung(route.astray, _WIRED - {"home"}),
    Rung(source.martian, ("routing", "delivered", "home")),
    Rung(source.strange_source, _WIRED - {"home"}),
    Rung(route.filtered_by_path, ("routing", "delivered", "home")),
    Rung(bridge.taken_for_its_twin, ("routing",)),
    Rung(nobody.sent_on, ("routing",)),
    Rung(route.not_forwarding, ("routing",)),
    Rung(source.wrong_of_two, ("delivered",)),
    Rung(source.loopback_led_out, ("unsent",)),
    Rung(back.no_masquerade, ("delivered", "asking", "routing", "crossing")),
    Rung(back.answer_untracked, ("routing", "delivered")),
    Rung(route.no_way_on, ("routing",)),
    Rung(neighbour.no_link_local, ("routing", "unsent", "delivered")),
    Rung(route.told_unreachable, whole=False),
    Rung(bridge.wrong_port, ("bridging", "crossing", "stray", "asking")),
    Rung(bridge.twin_mac, _WIRED),
    Rung(route.no_gateway, ("asking",)),
    Rung(bridge.not_flooded, ("asking",)),
    Rung(neighbour.unanswered, ("asking",)),
    Rung(nobody.nobody, ("asking",)),
    Rung(nobody.vanished, ("bridging", "stray", "crossing")),
    Rung(bridge.no_hairpin, ("bridging",)),
    Rung(bridge.between, ("bridging", "crossing", "stray")),
    Rung(link.swallowed, _WIRED - {"asking"}),
    Rung(local.ignores_pings, ("delivered",)),
    Rung(local.full, ("delivered",), whole=False),
    Rung(local.closed, ("delivered", "home", "routing", "crossing", "bridging"), whole=False),
    Rung(local.not_local, ("delivered", "home")),
    Rung(back.no_way_back, ("delivered",)),
    Rung(source.sender_twice, _WIRED),
    Rung(hook.read),
    Rung(local.keeps_silent, ("delivered",)),
    Rung(route.marked, ("routing", "unsent")),
    Rung(link.held_back, ("unsent", "routing", "delivered", "bridging")),
    Rung(link.by_policy_of_ipsec, ("unsent", "routing", "delivered", "home")),
    Rung(hook.reason),
)


def explain(evidence: Evidence, where: Where | None = None, expected: Mapping[str, str] = _NONE,
            taught: Mapping[str, str] = _NONE) -> Explanation:
    """Two sentences about a probe. ``where`` words the commands for the shell at hand, ``expected`` says whose an address should be.

    ``taught`` says which step teaches a cause, by its code. Where something decides that cannot be read (a filter of tc, an XDP program), what
    was only worked out is no cause, and what is only set there is a likely one.
    """
    case, answered = Case(evidence, where or Where(), expected), evidence.outcome.result == "answered"
    told = Explanation(answered, seen(case), journey=evidence.journey, flows=evidence.flows, older=evidence.older)
    if evidence.outcome.result != "failed":
        beside = (back.older(case) or resolve.late(case)) if answered else None
        return _because(case, told, beside, taught) if beside is not None else told
    cause, unread = first(case), link.unread(case)
    if cause is None or (unread and not about_the_packet(cause) and not any(fact.kind == "set" for fact in cause.facts)):
        return replace(told, facts=_typable(case, (*unread, *hook.unclear(case), *(Fact(line) for line in evidence.missing))))
    return _because(case, told, cause, taught, unread)


def _because(case: Case, told: Explanation, cause: Cause, taught: Mapping[str, str], unread: tuple[Fact, ...] = ()) -> Explanation:
    """With its cause. ``unread``: what else may have decided, and cannot be read."""
    known = certainty(case, cause)
    if unread and not about_the_packet(cause):
        cause, known = replace(cause, facts=(*cause.facts, *unread)), "likely"
    cause = cause if told.answered else _confirmed(case, cause)
    return replace(told, cause=f"{sentence(case, cause.text)}.", certainty=known, place=cause.place, code=cause.code,
                   facts=_typable(case, cause.facts), lesson=taught.get(cause.code, ""), fix=case.typable(cause.fix))


def _typable(case: Case, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The facts, without commands that nobody should type."""
    return tuple(replace(fact, look=case.typable(fact.look)) for fact in facts)


def first(case: Case) -> Cause | None:
    """What the first rung says that finds something."""
    for rung in RUNGS:
        if case.last.stage in rung.at and not (rung.whole and case.blind) and (cause := rung.look(case)) is not None:
            return cause
    return None


def _confirmed(case: Case, cause: Cause) -> Cause:
    """Add the kernel's own drop reason when it speaks of the same node."""
    node = cause.place.partition(":")[0]
    for drop in case.evidence.drops or ():
        known = any(drop.reason in fact.text for fact in cause.facts)
        if drop.node == node and drop.reason not in hook.NOISE and not drop.about and not known:
            fact = Fact(f"the kernel's own reason, in {drop.function}(): {drop.reason} ({drop.words})", kind="said")
            return replace(cause, facts=(*cause.facts, fact))
    return cause


def seen(case: Case) -> str:
    """Where the packet was last seen, and what came back."""
    if case.outcome.result != "failed":
        return f"{case.outcome.text}."
    return f"{sentence(case, _place(case))}{_heard(case)}.{_lost(case)}"


def _heard(case: Case) -> str:
    """What came back, or what the kernel told the sender. Who asked and heard nothing is told of where the asking is."""
    outcome = case.outcome
    if outcome.reason not in ("silence", "no-neighbour"):
        return f": {outcome.text}"
    if case.last.stage != "unsent":
        return ""
    if outcome.reason == "silence":
        return "; silence"
    lo, six = case.link(case.last.node, "lo"), case.family == 6
    told = icmp.unreachable(icmp.NO_ADDRESS6 if six else icmp.HOST, six=six).name
    return f", not even the question who has the next hop{f'; the sender is told: {told}' if lo is not None and lo.up else ''}"


def _place(case: Case) -> str:
    last = case.last
    what = "the answer" if last.leg == "return" else "the question for a name" if case.talks_dns else "the packet"
    where = f"{last.link} of {owner_words(last.node)}"
    match last.stage:
        case "unsent":
            return f"nothing left {owner_words(last.node)}"
        case "asking":
            return _asked(case, what)
        case "crossing":
            return f"{what} left {owner_words(last.node)} by {last.link} and was not seen at the other end"
        case "bridging":
            return f"{what} was last seen at {where}, a {_role(case)}, and came out of no other port"
        case "stray":
            return f"{what} came to {where}, but for another MAC ({last.hop.mac_dst if last.hop else ''}), so it was not taken in"
        case "routing":
            return f"{what} came into {owner_words(last.node)} by {last.link} and left by no interface"
        case "delivered":
            return f"{what} arrived in {owner_words(last.node)} at {last.link}, and {'no answer left it' if last.leg == 'forward' else 'went no further'}"
        case "home":
            return f"the answer came back to {owner_words(last.node)} at {last.link}, and was not taken"
        case _:
            return f"{what} reached {owner_words(last.node)}"


def _asked(case: Case, what: str) -> str:
    last = case.last
    begin = "" if last.node == case.probe.node and last.leg == "forward" else f"{what} came as far as {owner_words(last.node)}, which "
    who = f"{owner_words(last.node)} " if not begin else ""
    heard = last.hop
    elsewhere = heard is not None and heard.node != last.node
    tail = f"; the question was last heard at {heard.link} of {owner_words(heard.node)}" if heard is not None and elsewhere else ""
    return f"{begin}{who}asked on {last.link} who has {last.asked}, and nobody answered{tail}"


def _role(case: Case) -> str:
    link = case.link(case.last.node, case.last.link)
    if link is None or link.kind == "bridge":
        return "link" if link is None else "bridge"
    return f"port of {link.master}" if link.master else "link"


def _lost(case: Case) -> str:
    count = case.evidence.lost or case.evidence.journey.lost_frames
    if count:
        return f" The capture itself missed {count} frame{'s' if count != 1 else ''}, so nothing can be declared dead from what was not seen."
    unheard = case.evidence.journey.unheard
    return f" Packets of {' and '.join(unheard)} cannot be seen, so it may have gone on there." if unheard else ""


_COMMON = ("host", "internet")
"""Names of nodes that are words as well: "the host"."""


def sentence(case: Case, text: str) -> str:
    """A sentence begins with a capital; names of nodes and links, and addresses, do not change."""
    word = text.partition(" ")[0].strip(",:;").removesuffix("'s")
    names = {node.name for node in case.before.nodes if node.name not in _COMMON}
    names |= {link.name for node in case.before.nodes for link in node.links}
    return text if word in names or is_address(word) else text[:1].upper() + text[1:]
