"""The connection table: forget what the kernel remembers of flows, so that a change of NAT or firewall rules acts on running ones too.

An old entry keeps an old ping alive after its rule is gone, and keeps a corrected one dead (ctnetlink of the kernel, conntrack(8) -F).
"""

from __future__ import annotations

from typing import Final

from .netlink.socket import ACK, NetlinkSocket
from .nft.wire import genmsg

_SUBSYSTEM: Final = 1
_CT_DELETE: Final = 2


def flush(opened: NetlinkSocket) -> None:
    """Forget every connection of the namespace of a socket that speaks netfilter's protocol. Raises NetlinkError when we may not."""
    opened.request(_SUBSYSTEM << 8 | _CT_DELETE, ACK, genmsg(0))
