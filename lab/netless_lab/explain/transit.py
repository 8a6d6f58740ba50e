"""What a packet that a node is about to send would meet on its way there and back, worked out from a snapshot alone: node by node, hook by hook. Pure.

It is for whoever has no capture of the packet, and goes on only as long as it is sure: where a cable or a port is not ready, a neighbour is not
known, a rule cannot be read, or rules other than IP's have a say, the way ends without a word. Routes, segments and rules are asked of those who
know: ``routes``, ``segment`` and ``model.netfilter``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from ipaddress import ip_address
from typing import Final, NamedTuple

import msgspec

from ..model.evidence import RouteAnswer
from ..model.netfilter.packet import Packet, answer, single
from ..model.netfilter.run import Way, agreed, always, run
from ..model.routes import family_of, is_link_local, is_local, source_of, worked_out
from ..model.snapshot import Link, Node, Snapshot
from .segment import End, way

_FAR: Final = 16
"""Nodes that a packet passes at most."""
_BESIDE_IP: Final = frozenset({"bridge", "netdev", "arp"})
_PASSING: Final = ("prerouting", "forward", "postrouting")


class Passed(msgspec.Struct, frozen=True):
    """One hook that a packet meets in a node, how it comes there, and every way that it may go on.

    ``source`` is the sender's address as the node sees it; ``answer``: it is the answer to that packet which comes.
    """

    node: Node
    hook: str
    packet: Packet
    ways: tuple[Way, ...]
    source: str
    answer: bool = False

    @property
    def stop(self) -> Way | None:
        """The way on which it is thrown away, when it is on every one."""
        return self.ways[0] if always(self.ways, lambda way: way.end == "drop") else None


class _Hop(NamedTuple):
    """Over one segment: who takes the packet in, by which device, and the bridges that carry it there and have IP's rules asked, each with its node."""

    node: Node
    came: str
    bridges: tuple[tuple[Node, str], ...]


class _Crossed(NamedTuple):
    """A node that has passed the packet on, as it came to the forward hook, and its sender before and after. By a bridge: ``came`` and ``out`` are that."""

    node: Node
    came: str
    out: str
    packet: Packet
    source: str
    left: str
    bridged: bool = False


def there_and_back(
    snapshot: Snapshot, sender: Node, to: str, begun: Callable[[str], Packet], *, ttl: int | None = None, arrives: bool = False
) -> Iterator[Passed]:
    """The hooks that the first packet to ``to`` meets in other nodes, and then, where it surely arrives, those that its answer meets: of whoever gives
    it, at forward hooks on the way, and, unless NAT has to be undone for it first, of the sender.

    ``begun`` makes the packet, given its sender's address; with a ``ttl`` only so many nodes hear of it, the last of which does not pass it on.
    ``arrives``: it is known that packets do, so what seems to stand in its way over cables and bridges does not.
    """
    found = worked_out(sender, to)
    source = source_of(sender, found)
    if found.type != "unicast" or not source or is_link_local(to):
        return
    walk = _Walk(snapshot, arrives)
    first = begun(source).between("", found.dev or "")
    packet: Packet | None = first
    for hook in ("output", "postrouting"):
        packet = _sure(run(sender, hook, packet)) if packet is not None else None
    if packet is None or _one(packet, packet.destination) != to:
        return
    arrived = yield from walk.there(sender, found, packet, ttl or _FAR)
    if arrived is None:
        return
    last = yield from walk.back(*arrived)
    if last is not None and _one(packet, packet.source) == source and (last.node.netns, last.came) == (sender.netns, found.dev):
        reply: Packet | None = answer(first, translated=False)
        for hook in ("prerouting", "input") if _believed(sender, to, last.came) else ():
            reply = (yield from _meets(sender, hook, reply, source, answer=True)) if reply is not None else None


