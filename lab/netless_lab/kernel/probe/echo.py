"""ICMP echo (RFC 792) by a raw socket of the node: an answer, an ICMP error, or silence.

Every attempt has an id never used before: an old one would ride its old conntrack entry past a rule that is gone. The socket sees
all ICMP of its namespace, so answers and errors count only when they name an id of ours.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from typing import Final, NamedTuple

from ...model.probe import Outcome, Ping
from ..namespace import Namespace, socket_in
from ..read import NodeRef
from . import errors
from .failure import Failure, from_broadcast, from_errno, from_icmp
from .patience import Patience, readable
from .silence import silent

_REQUEST, _REPLY = 8, 0
_HEADER: Final = struct.Struct("!BBHHH")
_ICMP_FILTER: Final = 1
_SOL_RAW: Final = 255
_SO_TIMESTAMPNS: Final = 35
_IP_MTU_DISCOVER, _PMTUDISC_DO = 10, 2
_TIMESPEC: Final = struct.Struct("=qq")
_LARGEST: Final = 65_507
_SEND_TRIES: Final = 4


class Identifiers:
    """Numbers that follow one another, wrapping at 16 bits, from a random start: the ids of one lab's echo requests."""

    def __init__(self) -> None:
        self._last = int.from_bytes(os.urandom(2), "big")

    def next(self) -> int:
        """The next id, never 0."""
        self._last = self._last % 0xFFFF + 1
        return self._last


class _Reply(NamedTuple):
    source: str
    ttl: int
    rtt_us: float
    ident: int


async def ping(probe: Ping, ref: NodeRef, to: str, patience: Patience, identifiers: Identifiers) -> Outcome:
    """Send ``probe`` to the address ``to`` until something comes back or the time is up."""
    if not 0 <= probe.size <= _LARGEST:
        return Failure("could-not-run", f"a ping carries 0 to {_LARGEST} bytes, not {probe.size}").outcome(probe, 0)
    with _open(ref.namespace, probe) as opened:
        echo = _Echo(opened, probe, to, identifiers)
        failure: Failure | None = None
        while not patience.over:
            failure = echo.send()
            if failure is None:
                answer = await echo.wait(patience.attempt_s())
                if isinstance(answer, _Reply):
                    return _answered(probe, answer, patience)
                failure = answer
            if failure is not None and not (failure.passing and patience.patient):
                break
            if failure is not None:
                await patience.pause()
        failure = failure or silent(ref.namespace, probe.node, to, patience.waited_ms)
        return failure.outcome(probe, patience.waited_ms, echo.last)


def _open(namespace: Namespace, probe: Ping) -> socket.socket:
    opened = socket_in(namespace, socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
    try:
        errors.watch_errors(opened)
        opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~(1 << _REPLY) & 0xFFFFFFFF))
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        if probe.ttl is not None:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe.ttl)
        if probe.dont_fragment:
            opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DO)
    except OSError:
        opened.close()
        raise
    return opened


