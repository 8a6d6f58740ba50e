"""ICMP echo by a raw socket of the node: an answer, an ICMP error, or silence. IPv4 and IPv6 alike.

Every attempt has an id never used before: an old one would ride its old conntrack entry past a rule that is gone. The socket sees
all ICMP of its namespace, so answers and errors count only when they name an id of ours.

The two kinds of ICMP echo: what a request looks like, how its socket is set up, and how an answer is read (RFC 792, RFC 4443).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from typing import Final, NamedTuple, Protocol

from ...model.probe import LARGEST, Outcome, Ping
from ..namespace import Namespace, socket_in
from ..read import NodeRef
from . import errors
from .failure import Failure, from_broadcast, from_errno, from_icmp
from .patience import Attempt, Patience
from .silence import silent
from .size import filler, say_whether_to_cut
from .target import Target, is_broadcast, is_own

_HEADER: Final = struct.Struct("!BBHHH")
_RAW: Final = socket.SOCK_RAW | socket.SOCK_NONBLOCK
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("=qq")
_SOL_RAW, _ICMP_FILTER = 255, 1
_ICMP6_FILTER: Final = 1

Ancillary = list[tuple[int, int, bytes]]


class Reply(NamedTuple):
    """An answer: the id of the request it answers, and how many hops it could still have gone."""

    ident: int
    ttl: int


class Voice(Protocol):
    """One of the two kinds."""

    def open(self, namespace: Namespace, probe: Ping) -> socket.socket:
        """A socket in ``namespace`` that hears echo replies and errors only, with the time at which each came."""

    def request(self, ident: int, sequence: int, size: int) -> bytes:
        """An echo request with ``size`` bytes of data."""

    def reply(self, data: bytes, ancillary: Ancillary) -> Reply | None:
        """What was received as an answer; None when it is none."""


class Icmp4:
    """ICMP echo over IPv4."""

    def open(self, namespace: Namespace, probe: Ping) -> socket.socket:
        """As ``Voice``."""
        opened = socket_in(namespace, socket.AF_INET, _RAW, socket.IPPROTO_ICMP)
        try:
            _prepare(opened, probe)
            opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~(1 << 0) & 0xFFFFFFFF))
            if probe.ttl is not None:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe.ttl)
        except OSError:
            opened.close()
            raise
        return opened

    def request(self, ident: int, sequence: int, size: int) -> bytes:
        """As ``Voice``."""
        data = filler(size)
        blank = _HEADER.pack(8, 0, 0, ident, sequence & 0xFFFF) + data
        return _HEADER.pack(8, 0, _checksum(blank), ident, sequence & 0xFFFF) + data

    def reply(self, data: bytes, ancillary: Ancillary) -> Reply | None:
        """As ``Voice``: a raw IPv4 socket receives the IP header as well (raw(7))."""
        start = (data[0] & 0x0F) * 4 if data else 0
        if len(data) < start + _HEADER.size:
            return None
        kind, _, _, ident, _ = _HEADER.unpack_from(data, start)
        return Reply(ident, data[8]) if kind == 0 else None


class Icmp6:
    """ICMP echo over IPv6. The kernel fills the checksum in, and hands out no IP header (RFC 3542, section 3)."""

    def open(self, namespace: Namespace, probe: Ping) -> socket.socket:
        """As ``Voice``."""
        opened = socket_in(namespace, socket.AF_INET6, _RAW, socket.IPPROTO_ICMPV6)
        try:
            _prepare(opened, probe)
            passing = [0xFFFFFFFF] * 8
            passing[129 // 32] &= ~(1 << 129 % 32)
            opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *passing))
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            if probe.ttl is not None:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, probe.ttl)
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, probe.ttl)
        except OSError:
            opened.close()
            raise
        return opened

    def request(self, ident: int, sequence: int, size: int) -> bytes:
        """As ``Voice``."""
        return _HEADER.pack(128, 0, 0, ident, sequence & 0xFFFF) + filler(size)

    def reply(self, data: bytes, ancillary: Ancillary) -> Reply | None:
        """As ``Voice``."""
        if len(data) < _HEADER.size:
            return None
        kind, _, _, ident, _ = _HEADER.unpack_from(data)
        hops = next((payload for level, number, payload in ancillary if (level, number) == _HOPLIMIT), b"")
        return Reply(ident, struct.unpack("=i", hops)[0] if len(hops) == 4 else 0) if kind == 129 else None


_HOPLIMIT: Final = (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)
VOICES: Final[dict[int, Voice]] = {socket.AF_INET: Icmp4(), socket.AF_INET6: Icmp6()}
"""By family."""


def came_at(ancillary: Ancillary) -> int | None:
    """When the kernel received the packet, in nanoseconds since the epoch (SO_TIMESTAMPNS, socket(7))."""
    for level, number, payload in ancillary:
        if (level, number) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack_from(payload)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def _prepare(opened: socket.socket, probe: Ping) -> None:
    errors.watch_errors(opened)
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    say_whether_to_cut(opened, dont_fragment=probe.dont_fragment)


def _checksum(data: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


_SEND_TRIES: Final = 4
_LATELY: Final = 512


class Identifiers:
    """Numbers that follow one another, wrapping at 16 bits, from a random start: the ids of one lab's echo requests."""

    def __init__(self) -> None:
        self._last = int.from_bytes(os.urandom(2), "big")
        self._given = 0

    def next(self) -> int:
        """The next id, never 0."""
        self._last = self._last % 0xFFFF + 1
        self._given += 1
        return self._last

    def gave(self, ident: int) -> bool:
        """Whether an id is one of the last few hundred that were given."""
        return (self._last - ident) % 0xFFFF < min(self._given, _LATELY)

    def upcoming(self, count: int) -> tuple[int, int] | None:
        """(first, last) of the next ``count`` ids; None when they wrap around."""
        first, last = self._last + 1, self._last + count
        return (first, last) if last <= 0xFFFF else None


