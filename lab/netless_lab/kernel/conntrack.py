"""The connection table: forget what the kernel remembers of flows, so that a change of NAT or firewall rules acts on running ones too.

An old entry keeps an old ping alive after its rule is gone, and keeps a corrected one dead (ctnetlink of the kernel, conntrack(8) -F).
"""

from __future__ import annotations

from typing import Final

from .namespace import Namespace
from .netlink.socket import ACK, NETLINK_NETFILTER, NetlinkSocket
from .nft.wire import genmsg

_SUBSYSTEM: Final = 1
_CT_DELETE: Final = 2


def flush(namespace: Namespace) -> None:
    """Forget every connection of ``namespace``. Raises OSError when the kernel has no connection tracking or we may not."""
    opened = NetlinkSocket(namespace, NETLINK_NETFILTER)
    try:
        opened.request(_SUBSYSTEM << 8 | _CT_DELETE, ACK, genmsg(0))
    finally:
        opened.close()
