"""ICMP echo by a raw socket of the node: an answer, an ICMP error, or silence. IPv4 and IPv6 alike (``icmp.py``).

Every attempt has an id never used before: an old one would ride its old conntrack entry past a rule that is gone. The socket sees
all ICMP of its namespace, so answers and errors count only when they name an id of ours.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Final, NamedTuple

from ...model.probe import LARGEST, Outcome, Ping
from ..read import NodeRef
from . import errors
from .failure import Failure, from_broadcast, from_errno, from_icmp
from .icmp import VOICES, Ancillary, came_at
from .patience import Attempt, Patience
from .silence import silent
from .target import Target, is_broadcast, is_own

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
