"""Namespace ids: the small numbers by which one namespace knows another (``ip netns list-id``; net/core/net_namespace.c).

They are relative: the same namespace has another id in each namespace that knows it, and none where nobody gave it one.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Collection, Iterable
from typing import Final

from ..namespace import Namespace
from .attributes import attribute, attributes, native_signed, number
from .socket import ACK, NetlinkError, NetlinkSocket

_RTM_NEWNSID, _RTM_GETNSID = 88, 90
_NETNSA_NSID, _NETNSA_FD = 1, 3
_RTGENMSG: Final = bytes(4)
_ANY: Final = struct.pack("=i", -1)


def nsid_of(route: NetlinkSocket, other: Namespace) -> int | None:
    """The id that the namespace of ``route`` has for ``other``; None when it has none, or ``other`` is closed."""
    try:
        body = _RTGENMSG + number(_NETNSA_FD, other.fileno())
        answer = route.request(_RTM_GETNSID, 0, body)
    except OSError:
        return None
    nsid = native_signed(attributes(answer or b"", 4).get(_NETNSA_NSID, b"\xff\xff\xff\xff"))
    return None if nsid < 0 else nsid


def inodes_of(route: NetlinkSocket, nsids: Collection[int], candidates: Iterable[Namespace]) -> dict[int, int]:
    """Which of ``candidates`` the namespace of ``route`` calls by each of ``nsids``, as inodes; ids of none of them are left out.

    There is no way to ask for a namespace by its id, so each candidate is asked for, once, until all ids are known: likely ones first.
    """
    wanted, found = set(nsids), dict[int, int]()
    for candidate in candidates if wanted else ():
        nsid = nsid_of(route, candidate)
        if nsid in wanted:
            found[nsid] = candidate.inode
            wanted.discard(nsid)
            if not wanted:
                break
    return found


def give_nsid(route: NetlinkSocket, other: Namespace) -> None:
    """Have the kernel give ``other`` an id in the namespace of ``route``: only then are its events heard there. Raises NetlinkError."""
    body = _RTGENMSG + attribute(_NETNSA_NSID, _ANY) + number(_NETNSA_FD, other.fileno())
    try:
        route.request(_RTM_NEWNSID, ACK, body)
    except NetlinkError as refused:
        if refused.errno != errno.EEXIST:
            raise
