"""A cause: what a rung answers with: an entry of the catalogue, a place, and the facts it rests on; and how certain those facts make it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from ..model.journey import Fact, FactKind
from ..model.snapshot import Snapshot
from .case import Case
from .catalogue import CATALOGUE, Site
from .mends import heals

_PROOF: Final[frozenset[FactKind]] = frozenset({"said", "counted", "seen"})
"""Kinds of facts that are about the packet itself, and not about what was there when it came."""


class Cause(msgspec.Struct, frozen=True):
    """Why the packet died. ``place`` is a node, ``node:link`` or ``node:gate``; ``fix`` is a command that would mend it, "" when it depends."""

    code: str
    place: str
    text: str
    facts: tuple[Fact, ...] = ()
    fix: str = ""


Look = Callable[[Case], Cause | None]
"""One rung's question to the evidence: the cause when it shows one, None when it does not."""


def said(text: str, look: str = "") -> Fact:
    """What the kernel said of this packet: an errno, an ICMP error, a routing answer that refuses it, its trace."""
    return Fact(text, look, "said")


def counted(text: str, look: str = "") -> Fact:
    """A counter that rose with the packet."""
    return Fact(text, look, "counted")


def seen(text: str, look: str = "") -> Fact:
    """What a frame on a wire showed, and what shows the cause by itself."""
    return Fact(text, look, "seen")


def state(text: str, look: str = "") -> Fact:
    """How the node is set: it stops every packet that has to pass there, and is proof where this one was lost."""
    return Fact(text, look, "set")


def inferred(text: str, look: str = "") -> Fact:
    """What was worked out, or what only goes with the cause."""
    return Fact(text, look)


def beside(fact: Fact) -> Fact:
    """The same fact where it only goes with the cause, and proves something else."""
    return inferred(fact.text, fact.look)


def certainty(case: Case, cause: Cause) -> Literal["certain", "likely"]:
    """From the kinds of its facts: what was said, counted or seen proves it; a setting does where the packet was last seen; no more than that.

    While the capture missed frames nothing is proved: the packet may have come further than anybody saw.
    """
    kinds = {fact.kind for fact in cause.facts}
    here = "set" in kinds and is_here(case, cause.place)
    return "certain" if not case.blind and (kinds & _PROOF or here) else "likely"


def about_the_packet(cause: Cause) -> bool:
    """Whether something was said, counted or seen of the packet itself that shows the cause."""
    return any(fact.kind in _PROOF for fact in cause.facts)


def is_here(case: Case, place: str) -> bool:
    """Whether a place is where the packet, or the question it waits for, was last seen: the node itself, or the cable between."""
    node, _, link = place.partition(":")
    last = case.last
    ends = [(last.node, last.link)] + ([(last.hop.node, last.hop.link)] if last.hop is not None else [])
    if last.stage == "unsent" and last.dst:
        ends.append((last.node, case.route(last.node, last.dst).dev or ""))
    if not link or case.link(node, link) is None:
        return any(node == own for own, _ in ends)
    if last.stage in ("unsent", "asking", "routing", "delivered") and node == last.node:
        return True
    for own, name in ends:
        here = case.link(own, name)
        far = here.peer if here is not None else None
        if (node, link) in {(own, name), (far.node, far.name) if far is not None else (own, name)}:
            return True
    return False


def at_link(node: str, link: str) -> str:
    """``host:veth2``"""
    return f"{node}:{link}"


def listed(words: Sequence[str]) -> str:
    """``a, b and c``"""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}" if words else ""


def owner_words(node: str) -> str:
    """``the host`` or ``c1``"""
    return "the host" if node == "host" else "the internet" if node == "internet" else node


def of_node(node: str) -> str:
    """``the host's`` or ``c1's``"""
    return f"{owner_words(node)}'s"


_NONE: Final[Mapping[str, object]] = {}
Mended = Callable[[Snapshot], Snapshot]
"""What a mend would make of the lab."""


def blame(case: Case, code: str, node: str, link: str = "", *, facts: Iterable[Fact], how: str = "", site: Site | None = None,
          fix: str | None = None, mended: Mended | None = None, more: Mapping[str, object] = _NONE, **words: object) -> Cause:
    """The cause ``code`` in ``node``. ``how`` picks another of its sentences, ``site`` another part of the node than the usual one.

    ``fix`` is a whole command, "" for none; without it the entry's own is used. ``mended`` is the lab as the command would leave it: when
    the packet gets no further there, the command heals nothing and is not offered. ``more`` are words that somebody else has gathered.
    """
    entry = CATALOGUE[code]
    here = case.link(node, link)
    none = case.lacking(here) if here is not None else "no address"
    names = {"who": owner_words(node), "whose": of_node(node), "link": link, "none": none} | words | dict(more)
    where = site or entry.site
    place = node if where == "node" else (at_link(node, link) if link else node) if where == "link" else f"{node}:{where}"
    command = case.run(node, entry.fix.format_map(names)) if fix is None and entry.fix else fix or ""
    offered = command if mended is None or heals(case, node, mended(case.before)) else ""
    return Cause(code, place, entry.words[how].format_map(names), tuple(facts), offered)
