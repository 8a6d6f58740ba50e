"""The error queue of a socket (IP_RECVERR, ip(7); IPV6_RECVERR, ipv6(7)): ICMP errors, who sent them and the packet they are about."""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

from ..netlink.attributes import native

_ERRQUEUE: Final = 0x2000
_EXTENDED: Final = struct.Struct("=IBBBBII")
"""struct sock_extended_err: errno, origin, type, code, padding, info, data; the offender's sockaddr follows."""
_RECVERR: Final = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""Level and number of the option, and of the messages in the queue, by family."""
LOCAL, ICMP, ICMP6 = 1, 2, 3
"""SO_EE_ORIGIN_*."""


class QueuedError(NamedTuple):
    """One error. ``quoted`` is the start of our packet, without its IP header, as the error brought it back.

    ``scope`` is the ifindex on which a link-local offender lives, 0 for all others.
    """

    code: int
    origin: int
    kind: int
    icmp_code: int
    info: int
    offender: str
    quoted: bytes
    scope: int = 0

    @property
    def came_back(self) -> bool:
        """Whether it is an ICMP error, not a refusal of our own kernel."""
        return self.origin in (ICMP, ICMP6)


def watch_errors(opened: socket.socket) -> None:
    """Ask the kernel to queue errors on this socket."""
    opened.setsockopt(*_RECVERR[socket.AddressFamily(opened.family)], 1)


def take_error(opened: socket.socket) -> QueuedError | None:
    """The oldest queued error, None when there is none."""
    try:
        quoted, ancillary, _, _ = opened.recvmsg(2048, 512, _ERRQUEUE)
    except OSError:
        return None
    for level, kind, payload in ancillary:
        if (level, kind) in _RECVERR.values() and len(payload) >= _EXTENDED.size:
            number, origin, icmp_type, icmp_code, _, info, _ = _EXTENDED.unpack_from(payload)
            offender, scope = _offender(payload)
            return QueuedError(number, origin, icmp_type, icmp_code, info, offender, quoted, scope)
    return None


def _offender(payload: bytes) -> tuple[str, int]:
    """(address, scope) of the sockaddr_in or sockaddr_in6 behind the fixed part; ("", 0) when the kernel names nobody."""
    family = native(payload[16:18])
    if family == socket.AF_INET and len(payload) >= 24:
        return socket.inet_ntop(socket.AF_INET, payload[20:24]), 0
    if family == socket.AF_INET6 and len(payload) >= 44:
        return socket.inet_ntop(socket.AF_INET6, payload[24:40]), struct.unpack_from("=I", payload, 40)[0]
    return "", 0
