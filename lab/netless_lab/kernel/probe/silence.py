"""Was it only silence? When nothing came back, the neighbour table may know why: nobody on the link answers for the next hop.

Linux tells the sender by an ICMP error to itself, but late (3 s by default) and not at all while ``lo`` is down; the table knows at once.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from ...model.telling import the
from ..namespace import Namespace
from ..netlink.attributes import ip
from ..netlink.neighbour import NEIGHBOURS_BODY, RTM_GETNEIGH, decode_neighbour
from ..netlink.route import RTM_GETROUTE, decode_way, encode_question
from ..netlink.socket import NetlinkError, NetlinkSocket
from .failure import Failure
from .target import Target

_UNANSWERED: Final = frozenset({"failed", "incomplete"})


def silent(namespace: Namespace, node: str, to: Target, waited_ms: float) -> Failure:
    """Nobody answered: the best that can be said about why, from inside ``node``."""
    plain = Failure("silence", f"no answer from {to.written} within {waited_ms:.0f} ms", None, True)
    try:
        with contextlib.closing(NetlinkSocket(namespace)) as route:
            hop, device = _next_hop(route, to)
            entries = [decode_neighbour(body) for body in route.dump(RTM_GETNEIGH, NEIGHBOURS_BODY)]
    except OSError:
        return plain
    for found in entries:
        if found is not None and found.device == device and found.entry.address == hop and found.entry.state in _UNANSWERED:
            how = "ARP question" if to.family == socket.AF_INET else "neighbour solicitation"
            asked = "its own link" if hop == ip(to.packed) else f"the link to {to.address}"
            return Failure("no-neighbour", f"nobody answers {the(node)}'s {how}: who has {hop} on {asked}?", None, True)
    return plain


def _next_hop(route: NetlinkSocket, to: Target) -> tuple[str, int]:
    """(address, ifindex) of the neighbour a packet to ``to`` is handed to (``ip route get``). Raises NetlinkError for no route."""
    if to.scope:
        return ip(to.packed), to.scope
    answer = route.request(RTM_GETROUTE, 0, encode_question(to.packed))
    if answer is None:
        raise NetlinkError(0, "no route")
    way = decode_way(answer)
    return way.via or ip(to.packed), way.device
