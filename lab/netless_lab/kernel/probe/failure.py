"""Why a packet did not make it, in the learner's words: from the errno of a system call, or from the ICMP message that came back.

Sources: errno as ip(7), ipv6(7), raw(7) and tcp(7) use them, ICMP types and codes of RFC 792, 1122, 1812 and, for IPv6, 4443.
"""

from __future__ import annotations

import errno
import os
from typing import Final, Literal, NamedTuple

from ...model.probe import Outcome, Probe, Reason
from .errors import ICMP6, QueuedError

DESTINATION_UNREACHABLE, TIME_EXCEEDED = 3, 11
_FORBIDDEN: Final = {
    3: "rejected it (port unreachable)",
    9: "rejected it (network prohibited)",
    10: "rejected it (host prohibited)",
    13: "rejected it (administratively prohibited)",
}
_TOO_BIG: Final = 4
_UNREACHABLE_6, _TOO_BIG_6, _TIME_EXCEEDED_6 = 1, 2, 3
_FORBIDDEN_6: Final = {
    1: "rejected it (administratively prohibited)",
    4: "rejected it (port unreachable)",
    5: "rejected it (source address failed its policy)",
    6: "rejected it (reject route)",
}
_LOST_WAY_6: Final = {0: "knows no way to that network", 2: "may not carry that source address so far", 3: "cannot reach that host"}
_LOST_WAY: Final = {0: "knows no way to that network", 1: "cannot reach that host", 5: "cannot follow the source route"}


class Failure(NamedTuple):
    """Why, in one word and in a sentence; ``by`` is the address that said so. ``passing``: it may be over in a moment."""

    reason: Reason
    text: str
    by: str | None = None
    passing: bool = False

    def outcome(self, probe: Probe, waited_ms: float, ident: int | None = None) -> Outcome:
        """What became of ``probe``: a failure, or an error when it could not run at all."""
        result: Literal["failed", "error"] = "error" if self.reason == "could-not-run" else "failed"
        return Outcome(probe, result, self.reason, self.text, self.by, waited_ms=waited_ms, ident=ident)


def from_errno(code: int, node: str, to: str) -> Failure:
    """A packet that did not even leave ``node``."""
    match code:
        case errno.ENETUNREACH:
            return Failure("no-route", f"{node} has no route to {to}, so the packet never left")
        case errno.EHOSTUNREACH:
            return Failure("unreachable", f"{node}'s own routing table calls {to} unreachable, so the packet never left")
        case errno.EPERM:
            return Failure("local-drop", f"a firewall rule in {node} dropped the packet before it left")
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
            return Failure("no-address", f"{node} has no address to send from")
        case errno.ENETDOWN:
            return Failure("no-route", f"the interface that leads from {node} to {to} is down")
        case errno.ECONNREFUSED:
            return Failure("refused", f"{to} refused: nothing listens there", to)
        case errno.ECONNRESET | errno.EPIPE:
            return Failure("reset", f"{to} broke the connection off", to)
        case errno.ETIMEDOUT:
            return Failure("silence", f"{to} did not answer")
        case _:
            return Failure("could-not-run", f"{node} could not send: {os.strerror(code)}")


def from_broadcast(node: str, to: str) -> Failure:
    """EACCES for a reason of its own: the address is not a host's."""
    return Failure("filtered", f"{to} is the broadcast address of a subnet of {node}, not the address of a host")


def from_icmp(error: QueuedError, node: str, to: str, own: bool) -> Failure:
    """An ICMP error that came back. ``own``: it was sent by ``node`` itself, which is how Linux reports that nobody has the next hop.

    Its ``info`` is the MTU of the next link when the packet was too big.
    """
    decide = _from_icmp6 if error.origin == ICMP6 else _from_icmp4
    return decide(error.kind, error.icmp_code, error.info, error.offender, node, to, own)


def _from_icmp4(kind: int, code: int, info: int, by: str, node: str, to: str, own: bool) -> Failure:
    if kind == TIME_EXCEEDED:
        return Failure("ttl-exceeded", f"the packet's TTL ran out at {by}", by)
    if kind != DESTINATION_UNREACHABLE:
        return Failure("unreachable", f"{by} answered with ICMP type {kind} code {code}", by)
    if code == _TOO_BIG:
        return _too_big(by, info)
    if own and code == 1:
        return Failure("no-neighbour", f"nobody answered when {node} asked on the link who has the address it sends {to} to", by, True)
    if code in _FORBIDDEN:
        return Failure("filtered", f"{by} {_FORBIDDEN[code]}", by)
    if code == 2:
        return Failure("unreachable", f"{by} does not speak that protocol", by)
    return Failure("unreachable", f"{by} {_LOST_WAY.get(code, f'says unreachable (code {code})')}", by, code == 1)


def _from_icmp6(kind: int, code: int, info: int, by: str, node: str, to: str, own: bool) -> Failure:
    if kind == _TIME_EXCEEDED_6:
        return Failure("ttl-exceeded", f"the packet's hop limit ran out at {by}", by)
    if kind == _TOO_BIG_6:
        return _too_big(by, info)
    if kind != _UNREACHABLE_6:
        return Failure("unreachable", f"{by} answered with ICMPv6 type {kind} code {code}", by)
    if own and code == 3:
        return Failure("no-neighbour", f"nobody answered when {node} asked on the link who has the address it sends {to} to", by, True)
    if code in _FORBIDDEN_6:
        return Failure("filtered", f"{by} {_FORBIDDEN_6[code]}", by)
    return Failure("unreachable", f"{by} {_LOST_WAY_6.get(code, f'says unreachable (code {code})')}", by, code == 3)


def _too_big(by: str, mtu: int) -> Failure:
    limit = f" (its next link carries {mtu} bytes)" if mtu else ""
    return Failure("too-big", f"the packet was too big for {by}{limit} and may not be cut into pieces", by)
