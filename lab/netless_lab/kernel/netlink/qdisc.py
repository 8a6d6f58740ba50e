"""Queueing disciplines and filters: RTM_NEWQDISC, RTM_NEWTFILTER (tc(8), include/uapi/linux/rtnetlink.h, pkt_sched.h)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ...model.snapshot import Program
from .attributes import attributes, native, text
from .socket import NetlinkSocket

RTM_DELQDISC, RTM_GETQDISC, RTM_GETTFILTER = 37, 38, 46
_KIND: Final = 1
_OPTIONS: Final = 2
_TCMSG: Final = struct.Struct("=BxxxiIII")
"""struct tcmsg: family, ifindex, handle, parent, info."""
QDISCS_BODY: Final = bytes(_TCMSG.size)
_ROOT: Final = 0xFFFFFFFF
_INGRESS: Final = 0xFFFFFFF1
_PROGRAMS: Final[dict[Program, int]] = {"tc-ingress": 0xFFFFFFF2, "tc-egress": 0xFFFFFFF3}
"""The parents of filters on the way in and out (TC_H_CLSACT with TC_H_MIN_INGRESS, TC_H_MIN_EGRESS)."""
_DIRECTIONS: Final[dict[str, tuple[Program, ...]]] = {"clsact": ("tc-ingress", "tc-egress"), "ingress": ("tc-ingress",)}
"""The disciplines that are only there to hold filters, and where these are asked."""
_FIFOS: Final = frozenset({"pfifo", "bfifo"})
"""Queues with a limit alone, which is all that their options hold (struct tc_fifo_qopt; tc-pfifo(8))."""


class Discipline(NamedTuple):
    """One of the link with the index ``link``; those that the kernel gave by itself have handle 0. ``limit`` is a fifo's, in packets or bytes."""

    link: int
    kind: str
    handle: int
    limit: int | None = None


def decode_qdisc(body: bytes) -> Discipline:
    """One RTM_NEWQDISC body."""
    _, index, handle, _, _ = _TCMSG.unpack_from(body, 0)
    found = attributes(body, _TCMSG.size)
    kind = text(found.get(_KIND, b""))
    return Discipline(index, kind, handle, native(found[_OPTIONS]) if kind in _FIFOS and _OPTIONS in found else None)


def full(socket: NetlinkSocket) -> dict[int, str]:
    """By the index of each link that has one, the queue that takes nothing in, in words: a fifo whose limit is 0."""
    found = map(decode_qdisc, socket.dump(RTM_GETQDISC, QDISCS_BODY))
    return {own.link: f"{own.kind}, limit 0" for own in found if own.limit == 0}


def filters(socket: NetlinkSocket) -> dict[int, tuple[Program, ...]]:
    """By the index of each link that has any, where filters of tc decide over its packets. Programs attached without tc's doing (tcx, Linux
    6.6) are in no message of netlink, and are not seen.
    """
    found: dict[int, tuple[Program, ...]] = {}
    for own in map(decode_qdisc, socket.dump(RTM_GETQDISC, QDISCS_BODY)):
        places = tuple(
            place for place in _DIRECTIONS.get(own.kind, ()) if socket.dump(RTM_GETTFILTER, _TCMSG.pack(0, own.link, 0, _PROGRAMS[place], 0))
        )
        if places:
            found[own.link] = places
    return found


def encode_root(index: int) -> bytes:
    """The one at the root of a link."""
    return _TCMSG.pack(0, index, 0, _ROOT, 0)


def encode_ingress(index: int) -> bytes:
    """What filters packets as they come in, and with clsact as they leave, beside the root: ``ingress`` or ``clsact``."""
    return _TCMSG.pack(0, index, 0, _INGRESS, 0)
