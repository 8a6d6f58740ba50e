"""Neighbours: RTM_NEWNEIGH, of the ARP and ND tables (AF_INET, AF_INET6) and the forwarding databases (AF_BRIDGE); neighbour.h."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from ...model.snapshot import FdbEntry, Neighbour
from .attributes import attribute, attributes, ip, mac, native

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
_DST, _LLADDR, _PORT, _VNI, _IFINDEX, _MASTER, _SRC_VNI = 1, 2, 6, 7, 8, 9, 11
"""NDA_*"""
_STICKY: Final = 0x40
"""NTF_STICKY"""
_NDMSG: Final = struct.Struct("=BxxxiHBB")
"""struct ndmsg: family, ifindex, state, flags, type."""
_AF_BRIDGE: Final = 7
NEIGHBOURS_BODY: Final = bytes(_NDMSG.size)
PROXIES_BODY: Final = _NDMSG.pack(0, 0, 0, 0x08, 0)
"""NTF_PROXY: the addresses that are answered for (ip-neighbour(8), ``proxy``), which the plain dump leaves out."""
FDB_BODY: Final = _NDMSG.pack(_AF_BRIDGE, 0, 0, 0, 0)

_STATES: Final = {
    0x00: "none", 0x01: "incomplete", 0x02: "reachable", 0x04: "stale", 0x08: "delay", 0x10: "probe", 0x20: "failed", 0x80: "permanent",
}  # fmt: skip
_INCOMPLETE, _STALE, _NOARP, _PERMANENT = 0x01, 0x04, 0x40, 0x80
_USE: Final = 0x01
"""NTF_USE"""
_GROUP_BIT: Final = 1


HEAD: Final = 16 + _NDMSG.size
"""Bytes of a message, from its netlink header on, that say what becomes of which kind of entry."""
_PORT_ID: Final = slice(12, 16)
"""Where that header has the port of who caused it; 0 is the kernel (netlink(7), ``nlmsg_pid``)."""


def is_learned(message: bytes) -> bool:
    """Whether a message, header and all, tells of an entry as packets make it and time takes it, and not of what somebody did.

    Whoever changes a neighbour by netlink has his port in the header of what is told first (``neigh_update_notify`` of net/core/neighbour.c).
    Of a forwarding database no message has one, but what time takes is stale when it goes, and what somebody takes away is not
    (``fdb_to_nud`` of net/bridge/br_fdb.c, ``vxlan_cleanup``). Not to be told apart: an entry of such a database that somebody made ``dynamic``,
    and a neighbour that was taken away by ioctl (arp(8)), which looks like one that did not answer.
    """
    kind = int.from_bytes(message[4:6], sys.byteorder)
    if kind not in (RTM_NEWNEIGH, RTM_DELNEIGH) or len(message) < HEAD or message[_PORT_ID] != bytes(4):
        return False
    family, _, state, _, _ = _NDMSG.unpack_from(message, 16)
    if (kind, family) == (RTM_DELNEIGH, _AF_BRIDGE):
        return bool(state & _STALE)
    return bool(state) and not state & (_NOARP | _PERMANENT)


class RawNeighbour(NamedTuple):
    """An entry before names: ``device`` is the ifindex it lies behind."""

    entry: Neighbour
    device: int


class RawFdbEntry(NamedTuple):
    """An entry before names: ``device``, ``master`` and ``by``, which frames go out by (0: none), are ifindexes."""

    entry: FdbEntry
    device: int
    master: int
    by: int = 0


def decode_neighbour(body: bytes) -> RawNeighbour | None:
    """One entry of the ARP or ND table; None for those that no protocol made (NUD_NOARP: loopback and groups), as ip(8) does."""
    family, device, state, _, _ = _NDMSG.unpack_from(body, 0)
    found = attributes(body, _NDMSG.size)
    if state & _NOARP or state == 0 or _DST not in found or family == _AF_BRIDGE:
        return None
    hardware = found.get(_LLADDR)
    entry = Neighbour(
        address=ip(found[_DST]),
        dev="",
        mac=mac(hardware) if hardware else None,
        state=_STATES.get(state, f"{state:#x}"),
        family=4 if family == socket.AF_INET else 6,
    )
    return RawNeighbour(entry, device)


def encode_anew(body: bytes, devices: Collection[int]) -> tuple[bytes, ...]:
    """What makes of an entry behind one of ``devices`` whose question is under way one that nobody has asked for, and then asks anew; nothing for others.
    Packets that wait for the answer go on waiting (``__neigh_update`` and ``neigh_event_send`` of net/core/neighbour.c).
    """
    family, device, state, _, kind = _NDMSG.unpack_from(body, 0)
    found = attributes(body, _NDMSG.size)
    if state != _INCOMPLETE or device not in devices or family == _AF_BRIDGE or _DST not in found:
        return ()
    return tuple(_NDMSG.pack(family, device, 0, flags, kind) + attribute(_DST, found[_DST]) for flags in (0, _USE))


def decode_fdb(body: bytes) -> RawFdbEntry | None:
    """One entry of a forwarding database; None for group addresses a device merely listens to, of which every link has several."""
    _, device, state, flags, _ = _NDMSG.unpack_from(body, 0)
    found = attributes(body, _NDMSG.size)
    hardware = found.get(_LLADDR, b"")
    if len(hardware) != 6 or hardware[0] & _GROUP_BIT:
        return None
    entry = FdbEntry(
        mac=mac(hardware),
        dev="",
        state=_fdb_state(state),
        local=bool(state & _PERMANENT) and _DST not in found,
        dst=ip(found[_DST]) if _DST in found else None,
        others=tuple(_others(flags, found)),
    )
    return RawFdbEntry(entry, device, native(found.get(_MASTER, b"")), native(found.get(_IFINDEX, b"")))


def _others(flags: int, found: dict[int, bytes]) -> Iterator[str]:
    """In the words of bridge(8): how a vxlan device reaches who is there, and that nothing learned takes the place of an entry."""
    if _PORT in found:
        yield f"port {int.from_bytes(found[_PORT], 'big')}"
    if _VNI in found:
        yield f"vni {native(found[_VNI])}"
    if _SRC_VNI in found:
        yield f"src_vni {native(found[_SRC_VNI])}"
    if flags & _STICKY:
        yield "sticky"


def _fdb_state(state: int) -> str:
    """As bridge(8) prints it: of the bits that may be set together, what holds longest."""
    if state & _PERMANENT:
        return "permanent"
    return "static" if state & _NOARP else "stale" if state & _STALE else "reachable"


def decode_proxy(body: bytes) -> str:
    """The address that is answered for, of one message of the dump of ``PROXIES_BODY``."""
    return ip(attributes(body, _NDMSG.size)[_DST])
