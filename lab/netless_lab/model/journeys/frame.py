"""What a tap hands over: one frame as one interface of one node saw it, and a recording of many.

What a snapshot tells about the ground a packet travels on: which links are bridge ports, which cable leads where, who owns what.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from operator import attrgetter

import msgspec

from ..journey import Direction
from ..snapshot import Snapshot


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame at one interface. ``at_ns`` is the wall clock in nanoseconds (CLOCK_REALTIME).

    A bridge port and its bridge show the same stamp, because the kernel stamps a frame once when it comes in; only their order in the
    tap's queue tells them apart, so whoever sorts frames must sort stably.
    ``data`` starts at the Ethernet header and is cut at the tap's slot size; ``length`` is what really passed, in bytes.
    """

    at_ns: int
    node: str
    link: str
    ifindex: int
    direction: Direction
    data: bytes
    length: int


class Recording(msgspec.Struct, frozen=True):
    """Everything seen between start and stop, in true order.

    ``lost`` counts frames that the kernel could not hand over (PACKET_STATISTICS, packet(7)): when it is not 0, a frame that is not
    here may still have passed, and nothing may be called dead. ``left_out`` counts frames that were handed over but not kept,
    because a flood passed the recording's own limit. In the nodes that are ``unheard`` nobody listened.
    """

    frames: tuple[Frame, ...] = ()
    lost: int = 0
    left_out: int = 0
    unheard: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every frame is here that passed where somebody listened."""
        return not self.lost and not self.left_out


def in_order(frames: list[Frame]) -> list[Frame]:
    """By time; frames of one stamp keep the order in which their tap handed them over."""
    return sorted(frames, key=attrgetter("at_ns"))


Place = tuple[str, str]
"""(node, link)"""


class Ground(msgspec.Struct, frozen=True):
    """Facts by place. Empty is fine: then nothing is known, and nothing is concluded."""

    ports: dict[Place, str] = {}
    peers: dict[Place, Place] = {}
    owners: dict[str, tuple[str, ...]] = {}
    learned: frozenset[tuple[str, str, str]] = frozenset()
    """(node, bridge, MAC) that a bridge knew beforehand."""
    gateways: dict[str, tuple[tuple[str, str], ...]] = {}
    """By node, (network, who forwards there) of its routes that lead over a gateway; the network of a default route is "default"."""

    def gateway_of(self, node: str, gateway: str, targets: Iterable[str]) -> bool:
        """Whether ``node`` has a route that leads to one of these addresses over that gateway."""
        networks = [network for network, over in self.gateways.get(node, ()) if over == gateway]
        return any(network == "default" or ip_address(target) in ip_network(network) for network in networks for target in targets)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Ground:
        """From the state before the packet was sent."""
        links = [(node, link, (node.name, link.name)) for node in snapshot.nodes for link in node.links]
        ports = {here: link.master for _, link, here in links if link.master and link.port is not None}
        peers = {here: (own.node, own.name) for _, link, here in links if (own := link.peer) is not None and own.node and link.kind == "veth"}
        owners: dict[str, tuple[str, ...]] = {}
        for node, link, _ in links:
            for address in link.addresses:
                owners[address.address] = (*owners.get(address.address, ()), node.name)
        learned = frozenset((node.name, entry.master, entry.mac) for node in snapshot.nodes for entry in node.fdb if entry.master is not None)
        ways = ((node.name, tuple((route.dst, route.via) for route in node.routes if route.via is not None)) for node in snapshot.nodes)
        return cls(ports, peers, owners, learned, {name: over for name, over in ways if over})
