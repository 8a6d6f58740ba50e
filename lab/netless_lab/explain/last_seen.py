"""Where the packet was last seen, and what that place means: which stage of its way it had reached. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from ..model import dns
from ..model.addresses import is_address
from ..model.evidence import Evidence
from ..model.journey import Hop
from ..model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp
from ..model.routes import answer, host_of, ways_on
from ..model.snapshot import Snapshot
from .rules import puts_in, rewrites, rule_of, target_of

Stage = Literal["answered", "refused", "unsent", "asking", "crossing", "bridging", "stray", "routing", "delivered", "home"]
"""How far it came.

``unsent``: on no wire. ``asking``: a node asks who has the next hop's address, and gets no answer. ``crossing``: left by a link, not seen
at the other end. ``bridging``: inside a bridge. ``stray``: at an interface whose MAC is another. ``routing``: inside a node that it is not for.
``delivered``: in the node it is for, which stays silent. ``home``: the answer is in the node that asked, which does not take it.
``refused``: an answer came, and it was no.
"""

NEIGHBOUR_KINDS: Final = frozenset({"arp-request", "arp-reply", "ipv6-nd"})
_NOT_ITSELF: Final = NEIGHBOUR_KINDS | {"icmp-error"}
_CLEAR_NO: Final = frozenset({"refused", "reset", "no-such-name", "bad-answer"})
"""Outcomes that are an answer, and a no."""


class LastSeen(msgspec.Struct, frozen=True):
    """The place. ``src`` and ``dst`` are the packet's addresses as they stand there; "" when they are not known.

    ``iif`` is the link it came into ``node`` by, None when the node made it. ``kind`` is the packet's, as in ``Hop.kind``. ``hop`` is its
    last sighting and ``at`` that one's number. For ``asking``, ``node`` and ``link`` ask for ``asked``, and ``hop`` is where the question was heard last.
    """

    stage: Stage
    node: str
    link: str = ""
    leg: Literal["forward", "return"] = "forward"
    kind: str = ""
    src: str = ""
    dst: str = ""
    iif: str | None = None
    hop: Hop | None = None
    at: int = -1
    asked: str = ""


def locate(evidence: Evidence) -> LastSeen:
    """Where a probe was last seen."""
    if evidence.outcome.result == "answered":
        return LastSeen("answered", evidence.probe.node)
    if evidence.outcome.reason in _CLEAR_NO and evidence.journey.death is None:
        return _refusal(evidence)
    number = _number(evidence)
    question = open_question(evidence, -1 if number is None else number)
    if question is not None:
        return _asking(evidence, question)
    if number is None:
        return LastSeen("unsent", evidence.probe.node, kind=_kind(evidence.probe), dst=wanted(evidence))
    hop = evidence.journey.hops[number]
    leg = _leg(hop)
    iif = hop.link if hop.direction != "out" else None
    src, dst = truly(evidence, hop)
    last = LastSeen("crossing", hop.node, hop.link, leg, hop.kind, src, dst, iif, hop, number)
    return replace(last, stage=_stage(evidence.before, last, evidence.probe.node))


def wanted(evidence: Evidence) -> str:
    """The address the probe was sent to, "" when only a name is known."""
    found = sent_to(evidence.probe)[0] or _resolver(evidence)
    return found if is_address(found) else evidence.outcome.answer or _resolver(evidence)


def sent_to(probe: Probe) -> tuple[str, int | None]:
    """(the address or name that a probe is for, "" when it asks the node's own name server; the port)."""
    match probe:
        case Ping(to=to):
            return to, None
        case Connect(to=to, port=port) | Udp(to=to, port=port):
            return to, port
        case Lookup(server=server):
            return server or "", dns.PORT
        case Fetch(url=url):
            place = url.partition("://")[2].partition("/")[0]
            _, colon, number = place.rpartition("]")[2].rpartition(":")
            return host_of(place), int(number) if colon and number.isdecimal() else 80


def _resolver(evidence: Evidence) -> str:
    node = evidence.before.node(evidence.probe.node)
    return next((own for own in node.resolvers if is_address(own)), "") if node is not None else ""


def _kind(probe: Probe) -> str:
    return {Ping: "echo-request", Lookup: "udp", Udp: "udp"}.get(type(probe), "tcp")


def _number(evidence: Evidence) -> int | None:
    """The number of the last sighting of the packet itself that counts: the death's, when it is one."""
    death, hops = evidence.journey.death, evidence.journey.hops
    if death is not None and 0 <= death.after_hop < len(hops) and hops[death.after_hop].kind not in _NOT_ITSELF:
        return death.after_hop
    return next((number for number in range(len(hops) - 1, -1, -1) if hops[number].kind not in _NOT_ITSELF), None)


def _stage(snapshot: Snapshot, last: LastSeen, home: str) -> Stage:
    node = snapshot.node(last.node)
    link = node.link(last.link) if node is not None else None
    if node is None or link is None or last.hop is None:
        return "crossing"
    if last.hop.direction == "out":
        return "bridging" if link.kind == "bridge" else "crossing"
    if link.master and link.port is not None:
        return "bridging"
    if last.hop.direction == "other":
        return "stray"
    if node.owner(last.dst) is None:
        return "routing"
    return "home" if last.leg == "return" and last.node == home else "delivered"


def truly(evidence: Evidence, hop: Hop) -> tuple[str, str]:
    """(source, destination) of a packet as the node it has come into will see them: its NAT undoes, or does, what the table says."""
    for flow in evidence.flows:
        if flow.node != hop.node or hop.direction == "out":
            continue
        if hop.leg == "return" and (hop.src, hop.dst) == (flow.reply.src, flow.reply.dst):
            return hop.src, flow.original.src
        if hop.leg == "forward" and flow.destination_nat and (hop.src, hop.dst) == (flow.original.src, flow.original.dst):
            return hop.src, flow.reply.src
    if hop.leg == "forward" and hop.direction == "in":
        return hop.src, _redirected(evidence, hop) or hop.dst
    return hop.src, hop.dst


def _redirected(evidence: Evidence, hop: Hop) -> str:
    """Where a dnat rule sends it, by the trace: a packet that is dropped later on never gets into the connection table."""
    for step in evidence.trace.steps if evidence.trace is not None else ():
        here = step.node == hop.node and step.talk is not None and step.talk.dst == hop.dst
        rule = rule_of(evidence.before.node(step.node), step) if here else None
        if rule is not None and (target := target_of(rule)):
            return target
    return ""


class Question(NamedTuple):
    """An unanswered question: its first and its last sighting, by their numbers."""

    first: int
    last: int


def open_question(evidence: Evidence, after: int) -> Question | None:
    """The question that the packet waits for: its next hop is asked for, and the answer did not come. ``after`` is its last sighting."""
    hops = evidence.journey.hops
    found: dict[tuple[str, str], Question] = {}
    for number, hop in enumerate(hops):
        if hop.neighbour != "question":
            continue
        asker = next((node for (node, asked), known in found.items() if asked == hop.dst and hops[known.first].src == hop.src), hop.node)
        key = (asker, hop.dst)
        found[key] = Question(found[key].first if key in found else number, number)
    waited_for = _next_hops(evidence)
    answered = {(hop.node, hop.link, answers_for(hop)) for hop in hops
                if hop.neighbour == "answer" and hop.direction == "in" and not _unheard(evidence, hop)}
    waiting = [question for (node, asked), question in found.items() if (node, asked) in waited_for
               and (node, asked_on(evidence, hops[question.first]), asked) not in answered and (question.last > after or hops[after].node == node)
               and _is_for_it(evidence, question)]
    return _nearest(evidence, waiting[-1]) if waiting else None


def asked_on(evidence: Evidence, question: Hop) -> str:
    """The device by which a node asks, of which the first sighting may be missing: on its way out of a bridge a question passes a port as well."""
    node = evidence.before.node(question.node)
    if node is None or question.direction != "out":
        return question.link
    bridge = node.ip_device(question.link)
    return bridge if answer(evidence, node, question.dst).dev == bridge else question.link


def _is_for_it(evidence: Evidence, question: Question) -> bool:
    """Whether a node that has taken the packet in asks for whom it goes to next, or for whom its answer does: a node asks for others as well, to see
    whether they are still there (RFC 4861, section 7.3), its sender among them. It may have begun to ask before the packet came.
    """
    asked = evidence.journey.hops[question.first]
    node, got = evidence.before.node(asked.node), _came(evidence, question) or next(_coming_in(evidence.journey.hops, asked.node), None)
    if node is None or got is None or _redirects_to(evidence, asked):
        return True
    src, dst = truly(evidence, got)
    if node.owner(dst) is not None:
        return asked.dst in (answer(evidence, node, src).next_hop, *ways_on(node, src))
    return asked.dst in (answer(evidence, node, dst).next_hop, answer(evidence, node, dst, src, got.link).next_hop, *ways_on(node, dst))


def _came(evidence: Evidence, question: Question) -> Hop | None:
    """The packet as it came last into the node that asks, before it asked."""
    hops = evidence.journey.hops
    return next(_coming_in(tuple(reversed(hops[: question.first])), hops[question.first].node), None)


def _coming_in(hops: Sequence[Hop], node: str) -> Iterator[Hop]:
    """The sightings of the packet itself as it comes into a node."""
    return (hop for hop in hops if hop.node == node and hop.direction == "in" and hop.kind not in _NOT_ITSELF)


def _unheard(evidence: Evidence, reply: Hop) -> bool:
    """Whether the node still does not know the neighbour, although its answer came in: something threw it away."""
    node = evidence.after.node(reply.node)
    entries = node.neighbours if node is not None else ()
    return any(entry.address == answers_for(reply) and entry.state in ("incomplete", "failed") for entry in entries)


def answers_for(reply: Hop) -> str:
    """Whose MAC an answer tells: an ARP answer is for its sender's address, a neighbour advertisement for its target's."""
    return reply.src if reply.kind == "arp-reply" else reply.dst


def _nearest(evidence: Evidence, question: Question) -> Question:
    """With the last sighting replaced by the one nearest to who has the address: at his node, when it was heard there."""
    hops = evidence.journey.hops
    owners = {node.name for node in evidence.before.nodes if node.owner(hops[question.first].dst) is not None}
    same = [n for n, hop in enumerate(hops)
            if hop.neighbour == "question" and (hop.src, hop.dst) == (hops[question.first].src, hops[question.first].dst)]
    at_owner = [number for number in same if hops[number].node in owners]
    return Question(question.first, (at_owner or (same if owners else [question.first]))[-1])


def _next_hops(evidence: Evidence) -> set[tuple[str, str]]:
    """(node, address) of everybody that a node on the way may have to find for this packet or its answer."""
    hops = [hop for hop in evidence.journey.hops if hop.kind not in _NOT_ITSELF]
    nodes = {evidence.probe.node, *(hop.node for hop in hops)}
    addresses = {wanted(evidence), *(own for hop in hops for own in (hop.src, hop.dst))}
    addresses |= {own for flow in evidence.flows for own in (flow.reply.src, flow.reply.dst, flow.original.src, flow.original.dst)}
    addresses |= {hop.dst for hop in evidence.journey.hops if hop.neighbour == "question" and _redirects_to(evidence, hop)}
    found: set[tuple[str, str]] = set()
    for name in nodes:
        node = evidence.before.node(name)
        for address in addresses if node is not None else ():
            if address and is_address(address) and node is not None:
                found |= {(name, hop) for hop in (answer(evidence, node, address).next_hop, *ways_on(node, address))}
    return found


def _redirects_to(evidence: Evidence, hop: Hop) -> bool:
    """Whether a rule of the asking node names the asked address as a new destination or source."""
    node = evidence.before.node(hop.node)
    rules = (rule for chain in (*node.chains, *node.legacy) for rule in chain.rules) if node is not None and is_address(hop.dst) else ()
    return any(puts_in(part, hop.dst) for rule in rules for part in (*rewrites(rule, source=True), *rewrites(rule, source=False)))


def _asking(evidence: Evidence, question: Question) -> LastSeen:
    """Who asked for whom, and which packet waits for the answer."""
    hops = evidence.journey.hops
    first, heard = hops[question.first], hops[question.last]
    last = LastSeen("asking", first.node, asked_on(evidence, first), hop=heard, at=question.last, asked=first.dst)
    if (got := _came(evidence, question)) is None:
        return replace(last, kind=_kind(evidence.probe), src=first.src, dst=wanted(evidence) or first.dst)
    if _is_for(evidence, got, first.dst):  # the node makes an answer to what it has taken in
        kind = "echo-reply" if got.kind == "echo-request" else got.kind
        return replace(last, leg="return" if got.leg == "forward" else "forward", kind=kind, src=got.dst, dst=got.src)
    src, dst = truly(evidence, got)
    return replace(last, leg=_leg(got), kind=got.kind, src=src, dst=dst, iif=got.link)


def _is_for(evidence: Evidence, got: Hop, asked: str) -> bool:
    """Whether the node is the packet's end: it has the address, and does not hand it on to somebody else."""
    node = evidence.before.node(got.node)
    if node is None or node.owner(truly(evidence, got)[1]) is None:
        return False
    return answer(evidence, node, got.src).next_hop == asked


def _leg(hop: Hop) -> Literal["forward", "return"]:
    return "return" if hop.leg == "return" else "forward"


def _refusal(evidence: Evidence) -> LastSeen:
    """Where the refusal was made: where the last packet of the way back, or the ICMP error, was seen first."""
    hops = evidence.journey.hops
    answers = [run for run in evidence.runs if run.leg == "return"]
    errors = [number for number, hop in enumerate(hops) if hop.kind == "icmp-error"]
    at = answers[-1].hops[0] if answers else errors[0] if errors else -1
    if at < 0:
        return LastSeen("refused", evidence.probe.node, kind=_kind(evidence.probe), dst=wanted(evidence))
    made = hops[at]
    return LastSeen("refused", made.node, made.link, "forward", made.kind, made.dst, made.src, None, made, at)
