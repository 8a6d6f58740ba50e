"""RTM_NEWNEIGH messages: the ARP and ND tables (AF_INET, AF_INET6) and the forwarding databases (AF_BRIDGE); neighbour.h."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ..model.snapshot import FdbEntry, Neighbour
from .attributes import attributes, ip, mac, native

RTM_GETNEIGH: Final = 30
_NDMSG: Final = struct.Struct("=BxxxiHBB")
_AF_INET, _AF_BRIDGE = 2, 7
NEIGHBOUR_SIZE: Final = _NDMSG.size
NEIGHBOURS_BODY: Final = bytes(_NDMSG.size)
PROXIES_BODY: Final = _NDMSG.pack(0, 0, 0, 0x08, 0)
"""NTF_PROXY: the addresses that are answered for (ip-neighbour(8), ``proxy``), which the plain dump leaves out."""
FDB_BODY: Final = _NDMSG.pack(_AF_BRIDGE, 0, 0, 0, 0)

_STATES: Final = {
    0x00: "none", 0x01: "incomplete", 0x02: "reachable", 0x04: "stale", 0x08: "delay", 0x10: "probe", 0x20: "failed", 0x80: "permanent",
}  # fmt: skip
_NOARP, _PERMANENT = 0x40, 0x80
_FDB_STATES: Final = {0x02: "reachable", 0x04: "stale", _NOARP: "static", _PERMANENT: "permanent"}
_GROUP_BIT: Final = 1


class RawNeighbour(NamedTuple):
    """An entry before names: ``device`` is the ifindex it lies behind."""

    entry: Neighbour
    device: int


class RawFdbEntry(NamedTuple):
    """An entry before names: ``device`` and ``master`` (0: none) are ifindexes."""

    entry: FdbEntry
    device: int
    master: int


def decode_neighbour(body: bytes) -> RawNeighbour | None:
    """One entry of the ARP or ND table; None for those that no protocol made (NUD_NOARP: loopback and groups), as ip(8) does."""
    family, device, state, _, _ = _NDMSG.unpack_from(body, 0)
    found = attributes(body, 12)
    if state & _NOARP or state == 0 or 1 not in found or family == _AF_BRIDGE:
        return None
    hardware = found.get(2)
    entry = Neighbour(
        address=ip(found[1]),
        dev="",
        mac=mac(hardware) if hardware else None,
        state=_STATES.get(state, f"{state:#x}"),
        family=4 if family == _AF_INET else 6,
    )
    return RawNeighbour(entry, device)


def decode_fdb(body: bytes) -> RawFdbEntry | None:
    """One entry of a forwarding database; None for group addresses a device merely listens to, of which every link has several."""
    _, device, state, _, _ = _NDMSG.unpack_from(body, 0)
    found = attributes(body, 12)
    hardware = found.get(2, b"")
    if len(hardware) != 6 or hardware[0] & _GROUP_BIT:
        return None
    entry = FdbEntry(
        mac=mac(hardware),
        dev="",
        state=_FDB_STATES.get(state, "static" if state & _NOARP else "reachable"),
        local=bool(state & _PERMANENT) and 1 not in found,
        dst=ip(found[1]) if 1 in found else None,
    )
    return RawFdbEntry(entry, device, native(found.get(9, b"")))
