"""Finding out what the learner called things: any name, address or network that meets the step is right.

A step's new words (``fresh``) may stand for anything of the right kind in the right place; words of earlier steps are settled.
The search is small: it goes expectation by expectation, keeps only bindings under which each one holds, and tries a word's
earlier binding and the lesson's own word first.

What a fresh word may stand for: things in the snapshot that no world made and no settled word already means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from itertools import product

import msgspec

from ..model.addresses import interface
from ..model.snapshot import Link, Node, Snapshot
from ..primitives.address import unfit
from ..primitives.base import Expectation, Met, NotMet, Where
from ..primitives.bridge import IsPort
from ..primitives.doors import ESTABLISHED
from ..primitives.roles import RoleName
from .bindings import Bindings, apply
from .step import Known, Lesson, Step
from .words import items_of, words_by_role, words_of

_WORLD = ("internet", "router")


class Free(msgspec.Struct, frozen=True):
    """Candidates by role. ``links`` counts how many links of a name are still to be had, ``kinds`` of which kinds links of a name are, and ``asked``
    of which kind the step asks a word's link to be; ``cidrs`` are the addresses on them.

    ``settled`` are the canonical networks of earlier steps, ``foreign`` the networks of the world, ``taken`` addresses in use.
    """

    links: dict[str, int]
    kinds: dict[str, frozenset[str]]
    asked: dict[str, str]
    names: tuple[str, ...]
    cidrs: tuple[str, ...]
    settled: tuple[str, ...]
    foreign: tuple[str, ...]
    taken: tuple[str, ...]

    def candidates(self, role: RoleName, text: str, before: Bindings, now: Bindings) -> Iterator[str]:
        """Words to try for ``text``, likely ones first: its earlier binding, itself, then all others."""
        likely = dict.fromkeys((before.word(role, text), now.word(role, text), text))
        match role:
            case "link":
                yield from (own for own in dict.fromkeys((*likely, *self.links)) if own == text or self._alike(own, text))
            case "netns":
                yield from dict.fromkeys((*likely, *self.names))
            case "cidr":
                fitting = (own for own in self.cidrs if self._fits(own, text, now))
                yield from dict.fromkeys((now.word(role, text), *(own for own in likely if self._fits(own, text, now)), *fitting))

    def available(self, role: RoleName, own: str, given: tuple[tuple[RoleName, str, str], ...]) -> bool:
        """Whether another word may mean ``own``: two words share a name only when two things bear it."""
        uses = sum(1 for other_role, _, other in given if other_role == role and other == own)
        return uses < max(self.links.get(own, 1), 1) if role == "link" else uses == 0

    def _alike(self, own: str, text: str) -> bool:
        """Whether the link ``own`` is of the kind that ``text`` is to be of."""
        wanted = self.asked.get(text)
        return wanted is None or wanted in self.kinds.get(own, (wanted,))

    def _fits(self, own: str, text: str, now: Bindings) -> bool:
        """Whether the address ``own`` can stand for ``text``: same network when that is settled, else a sensible one."""
        here, there = interface(text), interface(own)
        if here.version != there.version or str(there.ip) in self.taken or unfit(own, text):
            return False
        network = str(here.network)
        if network in self.settled or network in now.nets:
            return str(there.network) == now.net(network)
        if here.network.overlaps(there.network):
            return here.network == there.network
        return there.network.prefixlen >= 8 and not any(there.network.overlaps(net) for net in map(ip_network, self.foreign) if net.version == there.version)


def free(step: Step, new: tuple[tuple[RoleName, str], ...], snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None) -> Free:
    """Everything in ``snapshot`` that the fresh words of ``step`` may stand for; of addresses nothing is asked where none of these is one."""
    old, addressed = _identities(baseline), any(role == "cidr" for role, _ in new)
    own = [(node, link) for node in snapshot.nodes for link in _as_named(node) if _made(node, link) and (node.netns, link.ifindex) not in old]
    settled = settled_links(step, snapshot, bindings)
    counts = Counter(link.name for _, link in own)
    counts.subtract(name for name in {bindings.word("link", text) for text in settled} if name in counts)
    settled_names = {bindings.word("netns", text) for role, text in step.known if role == "netns"}
    old_names = {name.name for name in baseline.names} if baseline else set()
    settled_cidrs = [text for role, text in step.known if role == "cidr"] if addressed else []
    world = [own.cidr for node in snapshot.nodes for link in node.links if _of_world(node, link) for own in link.addresses] if addressed else []
    return Free(
        links={name: count for name, count in counts.items() if count > 0},
        kinds={name: frozenset(link.kind for _, link in own if link.name == name) for name in counts},
        asked={name: kind for expected in step.expect for name, kind in expected.kinds().items()},
        names=tuple(name.name for name in snapshot.names if name.name not in settled_names | old_names),
        cidrs=tuple(dict.fromkeys(a.cidr for _, link in own for a in link.addresses if a.scope == "global")),
        settled=tuple(str(interface(text).network) for text in settled_cidrs),
        foreign=tuple(dict.fromkeys(str(interface(cidr).network) for cidr in world)),
        taken=tuple(bindings.address(str(interface(text).ip)) for text in settled_cidrs),
    )


def settled_links(step: Step, snapshot: Snapshot, bindings: Bindings) -> tuple[str, ...]:
    """The lesson's words for links that earlier steps made. Words of the world (eth0, lo) are nobody's to bind."""
    world = {link.name for node in snapshot.nodes for link in node.links if not _made(node, link)}
    return tuple(text for role, text in step.known if role == "link" and (text not in world or text in bindings.links))


def _identities(baseline: Snapshot | None) -> frozenset[tuple[int, int]]:
    return frozenset((node.netns, link.ifindex) for node in (baseline.nodes if baseline is not None else ()) for link in node.links)


def _as_named(node: Node) -> list[Link]:
    """The links of a node as somebody named them: of a cable's two ends the kernel makes the one behind ``peer`` first (veth_newlink)."""
    def order(link: Link) -> tuple[int, int]:
        peer = node.link(link.peer.name) if link.kind == "veth" and link.peer is not None and link.peer.node == node.name else None
        return min(link.ifindex, peer.ifindex if peer is not None else link.ifindex), -link.ifindex

    return sorted(node.links, key=order)


