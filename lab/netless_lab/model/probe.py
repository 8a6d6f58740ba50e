"""Probes: packets that must, or must not, arrive; and the outcome that comes back. Pure values; ``kernel/probe`` sends them.

An outcome has three values on purpose: a probe that could not run is an error and never counts for or against the learner.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from .addresses import is_address


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """One ICMP echo request from a node (RFC 792), with an id never used before in this lab.

    ``size`` counts the bytes it carries, as ping(8) does. With ``dont_fragment`` nobody may cut it into pieces, its sender included.
    """

    node: str
    to: str
    ttl: int | None = None
    size: int = 8
    dont_fragment: bool = False


class Connect(msgspec.Struct, frozen=True, tag="connect"):
    """One TCP connection attempt from a node."""

    node: str
    to: str
    port: int


class Udp(msgspec.Struct, frozen=True, tag="udp"):
    """One UDP datagram from a node. It is answered by a datagram, or by the target itself when nobody listens there (ICMP port unreachable).

    ``size`` counts the bytes it carries; None is for what a program on that port may answer: a question on DNS's, a few bytes on others.
    ``source_port`` is the sender's, None for one that nobody uses: a port that has been used before may belong to a flow that conntrack knows.
    """

    node: str
    to: str
    port: int
    size: int | None = None
    dont_fragment: bool = False
    source_port: int | None = None


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    """One DNS question (A record) from a node, asked of the resolvers that the node's own resolv.conf names, or of ``server``."""

    node: str
    name: str
    server: str | None = None


class Fetch(msgspec.Struct, frozen=True, tag="fetch"):
    """One HTTP GET from a node: name lookup when the URL holds a name, then TCP, then the page."""

    node: str
    url: str


Probe = Ping | Connect | Udp | Lookup | Fetch
LARGEST: Final = 65_507
"""The most bytes that a ping or a datagram carries (IPv4's 65535, without an IP header and one of eight bytes)."""

def asks_names(probe: Probe) -> bool:
    """Whether a name server is asked on the way: a program, which must be scheduled before it answers, and not only a kernel."""
    return isinstance(probe, Lookup | Fetch) or not is_address(probe.to)


Reason = Literal[
    "answered", "silence", "no-route", "unreachable", "no-neighbour", "filtered", "refused", "reset", "ttl-exceeded", "too-big", "local-drop",
    "blackhole", "no-address", "no-resolver", "no-such-name", "bad-answer", "could-not-run",
]  # fmt: skip
"""Why a probe ended as it did; ``text`` of the outcome says it in words."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a probe.

    ``result``: "answered", "failed" (it ran and no good answer came) or "error" (it could not run: never a pass).
    ``answer`` is what was asked for: the address of a name (also of a name that was found before it was not reached), a page's text.
    ``id`` numbers what a lab has sent, from 1; 0 before it is numbered. ``seen_as`` is the source address the far end saw (HTTP page of the
    pretend site), ``by`` the address an ICMP error came from, ``rtt_us`` the round trip in microseconds, ``waited_ms`` the whole time spent.
    ``ident`` is what the last packet is known by: the id of an echo, the sender's port of a connection or a datagram; None when none left.
    """

    probe: Probe
    result: Literal["answered", "failed", "error"]
    reason: Reason
    text: str
    by: str | None = None
    rtt_us: float | None = None
    ttl: int | None = None
    seen_as: str | None = None
    answer: str | None = None
    waited_ms: float = 0.0
    ident: int | None = None
    id: int = 0
