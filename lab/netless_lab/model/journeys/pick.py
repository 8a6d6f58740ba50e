"""Which of all recorded conversations are the probe's own. Pure.

A ping is known by its id. A connection's port is chosen by the kernel, so it is known by who began it and whom it asked for; when a
learner does the very same thing in the same tenth of a second, the later one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from .. import dns
from ..probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from .converse import Conversation, Sight
from .packet import TCP, UDP

_HTTP_PORT: Final = 80


def target(probe: Probe) -> str:
    """Whom it asks for, as it was written."""
    match probe:
        case Ping(to=to):
            return to
        case Connect(to=to, port=port) | Udp(to=to, port=port):
            return f"[{to}]:{port}" if ":" in to else f"{to}:{port}"
        case Lookup(name=name):
            return name
        case Fetch(url=url):
            return url


def of_probe(probe: Probe, outcome: Outcome, conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """The conversations of ``probe``: none when it never left, two when a name had to be looked up first."""
    mine = [conversation for conversation in conversations if conversation.first.frame.node == probe.node]
    match probe:
        case Ping():
            return (*_lookups(mine, _name_in(probe.to)), *_pings(conversations, outcome.ident))
        case Connect():
            return (*_lookups(mine, _name_in(probe.to)), *_talks(mine, TCP, probe.to, probe.port))
        case Udp():
            first = _lookups(mine, _name_in(probe.to))
            return (*first, *_talks([own for own in mine if own not in first], UDP, probe.to, probe.port))
        case Lookup():
            return _lookups(mine, probe.name)
        case Fetch():
            host, port = _address(probe.url)
            return (*_lookups(mine, _name_in(host)), *_talks(mine, TCP, outcome.answer or host, port))


def _pings(conversations: Sequence[Conversation], ident: int | None) -> tuple[Conversation, ...]:
    """The echo with this id, wherever it was seen first; NAT may have given it another id later on."""
    found = [own for own in conversations if any(_is_echo(sight, ident) for sight in own.sights)]
    return tuple(found[-1:])


def _is_echo(sight: Sight, ident: int | None) -> bool:
    packet = sight.packet.subject
    about = packet.quoted if packet.kind == "icmp-error" else packet
    return about is not None and about.kind in ("echo-request", "echo-reply") and about.sport == ident


def _talks(mine: Sequence[Conversation], proto: int, to: str, port: int) -> tuple[Conversation, ...]:
    """The connection, or datagram, to that port: one that was answered before one that was not, the last of several."""
    opened = [own for own in mine if own.first.packet.subject.proto == proto and own.first.leg > 0]
    asked = [(own, own.first.packet.subject) for own in opened]
    found = [own for own, packet in asked if packet.dport == port and (packet.dst == to or _name_in(to))]
    # redirected by the node's own firewall before it was seen, the address on the wire is another
    found = found or opened
    answered = [own for own in found if any(sight.leg < 0 for sight in own.sights)]
    return tuple((answered or found)[-1:])


def _lookups(mine: Sequence[Conversation], name: str) -> tuple[Conversation, ...]:
    """Every DNS question for this name, in the order they were asked."""
    return tuple(own for own in mine if name and _asks_for(own.first, name))


def _asks_for(sight: Sight, name: str) -> bool:
    packet = sight.packet.subject
    if packet.proto != UDP:
        return False
    message = dns.decode(packet.payload)
    return message is not None and [dns.text(own.name).lower() for own in message.questions] == [name.rstrip(".").lower()]


def _name_in(to: str) -> str:
    """``to`` when it is a name, "" when it is an address."""
    return "" if ":" in to or all(part.isdecimal() for part in to.split(".")) else to


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return parts.hostname or "", parts.port or _HTTP_PORT
    except ValueError:
        return "", _HTTP_PORT
