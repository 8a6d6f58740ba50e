"""A cause: what a rung answers with: an entry of the catalogue, a place, and the facts it rests on; how certain those facts make it; and what its mend
would do, tried on the snapshot: does the packet get further in the lab as the command would leave it? Pure.

Of a mend only links, addresses, routes, policy rules and the forwarding switch are looked at. A packet that is lost for another reason gets through
here already as things stand, and then nothing can be said against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from ..model import routes
from ..model.evidence import IcmpError
from ..model.journey import Fact, FactKind
from ..model.snapshot import Address, Link, Node, PolicyRule, Route, Snapshot
from ..primitives.base import device
from .case import Case
from .catalogue import CATALOGUE, Site
from .rules import drops
from .segment import way

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


def unheard(case: Case, errors: Iterable[IcmpError]) -> tuple[str, tuple[Fact, ...]]:
    """What became of ICMP errors that their receiver never learned of, and its own rules that may have thrown them away."""
    if not any(error.came_home for error in errors):
        return "its ICMP message that says so did not come home", ()
    home = case.sender
    named = {(chain.family, chain.table, chain.name, rule.handle): (chain, rule) for chain in home.chains for rule in chain.rules if drops(rule)}
    met = ((hit, named.get((hit.family, hit.table, hit.chain, hit.handle))) for hit in case.evidence.rules if hit.node == home.name)
    facts = [inferred(f"a rule of {owner_words(home.name)} that drops counted {hit.packets} meanwhile: {hit.text}", case.listing(home.name, own[0]))
             for hit, own in met if own is not None]
    return f"its ICMP message that says so came home to {owner_words(home.name)}, which did not take it", tuple(facts)


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
    names = {"who": owner_words(node), "whose": of_node(node), "link": link, "device": device(link), "none": none, "metric": ""} | words | dict(more)
    where = site or entry.site
    place = node if where == "node" else (at_link(node, link) if link else node) if where == "link" else f"{node}:{where}"
    command = case.run(node, entry.fix.format_map(names)) if fix is None and entry.fix else fix or ""
    offered = command if mended is None or heals(case, node, mended(case.before)) else ""
    return Cause(code, place, entry.words[how].format_map(names), tuple(facts), offered)


class _Walk(NamedTuple):
    """The nodes that a packet comes to, and whether the last takes it in."""

    nodes: tuple[str, ...]
    arrived: bool


def heals(case: Case, name: str, after: Snapshot) -> bool:
    """Whether the packet gets further in ``after`` than as things are, where something was changed in the node ``name``.

    When it does not even come to that node by what is looked at, or comes through everything, nothing can be said against the change.
    """
    node, src, dst, iif = _journey(case)
    if not dst or case.redirects:
        return True
    before, now = _walk(case.before, node, src, dst, iif), _walk(after, node, src, dst, iif)
    return before.arrived or name not in before.nodes or now.arrived or len(now.nodes) > len(before.nodes)


def brings_back(case: Case, name: str, snapshot: Snapshot) -> bool:
    """Whether an answer comes back to who sent the lost packet, from the node ``name`` that was to take it or pass it on: by the link it came in
    by, or by another way round. True where nobody here has the sender's address.
    """
    last, node = case.last, snapshot.node(name)
    if node is None or last.leg != "forward" or not (last.src and last.dst and last.iif and case.owners(last.src)):
        return True
    out = None if routes.is_local(node, last.dst) else routes.worked_out(node, last.dst, last.src, last.iif).dev or None
    back = routes.worked_out(node, last.src, last.dst, out)
    return back.type == "local" or back.dev == node.ip_device(last.iif) or _walk(snapshot, name, last.dst, last.src, out).arrived


def hopeless(case: Case) -> bool:
    """Whether the packet, as it was sent, would only come out to an internet where nobody has its address."""
    node, src, dst, iif = _journey(case)
    first = next((hop for hop in case.hops if hop.leg == "forward" and hop.direction == "out"), None)
    if case.last.leg != "forward" or case.redirects or not dst or (first is not None and first.dst != dst):
        return False
    went = _walk(case.before, node, src, dst, iif)
    reached = case.node(went.nodes[-1])
    return not went.arrived and reached.role == "internet" and bool(routes.worked_out(reached, dst).error)


def _journey(case: Case) -> tuple[str, str, str, str | None]:
    """(node, source, destination, link it came in by) of the packet that was lost, from where it set out or got these addresses by NAT."""
    last = case.last
    if last.stage == "delivered" and last.leg == "forward":
        return last.node, last.dst, last.src, None
    if last.leg == "return":
        first = next((hop for hop in case.hops if hop.leg == "return" and hop.direction == "out" and hop.dst == last.dst), None)
        return (first.node, last.src, last.dst, None) if first is not None else (last.node, last.src, last.dst, last.iif)
    sent = next((hop.src for hop in case.hops if hop.leg == "forward" and hop.direction == "out"), last.src)
    return case.probe.node, sent, last.dst or last.asked, None


def _walk(snapshot: Snapshot, name: str, src: str, dst: str, iif: str | None) -> _Walk:
    met: list[str] = []
    while name not in met:  # who sends it round in circles gets it no further
        met.append(name)
        node = snapshot.node(name)
        if node is None:
            break
        found = routes.worked_out(node, dst, src or None, iif)
        if found.type == "local":
            return _Walk(tuple(met), True)
        if found.error or not found.dev:
            break
        nexts = [(other.name, link.name) for other in snapshot.nodes for link in other.links
                 if other.name != name and any(own.address == found.next_hop for own in link.addresses)]
        start = name, found.dev
        reached = next((goal for goal in nexts if (there := way(snapshot, start, goal)) is not None and not there.stops), None)
        if reached is None:
            break
        name, iif = reached
    return _Walk(tuple(met), False)


def _edited(name: str, change: Callable[[Node], Node]) -> Callable[[Snapshot], Snapshot]:
    def apply(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, nodes=tuple(change(node) if node.name == name else node for node in snapshot.nodes))

    return apply


def with_link(node: str, link: str, **changes: Any) -> Callable[[Snapshot], Snapshot]:
    """One link otherwise: ``up=True``, ``master="br0"``."""

    def change(own: Node) -> Node:
        return replace(own, links=tuple(replace(one, **changes) if one.name == link else one for one in own.links))

    return _edited(node, change)


def with_address(node: str, link: str, cidr: str, *, instead: str = "") -> Callable[[Snapshot], Snapshot]:
    """One address more on a link, with the route it brings; ``instead`` is the one it takes the place of."""
    address, _, length = cidr.partition("/")
    family = routes.family_of(address)

    def given(one: Link) -> Link:
        kept = tuple(own for own in one.addresses if own.cidr != instead)
        return replace(one, addresses=(*kept, Address(address, int(length), family)))

    def change(own: Node) -> Node:
        links = tuple(given(one) if one.name == link else one for one in own.links)
        kept = own.routes if not instead else tuple(r for r in own.routes if (r.dst, r.dev) != (routes.subnet(instead), link))
        return replace(own, links=links, routes=(*kept, Route(routes.subnet(cidr), None, link, family=family)))

    return _edited(node, change)


def with_route(node: str, route: Route, *, instead: Route | None = None) -> Callable[[Snapshot], Snapshot]:
    """One route more; ``instead`` is the one it takes the place of."""
    return _edited(node, lambda own: replace(own, routes=(*(one for one in own.routes if one != instead), route)))


def without_route(node: str, route: Route) -> Callable[[Snapshot], Snapshot]:
    """One route less."""
    return _edited(node, lambda own: replace(own, routes=tuple(one for one in own.routes if one != route)))


def with_rule(node: str, rule: PolicyRule) -> Callable[[Snapshot], Snapshot]:
    """One policy rule more."""
    return _edited(node, lambda own: replace(own, policy=(*own.policy, rule)))


def without_rule(node: str, rule: PolicyRule) -> Callable[[Snapshot], Snapshot]:
    """One policy rule less."""
    return _edited(node, lambda own: replace(own, policy=tuple(one for one in own.policy if one != rule)))


def with_setting(node: str, key: str, value: str) -> Callable[[Snapshot], Snapshot]:
    """One sysctl of the snapshot otherwise."""
    return _edited(node, lambda own: replace(own, sysctls=own.sysctls | {key: value}))
