"""Names into addresses, found the way the node would: in its own file of hosts, else asked of its name servers, over UDP."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import NamedTuple

from ...model import dns
from ...model.addresses import is_address
from ...model.probe import Lookup, Outcome
from ...model.telling import the
from ..namespace import Namespace, socket_in
from ..read import NodeRef, hosts_of, resolvers_of, search_of
from . import errors
from .datagram import PORT_UNREACHABLE
from .failure import Failure, from_errno, from_icmp
from .patience import Attempt, Patience
from .silence import silent
from .target import Target, locate

_LARGEST = 4096
_MOST_SERVERS = 3
"""So many the C library asks (MAXNS, <resolv.h>), those not counted that are no addresses."""


class Found(NamedTuple):
    """An address, the server that knew it, None when the node's own file did, and the name that it knew it by."""

    address: str
    server: str | None
    name: str


class _Sent(NamedTuple):
    """A question that was sent: whom to, and the socket that its answer comes to, however late."""

    query: dns.Message
    server: Target
    socket: socket.socket


class _Matter(NamedTuple):
    """What is asked: the node that asks, the name, the questions for its IPv4 and its IPv6 address, and those that were sent."""

    node: str
    name: str
    first: dns.Message
    second: dns.Message
    sent: list[_Sent]


async def lookup(probe: Lookup, ref: NodeRef, patience: Patience) -> Outcome:
    """Ask for the address of a name."""
    found = await resolve(ref, probe.node, probe.name, patience, probe.server)
    if isinstance(found, Failure):
        return found.outcome(probe, patience.waited_ms)
    text = f"{found.name} is {found.address}, says {found.server or f'the /etc/hosts of {probe.node}'}"
    return Outcome(probe, "answered", "answered", text, found.server, answer=found.address, waited_ms=patience.waited_ms)


async def resolve(ref: NodeRef, node: str, name: str, patience: Patience, server: str | None = None) -> Found | Failure:
    """The address of ``name``, by ``server``, or by the node's own file of hosts or the servers it knows, one after the other until one answers.

    An IPv4 address if the name has one, else its IPv6 address. The node looks for a short name in its search list too, as its programs do.
    """
    if server is None and (own := hosts_of(ref, name)) is not None:
        return Found(own, None, name)
    servers = (server,) if server is not None else resolvers_of(ref)
    if not servers:
        return Failure("no-resolver", f"{the(node)} knows no name server: its /etc/resolv.conf names none")
    names = search_of(ref).names(name) if server is None else (name,)
    try:
        matters = [_Matter(node, own, _question(own, dns.A), _question(own, dns.AAAA), []) for own in names]
    except ValueError as error:
        return Failure("could-not-run", str(error))
    targets: list[Target] = []
    asked = tuple(own for own in servers if is_address(own))[:_MOST_SERVERS]
    if not asked:
        return Failure("no-resolver", f"{the(node)}'s name server {', '.join(servers)} is not an address")
    for address in asked:
        located = locate(ref.namespace, node, address)
        if isinstance(located, Failure):
            return located
        targets.append(located)
    unknown: list[Failure] = []
    try:
        for matter in matters:
            found = await _ask_all(ref.namespace, matter, targets, patience)
            if isinstance(found, Found) or found.reason != "no-such-name":
                return found
            unknown.append(found)
        return unknown[-1]._replace(text="; ".join(own.text for own in unknown))
    finally:
        for sent in (sent for matter in matters for sent in matter.sent):
            sent.socket.close()


async def _ask_all(namespace: Namespace, matter: _Matter, servers: Sequence[Target], patience: Patience) -> Found | Failure:
    failure: Failure | None = None
    turn = 0
    while not patience.over:
        server = servers[turn % len(servers)]
        turn += 1
        last = turn >= len(servers)
        result = await _ask_for_both(namespace, matter, server, patience, last=last)
        if isinstance(result, Found) or result.reason == "no-such-name":
            return result
        failure = result
        if last and failure.reason != "silence":
            if not (failure.passing and patience.patient):
                return failure
            await patience.pause()
    if failure is None or failure.reason == "silence":
        asked = servers[(turn - 1) % len(servers)] if turn else servers[0]
        why = silent(namespace, matter.node, asked, patience.waited_ms)
        return why._replace(text=f"the name server does not answer: {why.text}")
    return failure


