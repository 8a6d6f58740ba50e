"""Ask a node's routing what it would do with one packet (RTM_GETROUTE, rtnetlink(7)): sent by itself, or come in by a link."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ...model.evidence import RouteAnswer
from ..namespace import Namespace
from ..netlink.route import RTM_GETROUTE, decode_way, encode_question
from ..netlink.socket import NetlinkError, NetlinkSocket


class Query(NamedTuple):
    """One packet: to whom, from whom, and by which link it came in (None: the node sends it)."""

    dst: str
    src: str | None = None
    iif: str | None = None


def lookup(node: str, namespace: Namespace, queries: Iterable[Query], devices: Mapping[int, str]) -> tuple[RouteAnswer, ...]:
    """Answer every query in ``node``; those that make no sense (no address, a link that is gone) are left out.

    ``devices`` are its links by index. About 0.1 ms to open the socket, 5 us a question. Raises OSError when the node is gone.
    """
    indexes = {name: index for index, name in devices.items()}
    with contextlib.closing(NetlinkSocket(namespace)) as route:
        return tuple(
            _ask(route, node, query, indexes, devices)
            for query in queries
            if _same_family(query) and (query.iif is None or query.iif in indexes)
        )


def look(query: Query) -> str:
    """The command that asks the same."""
    words = ["ip", "route", "get", query.dst]
    words += ["from", query.src] if query.src else []
    words += ["iif", query.iif] if query.iif else []
    return " ".join(words)


def _ask(route: NetlinkSocket, node: str, query: Query, indexes: Mapping[str, int], devices: Mapping[int, str]) -> RouteAnswer:
    source = ipaddress.ip_address(query.src).packed if query.src else b""
    iif = indexes[query.iif] if query.iif else 0
    try:
        answer = route.request(RTM_GETROUTE, 0, encode_question(ipaddress.ip_address(query.dst).packed, source, iif))
    except NetlinkError as refused:
        name = errno.errorcode.get(refused.errno or 0, str(refused.errno))
        said = os.strerror(refused.errno or 0)
        return RouteAnswer(node, query.dst, query.src, query.iif, error=name, words=said, look=look(query))
    if answer is None:
        return RouteAnswer(node, query.dst, query.src, query.iif, error="ENODATA", words="no answer", look=look(query))
    way = decode_way(answer)
    return RouteAnswer(
        node=node,
        dst=query.dst,
        src=query.src,
        iif=query.iif,
        type=way.type,
        via=way.via,
        dev=devices.get(way.device),
        prefsrc=way.prefsrc,
        table=way.table,
        look=look(query),
        mtu=way.mtu,
        mtu_learned=way.learned,
    )


def _same_family(query: Query) -> bool:
    """Whether source and destination are addresses of one family."""
    try:
        target = ipaddress.ip_address(query.dst)
        return not query.src or ipaddress.ip_address(query.src).version == target.version
    except ValueError:
        return False