def _made(node: Node, link: Link) -> bool:
    return link.kind != "loopback" and not _of_world(node, link)


def _of_world(node: Node, link: Link) -> bool:
    """Links of the pretend internet, and the uplink that leads to it."""
    return node.role in _WORLD or (link.peer is not None and link.peer.node == "internet")


_FIXED = ("lo", ESTABLISHED)
"""Words that stand where a link's name may, and that nobody can choose."""
_MOST_STATES = 40
_MOST_CHECKS = 6000
"""Bounds of the search: about 40 ms in the worst case; an ordinary step needs fewer than 100 checks."""
_NOWHERE = Where()
_SEARCHED: tuple[RoleName, ...] = ("link", "netns", "cidr")
_ABSENT: dict[str, str] = {"link": "\u2205", "netns": "\u2205", "cidr": "192.0.2.254/30"}
"""Words that nothing is called: an expectation that holds for them asks for an absence, and tells nothing about names."""


class _Try(msgspec.Struct, frozen=True):
    """Bindings under which the expectations so far hold. ``given`` are the fresh words that were assigned, with their words."""

    bindings: Bindings
    given: tuple[tuple[RoleName, str, str], ...] = ()
    met: int = 0

    def has(self, role: RoleName, text: str) -> bool:
        return any(own[:2] == (role, text) for own in self.given)