class _Echo:
    """The attempts of one probe on one socket."""

    def __init__(self, opened: socket.socket, probe: Ping, to: str, identifiers: Identifiers) -> None:
        self._socket, self._probe, self._to, self._identifiers = opened, probe, to, identifiers
        self._sent: dict[int, int] = {}
        self.last: int | None = None

    def send(self) -> Failure | None:
        """One request with a fresh id; why it could not leave, or None."""
        ident = self.last = self._identifiers.next()
        packet = _packet(ident, len(self._sent) + 1, self._probe.size)
        for _ in range(_SEND_TRIES):
            self._sent[ident] = time.time_ns()
            try:
                self._socket.sendto(packet, (self._to, 0))
                return None
            except OSError as error:
                # an error somebody else's packet got is handed to the next call on this socket, once
                if not self._drop_foreign_errors():
                    return self._refused(error.errno or 0)
        return Failure("could-not-run", f"{self._probe.node} is flooded with ICMP errors")

    def _drop_foreign_errors(self) -> bool:
        dropped = False
        while (queued := errors.take_error(self._socket)) is not None:
            dropped |= queued.origin != errors.LOCAL
        return dropped

    def _refused(self, code: int) -> Failure:
        if code == errno.EACCES and _is_broadcast(self._socket, self._to):
            return from_broadcast(self._probe.node, self._to)
        return from_errno(code, self._probe.node, self._to)

    async def wait(self, seconds: float) -> _Reply | Failure | None:
        """What came back for any request sent so far; None for silence."""
        end = time.monotonic() + seconds
        while True:
            while (event := self._take()) is not None:
                if not isinstance(event, bool):
                    return event
            left = end - time.monotonic()
            if left <= 0 or not await readable(self._socket, left):
                return self._last_look()

    def _last_look(self) -> _Reply | Failure | None:
        """The time is up, but this process may have slept past an answer that is there."""
        while (event := self._take()) is not None:
            if not isinstance(event, bool):
                return event
        return None

    def _take(self) -> _Reply | Failure | bool | None:
        """The next thing in the socket: ours, True when it was somebody else's, None when there is nothing."""
        queued = errors.take_error(self._socket)
        if queued is not None:
            return self._failure(queued) or True
        try:
            data, ancillary, _, address = self._socket.recvmsg(65536, 256)
        except BlockingIOError:
            return None
        except OSError:
            return True
        return self._reply(data, ancillary, address[0]) or True

    def _failure(self, queued: errors.QueuedError) -> Failure | None:
        if len(queued.quoted) < 8 or int.from_bytes(queued.quoted[4:6], "big") not in self._sent:
            return None
        if queued.origin != errors.ICMP:
            return from_errno(queued.code, self._probe.node, self._to)
        own = _is_own(self._socket, queued.offender)
        return from_icmp(queued.kind, queued.icmp_code, queued.info, queued.offender, self._probe.node, self._to, own)

    def _reply(self, data: bytes, ancillary: list[tuple[int, int, bytes]], source: str) -> _Reply | None:
        start = (data[0] & 0x0F) * 4
        if len(data) < start + _HEADER.size:
            return None
        kind, _, _, ident, _ = _HEADER.unpack_from(data, start)
        sent = self._sent.get(ident)
        if kind != _REPLY or sent is None:
            return None
        now = time.time_ns()
        for level, number, payload in ancillary:
            if (level, number) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack_from(payload)
                now = seconds * 1_000_000_000 + nanoseconds
        return _Reply(source, data[8], max(0.0, (now - sent) / 1000), ident)


def _packet(ident: int, sequence: int, size: int) -> bytes:
    """An echo request with ``size`` bytes of data."""
    data = (b"netless." * (size // 8 + 1))[:size]
    blank = _HEADER.pack(_REQUEST, 0, 0, ident, sequence & 0xFFFF) + data
    return _HEADER.pack(_REQUEST, 0, _checksum(blank), ident, sequence & 0xFFFF) + data


def _checksum(data: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _is_broadcast(opened: socket.socket, to: str) -> bool:
    """Whether the packet could leave if broadcast were allowed (SO_BROADCAST, socket(7)); connecting sends nothing."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.connect((to, 0))
    except OSError:
        return False
    return True


def _is_own(opened: socket.socket, address: str) -> bool:
    """Whether ``address`` is one of the node's own: bind(2) takes no others. The socket is as unbound afterwards as before."""
    try:
        opened.bind((address, 0))
        opened.bind(("0.0.0.0", 0))
    except OSError:
        return False
    return True


def _answered(probe: Ping, reply: _Reply, patience: Patience) -> Outcome:
    text = f"{reply.source} answered in {reply.rtt_us / 1000:.2f} ms"
    return Outcome(
        probe, "answered", "answered", text, None, reply.rtt_us, reply.ttl, waited_ms=patience.waited_ms, ident=reply.ident
    )  # fmt: skip
