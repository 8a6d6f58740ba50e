"""What netfilter keeps by name beside its tables: sets of ipset(8), counters of nfacct(8), timeouts of nfct(8). A new namespace has none of them.

Rules may use them (``-m set``, ``-m nfacct``, ``CT --timeout``), so they go when rules have gone; one that is still in use is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from .netlink.attributes import attribute
from .netlink.socket import ACK, NetlinkError, NetlinkSocket
from .nft.wire import genmsg

_PROTOCOL: Final = attribute(1, b"\6")
"""IPSET_ATTR_PROTOCOL: the oldest that kernels take, which is in every message (include/uapi/linux/netfilter/ipset/ip_set.h)."""


class _Kind(NamedTuple):
    """A subsystem of nfnetlink: what lists all, and what deletes all when no name is given. ``command`` shows them to people."""

    command: str
    subsystem: int
    list_all: int
    delete_all: int
    body: bytes = b""


_KINDS: Final = (
    _Kind("ipset list", 6, 7, 3, _PROTOCOL),  # IPSET_CMD_LIST and _DESTROY
    _Kind("nfacct list", 7, 1, 3),  # NFNL_MSG_ACCT_GET and _DEL (nfnetlink_acct.h)
    _Kind("nfct list timeout", 8, 1, 2),  # IPCTNL_MSG_TIMEOUT_GET and _DELETE (nfnetlink_cttimeout.h)
)


def told(opened: NetlinkSocket) -> Iterator[str]:
    """What there is of them, in words; ``opened`` speaks netfilter's protocol."""
    for kind in _KINDS:
        count = _count(opened, kind)
        if count:
            yield f"{count} of {kind.command}"


def delete_all(opened: NetlinkSocket) -> bool:
    """Whether none is left. Nothing is asked of the kernel but where there is one: deleting waits for all of its CPUs."""
    there = [kind for kind in _KINDS if _count(opened, kind)]
    for kind in there:
        with contextlib.suppress(NetlinkError):  # in use, which is seen when they are counted again
            opened.request(kind.subsystem << 8 | kind.delete_all, ACK, genmsg(0) + kind.body)
    return not any(_count(opened, kind) for kind in there)


def _count(opened: NetlinkSocket, kind: _Kind) -> int:
    try:
        return len(opened.dump(kind.subsystem << 8 | kind.list_all, genmsg(0) + kind.body))
    except NetlinkError:  # a kernel without them
        return 0
