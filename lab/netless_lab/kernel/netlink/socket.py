"""One raw netlink socket in one namespace: whole dumps and single requests, nothing parsed beyond the message header (netlink(7)).

Why not a library: a snapshot is four to ten dumps per namespace on every change, and a generic parser costs ten times the kernel's own
time. The kernel does all the work of a request inside ``send`` and answers at once, so nothing here waits.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from ..namespace import Namespace, socket_in
from .attributes import attributes, text

NETLINK_ROUTE: Final = 0
NETLINK_SOCK_DIAG: Final = 4
NETLINK_NETFILTER: Final = 12

HEADER: Final = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port."""
HEADER_SIZE: Final = 16
REQUEST: Final = 0x1
ACK: Final = 0x4
DUMP: Final = 0x300
REPLACE, EXCLUSIVE, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
"""What a request to make something means where it is there already, and where it is not."""
SOL_NETLINK: Final = 270
EXT_ACK: Final = 11
GET_STRICT_CHK: Final = 12

_ERROR: Final = 2
_DONE: Final = 3
_FLAG_CAPPED: Final = 0x100
_FLAG_TLVS: Final = 0x200
_FLAG_INTERRUPTED: Final = 0x10
_RECEIVE: Final = 1 << 18
"""Bytes for one datagram; the kernel fills at most 32 KiB of them with a dump (net/netlink/af_netlink.c)."""
_TRIES: Final = 8


class NetlinkError(OSError):
    """The kernel refused a request; ``strerror`` is its own words (extended ack) when it gave any."""


class Reply(NamedTuple):
    """One answer within a transaction: an errno (0: done) with the kernel's words, or a message."""

    kind: int
    code: int
    words: str
    body: bytes | None


class NetlinkSocket:
    """A netlink socket of ``protocol`` that lives in ``namespace``. Not thread-safe; keep it as long as the node lives."""

    def __init__(self, namespace: Namespace | None = None, protocol: int = NETLINK_ROUTE) -> None:
        """Open it, in the namespace of the calling thread if none is given. Raises OSError (EPROTONOSUPPORT) when this kernel does not
        speak ``protocol``.
        """
        if namespace is None:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        else:
            self._socket = socket_in(namespace, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._socket.setsockopt(SOL_NETLINK, EXT_ACK, 1)
            if protocol == NETLINK_ROUTE:
                self._socket.setsockopt(SOL_NETLINK, GET_STRICT_CHK, 1)
        except OSError:
            self._socket.close()
            raise
        self._sequence = 0
        # pages of it take memory when something was written to them: a lab keeps some twenty sockets, and few hear much
        self._buffer = memoryview(mmap.mmap(-1, _RECEIVE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> NetlinkSocket:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """Every answer to a dump request, without headers.

        A dump that the kernel marks as torn by a change in between (NLM_F_DUMP_INTR) is asked for again; after ``_TRIES`` the last
        one is taken, because a change that comes that often also triggers the next snapshot. Raises NetlinkError.
        """
        answers: list[bytes] = []
        for _ in range(_TRIES):
            self._send(kind, REQUEST | DUMP, body)
            answers, torn = self._collect()
            if not torn:
                break
        return answers

    def request(self, kind: int, flags: int, body: bytes) -> bytes | None:
        """One request; the body of its answer, or None for a bare acknowledgement. Raises NetlinkError with the kernel's words."""
        sequence = self._send(kind, REQUEST | flags, body)
        while True:
            data = self._receive()
            at = 0
            while at + HEADER_SIZE <= len(data):
                length, answer, flagged, number, _ = HEADER.unpack_from(data, at)
                if number == sequence:
                    if answer != _ERROR:
                        return data[at + HEADER_SIZE : at + length]
                    raise_error(data, at, length, flagged)
                    return None
                at += (length + 3) & ~3

    def transact(self, messages: Sequence[tuple[int, int, bytes]]) -> dict[int, list[Reply]]:
        """Send several messages (type, flags, body) with one system call; the replies by the place of the message they answer.

        For netfilter batches: the kernel has done everything and queued every reply when ``send`` returns.
        """
        first = self._sequence + 1
        packed = [
            HEADER.pack(HEADER_SIZE + len(body), kind, flags, first + place, 0) + body + b"\0" * (-len(body) % 4)
            for place, (kind, flags, body) in enumerate(messages)
        ]
        self._sequence += len(messages)
        self._socket.send(b"".join(packed))
        replies: dict[int, list[Reply]] = {}
        while True:
            try:
                data = self._receive(socket.MSG_DONTWAIT)
            except BlockingIOError:
                return replies
            at = 0
            while at + HEADER_SIZE <= len(data):
                length, kind, flags, number, _ = HEADER.unpack_from(data, at)
                if first <= number <= self._sequence:
                    refused = error_of(data, at, length, flags) if kind == _ERROR else (0, "")
                    body = None if kind == _ERROR else data[at + HEADER_SIZE : at + length]
                    replies.setdefault(number - first, []).append(Reply(kind, *refused, body))
                at += (length + 3) & ~3

    def _receive(self, flags: int = 0) -> bytes:
        """One datagram. Into a buffer of our own: a fresh one of this size would be mapped and unmapped by malloc each time."""
        return bytes(self._buffer[: self._socket.recv_into(self._buffer, 0, flags)])

    def _send(self, kind: int, flags: int, body: bytes) -> int:
        self._sequence += 1
        self._socket.send(HEADER.pack(HEADER_SIZE + len(body), kind, flags, self._sequence, 0) + body)
        return self._sequence

    def _collect(self) -> tuple[list[bytes], bool]:
        """Receive until the end of the dump in flight; (bodies, whether it was torn)."""
        bodies: list[bytes] = []
        torn = False
        unpack, sequence = HEADER.unpack_from, self._sequence
        while True:
            data = self._receive()
            at, end = 0, len(data)
            while at + HEADER_SIZE <= end:
                length, kind, flags, number, _ = unpack(data, at)
                if number == sequence:
                    if flags & _FLAG_INTERRUPTED:
                        torn = True
                    if kind in (_DONE, _ERROR):  # both start with the errno of a dump that failed
                        raise_error(data, at, length, flags)
                        return bodies, torn
                    bodies.append(data[at + HEADER_SIZE : at + length])
                at += (length + 3) & ~3


def raise_error(data: bytes, at: int, length: int, flags: int) -> None:
    """Raise NetlinkError for the NLMSG_ERROR at ``data[at:]``; return when it is an acknowledgement (code 0)."""
    code, words = error_of(data, at, length, flags)
    if code:
        raise NetlinkError(code, words or os.strerror(code))


def error_of(data: bytes, at: int, length: int, flags: int) -> tuple[int, str]:
    """(errno, the kernel's extended words or "") of the NLMSG_ERROR at ``data[at:]`` (struct nlmsgerr, NLMSGERR_ATTR_MSG)."""
    if length < HEADER_SIZE + 4:
        return 0, ""
    code = -int(struct.unpack_from("=i", data, at + HEADER_SIZE)[0])
    if not flags & _FLAG_TLVS:
        return code, ""
    echoed = HEADER_SIZE if flags & _FLAG_CAPPED else (int(struct.unpack_from("=I", data, at + HEADER_SIZE + 4)[0]) + 3) & ~3
    words = attributes(data, at + HEADER_SIZE + 4 + echoed, at + length).get(1, b"")
    return code, text(words)
