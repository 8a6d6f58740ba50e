"""Does the old iptables hold anything? A table stays registered once somebody has listed it, so its name alone proves nothing.

The kernel hands out each table over a socket option (include/uapi/linux/netfilter_ipv4/ip_tables.h, ip6_tables.h): a table nobody wrote
has one entry for each built-in chain, whose verdict is the policy, and one at the end. ctypes, because Python's getsockopt cannot pass
the table's name in.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import Final, NamedTuple

from .namespace import Namespace, socket_in

_GET_INFO, _GET_ENTRIES = 64, 65
_INFO: Final = struct.Struct("=32sI5I5III")
"""struct ipt_getinfo: name, valid_hooks, hook_entry, underflow, num_entries, size."""
_ENTRIES_HEAD: Final = 40
"""struct ipt_get_entries: name, size, and padding to 8."""
_TARGET_HEAD: Final = 32
_ACCEPT: Final = -2
"""A verdict is stored as minus itself minus one; NF_ACCEPT is 1."""
_SIX: Final = "ip6 "
_libc = ctypes.CDLL(None, use_errno=True)


class _Version(NamedTuple):
    """How IPv4 and IPv6 tables differ: the socket, the option level, and where an entry says at which offset its target is."""

    family: int
    level: int
    target_offset_at: int


_FOUR: Final = _Version(socket.AF_INET, socket.IPPROTO_IP, 88)
_SIXTH: Final = _Version(socket.AF_INET6, socket.IPPROTO_IPV6, 140)


class LegacyTables:
    """Looks into the legacy tables of one namespace. Opens a socket only when there is a table to look into; close it with the node."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._sockets: dict[int, socket.socket] = {}

    def close(self) -> None:
        """Close the sockets."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()

    def holding(self, tables: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``tables`` (``nat``, ``ip6 nat``) that hold a rule, a chain or a policy of somebody's, sorted. What cannot be read counts."""
        return tuple(sorted(table for table in tables if self._holds(table)))

    def _holds(self, table: str) -> bool:
        version = _SIXTH if table.startswith(_SIX) else _FOUR
        name = table.removeprefix(_SIX).encode()
        try:
            opened = self._socket(version)
            info = option(opened, version.level, _GET_INFO, _INFO.pack(name, *[0] * 13))
            _, hooks, *numbers = _INFO.unpack_from(info)
            underflow, entries, size = numbers[5:10], numbers[10], numbers[11]
            if entries != hooks.bit_count() + 1:
                return True
            blob = option(opened, version.level, _GET_ENTRIES, struct.pack("=32sI4x", name, size) + bytes(size))[_ENTRIES_HEAD:]
            return any(_policy(blob, underflow[hook], version) != _ACCEPT for hook in range(5) if hooks & 1 << hook)
        except (OSError, struct.error):
            return True

    def _socket(self, version: _Version) -> socket.socket:
        if version.family not in self._sockets:
            self._sockets[version.family] = socket_in(self._namespace, version.family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        return self._sockets[version.family]


def _policy(blob: bytes, entry: int, version: _Version) -> int:
    """The verdict of the built-in entry at ``entry``."""
    target = entry + int(struct.unpack_from("=H", blob, entry + version.target_offset_at)[0])
    return int(struct.unpack_from("=i", blob, target + _TARGET_HEAD)[0])


def option(opened: socket.socket, level: int, option: int, given: bytes) -> bytes:
    """getsockopt(2) with a buffer that says what is wanted. Raises OSError."""
    buffer, length = ctypes.create_string_buffer(given, len(given)), ctypes.c_uint32(len(given))
    if _libc.getsockopt(opened.fileno(), level, option, buffer, ctypes.byref(length)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return buffer.raw[: length.value]
