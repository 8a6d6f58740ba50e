"""Was it only silence? When nothing came back, the neighbour table may know why: nobody on the link answers for the next hop.

Linux tells the sender by an ICMP error to itself, but late (3 s by default) and not at all while ``lo`` is down; the table knows at once.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Final

from ..attributes import attributes, ip, native
from ..decode_neighbour import NEIGHBOURS_BODY, RTM_GETNEIGH, decode_neighbour
from ..decode_route import RTM_GETROUTE
from ..namespace import Namespace
from ..rtnetlink import NetlinkError, NetlinkSocket
from .failure import Failure

_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_DST, _OIF, _GATEWAY = 1, 4, 5
_UNANSWERED: Final = frozenset({"failed", "incomplete"})


def silent(namespace: Namespace, node: str, to: str, waited_ms: float) -> Failure:
    """Nobody answered: the best that can be said about why, from inside ``node``."""
    plain = Failure("silence", f"no answer from {to} within {waited_ms:.0f} ms", None, True)
    try:
        packed = socket.inet_aton(to)
        with contextlib.closing(NetlinkSocket(namespace)) as route:
            hop, device = _next_hop(route, packed)
            entries = [decode_neighbour(body) for body in route.dump(RTM_GETNEIGH, NEIGHBOURS_BODY)]
    except OSError:
        return plain
    for found in entries:
        if found is not None and found.device == device and found.entry.address == hop and found.entry.state in _UNANSWERED:
            asked = "its own link" if hop == to else f"the link to {to}"
            return Failure("no-neighbour", f"nobody answers {node}'s ARP question: who has {hop} on {asked}?", None, True)
    return plain


def _next_hop(route: NetlinkSocket, packed: bytes) -> tuple[str, int]:
    """(address, ifindex) of the neighbour a packet to ``packed`` is handed to (``ip route get``). Raises NetlinkError for no route."""
    body = _RTMSG.pack(socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0) + struct.pack("=HH", 8, _DST) + packed
    answer = route.request(RTM_GETROUTE, 0, body)
    if answer is None:
        raise NetlinkError(0, "no route")
    found = attributes(answer, _RTMSG.size)
    return ip(found.get(_GATEWAY, packed)), native(found.get(_OIF, b""))
