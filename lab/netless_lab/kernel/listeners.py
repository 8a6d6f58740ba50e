"""Sockets that wait for clients, by sock_diag(7): the kernel filters by state, so this costs 50 microseconds.

/proc/net/tcp would walk every bucket of the machine's connection table instead: 2 ms for the four files.
"""

from __future__ import annotations

import socket
import struct
from typing import Final, Literal

from ..model.snapshot import Listener
from .namespace import Namespace
from .netlink.attributes import ip
from .netlink.socket import NETLINK_SOCK_DIAG, NetlinkError, NetlinkSocket

_SOCK_DIAG_BY_FAMILY, _TCPDIAG_GETSOCK = 20, 18
_REQUEST: Final = struct.Struct("=BBBBI48x")
"""struct inet_diag_req_v2: family, protocol, three more bytes, the states that are wanted."""
_OLD_REQUEST: Final = struct.Struct("=4x48xII")
"""struct inet_diag_req of the older question, which is answered for TCP of both families: states, tables."""
_ANSWER: Final = struct.Struct("=BBBB2s2s16s16s")
_UDP: Final = 17
_LISTEN, _CLOSE = 10, 7
"""enum of include/net/tcp_states.h; an unconnected UDP socket is in state CLOSE."""

_QUESTIONS: Final[tuple[tuple[Literal["tcp", "udp"], int, bytes], ...]] = (
    ("tcp", _TCPDIAG_GETSOCK, _OLD_REQUEST.pack(1 << _LISTEN, 0)),
    *(("udp", _SOCK_DIAG_BY_FAMILY, _REQUEST.pack(family, _UDP, 0, 0, 1 << _CLOSE)) for family in (socket.AF_INET, socket.AF_INET6)),
)
_FAMILIES: Final[dict[int, tuple[Literal[4, 6], int]]] = {socket.AF_INET: (4, 4), socket.AF_INET6: (6, 16)}
"""Which version of IP a family is, and how long its addresses are."""


class Listeners:
    """Reads the listening sockets of one namespace through one open socket."""

    def __init__(self, namespace: Namespace) -> None:
        self._socket = NetlinkSocket(namespace, NETLINK_SOCK_DIAG)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def read(self) -> tuple[Listener, ...]:
        """Every TCP listener and every bound, unconnected UDP socket, by port; none on a kernel built without inet_diag."""
        found: set[Listener] = set()
        for name, kind, question in _QUESTIONS:
            try:
                answers = self._socket.dump(kind, question)
            except NetlinkError:
                continue
            for body in answers:
                family, _, _, _, port, _, source, _ = _ANSWER.unpack_from(body, 0)
                version, width = _FAMILIES[family]
                number = int.from_bytes(port, "big")
                if number:
                    found.add(Listener(name, ip(source[:width]), number, version))
        return tuple(sorted(found, key=lambda own: (own.protocol, own.port, own.family, own.address)))
