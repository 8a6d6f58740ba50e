"""A recording and what became of a probe -> its ``Journey``; a recording of other people's traffic -> theirs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..addresses import with_port
from ..journey import Death, Flood, Hop, Journey, Learned, Rewrite, Tunnel
from ..probe import Outcome, Probe
from . import path
from .converse import Conversation, Question, Sight, belonging, converse, joined, questions
from .decode import decode
from .flow import Flow
from .frame import Ground, Recording
from .own import of_probe, target
from .packet import Packet
from .words import words

MOST_HOPS: Final = 240
"""Sightings one journey keeps; a long TCP connection has more, and its first part is what teaches."""
_CAME_HOME: Final = frozenset({"answered", "refused", "reset", "no-such-name", "bad-answer"})
"""Reasons that are themselves an answer of the far end."""


class _Way(NamedTuple):
    """Every sighting of one journey in true order; ``own`` are the numbers of those that are the packet itself, not a question."""

    sights: tuple[Sight, ...]
    own: tuple[int, ...]
    open_question: bool


class Followed(NamedTuple):
    """A journey, with the sightings its hops were made of (same numbers) and the conversations it was chosen from."""

    journey: Journey
    sights: tuple[Sight, ...]
    own: tuple[Conversation, ...]


def follow(probe: Probe, outcome: Outcome, recording: Recording, flows: Sequence[Flow], ground: Ground) -> Followed:
    """What a recording shows of ``probe``. ``flows`` help to follow it through NAT, ``ground`` to tell ports from ends."""
    found = converse(((frame, decode(frame.data)) for frame in recording.frames), flows)
    chosen = of_probe(probe, outcome, found.conversations, flows)
    way = _way(chosen, questions(found.neighbours), ground, probe.node)
    complete = outcome.result == "answered" or outcome.reason in _CAME_HOME
    told = _told(way, ground)
    death, unheard = None, path.unheard(told.hops, ground, recording.unheard, probe.node)
    if not complete and recording.complete and not unheard and outcome.result == "failed":
        death = path.death(way.sights, ground, probe.node, way.open_question) or Death(probe.node, "", -1, "forward")
    made = Journey(
        source=probe.node, target=target(probe), hops=told.hops, rewrites=(*_rewritten_at_once(probe, chosen, flows), *told.rewrites),
        complete=complete, death=death, lost_frames=recording.lost + recording.left_out, started=told.started, learned=told.learned,
        floods=told.floods, left_out=told.left_out, unheard=unheard, title=title(probe),
    )  # fmt: skip
    return Followed(made, way.sights[: len(told.hops)], chosen)


def title(probe: Probe) -> str:
    """``ping 10.0.0.1 from c1``"""
    return f"{type(probe).__name__.lower()} {target(probe)} from {probe.node}"


def traffic(
    conversations: Iterable[Conversation], asked: Sequence[Question], ground: Ground, lost: int = 0, deaf: frozenset[str] = frozenset()
) -> tuple[Followed, ...]:
    """One journey for each conversation, with the neighbour questions it caused, then one for each question that nothing else caused.

    While they were recorded, ``lost`` frames were missed, and to the ``deaf`` nodes nobody listened.
    """
    used: set[int] = set()
    made: list[Followed] = []
    for conversation in conversations:
        own = [question for question in belonging(conversation, asked, ground) if id(question) not in used or joined(question, conversation, ground)]
        used |= {id(question) for question in own}
        home = conversation.home
        complete = any(own.leg < 0 and path.arrived(own, ground, home) and own.packet.kind != "icmp-error" for own in conversation.sights)
        way = _way((conversation,), own, ground, "")
        made.append(Followed(_journey(way, conversation.first.packet, ground, home, complete, lost, deaf), way.sights[:MOST_HOPS], (conversation,)))
    for question in asked:
        if id(question) not in used:
            way = _Way(tuple(question.sights), (), not question.answered)
            told = _journey(way, question.sights[0].packet, ground, question.sights[0].frame.node, question.answered, lost, deaf)
            made.append(Followed(told, way.sights[:MOST_HOPS], ()))
    return tuple(sorted(made, key=lambda followed: followed.journey.started))


def _journey(way: _Way, first: Packet, ground: Ground, home: str, complete: bool, lost: int, deaf: frozenset[str]) -> Journey:
    told = _told(way, ground)
    unheard = path.unheard(told.hops, ground, deaf, home)
    death = None if complete or lost or unheard else path.death(way.sights, ground, home, way.open_question)
    return Journey(
        source=way.sights[0].frame.node, target=first.subject.dst, hops=told.hops, rewrites=told.rewrites, complete=complete, death=death,
        lost_frames=lost, started=told.started, learned=told.learned, floods=told.floods, left_out=told.left_out, unheard=unheard, title=words(first),
    )  # fmt: skip


def _way(chosen: Iterable[Conversation], asked: Sequence[Question], ground: Ground, source: str) -> _Way:
    """The conversations and the questions they caused or wait for, woven into true order."""
    conversations = tuple(chosen)
    own = [sight for conversation in conversations for sight in conversation.sights]
    began = min((sight.frame.at_ns for sight in own), default=0)
    caused: dict[int, tuple[Question, bool]] = {}
    for conversation in conversations or (None,):
        for question in belonging(conversation, asked, ground, source):
            waits = conversation is not None and joined(question, conversation, ground)
            caused[id(question)] = question, waits
    woven = sorted(
        [(sight, True) for sight in own]
        + [(sight, False) for question, waits in caused.values() for sight in _from(question, began if waits else 0)],
        key=lambda pair: pair[0].frame.at_ns,
    )
    last, waits = max(caused.values(), key=lambda pair: pair[0].began, default=(None, False))
    last_own = max((sight.frame.at_ns for sight in own if sight.packet.kind != "icmp-error"), default=0)
    unanswered = last is not None and not last.answered and (waits or last.sights[-1].frame.at_ns >= last_own)
    return _Way(tuple(sight for sight, _ in woven), tuple(n for n, (_, mine) in enumerate(woven) if mine), unanswered)


def _from(question: Question, at_ns: int) -> Sequence[Sight]:
    """A question from a time on; all of it when nothing of it was seen later."""
    return [sight for sight in question.sights if sight.frame.at_ns >= at_ns] or question.sights


class _Told(NamedTuple):
    hops: tuple[Hop, ...]
    rewrites: tuple[Rewrite, ...]
    learned: tuple[Learned, ...]
    floods: tuple[Flood, ...]
    started: float
    left_out: int


def _told(way: _Way, ground: Ground) -> _Told:
    sights = way.sights[:MOST_HOPS]
    if not sights:
        return _Told((), (), (), (), 0.0, 0)
    began = sights[0].frame.at_ns
    hops = tuple(hop(sight, began) for sight in sights)
    own = [number for number in way.own if number < MOST_HOPS]
    changes = path.rewrites([sights[number] for number in own], own)
    left_out = len(way.sights) - len(sights)
    return _Told(hops, changes, path.learned(sights, ground), path.floods(sights, ground), began / 1e9, left_out)


def hop(sight: Sight, began_ns: int) -> Hop:
    """A sighting as the screen shows it."""
    frame, outer = sight.frame, sight.packet
    packet = outer.subject
    return Hop(
        node=frame.node, link=frame.link, direction=frame.direction, at_us=(frame.at_ns - began_ns) / 1000, kind=packet.kind, text=words(outer),
        src=packet.src, dst=packet.dst, ttl=packet.ttl, mac_src=outer.mac_src.hex(":"), mac_dst=outer.mac_dst.hex(":"), length=frame.length,
        leg=path.part_of(sight), neighbour=packet.neighbour,
        tunnel=Tunnel(outer.src, outer.dst, outer.dport, outer.vni) if outer.inner is not None else None,
    )  # fmt: skip


def _rewritten_at_once(probe: Probe, chosen: Sequence[Conversation], flows: Sequence[Flow]) -> tuple[Rewrite, ...]:
    """A node's own firewall may redirect what it sends before it is on any wire: only the connection table knows what was asked for."""
    for conversation in chosen:
        talk = conversation.first.packet.subject.talk
        for flow in flows:
            if flow.node == probe.node and flow.reply.reverse == talk and flow.original.dst != talk.dst:
                ports = flow.original.dport != talk.dport
                before = with_port(flow.original.dst, flow.original.dport) if ports else flow.original.dst
                after = with_port(talk.dst, talk.dport) if ports else talk.dst
                return (Rewrite(probe.node, -1, "destination", before, after),)
    return ()
