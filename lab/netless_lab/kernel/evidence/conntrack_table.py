"""What the connection tables hold before a packet is sent: a flow that conntrack knows keeps its NAT and its mark whatever the rules say now.

ctnetlink's dump (conntrack(8) -L prints the same). How long an entry has seen no packet follows from the time it has left and the sysctl that
says how long one of its kind is kept (Documentation/networking/nf_conntrack-sysctl.rst).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Mapping
from typing import Final

from ...model.journeys.flow import Flow
from ...model.journeys.packet import ICMP, ICMP6, TCP, UDP
from ..namespace import call_in, sysctl_path
from ..netlink.socket import NETLINK_NETFILTER, NetlinkSocket
from ..nft.wire import genmsg
from ..read import NodeRef
from .conntrack_events import flow_of

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