def infer(step: Step, snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None = None) -> Bindings | None:
    """The bindings under which every state expectation of the step holds, or None when there are none.

    ``bindings`` are what earlier steps settled; they come back unchanged when the step holds with them. Objects of ``baseline``
    (what was there before the learner) are never taken for the learner's.
    """
    if _holds(step.expect, snapshot, bindings):
        return _with_names(step, snapshot, bindings)
    found = _search(step, snapshot, bindings, baseline, strict=True)
    if found is None:
        found = _swapped(step, snapshot, bindings, baseline) or _another_cable(step, snapshot, bindings, baseline)
    return _with_names(step, snapshot, found.bindings) if found is not None else None


def closest(step: Step, snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None = None) -> Bindings:
    """The bindings under which most expectations hold: for wording a failing verdict in the learner's own names."""
    whole = infer(step, snapshot, bindings, baseline)
    if whole is not None:
        return whole
    found = _search(step, snapshot, bindings, baseline, strict=False)
    if found is None or not found.given:
        return bindings
    held = sum(isinstance(apply(expectation, bindings).check(snapshot, _NOWHERE), Met) for expectation in step.expect)
    return found.bindings if found.met > held else bindings


def refit(steps: Iterable[Step], snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None = None) -> Bindings:
    """Bindings for a network found as it is (after a rename, a rebuild by hand, a resume): step by step, keeping what holds."""
    for step in steps:
        bindings = infer(step, snapshot, bindings, baseline) or bindings
    return bindings


def found_again(step: Step, earlier: Iterable[Step], snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None = None) -> Bindings:
    """``bindings``, unless a link or an address that ``step`` takes for granted is nowhere, as after a rename or far ahead: then those that fit now. A
    container whose name in /run/netns is gone, and that has another, bears that from now on.
    """
    names = {name.name for name in snapshot.names}
    if any(own not in names for own in bindings.netns.values()):
        earlier = tuple(earlier)
        for before in earlier:
            bindings = _with_names(before, snapshot, bindings)
    links = [link for node in snapshot.nodes for link in node.links]
    there = {"link": {link.name for link in links}, "cidr": {own.cidr for link in links for own in link.addresses}}
    if all(bindings.word(role, text) in there[role] for role, text in step.known if role in there and text not in _FIXED):
        return bindings
    return refit(earlier, snapshot, bindings, baseline)


def vouched(earlier: Iterable[Step], snapshot: Snapshot, before: Bindings, now: Bindings) -> bool:
    """Whether everything that the earlier steps say of the words that are bound anew is so, except for what was learned and may be forgotten.

    Then these things are the same ones, called otherwise. A stray cable that could pass for one that is gone is not.
    """
    spoken = (own for step in earlier for own in step.expect if not own.learned and _bound_anew(own, before, now))
    return _holds(spoken, snapshot, now)


def _bound_anew(expectation: Expectation, before: Bindings, now: Bindings) -> bool:
    return any(before.word(word.role, word.text) != now.word(word.role, word.text) for word in words_of(expectation))


def by_another_bridge(step: Step, earlier: Iterable[Step], snapshot: Snapshot, bindings: Bindings,
                      baseline: Snapshot | None = None) -> Bindings | None:
    """The bindings under which the step holds when an earlier one meant another of the learner's bridges; None when it holds under none.

    Of several nobody can tell which is meant, until something is plugged into one. Whatever else holds of the earlier steps must hold on.
    """
    standing = tuple(own for own in earlier if _holds(own.expect, snapshot, bindings))
    old = _identities(baseline)
    bridges = [link.name for node in snapshot.nodes for link in node.links if link.kind == "bridge" and (node.netns, link.ifindex) not in old]
    for text in dict.fromkeys(own.bridge for own in step.expect if isinstance(own, IsPort) and ("link", own.bridge) in step.known):
        for name in bridges:
            other = _bound(bindings, "link", text, name)
            kept = all(_holds(own.expect, snapshot, other) for own in standing)
            if kept and (found := infer(step, snapshot, other, baseline)) is not None:
                return found
    return None