class _Walk:
    """The way of one packet, and what it has crossed so far."""

    def __init__(self, snapshot: Snapshot, arrives: bool) -> None:
        self._snapshot = snapshot
        self._arrives = arrives
        self._crossed: list[_Crossed] = []

    def there(self, here: Node, found: RouteAnswer, packet: Packet, ttl: int) -> Generator[Passed, None, tuple[Node, str, Packet] | None]:
        """To its end: the node that takes it in, whom that will answer to, and the packet as it is there."""
        for number in range(_FAR):
            if (hop := self._hop(here, found)) is None:
                return None
            for node, bridge in hop.bridges:
                carried = yield from self._cross(node, bridge, bridge, packet, bridged=True)
                if carried is None or carried.possible(carried.destination) != packet.possible(packet.destination):
                    return None
                packet = carried
            here, came = hop.node, hop.came
            source = _one(packet, packet.source)
            inner = yield from _meets(here, "prerouting", packet.between(came, ""), source)
            to = _one(inner, inner.destination) if inner is not None else ""
            if inner is None or not to or not source:
                return None
            found = worked_out(here, to, source, came)
            if found.type == "local":
                taken = yield from _meets(here, "input", inner, source)
                return (here, source, inner.between(came, "")) if taken is not None else None
            if found.type != "unicast" or not found.dev or number + 1 >= ttl or not _believed(here, source, came):
                return None
            onward = yield from self._cross(here, came, found.dev, inner)
            if onward is None:
                return None
            packet = onward
        return None

    def back(self, here: Node, to: str, taken: Packet) -> Generator[Passed, None, _Hop | None]:
        """The answer from who has taken it in, by the nodes that it came by; the hop over which it ends."""
        found = worked_out(here, to)
        given = answer(taken, translated=False).between("", found.dev or "")
        if (yield from _meets(here, "output", given, to, answer=True)) is None:
            return None
        for own in reversed(self._crossed):
            hop = self._hop(here, found)
            if hop is None or (own.node, own.out) not in (hop.bridges if own.bridged else ((hop.node, hop.came),)):
                return None
            reply = answer(own.packet, translated=own.source != own.left)
            if not own.bridged:
                here, found = own.node, worked_out(own.node, own.source, to, own.out)
                if found.dev != own.came:
                    return None
            if (yield from _meets(own.node, "forward", reply, own.source, answer=True)) is None:
                return None
        return self._hop(here, found)

    def _cross(self, node: Node, came: str, out: str, packet: Packet, *, bridged: bool = False) -> Generator[Passed, None, Packet | None]:
        """Through a node, of which prerouting has been asked already unless it is a bridge that carries it."""
        source, entered = _one(packet, packet.source), packet.between(came, out)
        left: Packet | None = entered
        for hook in _PASSING if bridged else _PASSING[1:]:
            left = (yield from _meets(node, hook, left, source)) if left is not None else None
        if left is not None:
            self._crossed.append(_Crossed(node, came, out, entered, source, _one(left, left.source), bridged))
        return left

    def _hop(self, here: Node, found: RouteAnswer) -> _Hop | None:
        """Who takes in what ``here`` sends that way; None when nobody surely does."""
        family = family_of(found.dst)
        for end in self._receivers(here, found):
            there = way(self._snapshot, (here.name, found.dev or ""), end.place)
            if there is None or (there.stops and not self._arrives):
                continue
            device = end.node.link(end.node.ip_device(end.link.name))
            if device is not None and not device.up and not self._arrives:
                continue  # a port hands what is for its own MAC to its bridge, which takes nothing in while it is down
            places = [(node, link) for name, own in there.places if (node := self._snapshot.node(name)) is not None and (link := node.link(own)) is not None]
            if not self._arrives and any(link.programs or _may_stop_frames(node) for node, link in places):
                return None
            bridges = tuple((node, link.name) for node, link in places[1:-1] if link.kind == "bridge" and _calls_ip(node, link, family))
            return _Hop(end.node, end.node.ip_device(end.link.name), bridges)
        return None

    def _receivers(self, here: Node, found: RouteAnswer) -> list[End]:
        """The interfaces with the MAC that ``here`` knows for the next hop, else those that have its address; ports of bridges last."""
        entries = (own for own in here.neighbours if (own.address, own.dev) == (found.next_hop, found.dev))
        mac = next((own.mac for own in entries if own.mac), None)
        ends = [End(node, link) for node in self._snapshot.nodes if node.netns != here.netns for link in node.links
                if (link.mac == mac if mac else any(own.address == found.next_hop for own in link.addresses))]
        return sorted(ends, key=lambda end: end.link.master is not None)


def _meets(node: Node, hook: str, packet: Packet, source: str, *, answer: bool = False) -> Generator[Passed, None, Packet | None]:
    ways = run(node, hook, packet)
    yield Passed(node, hook, packet, ways, source, answer)
    return _sure(ways)


def _sure(ways: tuple[Way, ...]) -> Packet | None:
    """What comes out of a hook; None when it is not sure that anything does."""
    return agreed(ways) if always(ways, lambda way: way.end == "accept") else None


def _one(packet: Packet, field: str) -> str:
    """The one address that a field holds; "" when it may be several."""
    found = single(packet.possible(field) or ())
    return str(ip_address(found.to_bytes(4 if packet.family == 4 else 16, "big"))) if found is not None else ""


def _believed(node: Node, source: str, came: str) -> bool:
    """Whether a node takes in what comes from there by this device: nobody else uses its own address, and its reverse path filter lets it by."""
    if is_local(node, source):
        return False
    if family_of(source) == 6:
        return True
    own = node.sysctls.get(f"rp_filter/{came}", node.sysctls.get("default.rp_filter", "0"))
    strict = max(own, node.sysctls.get("rp_filter", "0"))
    back = worked_out(node, source)
    return strict == "0" or (not back.error and (strict == "2" or back.dev == came))


def _may_stop_frames(node: Node) -> bool:
    """Whether rules beside those of IP have a say in a node."""
    return any(chain.family in _BESIDE_IP and chain.hook and (chain.rules or chain.policy == "drop") for chain in node.chains)


def _calls_ip(node: Node, bridge: Link, family: int) -> bool:
    """Whether what a bridge carries passes IP's own hooks (br_netfilter): by the node's switch, which a snapshot has for IPv4, or the bridge's own."""
    word = "nf_call_iptables" if family == 4 else "nf_call_ip6tables"
    return bridge.option(word) == "1" or (family == 4 and node.sysctls.get("bridge-nf-call-iptables") == "1")
