"""Addresses of links: RTM_NEWADDR (rtnetlink(7), include/uapi/linux/if_addr.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_interface
from typing import Final

from ...model.snapshot import Address
from .attributes import attribute, attributes, family_and_bytes, ip, native, text
from .route import SCOPE_NUMBERS, SCOPES, version_of

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
_ADDRESS, _LOCAL, _LABEL, _BROADCAST, _FLAGS, _RT_PRIORITY, _PROTO = 1, 2, 3, 4, 8, 9, 11
"""IFA_*: on a point-to-point link IFA_ADDRESS is the far end; everywhere else both are the link's own."""
_IFADDR: Final = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, ifindex."""
ADDRESSES_BODY: Final = bytes(_IFADDR.size)
_DADFAILED, _DEPRECATED, _TENTATIVE, _LASTING = 0x08, 0x20, 0x40, 0x80
"""IFA_F_*; a flag of its own says that duplicate address detection found somebody."""
_FLAG_WORDS: Final = {0x02: "nodad", 0x10: "home", 0x100: "mngtmpaddr", 0x200: "noprefixroute", 0x400: "autojoin"}
"""IFA_F_* that people set, as ip(8) calls them."""
_BY_PEOPLE: Final = 4
"""Who made an address, in IFA_PROTO: lower numbers are the kernel's own (if_addr.h)."""


def decode_address(body: bytes) -> tuple[int, Address] | None:
    """(ifindex, address) of one RTM_NEWADDR body; None for a family that is neither IPv4 nor IPv6."""
    family, prefix, flags, scope, index = _IFADDR.unpack_from(body, 0)
    found, version = attributes(body, _IFADDR.size), version_of(family)
    own = found.get(_LOCAL) or found.get(_ADDRESS)
    if version is None or own is None:
        return None
    flags = native(found[_FLAGS]) if _FLAGS in found else flags
    far = found.get(_ADDRESS, own)
    return index, Address(
        address=ip(own),
        prefix=prefix,
        family=version,
        scope=SCOPES.get(scope, str(scope)),
        tentative=bool(flags & _TENTATIVE),
        duplicate=bool(flags & _DADFAILED),
        peer=f"{ip(far)}/{prefix}" if far != own else None,
        others=tuple(_others(ip(own), prefix, flags, found)),
    )


def _others(own: str, prefix: int, flags: int, found: dict[int, bytes]) -> Iterator[str]:
    """What of an address ip(8) has further words for: what lasts. The broadcast address of its own network is as usual."""
    usual = str(ip_interface(f"{own}/{prefix}").network.broadcast_address)
    if _BROADCAST in found and ip(found[_BROADCAST]) != usual:
        yield f"broadcast {ip(found[_BROADCAST])}"
    if ":" in (label := text(found.get(_LABEL, b""))):
        yield f"label {label}"
    if native(found.get(_RT_PRIORITY, b"")):
        yield f"metric {native(found[_RT_PRIORITY])}"
    if native(found.get(_PROTO, b"")) >= _BY_PEOPLE:
        yield f"proto {native(found[_PROTO])}"
    yield from (word for flag, word in _FLAG_WORDS.items() if flags & flag)
    if flags & _DEPRECATED and flags & _LASTING:
        yield "preferred_lft 0"


def encode_address(index: int, wanted: Address) -> bytes:
    """An address of a link, with the broadcast address of its network where there is one (``ip address add ... brd +``)."""
    family, packed = family_and_bytes(wanted.address)
    header = _IFADDR.pack(family, wanted.prefix, 0, SCOPE_NUMBERS.get(wanted.scope, 0), index)
    body = header + attribute(_LOCAL, packed) + attribute(_ADDRESS, packed)
    if family == socket.AF_INET and wanted.prefix < 31 and wanted.scope == "global":
        body += attribute(_BROADCAST, ip_interface(wanted.cidr).network.broadcast_address.packed)
    return body