class _Answer(NamedTuple):
    source: str
    ttl: int
    rtt_us: float
    ident: int


async def ping(probe: Ping, ref: NodeRef, to: Target, patience: Patience, identifiers: Identifiers) -> Outcome:
    """Send ``probe`` to ``to`` until something comes back or the time is up."""
    if not 0 <= probe.size <= LARGEST:
        return Failure("could-not-run", f"a ping carries 0 to {LARGEST} bytes, not {probe.size}").outcome(probe, 0)
    with VOICES[to.family].open(ref.namespace, probe) as opened:
        echo = _Echo(opened, probe, to, identifiers)
        failure: Failure | None = None
        while not patience.over:
            failure = echo.send()
            if failure is None:
                answer = await echo.wait(patience.attempt(program=False))
                if isinstance(answer, _Answer):
                    return _answered(probe, answer, patience)
                failure = answer
            if failure is None or echo.learned(failure):
                continue
            if not (failure.passing and patience.patient):
                break
            await patience.pause()
        failure = failure or silent(ref.namespace, probe.node, to, patience.waited_ms)
        return failure.outcome(probe, patience.waited_ms, echo.last)


class _Echo:
    """The attempts of one probe on one socket."""

    def __init__(self, opened: socket.socket, probe: Ping, to: Target, identifiers: Identifiers) -> None:
        self._socket, self._probe, self._to, self._identifiers = opened, probe, to, identifiers
        self._voice = VOICES[to.family]
        self._sent: dict[int, int] = {}
        self._lessons = _SEND_TRIES
        self.last: int | None = None

    def send(self) -> Failure | None:
        """One request with a fresh id; why it could not leave, or None."""
        ident = self.last = self._identifiers.next()
        packet = self._voice.request(ident, len(self._sent) + 1, self._probe.size)
        for _ in range(_SEND_TRIES):
            self._sent[ident] = time.time_ns()
            try:
                self._socket.sendto(packet, self._to.at(0))
                return None
            except OSError as error:
                # an error somebody else's packet got is handed to the next call on this socket, once
                if not self._drop_foreign_errors():
                    return self._refused(error.errno or 0)
        return Failure("could-not-run", f"{self._probe.node} is flooded with ICMP errors")

    def learned(self, failure: Failure) -> bool:
        """Whether only the sender had to learn the path's MTU: routers never cut IPv6 packets, the sender does, the next time."""
        if failure.reason != "too-big" or self._to.family != socket.AF_INET6 or self._probe.dont_fragment:
            return False
        self._lessons -= 1
        return self._lessons > 0

    def _drop_foreign_errors(self) -> bool:
        """Whether there were any. One about our own packet is none: a firewall of the node itself rejects it while it is being sent."""
        dropped = False
        while (queued := errors.take_error(self._socket)) is not None:
            dropped |= queued.origin != errors.LOCAL and self._failure(queued) is None
        return dropped

    def _refused(self, code: int) -> Failure:
        if code == errno.EACCES and is_broadcast(self._socket, self._to):
            return from_broadcast(self._probe.node, self._to.written)
        return from_errno(code, self._probe.node, self._to.written)

    async def wait(self, attempt: Attempt) -> _Answer | Failure | None:
        """What came back for any request sent so far; None for silence."""
        while True:
            while (event := self._take()) is not None:
                if not isinstance(event, bool):
                    return event
            if not await attempt.readable(self._socket):
                return self._last_look()

    def _last_look(self) -> _Answer | Failure | None:
        """The time is up, but this process may have slept past an answer that is there."""
        while (event := self._take()) is not None:
            if not isinstance(event, bool):
                return event
        return None

    def _take(self) -> _Answer | Failure | bool | None:
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
        return self._answer(data, ancillary, address[0]) or True

    def _failure(self, queued: errors.QueuedError) -> Failure | None:
        if len(queued.quoted) < 8 or int.from_bytes(queued.quoted[4:6], "big") not in self._sent:
            return None
        if not queued.came_back:
            return from_errno(queued.code, self._probe.node, self._to.written)
        own = is_own(self._socket, queued.offender, queued.scope)
        return from_icmp(queued, self._probe.node, self._to.written, own)

    def _answer(self, data: bytes, ancillary: Ancillary, source: str) -> _Answer | None:
        reply = self._voice.reply(data, ancillary)
        sent = self._sent.get(reply.ident) if reply is not None else None
        if reply is None or sent is None:
            return None
        came = came_at(ancillary) or time.time_ns()
        return _Answer(source, reply.ttl, max(0.0, (came - sent) / 1000), reply.ident)


def _answered(probe: Ping, reply: _Answer, patience: Patience) -> Outcome:
    text = f"{reply.source} answered in {reply.rtt_us / 1000:.2f} ms"
    return Outcome(
        probe, "answered", "answered", text, None, reply.rtt_us, reply.ttl, waited_ms=patience.waited_ms, ident=reply.ident
    )  # fmt: skip
