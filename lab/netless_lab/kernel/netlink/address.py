"""Addresses of links: RTM_NEWADDR (rtnetlink(7), include/uapi/linux/if_addr.h)."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_interface
from typing import Final

from ...model.snapshot import Address
from .attributes import attribute, attributes, family_and_bytes, ip, native
from .route import SCOPE_NUMBERS, SCOPES, version_of

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
_ADDRESS, _LOCAL, _BROADCAST, _FLAGS = 1, 2, 4, 8
"""IFA_*: on a point-to-point link IFA_ADDRESS is the far end; everywhere else both are the link's own."""
_IFADDR: Final = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, ifindex."""
ADDRESSES_BODY: Final = bytes(_IFADDR.size)
_DADFAILED, _TENTATIVE = 0x08, 0x40
"""IFA_F_*; a flag of its own says that duplicate address detection found somebody."""


def decode_address(body: bytes) -> tuple[int, Address] | None:
    """(ifindex, address) of one RTM_NEWADDR body; None for a family that is neither IPv4 nor IPv6."""
    family, prefix, flags, scope, index = _IFADDR.unpack_from(body, 0)
    found, version = attributes(body, _IFADDR.size), version_of(family)
    own = found.get(_LOCAL) or found.get(_ADDRESS)
    if version is None or own is None:
        return None
    flags = native(found[_FLAGS]) if _FLAGS in found else flags
    return index, Address(ip(own), prefix, version, SCOPES.get(scope, str(scope)), bool(flags & _TENTATIVE), bool(flags & _DADFAILED))


def encode_address(index: int, wanted: Address) -> bytes:
    """An address of a link, with the broadcast address of its network where there is one (``ip address add ... brd +``)."""
    family, packed = family_and_bytes(wanted.address)
    header = _IFADDR.pack(family, wanted.prefix, 0, SCOPE_NUMBERS.get(wanted.scope, 0), index)
    body = header + attribute(_LOCAL, packed) + attribute(_ADDRESS, packed)
    if family == socket.AF_INET and wanted.prefix < 31 and wanted.scope == "global":
        body += attribute(_BROADCAST, ip_interface(wanted.cidr).network.broadcast_address.packed)
    return body
