"""Multipath TCP inside a namespace: the endpoints and limits of its path manager (ip-mptcp(8), include/uapi/linux/mptcp_pm.h)."""

from __future__ import annotations

import contextlib
from typing import Final

from .namespace import Namespace
from .netlink.generic import GENMSG, family, generic
from .netlink.socket import ACK, NetlinkSocket

_NAME: Final = "mptcp_pm"
_GET_ADDR, _FLUSH_ADDRS, _SET_LIMITS, _GET_LIMITS = 3, 4, 5, 6


def limits(namespace: Namespace) -> bytes:
    """The limits in force, as ``put_back`` takes them; b"" on a kernel without multipath TCP."""
    with contextlib.suppress(OSError), contextlib.closing(generic(namespace)) as opened:
        return _limits(opened)
    return b""


def put_back(namespace: Namespace, wanted: bytes) -> None:
    """No endpoint, and these limits. Raises OSError when the kernel refuses."""
    if not wanted:
        return
    with contextlib.closing(generic(namespace)) as opened:
        number = family(opened, _NAME)
        opened.request(number, ACK, GENMSG.pack(_FLUSH_ADDRS, 1, 0))
        if _limits(opened) != wanted:
            opened.request(number, ACK, GENMSG.pack(_SET_LIMITS, 1, 0) + wanted)


def told(namespace: Namespace, wanted: bytes) -> tuple[str, ...]:
    """What ``put_back`` would change, in words."""
    if not wanted:
        return ()
    with contextlib.closing(generic(namespace)) as opened:
        count = len(opened.dump(family(opened, _NAME), GENMSG.pack(_GET_ADDR, 1, 0)))
        found = (f"{count} of ip mptcp endpoint",) if count else ()
        return found if _limits(opened) == wanted else (*found, "the changed limits of ip mptcp")


def _limits(opened: NetlinkSocket) -> bytes:
    return (opened.request(family(opened, _NAME), 0, GENMSG.pack(_GET_LIMITS, 1, 0)) or b"")[GENMSG.size :]