def fresh(step: Step) -> tuple[tuple[RoleName, str], ...]:
    """The words that the step brings in and that a learner may choose: links, names of namespaces, addresses."""
    found = [(word.role, word.text) for item in items_of(step) for word in words_of(item)
             if word.role in _SEARCHED and (word.role, word.text) not in step.known and word.text not in (*step.exact, *_FIXED)]
    return tuple(dict.fromkeys(found))


def _search(step: Step, snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None, *, strict: bool) -> _Try | None:
    new = fresh(step)
    pool = free(step, new, snapshot, bindings, baseline)
    tries: tuple[_Try, ...] = (_Try(_without(bindings, new)),)
    budget = _MOST_CHECKS
    for expectation in _absences_last(step.expect, new, snapshot):
        kept: list[_Try] = []
        for attempt in tries:
            for candidate in _extended(attempt, expectation, new, pool, bindings):
                budget -= 1
                finding = apply(expectation, candidate.bindings).check(snapshot, _NOWHERE)
                if not isinstance(finding, NotMet):
                    kept.append(msgspec.structs.replace(candidate, met=candidate.met + isinstance(finding, Met)))
                if budget <= 0 or len(kept) >= _MOST_STATES:
                    break
        if kept:
            tries = tuple(kept[:_MOST_STATES])
        elif strict:
            return None
    return max(tries, key=lambda own: own.met)


def _extended(
    attempt: _Try, expectation: Expectation, new: tuple[tuple[RoleName, str], ...], pool: Free, before: Bindings
) -> Iterator[_Try]:
    """Every way to assign the fresh words of this expectation that are still open."""
    spoken = dict.fromkeys((word.role, word.text) for word in words_of(expectation))
    open_words = [pair for pair in spoken if pair in new and not attempt.has(*pair)]
    choices = [tuple(pool.candidates(role, text, before, attempt.bindings)) for role, text in open_words]
    for chosen in product(*choices):
        bindings, given = attempt.bindings, attempt.given
        for (role, text), own in zip(open_words, chosen, strict=True):
            if not pool.available(role, own, given):
                break
            bindings = _bound(bindings, role, text, own)
            given = (*given, (role, text, own))
        else:
            yield _Try(bindings, given, attempt.met)


def _bound(bindings: Bindings, role: RoleName, text: str, own: str) -> Bindings:
    match role:
        case "link":
            return msgspec.structs.replace(bindings, links=_put(bindings.links, text, own))
        case "netns":
            return msgspec.structs.replace(bindings, netns=_put(bindings.netns, text, own))
        case _:
            here, there = interface(text), interface(own)
            nets = _put(bindings.nets, str(here.network), str(there.network))
            moved = msgspec.structs.replace(bindings, nets=nets)
            if moved.address(str(here.ip)) == str(there.ip):
                return moved
            return msgspec.structs.replace(moved, addresses={**moved.addresses, str(here.ip): str(there.ip)})


def _put(words: dict[str, str], canonical: str, own: str) -> dict[str, str]:
    rest = {key: value for key, value in words.items() if key != canonical}
    return rest if canonical == own else {**rest, canonical: own}


def _without(bindings: Bindings, new: tuple[tuple[RoleName, str], ...]) -> Bindings:
    """The bindings with the fresh words open again; a network stays bound as long as a settled address lies in it."""
    addresses = {str(interface(text).ip) for role, text in new if role == "cidr"}
    left = {canonical: own for canonical, own in bindings.addresses.items() if canonical not in addresses}
    return Bindings(links={canonical: own for canonical, own in bindings.links.items() if ("link", canonical) not in new},
                    netns={canonical: own for canonical, own in bindings.netns.items() if ("netns", canonical) not in new},
                    addresses=left, nets=bindings.nets)


def _absences_last(expect: Sequence[Expectation], new: tuple[tuple[RoleName, str], ...], snapshot: Snapshot) -> Sequence[Expectation]:
    """Of the fresh words those tell nothing that hold for names that nothing has: they are judged when the others have bound them."""
    if len(expect) < 2:
        return expect
    absent = Bindings()
    for role, text in new:
        absent = _bound(absent, role, text, _ABSENT[role])

    def asks_absence(expectation: Expectation) -> bool:
        spoken = any((word.role, word.text) in new for word in words_of(expectation))
        return spoken and isinstance(apply(expectation, absent).check(snapshot, _NOWHERE), Met)

    return sorted(expect, key=asks_absence)


