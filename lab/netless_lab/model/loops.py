"""Loops of bridges: two ways between the same bridges, without spanning tree to close one. A frame for everybody circles there for ever.

Source: IEEE 802.1D, whose spanning tree exists because of this; ip-link(8), bridge stp_state.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .snapshot import Link, Node, Snapshot

Bridge = tuple[str, str]
"""(node, bridge)"""


class Loop(msgspec.Struct, frozen=True):
    """One way too many: the cable between ``ports`` (node, link) joins ``bridges`` that are joined already."""

    ports: tuple[tuple[str, str], tuple[str, str]]
    bridges: tuple[Bridge, Bridge]

    def sentence(self) -> str:
        """Where the loop is, in words."""
        (node, one), (_, two) = self.ports
        first, second = self.bridges
        if first == second:
            return f"the cable {one} - {two} leads from bridge {first[1]} in {node} back into the same bridge"
        return f"bridges {first[1]} and {second[1]} are joined by more than one way; {one} - {two} closes the circle"


def loops(snapshot: Snapshot) -> tuple[Loop, ...]:
    """Every cable that closes a circle of forwarding bridge ports, in the order of the snapshot."""
    leader: dict[Bridge, Bridge] = {}

    def find(bridge: Bridge) -> Bridge:
        while (above := leader.get(bridge, bridge)) != bridge:
            bridge = above
        return bridge

    found: list[Loop] = []
    for one, two, ports in _cables(snapshot):
        first, second = find(one), find(two)
        if first == second:
            found.append(Loop(ports, (one, two)))
        else:
            leader[second] = first
    return tuple(found)


def _cables(snapshot: Snapshot) -> Iterator[tuple[Bridge, Bridge, tuple[tuple[str, str], tuple[str, str]]]]:
    """(bridge, bridge, its two ports) of each cable between forwarding ports, once."""
    seen: set[tuple[str, str]] = set()
    for node in snapshot.nodes:
        for link in node.links:
            bridge, peer = _forwards(node, link), link.peer
            if bridge is None or peer is None or link.kind != "veth" or (node.name, link.name) in seen:
                continue
            far_node = snapshot.node(peer.node)
            far = far_node.link(peer.name) if far_node is not None else None
            if far is None or far_node is None:
                continue
            far_bridge = _forwards(far_node, far)
            seen.add((far_node.name, far.name))
            if far_bridge is not None:
                yield (node.name, bridge), (far_node.name, far_bridge), ((node.name, link.name), (far_node.name, far.name))


def _forwards(node: Node, link: Link) -> str | None:
    """The bridge that forwards what comes in by this port; None when there is none or it does not."""
    bridge = node.link(link.master) if link.master else None
    live = link.up and link.carrier and link.port is not None and link.port.state == "forwarding"
    return bridge.name if bridge is not None and bridge.up and live else None
