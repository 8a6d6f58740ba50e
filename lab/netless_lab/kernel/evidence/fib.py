"""Ask a node's routing what it would do with one packet (RTM_GETROUTE, rtnetlink(7)): sent by itself, or come in by a link."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ...model.evidence import RouteAnswer
from ..attributes import attribute, attributes, ip, native
from ..decode_route import RTM_GETROUTE
from ..namespace import Namespace
from ..rtnetlink import NetlinkError, NetlinkSocket

_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_DST, _SRC, _IIF, _OIF, _GATEWAY, _PREFSRC, _TABLE, _VIA = 1, 2, 3, 4, 5, 7, 15, 18
_LOOKUP_TABLE: Final = 0x1000
"""RTM_F_LOOKUP_TABLE: say which table decided. IPv6 always says it, and refuses the flag."""
_TYPES: Final = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw",
}  # fmt: skip


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
    target = ipaddress.ip_address(query.dst)
    family = socket.AF_INET if target.version == 4 else socket.AF_INET6
    source = ipaddress.ip_address(query.src).packed if query.src else b""
    flags = _LOOKUP_TABLE if target.version == 4 else 0
    body = _RTMSG.pack(family, target.max_prefixlen, len(source) * 8, 0, 0, 0, 0, 0, flags) + attribute(_DST, target.packed)
    body += attribute(_SRC, source) if source else b""
    body += attribute(_IIF, struct.pack("=I", indexes[query.iif])) if query.iif else b""
    try:
        answer = route.request(RTM_GETROUTE, 0, body)
    except NetlinkError as refused:
        name = errno.errorcode.get(refused.errno or 0, str(refused.errno))
        said = os.strerror(refused.errno or 0)
        return RouteAnswer(node, query.dst, query.src, query.iif, error=name, words=said, look=look(query))
    if answer is None:
        return RouteAnswer(node, query.dst, query.src, query.iif, error="ENODATA", words="no answer", look=look(query))
    found = attributes(answer, _RTMSG.size)
    kind = _RTMSG.unpack_from(answer)[7]
    via = found.get(_GATEWAY) or found.get(_VIA, b"")[2:]
    return RouteAnswer(
        node=node,
        dst=query.dst,
        src=query.src,
        iif=query.iif,
        type=_TYPES.get(kind, str(kind)),
        via=ip(via) if via else None,
        dev=devices.get(native(found.get(_OIF, b""))),
        prefsrc=ip(found[_PREFSRC]) if _PREFSRC in found else None,
        table=native(found.get(_TABLE, b"")),
        look=look(query),
    )


def _same_family(query: Query) -> bool:
    """Whether source and destination are addresses of one family."""
    try:
        target = ipaddress.ip_address(query.dst)
        return not query.src or ipaddress.ip_address(query.src).version == target.version
    except ValueError:
        return False
