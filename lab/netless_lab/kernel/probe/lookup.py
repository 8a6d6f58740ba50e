"""Names into addresses, asked the way the node would ask: of its own name servers, over UDP."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from typing import NamedTuple

from ...model.probe import Lookup, Outcome
from ..namespace import Namespace, socket_in
from ..read import NodeRef, resolvers_of
from . import errors
from .failure import Failure, from_errno, from_icmp
from .message import CODES, NAME_ERROR, NO_ERROR, parse, question
from .patience import Patience, readable
from .silence import silent

_PORT = 53
_LARGEST = 4096


class Found(NamedTuple):
    """An address, and the server that knew it."""

    address: str
    server: str


async def lookup(probe: Lookup, ref: NodeRef, patience: Patience) -> Outcome:
    """Ask for the A record of a name."""
    found = await resolve(ref, probe.node, probe.name, patience, probe.server)
    if isinstance(found, Failure):
        return found.outcome(probe, patience.waited_ms)
    text = f"{probe.name} is {found.address}, says {found.server}"
    return Outcome(probe, "answered", "answered", text, found.server, answer=found.address, waited_ms=patience.waited_ms)


async def resolve(ref: NodeRef, node: str, name: str, patience: Patience, server: str | None = None) -> Found | Failure:
    """The address of ``name``, by ``server`` or by the servers the node knows, one after the other."""
    servers = (server,) if server is not None else resolvers_of(ref)
    if not servers:
        return Failure("no-resolver", f"{node} knows no name server: its /etc/resolv.conf names none")
    try:
        query = question(int.from_bytes(os.urandom(2), "big"), name)
        usable = [str(ipaddress.IPv4Address(address)) for address in servers]
    except ipaddress.AddressValueError:
        return Failure("no-resolver", f"{node}'s name server {', '.join(servers)} is not an IPv4 address")
    except ValueError as error:
        return Failure("could-not-run", str(error))
    return await _ask_all(ref.namespace, node, name, query, usable, patience)


async def _ask_all(
    namespace: Namespace, node: str, name: str, query: bytes, servers: Sequence[str], patience: Patience
) -> Found | Failure:  # fmt: skip
    failure: Failure | None = None
    turn = 0
    while not patience.over:
        server = servers[turn % len(servers)]
        turn += 1
        result = await _ask(namespace, node, name, query, server, patience.attempt_s())
        if isinstance(result, Found):
            return result
        failure = result
        last = turn >= len(servers)
        if last and failure.reason != "silence":
            if not (failure.passing and patience.patient):
                return failure
            await patience.pause()
    if failure is None or failure.reason == "silence":
        asked = servers[(turn - 1) % len(servers)] if turn else servers[0]
        why = silent(namespace, node, asked, patience.waited_ms)
        return why._replace(text=f"the name server does not answer: {why.text}")
    return failure


async def _ask(namespace: Namespace, node: str, name: str, query: bytes, server: str, seconds: float) -> Found | Failure:
    """One question to one server."""
    with socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as opened:
        errors.watch_errors(opened)
        try:
            opened.connect((server, _PORT))
            opened.send(query)
            while await readable(opened, seconds):
                answer = parse(opened.recv(_LARGEST), query)
                if answer is not None:
                    return _judge(answer.code, answer.addresses, name, server)
                return Failure("bad-answer", f"{server} answered with something that is not DNS", server)
        except OSError as error:
            return _failure(opened, error.errno or 0, node, server)
    return Failure("silence", f"{server} did not answer", None, True)


def _judge(code: int, addresses: Sequence[str], name: str, server: str) -> Found | Failure:
    if addresses:
        return Found(addresses[0], server)
    if code == NAME_ERROR:
        return Failure("no-such-name", f"{server} says there is no name {name}", server)
    if code == NO_ERROR:
        return Failure("no-such-name", f"{server} knows {name}, but no IPv4 address for it", server)
    return Failure("bad-answer", f"{server} could not answer: {CODES.get(code, f'code {code}')}", server)


def _failure(opened: socket.socket, code: int, node: str, server: str) -> Failure:
    """An error on the way to a server; port unreachable from the server itself means that no name server runs there."""
    queued = errors.take_error(opened)
    if queued is None or queued.origin != errors.ICMP:
        return from_errno(code, node, server)
    if queued.offender == server and (queued.kind, queued.icmp_code) == (3, 3):
        return Failure("refused", f"no name server listens on {server}", server)
    own = bool(opened.getsockname()[0] == queued.offender)
    return from_icmp(queued.kind, queued.icmp_code, queued.info, queued.offender, node, server, own)
