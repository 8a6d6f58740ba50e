"""How big a packet is, and whether it may be cut into pieces on its way."""

from __future__ import annotations

import socket
from typing import Final

_MTU_DISCOVER: Final = {socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (socket.IPPROTO_IPV6, 23)}
_DONT, _DO = 0, 2
"""IP_PMTUDISC_DONT and _DO, ip(7): what a socket does unless told otherwise lies between, it sets the bit until a router has objected."""
_DONTFRAG6: Final = 62
"""IPV6_DONTFRAG, RFC 3542 section 11.2: the sender does not cut either. Routers of IPv6 never do."""


def say_whether_to_cut(opened: socket.socket, *, dont_fragment: bool) -> None:
    """With or without IPv4's "don't fragment" bit; and whether the node itself may cut."""
    six = opened.family == socket.AF_INET6
    if dont_fragment or not six:
        opened.setsockopt(*_MTU_DISCOVER[socket.AddressFamily(opened.family)], _DO if dont_fragment else _DONT)
    if dont_fragment and six:
        opened.setsockopt(socket.IPPROTO_IPV6, _DONTFRAG6, 1)


def filler(size: int) -> bytes:
    """So many bytes that say nothing."""
    return (b"netless." * (size // 8 + 1))[:size]
