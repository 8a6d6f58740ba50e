"""What a snapshot tells about the ground a packet travels on: which links are bridge ports, which cable leads where, who owns what."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import msgspec

from ..snapshot import Snapshot

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
        ports: dict[Place, str] = {}
        peers: dict[Place, Place] = {}
        owners: dict[str, tuple[str, ...]] = {}
        for node in snapshot.nodes:
            for link in node.links:
                here = (node.name, link.name)
                if link.master and link.port is not None:
                    ports[here] = link.master
                if link.peer is not None and link.peer.node and link.kind == "veth":
                    peers[here] = (link.peer.node, link.peer.name)
                for own in link.addresses:
                    owners[own.address] = (*owners.get(own.address, ()), node.name)
        learned = frozenset(
            (node.name, entry.master, entry.mac) for node in snapshot.nodes for entry in node.fdb if entry.master is not None
        )
        gateways = {
            node.name: over
            for node in snapshot.nodes
            if (over := tuple((route.dst, route.via) for route in node.routes if route.via is not None))
        }
        return cls(ports, peers, owners, learned, gateways)