def _holds(expectations: Iterable[Expectation], snapshot: Snapshot, bindings: Bindings) -> bool:
    return not any(isinstance(apply(expectation, bindings).check(snapshot, _NOWHERE), NotMet) for expectation in expectations)


def _swapped(step: Step, snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None) -> _Try | None:
    """The two ends of one cable are alike until one is moved: try the settled words of a cable the other way round."""
    known = [text for text in settled_links(step, snapshot, bindings) if text not in step.exact]
    for one in (text for text in words_by_role(step.expect, "link") if text in known):
        for other in known:
            mine, yours = bindings.word("link", one), bindings.word("link", other)
            if not _one_cable(snapshot, mine, yours):
                continue
            turned = msgspec.structs.replace(bindings, links=_put(_put(bindings.links, one, yours), other, mine))
            if _holds(step.expect, snapshot, turned):
                return _Try(turned)
            if fresh(step) and (found := _search(step, snapshot, turned, baseline, strict=True)) is not None:
                return found
    return None


def _another_cable(step: Step, snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None) -> _Try | None:
    """Of several loose cables nobody can tell which one an earlier step meant: what this step asks of both ends tells."""
    loose = {("link", text) for own in step.expect if own.verb == "pair" for text in words_by_role((own,), "link") if text not in step.exact}
    if not loose & set(step.known):
        return None
    kept = tuple(pair for pair in step.known if pair not in loose)
    opened = msgspec.structs.replace(step, known=Known(kept, len(kept)))
    return _search(opened, snapshot, bindings, baseline, strict=True)


def _one_cable(snapshot: Snapshot, one: str, other: str) -> bool:
    return any(link.name == one and link.kind == "veth" and link.peer is not None and link.peer.name == other for node in snapshot.nodes
               for link in node.links)


def _with_names(step: Step, snapshot: Snapshot, bindings: Bindings) -> Bindings:
    """A container's name in /run/netns is free to choose and nothing expects it: read it from the node it was given to."""
    for action in step.do:
        names = words_by_role((action,), "netns")
        nodes = words_by_role((action,), "node")
        node = snapshot.node(nodes[0]) if len(nodes) == 1 and len(names) == 1 else None
        if node is None or not node.names or names[0] in step.exact:
            continue
        own = names[0] if names[0] in node.names else node.names[0]
        bindings = _bound(bindings, "netns", names[0], own) if bindings.word("netns", names[0]) not in node.names else bindings
    return bindings


def known_in(world: Snapshot) -> tuple[tuple[RoleName, str], ...]:
    """What the first step may take for granted: the nodes, links and addresses of a course's world."""
    found: list[tuple[RoleName, str]] = [("node", node.name) for node in world.nodes]
    for node in world.nodes:
        for link in node.links:
            found.append(("link", link.name))
            found.extend(("cidr", own.cidr) for own in link.addresses)
    return tuple(dict.fromkeys(found))


def settled(lessons: Iterable[Lesson], world: Snapshot) -> tuple[Lesson, ...]:
    """These lessons with ``known`` filled in for every step: what the world and the steps before it speak of."""
    lessons = tuple(lessons)
    found = dict.fromkeys(known_in(world))
    counts: list[int] = []
    for step in (step for lesson in lessons for step in lesson.steps):
        counts.append(len(found))
        found.update(dict.fromkeys((word.role, word.text) for item in items_of(step) for word in words_of(item)))
    every, count = tuple(found), iter(counts)
    return tuple(
        msgspec.structs.replace(lesson, steps=tuple(msgspec.structs.replace(step, known=Known(every, next(count))) for step in lesson.steps))
        for lesson in lessons
    )
