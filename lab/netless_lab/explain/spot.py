"""Where the packet was last seen, and what that place means: which stage of its way it had reached. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from ..model.evidence import Evidence
from ..model.journey import Hop
from ..model.probe import Connect, Fetch, Lookup, Ping, Probe
from ..model.snapshot import Snapshot
from .routes import is_address

Stage = Literal["answered", "refused", "unsent", "asking", "crossing", "bridging", "stray", "routing", "delivered", "home"]
"""How far it came.

``unsent``: on no wire. ``asking``: a node asks who has the next hop's address, and gets no answer. ``crossing``: left by a link, not seen
at the other end. ``bridging``: inside a bridge. ``stray``: at an interface whose MAC is another. ``routing``: inside a node that it is not for.
``delivered``: in the node it is for, which stays silent. ``home``: the answer is in the node that asked, which does not take it.
``refused``: an answer came, and it was no.
"""

NEIGHBOUR_KINDS = frozenset({"arp-request", "arp-reply", "ipv6-nd"})


class Spot(msgspec.Struct, frozen=True):
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


def locate(evidence: Evidence) -> Spot:
    """The spot of a probe."""
    hops, snapshot = evidence.journey.hops, evidence.before
    if evidence.outcome.result == "answered":
        return Spot("answered", evidence.probe.node)
    last = _last(evidence)
    if last is None:
        return Spot("unsent", evidence.probe.node, kind=_kind(evidence.probe), dst=wanted(evidence))
    hop = hops[last]
    if evidence.outcome.reason in ("refused", "reset", "no-such-name", "bad-answer") and evidence.journey.death is None:
        return _refusal(evidence, last)
    if hop.kind in NEIGHBOUR_KINDS:
        return _asking(evidence, last)
    leg: Literal["forward", "return"] = "return" if hop.leg == "return" else "forward"
    stage = _stage(snapshot, hop, evidence.probe.node, leg)
    iif = hop.link if hop.direction != "out" else _came_by(hops[:last], hop.node)
    return Spot(stage, hop.node, hop.link, leg, hop.kind, hop.src, hop.dst, iif, hop, last)


def wanted(evidence: Evidence) -> str:
    """The address the probe was sent to, "" when only a name is known."""
    probe = evidence.probe
    match probe:
        case Ping(to=to) | Connect(to=to):
            found = to
        case Lookup(server=server):
            found = server or _resolver(evidence)
        case Fetch(url=url):
            found = url.partition("://")[2].partition("/")[0].partition(":")[0]
    if is_address(found):
        return found
    return evidence.outcome.answer or _resolver(evidence)


def _resolver(evidence: Evidence) -> str:
    node = evidence.before.node(evidence.probe.node)
    return next((own for own in node.resolvers if is_address(own)), "") if node is not None else ""


def _kind(probe: Probe) -> str:
    return {Ping: "echo-request", Lookup: "udp"}.get(type(probe), "tcp")


def _last(evidence: Evidence) -> int | None:
    """The number of the last sighting that counts: the death's, else the last of the packet itself."""
    death, hops = evidence.journey.death, evidence.journey.hops
    if death is not None and 0 <= death.after_hop < len(hops):
        return death.after_hop
    return next(
        (number for number in range(len(hops) - 1, -1, -1) if hops[number].kind not in (*NEIGHBOUR_KINDS, "icmp-error")), None
    )


def _stage(snapshot: Snapshot, hop: Hop, home: str, leg: str) -> Stage:
    node = snapshot.node(hop.node)
    link = node.link(hop.link) if node is not None else None
    if node is None or link is None:
        return "crossing"
    if hop.direction == "out":
        return "bridging" if link.kind == "bridge" else "crossing"
    if link.master and link.port is not None:
        return "bridging"
    if hop.direction == "other":
        return "stray"
    if node.owner(hop.dst) is None:
        return "routing"
    return "home" if leg == "return" and hop.node == home else "delivered"


def _came_by(earlier: tuple[Hop, ...], node: str) -> str | None:
    """By which link the packet had come into ``node``; None when it was made there."""
    for hop in reversed(earlier):
        if hop.node == node and hop.kind not in NEIGHBOUR_KINDS and hop.direction in ("in", "broadcast"):
            return hop.link
    return None


def _asking(evidence: Evidence, last: int) -> Spot:
    """Who asked for whom, and which packet waits for the answer."""
    hops, heard = evidence.journey.hops, evidence.journey.hops[last]
    asked = [hop for hop in hops if hop.kind == heard.kind and hop.dst == heard.dst and hop.src == heard.src]
    first = next((hop for hop in asked if hop.direction == "out"), asked[0])
    spot = Spot("asking", first.node, first.link, hop=heard, at=last, asked=heard.dst)
    got = _came_in(hops[: hops.index(first)], first.node)
    if got is None:
        return replace(spot, kind=_kind(evidence.probe), src=heard.src, dst=wanted(evidence) or heard.dst)
    if _is_for(evidence, got, heard.dst):  # the node makes an answer to what it has taken in
        kind = "echo-reply" if got.kind == "echo-request" else got.kind
        return replace(spot, leg="return" if got.leg == "forward" else "forward", kind=kind, src=got.dst, dst=got.src)
    redirected = next((flow.reply.src for flow in evidence.flows if flow.node == first.node and flow.destination_nat), "")
    return replace(spot, leg=_leg(got), kind=got.kind, src=got.src, dst=redirected or got.dst, iif=got.link)


def _is_for(evidence: Evidence, got: Hop, asked: str) -> bool:
    """Whether the node is the packet's end: it has the address, and does not hand it on to somebody it redirects to."""
    node = evidence.before.node(got.node)
    redirected = any(flow.node == got.node and flow.destination_nat and flow.reply.src == asked for flow in evidence.flows)
    return node is not None and node.owner(got.dst) is not None and not redirected


def _came_in(earlier: tuple[Hop, ...], node: str) -> Hop | None:
    """The last packet that came into ``node`` before."""
    for hop in reversed(earlier):
        if hop.node == node and hop.kind not in (*NEIGHBOUR_KINDS, "icmp-error") and hop.direction == "in":
            return hop
    return None


def _leg(hop: Hop) -> Literal["forward", "return"]:
    return "return" if hop.leg == "return" else "forward"


def _refusal(evidence: Evidence, last: int) -> Spot:
    """Where the refusal was made: where the last packet of the way back, or the ICMP error, was seen first."""
    hops = evidence.journey.hops
    answers = [run for run in evidence.runs if run.leg == "return"]
    made = hops[answers[-1].hops[0]] if answers else next((hop for hop in hops if hop.kind == "icmp-error"), hops[last])
    return Spot("refused", made.node, made.link, "forward", made.kind, made.dst, made.src, None, made, last)
