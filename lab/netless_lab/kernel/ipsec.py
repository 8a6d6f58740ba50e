"""IPsec inside a namespace: its associations and policies (ip-xfrm(8), include/uapi/linux/xfrm.h), which no picture shows."""

from __future__ import annotations

import contextlib
from typing import Final

from .namespace import Namespace
from .netlink.attributes import attribute, attributes
from .netlink.socket import ACK, NetlinkError, NetlinkSocket

_NETLINK_XFRM: Final = 6
_GETSA, _GETPOLICY, _FLUSHSA, _FLUSHPOLICY, _SETDEFAULT, _GETDEFAULT = 0x12, 0x15, 0x1C, 0x1D, 0x27, 0x28
_NEWSPDINFO, _GETSPDINFO = 0x24, 0x25
_THRESHOLDS: Final = {3: b"\x20\x20", 4: b"\x80\x80"}
"""XFRMA_SPD_IPV4_HTHRESH and _IPV6_: how long prefixes of policies are to be looked up at once, as a namespace is born with (net/xfrm/xfrm_policy.c)."""
_EVERY_PROTOCOL: Final = b"\0"
_OF_SUB_POLICIES: Final = attribute(16, b"\1" + bytes(5))
"""XFRMA_POLICY_TYPE, XFRM_POLICY_TYPE_SUB: those of ``ptype sub`` are a table of their own, flushed by itself (net/xfrm/xfrm_user.c)."""
_NO_FLAGS: Final = bytes(4)
_ACCEPT_ALL: Final = b"\2\2\2"
"""struct xfrm_userpolicy_default: what becomes of packets that no policy names, in, forwarded and out; XFRM_USERPOLICY_ACCEPT."""


def flush(namespace: Namespace) -> None:
    """No association, no policy, packets that no policy names pass, and policies are found as they were. Raises OSError on a kernel without IPsec."""
    with contextlib.closing(NetlinkSocket(namespace, _NETLINK_XFRM)) as opened:
        for kind, body in ((_FLUSHSA, _EVERY_PROTOCOL), (_FLUSHPOLICY, b""), (_FLUSHPOLICY, _OF_SUB_POLICIES), (_SETDEFAULT, _ACCEPT_ALL)):
            with contextlib.suppress(NetlinkError):  # kernels before 5.16 know no default, some no sub policies
                opened.request(kind, ACK, body)
        if _thresholds(opened) != _THRESHOLDS:
            opened.request(_NEWSPDINFO, ACK, _NO_FLAGS + b"".join(attribute(kind, both) for kind, both in _THRESHOLDS.items()))


def told(namespace: Namespace) -> tuple[str, ...]:
    """What ``flush`` would take away, in words. Raises OSError on a kernel without IPsec."""
    parts: list[str] = []
    with contextlib.closing(NetlinkSocket(namespace, _NETLINK_XFRM)) as opened:
        for kind, word in ((_GETPOLICY, "policy"), (_GETSA, "state")):
            count = len(opened.dump(kind, b""))
            parts += [f"{count} of ip xfrm {word}"] if count else []
        with contextlib.suppress(NetlinkError):
            default = opened.request(_GETDEFAULT, 0, b"\0\0\0")
            parts += ["the changed default of ip xfrm policy"] if default and default[:3] != _ACCEPT_ALL else []
        parts += ["the changed thresholds of ip xfrm policy"] if _thresholds(opened) != _THRESHOLDS else []
    return tuple(parts)


def _thresholds(opened: NetlinkSocket) -> dict[int, bytes]:
    found = attributes(opened.request(_GETSPDINFO, 0, _NO_FLAGS) or b"", len(_NO_FLAGS))
    return {kind: found.get(kind, both) for kind, both in _THRESHOLDS.items()}
