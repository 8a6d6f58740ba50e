"""Why a packet did not make it, in the learner's words: from the errno of a system call, or from the ICMP message that came back.

Sources: errno as ip(7), ipv6(7), raw(7) and tcp(7) use them, ICMP types and codes of RFC 792, 1122, 1812 and, for IPv6, 4443.
"""

from __future__ import annotations

import errno
import os
from typing import Literal, NamedTuple

from ...model import icmp
from ...model.probe import Outcome, Probe, Reason
from ...model.telling import the
from .errors import ICMP6, QueuedError


class Failure(NamedTuple):
    """Why, in one word and in a sentence; ``by`` is the address that said so. ``passing``: it may be over in a moment.

    ``port`` is the sender's of the connection that failed, None when none was begun.
    """

    reason: Reason
    text: str
    by: str | None = None
    passing: bool = False
    port: int | None = None

    def outcome(self, probe: Probe, waited_ms: float, ident: int | None = None) -> Outcome:
        """What became of ``probe``: a failure, or an error when it could not run at all."""
        result: Literal["failed", "error"] = "error" if self.reason == "could-not-run" else "failed"
        return Outcome(probe, result, self.reason, self.text, self.by, waited_ms=waited_ms, ident=self.port if ident is None else ident)


def from_errno(code: int, node: str, to: str) -> Failure:
    """A packet that did not even leave ``node``."""
    node = the(node)
    match code:
        case errno.ENETUNREACH:
            return Failure("no-route", f"{node} has no route to {to}, so the packet never left")
        case errno.EHOSTUNREACH:
            return Failure("unreachable", f"{node}'s own routing table calls {to} unreachable, so the packet never left")
        case errno.EPERM:
            return Failure("local-drop", f"a firewall, or a policy of IPsec, in {node} dropped the packet before it left")
        case errno.EINVAL:
            return Failure("blackhole", f"a blackhole route in {node} swallowed the packet")
        case errno.EACCES:
            return Failure("filtered", f"{node}'s own routing table or firewall prohibits packets to {to}")
        case errno.EMSGSIZE:
            return Failure("too-big", f"the packet is bigger than the MTU on the way out of {node} and may not be cut into pieces")
        case errno.ENOBUFS:
            text = f"the interface that leads from {node} to {to} dropped the packet: the other end of the cable may take only smaller ones"
            return Failure("local-drop", text)
        case errno.EADDRNOTAVAIL:
            return Failure("no-address", f"{node} has no address, or no free port, to send from")
        case errno.ENETDOWN:
            return Failure("no-route", f"the interface that leads from {node} to {to} is down")
        case errno.ECONNREFUSED:
            return Failure("refused", f"{to} refused: nothing listens there, or a firewall answers so", to)
        case errno.ECONNRESET | errno.EPIPE:
            return Failure("reset", f"{to} broke the connection off", to)
        case errno.ETIMEDOUT:
            return Failure("silence", f"{to} did not answer")
        case _:
            return Failure("could-not-run", f"{node} could not send: {os.strerror(code)}")


def from_broadcast(node: str, to: str) -> Failure:
    """EACCES for a reason of its own: the address is not a host's."""
    return Failure("filtered", f"{to} is the broadcast address of a subnet of {the(node)}, not the address of a host")


def from_icmp(error: QueuedError, node: str, to: str, own: bool) -> Failure:
    """An ICMP error that came back. ``own``: it was sent by ``node`` itself, which is how Linux reports that nobody has the next hop.

    Its ``info`` is the MTU of the next link when the packet was too big.
    """
    six, by, code = error.origin == ICMP6, error.offender, error.icmp_code
    if error.kind == (icmp.TIME_EXCEEDED6 if six else icmp.TIME_EXCEEDED):
        return Failure("ttl-exceeded", f"the packet's {'hop limit' if six else 'TTL'} ran out at {by}", by)
    if (error.kind == icmp.TOO_BIG6) if six else ((error.kind, code) == (icmp.UNREACHABLE, icmp.TOO_BIG)):
        return _too_big(by, error.info)
    if error.kind != (icmp.UNREACHABLE6 if six else icmp.UNREACHABLE):
        return Failure("unreachable", f"{by} answered with {'ICMPv6' if six else 'ICMP'} type {error.kind} code {code}", by)
    nobody = code == (icmp.NO_ADDRESS6 if six else icmp.HOST)
    if own and nobody:
        return Failure("no-neighbour", f"nobody answered when {the(node)} asked on the link who has the address it sends {to} to", by, True)
    meaning = icmp.unreachable(code, six=six)
    return Failure("filtered" if meaning.refused else "unreachable", f"{by} {meaning.told}", by, nobody)


def _too_big(by: str, mtu: int) -> Failure:
    limit = f" (its next link carries {mtu} bytes)" if mtu else ""
    return Failure("too-big", f"the packet was too big for {by}{limit} and may not be cut into pieces", by)
