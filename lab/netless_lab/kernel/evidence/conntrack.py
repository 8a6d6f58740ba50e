"""Hear what connection tracking writes down while a packet passes: every new flow with the tuple its answer will have, so that NAT shows.

One nfnetlink socket a node; it is deaf until ``hear``, because a learner's traffic makes entries as well.
Sources: <linux/netfilter/nfnetlink_conntrack.h>, nf_conntrack_common.h; conntrack(8) -E prints the same.

What the connection tables hold before a packet is sent: a flow that conntrack knows keeps its NAT and its mark whatever the rules say now.

ctnetlink's dump (conntrack(8) -L prints the same). How long an entry has seen no packet follows from the time it has left and the sysctl that
says how long one of its kind is kept (Documentation/networking/nf_conntrack-sysctl.rst).
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from ...model.journeys.flow import Flow
from ...model.journeys.packet import ICMP, ICMP6, TCP, UDP, Tuple
from ..namespace import call_in, socket_in, sysctl_path
from ..netlink.attributes import attributes, ip
from ..netlink.socket import HEADER, HEADER_SIZE, NETLINK_NETFILTER, SOL_NETLINK, NetlinkSocket
from ..nft.wire import genmsg
from ..read import NodeRef

_ADD_MEMBERSHIP, _DROP_MEMBERSHIP = 1, 2
_GROUPS: Final = (1, 2, 3)
"""NFNLGRP_CONNTRACK_NEW, _UPDATE, _DESTROY."""
_SUBSYSTEM, _NEW, _DELETE = 1, 0, 2
_CREATE: Final = 0x400
_GENMSG: Final = 4
_ORIGINAL, _REPLY, _STATUS, _PROTOINFO, _TIMEOUT, _MARK = 1, 2, 3, 4, 7, 8
_SEEN_REPLY, _ASSURED, _SRC_NAT, _DST_NAT = 2, 4, 16, 32
_TCP_STATES: Final = (
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
)  # fmt: skip
_RECEIVE: Final = 1 << 17
_MOST: Final = 4096
"""Entries looked into at once: a flood of connections makes more, and is told to be one."""
Event = Literal["new", "update", "destroy", "known"]


class FlowEar:
    """Hears the connection table of one node. Close it with the node."""

    def __init__(self, ref: NodeRef) -> None:
        """Open the socket. Raises OSError on a kernel without netfilter."""
        self.node = ref.name
        self.overrun = False
        self._socket = socket_in(ref.namespace, socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, NETLINK_NETFILTER)
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def hear(self, on: bool) -> None:
        """Join or leave the groups; raises OSError when the kernel has no connection tracking."""
        for group in _GROUPS:
            self._socket.setsockopt(SOL_NETLINK, _ADD_MEMBERSHIP if on else _DROP_MEMBERSHIP, group)

    def take(self) -> list[Flow]:
        """What was heard since the last call, in order. ``overrun`` is set when there was more than could be kept."""
        flows: list[Flow] = []
        while True:
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                return flows
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.overrun = True
                continue
            if len(flows) < _MOST:
                flows += parse(self.node, data)
            else:
                self.overrun = True


def parse(node: str, data: bytes) -> list[Flow]:
    """The flows in what one receive gave."""
    flows = []
    at = 0
    while at + HEADER_SIZE <= len(data):
        length, kind, flags, _, _ = HEADER.unpack_from(data, at)
        if length < HEADER_SIZE:
            break
        if kind >> 8 == _SUBSYSTEM and kind & 0xFF in (_NEW, _DELETE):
            event: Event = "destroy" if kind & 0xFF == _DELETE else "new" if flags & _CREATE else "update"
            with contextlib.suppress(KeyError, IndexError, struct.error):  # a protocol this reader does not know
                flows.append(flow_of(node, data[at + HEADER_SIZE + _GENMSG : at + length], event))
        at += (length + 3) & ~3
    return flows


def newest(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """One entry for each flow: as it was heard of last."""
    found: dict[tuple[str, Tuple], Flow] = {}
    for flow in flows:
        found[flow.node, flow.original] = flow
    return tuple(found.values())


def flow_of(node: str, body: bytes, event: Event) -> Flow:
    """One entry, from the attributes that tell of it. Raises KeyError, IndexError or struct.error for a protocol this reader does not know."""
    parts = attributes(body)
    status = int.from_bytes(parts.get(_STATUS, b""), "big")
    info = attributes(attributes(parts.get(_PROTOINFO, b"")).get(1, b""))
    state = info.get(1, b"")
    return Flow(
        node=node,
        original=_tuple(parts[_ORIGINAL]),
        reply=_tuple(parts[_REPLY]),
        event=event,
        replied=bool(status & _SEEN_REPLY),
        assured=bool(status & _ASSURED),
        source_nat=bool(status & _SRC_NAT),
        destination_nat=bool(status & _DST_NAT),
        mark=int.from_bytes(parts.get(_MARK, b""), "big"),
        left_s=int.from_bytes(parts.get(_TIMEOUT, b""), "big"),
        tcp_state=_TCP_STATES[state[0]] if state and state[0] < len(_TCP_STATES) else "",
    )


def _tuple(nested: bytes) -> Tuple:
    parts = attributes(nested)
    addresses, proto = attributes(parts[1]), attributes(parts[2])
    number = proto[1][0]
    source, target = (addresses[1], addresses[2]) if 1 in addresses else (addresses[3], addresses[4])
    if number in (ICMP, ICMP6):
        ident = int.from_bytes(proto.get(4 if number == ICMP else 7, b""), "big")
        return Tuple(number, ip(source), ip(target), ident, ident)
    return Tuple(number, ip(source), ip(target), int.from_bytes(proto.get(2, b""), "big"), int.from_bytes(proto.get(3, b""), "big"))


MOST: Final = 4096
"""Entries of one node that are looked through."""
IN_USE_S: Final = 10
"""A flow that has had a packet within so many seconds is one that somebody waits for."""
_SOCKETS: Final = {TCP: ("tcp", "tcp6"), UDP: ("udp", "udp6")}
"""Files below /proc/net; pings have none that tells their ids."""
_GET: Final = 1 << 8 | 1
"""NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET."""
_OVER: Final = frozenset({"FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE"})
"""TCP connections that somebody has closed."""
_COUNT: Final = "net/netfilter/nf_conntrack_count"
_KEPT: Final = "net/netfilter/nf_conntrack_"


def tables(refs: Mapping[str, NodeRef]) -> tuple[tuple[Flow, ...], list[str]]:
    """(every entry of every node, what could not be looked through in words). A kernel without conntrack has none."""
    flows: list[Flow] = []
    missing: list[str] = []
    for name, ref in refs.items():
        with contextlib.suppress(OSError):
            count = int(call_in(ref.namespace, _read, _COUNT) or 0)
            if count > MOST:
                missing.append(f"the connection table of {name} holds {count} entries, too many to look through for older flows")
            elif count:
                flows += _table(ref)
    return tuple(flows), missing


def _table(ref: NodeRef) -> list[Flow]:
    found = []
    with contextlib.closing(NetlinkSocket(ref.namespace, NETLINK_NETFILTER)) as opened:
        for body in opened.dump(_GET, genmsg(0)):
            with contextlib.suppress(KeyError, IndexError, struct.error):  # a protocol this reader does not know
                found.append(flow_of(ref.name, body[len(genmsg(0)) :], "known"))
    return found


def in_use(flow: Flow, ref: NodeRef, sender: NodeRef | None) -> bool:
    """Whether somebody waits for it: a socket of the sender's has its port, or, where that cannot be known, a packet has passed just now.

    ``ref`` is the node with the table, ``sender`` the one that began the flow, None when it is not known. Raises OSError when one has gone.
    """
    if flow.tcp_state in _OVER:
        return False
    if sender is not None and flow.original.proto in _SOCKETS:
        return flow.original.sport in call_in(sender.namespace, _ports, _SOCKETS[flow.original.proto])
    kept = call_in(ref.namespace, _read, _KEPT + _kind(flow))
    return kept.isdecimal() and int(kept) - flow.left_s <= IN_USE_S


def _kind(flow: Flow) -> str:
    match flow.original.proto:
        case protocol if protocol == TCP:
            return f"tcp_timeout_{flow.tcp_state.lower()}"
        case protocol if protocol == UDP:
            return "udp_timeout_stream" if flow.assured else "udp_timeout"
        case protocol if protocol == ICMP:
            return "icmp_timeout"
        case protocol if protocol == ICMP6:
            return "icmpv6_timeout"
        case _:
            return "generic_timeout"


def _ports(files: Iterable[str]) -> frozenset[int]:
    """The ports that sockets of this namespace have (proc(5), /proc/net/tcp)."""
    found: set[int] = set()
    for name in files:
        with contextlib.suppress(FileNotFoundError), open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
            found |= {int(line.split()[1].rpartition(":")[2], 16) for line in file.readlines()[1:]}
    return frozenset(found)


def _read(key: str) -> str:
    with contextlib.suppress(OSError), open(sysctl_path(key), encoding="ascii") as file:
        return file.read().strip()
    return ""
