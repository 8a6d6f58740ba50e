"""Is the network ready for packets? A new cable or bridge port needs a moment, and a probe sent in that moment proves nothing.

The kernel tells a bridge of its ports' carriers at most once a second (net/core/link_watch.c), so a port may forward up to 1 s after its
cable is live; with STP it first listens and learns, each for the bridge's forward delay (15 s unless changed). And a new IPv6 address may
not be used until the kernel has asked whether somebody has it, 1 to 2 s (RFC 4862, section 5.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...model.snapshot import Link, Node, Snapshot


def pending(snapshot: Snapshot, within_s: float = math.inf) -> tuple[str, ...]:
    """What has still to happen before packets flow as they will, and may have within so many seconds, in words; nothing when the picture is
    settled.
    """
    found = (own for node in snapshot.nodes for link in node.links for own in _pending(snapshot, node, link))
    return tuple(line for line, least_s in found if least_s <= within_s)


def _pending(snapshot: Snapshot, node: Node, link: Link) -> Iterator[tuple[str, float]]:
    """Each in words, and how many seconds it takes at least."""
    if link.up and not link.carrier and _far_end_up(snapshot, link):
        yield f"{link.name} in {node.name} has no carrier yet, although both its ends are up", 0
    for own in link.addresses:
        if own.tentative and not own.duplicate and own.scope == "global" and link.up and link.carrier:
            yield f"{own.address} on {link.name} in {node.name} may not be used yet: the kernel still asks whether somebody has it", 0
    bridge = node.link(link.master) if link.master and link.port else None
    if bridge is None or link.port is None or not (bridge.up and link.up and link.carrier):
        return
    state, delay = link.port.state, bridge.forward_delay_s or 0
    if state in ("listening", "learning") and bridge.stp:
        learning_s = delay if state == "listening" else 0
        yield f"port {link.name} of {bridge.name} is still {state} (STP), up to {delay + learning_s} s more before it forwards", learning_s
    elif state in ("listening", "learning"):
        yield f"port {link.name} of {bridge.name} is still {state}, up to {delay} s more before it forwards", 0
    elif state == "disabled" and link.operstate != "up":
        yield f"port {link.name} of {bridge.name} is not forwarding yet: the bridge hears of its carrier within 1 s", 0


def _far_end_up(snapshot: Snapshot, link: Link) -> bool:
    """Whether the other end of this veth is up as well, so that the carrier must come."""
    if link.kind != "veth" or link.peer is None:
        return False
    node = snapshot.node(link.peer.node)
    far = node.link(link.peer.name) if node else None
    return far is not None and far.up
