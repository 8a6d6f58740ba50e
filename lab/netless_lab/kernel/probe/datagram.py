"""UDP from inside a node: answered by a datagram, by the target's word that nobody listens, or not at all.

Nothing in UDP says that a datagram came (RFC 768). What its target's kernel says when no program has the port (RFC 1122, 4.1.3.1) is an
answer all the same: the packet has reached whom it was for.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from ...model import dns
from ...model.probe import LARGEST, Outcome, Udp
from ..namespace import socket_in
from ..read import NodeRef
from . import errors
from .failure import Failure, from_broadcast, from_errno, from_icmp
from .patience import Patience
from .silence import silent
from .size import filler, say_whether_to_cut
from .target import Target, is_broadcast

PORT_UNREACHABLE: Final = ((errors.ICMP, 3, 3), (errors.ICMP6, 1, 4))
"""(origin, type, code) of the error, RFC 792 and RFC 4443."""
_FEW: Final = 8
_MOST: Final = 65_535
_TOO_MANY_PATIENT: Final = 3
"""A sender that cuts a packet itself learns from the first error how small the pieces must be, and from further ones on a longer path."""


class Turns:
    """Who sends from a port that is asked for by its number: one probe after the other, an attempt each, in the order they came."""

    def __init__(self) -> None:
        self._turns: dict[tuple[int, int], asyncio.Lock] = {}
        self._waiting: Counter[tuple[int, int]] = Counter()

    @contextlib.asynccontextmanager
    async def of(self, namespace: int, port: int) -> AsyncIterator[None]:
        """Have a port of a namespace, by its inode, while inside."""
        place = (namespace, port)
        turn = self._turns.setdefault(place, asyncio.Lock())
        self._waiting[place] += 1
        try:
            async with turn:
                yield
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place], self._turns[place]


async def datagram(probe: Udp, ref: NodeRef, to: Target, patience: Patience, turns: Turns) -> Outcome:
    """Send ``probe`` to ``to`` until something comes back or the time is up."""
    if probe.size is not None and not 0 <= probe.size <= LARGEST:
        return Failure("could-not-run", f"a datagram carries 0 to {LARGEST} bytes, not {probe.size}").outcome(probe, 0)
    if probe.source_port is None:
        with _opened(probe, ref, to) as opened:
            outcome = await _until_answered(probe, ref, to, patience, lambda: _attempt(opened, probe, to, patience))
            return replace(outcome, ident=opened.getsockname()[1] or None)
    port = probe.source_port

    async def in_turn() -> Outcome | Failure | None:
        async with turns.of(ref.namespace.inode, port):
            with _opened(probe, ref, to) as own:
                try:
                    own.bind(("::" if to.family == socket.AF_INET6 else "0.0.0.0", port))
                except OSError as error:
                    text = f"{probe.node} cannot send from UDP port {port}: {error.strerror}"
                    return Failure("could-not-run", text).outcome(probe, patience.waited_ms)
                return await _attempt(own, probe, to, patience)

    return replace(await _until_answered(probe, ref, to, patience, in_turn), ident=port)


async def _until_answered(
    probe: Udp, ref: NodeRef, to: Target, patience: Patience, attempt: Callable[[], Awaitable[Outcome | Failure | None]]
) -> Outcome:
    lessons = _TOO_MANY_PATIENT
    failure: Failure | None = None
    while not patience.over:
        found = await attempt()
        if isinstance(found, Outcome):
            return found
        failure = found
        if failure is not None and failure.reason == "too-big" and not probe.dont_fragment and lessons:
            lessons -= 1
            continue
        if failure is not None and not (failure.passing and patience.patient):
            break
        if failure is not None:
            await patience.pause()
    return (failure or silent(ref.namespace, probe.node, to, patience.waited_ms)).outcome(probe, patience.waited_ms)


def _opened(probe: Udp, ref: NodeRef, to: Target) -> socket.socket:
    opened = socket_in(ref.namespace, to.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    errors.watch_errors(opened)
    say_whether_to_cut(opened, dont_fragment=probe.dont_fragment)
    return opened


async def _attempt(opened: socket.socket, probe: Udp, to: Target, patience: Patience) -> Outcome | Failure | None:
    """One datagram: what was answered, why it was not, or None for silence."""
    try:
        opened.connect(to.at(probe.port))
        sent = time.monotonic()
        opened.send(_payload(probe))
        if not await patience.attempt(program=True).readable(opened):
            return None
        opened.recv(_MOST)
    except OSError as error:
        return _refused(opened, probe, to, patience, error.errno or 0)
    rtt_us = (time.monotonic() - sent) * 1e6
    text = f"{to.written} answered a datagram to its UDP port {probe.port} in {rtt_us / 1000:.2f} ms"
    return Outcome(probe, "answered", "answered", text, rtt_us=rtt_us, waited_ms=patience.waited_ms)


def _refused(opened: socket.socket, probe: Udp, to: Target, patience: Patience, code: int) -> Outcome | Failure:
    queued = errors.take_error(opened)
    if queued is None or not queued.came_back:
        if code == errno.ECONNREFUSED:  # an error of ICMP that told no more
            return _closed(probe, to, patience)
        if code == errno.EACCES and is_broadcast(opened, to):
            return from_broadcast(probe.node, to.written)
        return from_errno(code, probe.node, to.written)
    if queued.offender == to.address and (queued.origin, queued.kind, queued.icmp_code) in PORT_UNREACHABLE:
        return _closed(probe, to, patience)
    return from_icmp(queued, probe.node, to.written, bool(opened.getsockname()[0] == queued.offender))


def _closed(probe: Udp, to: Target, patience: Patience) -> Outcome:
    """The target itself says so: the datagram was there."""
    text = f"{to.written} was reached, and says that nobody listens on its UDP port {probe.port} (ICMP port unreachable)"
    return Outcome(probe, "answered", "answered", text, to.address, waited_ms=patience.waited_ms)


def _payload(probe: Udp) -> bytes:
    if probe.size is None and probe.port == dns.PORT:
        ident = int.from_bytes(os.urandom(2), "big")
        return dns.encode(dns.Message(ident, dns.RECURSION_DESIRED, (dns.Question((), dns.NS),)))
    return filler(_FEW if probe.size is None else probe.size)