async def _ask_for_both(namespace: Namespace, matter: _Matter, server: Target, patience: Patience, *, last: bool) -> Found | Failure:
    """One server, once: for the IPv4 address, and who says that there is none, for the IPv6 address. ``last``: no other is asked after it."""
    said = await _ask(namespace, matter, matter.first, server, patience.attempt(program=True, last=last))
    if isinstance(said, Target):
        said = await _ask(namespace, matter, matter.second, said, patience.attempt(program=True, last=last))
    assert not isinstance(said, Target), "what was said to the first question answers no second one"
    return said


async def _ask(namespace: Namespace, matter: _Matter, query: dns.Message, server: Target, attempt: Attempt) -> Found | Failure | Target:
    """One question to one server, or what was said to an earlier one meanwhile, if that answers it; the server that says that there is no IPv4
    address.

    Each is sent from a port of its own: an entry that a connection table has for an earlier one says nothing of this.
    """
    opened = socket_in(namespace, server.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    own = _Sent(query, server, opened)
    matter.sent.append(own)
    errors.watch_errors(opened)
    try:
        opened.connect(server.at(dns.PORT))
        opened.send(dns.encode(query))
    except OSError as error:
        matter.sent.remove(own)
        with opened:
            return _failure(opened, error.errno or 0, matter.node, server)
    while (heard := await attempt.readable(*(own.socket for own in matter.sent))) is not None:
        sent = next(sent for sent in matter.sent if sent.socket is heard)
        said = _heard(matter, sent)
        if isinstance(said, Target):
            if query is matter.first:
                return said
        elif isinstance(said, Found) or said.reason == "no-such-name" or (sent.query is query and sent.server == server):
            return said
    return Failure("silence", f"{server.written} did not answer", None, True)


def _heard(matter: _Matter, sent: _Sent) -> Found | Failure | Target:
    """What came of one question; it is not listened for again."""
    matter.sent.remove(sent)
    with sent.socket as opened:
        try:
            answer = dns.decode(opened.recv(_LARGEST))
        except OSError as error:
            return _failure(opened, error.errno or 0, matter.node, sent.server)
    if answer is not None and answers(answer, sent.query):
        said = _judge(answer, matter.name, sent.server)
        if isinstance(said, Target) and sent.query is matter.second:
            return Failure("no-such-name", f"{said.written} knows {matter.name}, but no address for it", said.written)
        return said
    return Failure("bad-answer", f"{sent.server.written} answered with something that is not DNS", sent.server.written)


def _question(name: str, kind: int) -> dns.Message:
    """A query for the records of ``kind`` of ``name``. Raises ValueError when it cannot be a domain name."""
    ident = int.from_bytes(os.urandom(2), "big")
    return dns.Message(ident, dns.RECURSION_DESIRED, (dns.Question(dns.name_of(name), kind),))


def answers(message: dns.Message, query: dns.Message) -> bool:
    """Whether it is the whole answer to this question. A server that could make nothing of it may leave the question out."""
    (asked,), told = query.questions, message.questions
    same = not told or [own._replace(name=dns.folded(own.name)) for own in told] == [asked._replace(name=dns.folded(asked.name))]
    return message.response and message.whole and message.ident == query.ident and same


def _judge(answer: dns.Message, name: str, server: Target) -> Found | Failure | Target:
    told = server.written
    addresses = [record.value for record in answer.answers if record.kind in (dns.A, dns.AAAA) and record.value]
    if addresses:
        return Found(addresses[0], told, name)
    if answer.code == dns.NAME_ERROR:
        return Failure("no-such-name", f"{told} says there is no name {name}", told)
    if answer.code == dns.NO_ERROR:
        return server
    return Failure("bad-answer", f"{told} could not answer: {dns.CODES.get(answer.code, f'code {answer.code}')}", told)


def _failure(opened: socket.socket, code: int, node: str, server: Target) -> Failure:
    """An error on the way to a server; port unreachable from the server itself means that no name server runs there."""
    queued = errors.take_error(opened)
    if queued is None or not queued.came_back:
        return from_errno(code, node, server.written)
    if queued.offender == server.address and (queued.origin, queued.kind, queued.icmp_code) in PORT_UNREACHABLE:
        return Failure("refused", f"{server.written} refused: no name server listens there, or a firewall answers so", server.written)
    own = bool(opened.getsockname()[0] == queued.offender)
    return from_icmp(queued, node, server.written, own)
