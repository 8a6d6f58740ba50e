"""Generic netlink: families of messages that have a name, and a number that each kernel gives them as it likes (genetlink.h)."""

from __future__ import annotations

import struct
from typing import Final

from ..namespace import Namespace
from .attributes import attribute, attributes, native
from .socket import NetlinkError, NetlinkSocket

GENMSG: Final = struct.Struct("=BBH")
"""struct genlmsghdr: command, version, nothing."""
_NETLINK_GENERIC: Final = 16
_CONTROL, _GET_FAMILY = 0x10, 3
"""GENL_ID_CTRL and CTRL_CMD_GETFAMILY."""
_FAMILY_ID, _FAMILY_NAME = 1, 2


def generic(namespace: Namespace) -> NetlinkSocket:
    """A socket in ``namespace`` that speaks generic netlink. Raises OSError."""
    return NetlinkSocket(namespace, _NETLINK_GENERIC)


def family(opened: NetlinkSocket, name: str) -> int:
    """The number of a family. Raises NetlinkError where this kernel has none of that name."""
    answer = opened.request(_CONTROL, 0, GENMSG.pack(_GET_FAMILY, 1, 0) + attribute(_FAMILY_NAME, name.encode() + b"\0"))
    if answer is None:
        raise NetlinkError(f"no answer about {name}")
    return native(attributes(answer, GENMSG.size)[_FAMILY_ID])
