"""The error queue of a socket (IP_RECVERR, ip(7)): ICMP errors with the address that sent them and the packet they are about."""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

IP_RECVERR: Final = 11
_ERRQUEUE: Final = 0x2000
_EXTENDED: Final = struct.Struct("=IBBBBII")
"""struct sock_extended_err: errno, origin, type, code, padding, info, data; the offender's sockaddr follows."""
LOCAL, ICMP = 1, 2
"""SO_EE_ORIGIN_*."""


class QueuedError(NamedTuple):
    """One error. ``quoted`` is the start of our packet, without its IP header, as the error brought it back."""

    code: int
    origin: int
    kind: int
    icmp_code: int
    info: int
    offender: str
    quoted: bytes


def watch_errors(opened: socket.socket) -> None:
    """Ask the kernel to queue errors on this IPv4 socket."""
    opened.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def take_error(opened: socket.socket) -> QueuedError | None:
    """The oldest queued error, None when there is none."""
    try:
        quoted, ancillary, _, _ = opened.recvmsg(2048, 512, _ERRQUEUE)
    except OSError:
        return None
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_RECVERR) and len(payload) >= _EXTENDED.size:
            number, origin, icmp_type, icmp_code, _, info, _ = _EXTENDED.unpack_from(payload)
            offender = socket.inet_ntoa(payload[20:24]) if len(payload) >= 24 else ""
            return QueuedError(number, origin, icmp_type, icmp_code, info, offender, quoted)
    return None
