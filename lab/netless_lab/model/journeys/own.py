"""Which of all recorded conversations are the probe's own. Pure.

A ping is known by its id, a connection and a datagram by the port they were sent from: a learner may do the very same thing at the same
time, and so may the judge. A look-up is known by the name it asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

from .. import dns
from ..addresses import with_port
from ..probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from .converse import Conversation, Sight
from .flow import Flow
from .packet import TCP, UDP


def target(probe: Probe) -> str:
    """Whom it asks for, as it was written."""
    match probe:
        case Ping(to=to):
            return to
        case Connect(to=to, port=port) | Udp(to=to, port=port):
            return with_port(to, port)
        case Lookup(name=name):
            return name
        case Fetch(url=url):
            return url


def of_probe(probe: Probe, outcome: Outcome, conversations: Sequence[Conversation], flows: Sequence[Flow] = ()) -> tuple[Conversation, ...]:
    """The conversations of ``probe``: none when it never left, two when a name had to be looked up first.

    ``flows`` say which port its own node's firewall may have given it before it was seen on any link.
    """
    found = _asked(probe, outcome, conversations, flows)
    return (*found, *_from_elsewhere(probe, found, conversations))


def _from_elsewhere(probe: Probe, own: Sequence[Conversation], conversations: Sequence[Conversation]) -> Iterator[Conversation]:
    """Datagrams to the port that one of the probe's was sent from, from the port that it was sent to, but another address: an answer, if a wrong one."""
    sent = [one.first.packet.subject for one in own]
    for other in conversations:
        packet = other.first.packet.subject
        ends = (packet.proto, packet.dst, packet.dport, packet.sport)
        if other.first.frame.node != probe.node and packet.proto == UDP and any(ends == (one.proto, one.src, one.sport, one.dport) for one in sent):
            yield other.reversed()


def _asked(probe: Probe, outcome: Outcome, conversations: Sequence[Conversation], flows: Sequence[Flow]) -> tuple[Conversation, ...]:
    mine = [begun for own in conversations if (begun := own.begun()) is not None and begun.first.frame.node == probe.node]
    match probe:
        case Ping():
            return (*_lookups(mine, _name_in(probe.to)), *_pings(conversations, outcome.ident))
        case Connect():
            return (*_lookups(mine, _name_in(probe.to)), *_talks(mine, TCP, _ports(TCP, probe, outcome, flows)))
        case Udp():
            return (*_lookups(mine, _name_in(probe.to)), *_talks(mine, UDP, _ports(UDP, probe, outcome, flows)))
        case Lookup():
            return _lookups(mine, probe.name)
        case Fetch():
            return (*_lookups(mine, _name_in(_host(probe.url))), *_talks(mine, TCP, _ports(TCP, probe, outcome, flows)))


def _pings(conversations: Sequence[Conversation], ident: int | None) -> tuple[Conversation, ...]:
    """The echo with this id, wherever it was seen first; NAT may have given it another id later on."""
    found = [own for own in conversations if any(_is_echo(sight, ident) for sight in own.sights)]
    return tuple(found[-1:])


def _is_echo(sight: Sight, ident: int | None) -> bool:
    packet = sight.packet.subject
    about = packet.quoted if packet.kind == "icmp-error" else packet
    return about is not None and about.kind in ("echo-request", "echo-reply") and about.sport == ident


def _talks(mine: Sequence[Conversation], proto: int, ports: Collection[int]) -> tuple[Conversation, ...]:
    """The connection, or datagram, from one of these ports: the last, when several attempts were made from the same."""
    begun = [(own, own.first.packet.subject) for own in mine if own.first.leg > 0]
    return tuple([own for own, packet in begun if packet.proto == proto and packet.sport in ports][-1:])


def _ports(proto: int, probe: Probe, outcome: Outcome, flows: Sequence[Flow]) -> frozenset[int]:
    """The port that was sent from, and the one that the sender's own masquerade put in its place."""
    if outcome.ident is None:
        return frozenset()
    given = (own.reply.dport for own in flows if own.node == probe.node and (own.original.proto, own.original.sport) == (proto, outcome.ident))
    return frozenset((outcome.ident, *given))


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


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        return ""
