"""What a fresh word may stand for: things in the snapshot that no world made and no settled word already means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_interface, ip_network

import msgspec

from ..model.snapshot import Link, Node, Snapshot
from ..primitives.address import unfit
from ..primitives.roles import RoleName
from .bindings import Bindings
from .step import Step

_WORLD = ("internet", "router")


class Free(msgspec.Struct, frozen=True):
    """Candidates by role. ``links`` counts how many links of a name are still to be had; ``cidrs`` are the addresses on them.

    ``settled`` are the canonical networks of earlier steps, ``foreign`` the networks of the world, ``taken`` addresses in use.
    """

    links: dict[str, int]
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
                yield from dict.fromkeys((*likely, *self.links))
            case "netns":
                yield from dict.fromkeys((*likely, *self.names))
            case "cidr":
                fitting = (own for own in self.cidrs if self._fits(own, text, now))
                yield from dict.fromkeys((now.word(role, text), *(own for own in likely if self._fits(own, text, now)), *fitting))

    def available(self, role: RoleName, own: str, given: tuple[tuple[RoleName, str, str], ...]) -> bool:
        """Whether another word may mean ``own``: two words share a name only when two things bear it."""
        uses = sum(1 for other_role, _, other in given if other_role == role and other == own)
        return uses < max(self.links.get(own, 1), 1) if role == "link" else uses == 0

    def _fits(self, own: str, text: str, now: Bindings) -> bool:
        """Whether the address ``own`` can stand for ``text``: same network when that is settled, else a sensible one."""
        here, there = ip_interface(text), ip_interface(own)
        if here.version != there.version or str(there.ip) in self.taken or unfit(own, text):
            return False
        network = str(here.network)
        if network in self.settled or network in now.nets:
            return str(there.network) == now.net(network)
        if here.network.overlaps(there.network):
            return here.network == there.network
        return there.network.prefixlen >= 8 and not any(there.network.overlaps(net) for net in map(ip_network, self.foreign) if net.version == there.version)


def free(
    step: Step, new: tuple[tuple[RoleName, str], ...], snapshot: Snapshot, bindings: Bindings, baseline: Snapshot | None
) -> Free:
    """Everything in ``snapshot`` that the fresh words of ``step`` may stand for."""
    old = _identities(baseline)
    own = [(node, link) for node in snapshot.nodes for link in node.links if _made(node, link) and (node.netns, link.ifindex) not in old]
    settled = settled_links(step, snapshot, bindings)
    counts = Counter(link.name for _, link in own)
    counts.subtract(name for name in {bindings.word("link", text) for text in settled} if name in counts)
    settled_names = {bindings.word("netns", text) for role, text in step.known if role == "netns"}
    old_names = {name.name for name in baseline.names} if baseline else set()
    settled_cidrs = [text for role, text in step.known if role == "cidr"]
    world = [address.cidr for node in snapshot.nodes for link in node.links if _of_world(node, link) for address in link.addresses]
    return Free(
        links={name: count for name, count in counts.items() if count > 0},
        names=tuple(name.name for name in snapshot.names if name.name not in settled_names | old_names),
        cidrs=tuple(dict.fromkeys(a.cidr for _, link in own for a in link.addresses if a.scope == "global")),
        settled=tuple(str(ip_interface(text).network) for text in settled_cidrs),
        foreign=tuple(dict.fromkeys(str(ip_interface(cidr).network) for cidr in world)),
        taken=tuple(bindings.address(str(ip_interface(text).ip)) for text in settled_cidrs),
    )


def settled_links(step: Step, snapshot: Snapshot, bindings: Bindings) -> tuple[str, ...]:
    """The lesson's words for links that earlier steps made. Words of the world (eth0, lo) are nobody's to bind."""
    world = {link.name for node in snapshot.nodes for link in node.links if not _made(node, link)}
    return tuple(text for role, text in step.known if role == "link" and (text not in world or text in bindings.links))


def _identities(baseline: Snapshot | None) -> frozenset[tuple[int, int]]:
    if baseline is None:
        return frozenset()
    return frozenset((node.netns, link.ifindex) for node in baseline.nodes for link in node.links)


def _made(node: Node, link: Link) -> bool:
    return link.kind != "loopback" and not _of_world(node, link)


def _of_world(node: Node, link: Link) -> bool:
    """Links of the pretend internet, and the uplink that leads to it."""
    return node.role in _WORLD or (link.peer is not None and link.peer.node == "internet")
