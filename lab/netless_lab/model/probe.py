"""Probes: packets that must, or must not, arrive; and the outcome that comes back. Pure values; ``kernel/probe`` sends them.

An outcome has three values on purpose: a probe that could not run is an error and never counts for or against the learner.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """One ICMP echo request from a node (RFC 792), with an id never used before in this lab."""

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


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    """One DNS question (A record) from a node, asked of the resolvers that the node's own resolv.conf names, or of ``server``."""

    node: str
    name: str
    server: str | None = None


class Fetch(msgspec.Struct, frozen=True, tag="fetch"):
    """One HTTP GET from a node: name lookup when the URL holds a name, then TCP, then the page."""

    node: str
    url: str


Probe = Ping | Connect | Lookup | Fetch

Reason = Literal[
    "answered",
    "silence",
    "no-route",
    "unreachable",
    "no-neighbour",
    "filtered",
    "refused",
    "reset",
    "ttl-exceeded",
    "too-big",
    "local-drop",
    "blackhole",
    "no-address",
    "no-resolver",
    "no-such-name",
    "bad-answer",
    "could-not-run",
]
"""Why a probe ended as it did; ``text`` of the outcome says it in words."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a probe.

    ``result``: "answered", "failed" (it ran and no good answer came) or "error" (it could not run: never a pass).
    ``seen_as`` is the source address the far end saw (HTTP page of the pretend site), ``by`` the address an ICMP error came from,
    ``rtt_us`` the round trip in microseconds, ``waited_ms`` the whole time spent.
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
