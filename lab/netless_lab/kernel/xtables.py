"""What the old iptables holds. A table stays registered once somebody has listed it, so its name alone proves nothing.

The kernel hands out each table over a socket option (include/uapi/linux/netfilter_ipv4/ip_tables.h, ip6_tables.h): a table nobody wrote
has one entry for each built-in chain, whose verdict is the policy, and one at the end; ``xtables_rules`` reads them. ctypes, because
Python's getsockopt cannot pass the table's name in.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from ..model.netfilter.rules import Unfollowed
from ..model.snapshot import Chain, Rule
from .namespace import Namespace, socket_in

if TYPE_CHECKING:
    from .xtables_rules import Layout, Table

_GET_INFO, _GET_ENTRIES = 64, 65
_INFO: Final = struct.Struct("=32sI5I5III")
"""struct ipt_getinfo: name, valid_hooks, hook_entry, underflow, num_entries, size."""
_ENTRIES_HEAD: Final = 40
"""struct ipt_get_entries: name, size, and padding to 8."""
SIX: Final = "ip6 "
"""How the name of a table for IPv6 begins in a snapshot."""
_libc = ctypes.CDLL(None, use_errno=True)


class _Version(NamedTuple):
    """How IPv4 and IPv6 tables are asked for: the socket and the option level."""

    family: int
    level: int
    layout: Layout


_UNREAD: Final = Rule(0, "(rules that cannot be read)", opaque=True, parts=(Unfollowed("the old iptables"),))


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

    def read(self, tables: tuple[str, ...]) -> dict[str, tuple[Chain, ...]]:
        """By table (``nat``, ``ip6 nat``, sorted) the chains of those that hold a rule, a chain or a policy of somebody's.

        Of a table that cannot be read it is not known what it does: it has chains for every hook, with a rule that nobody can follow.
        """
        found = {table: self._chains(table) for table in sorted(tables)}
        return {table: chains for table, chains in found.items() if any(map(_holds, chains))}

    def table(self, table: str) -> Table:
        """A table as the kernel hands it out. Raises OSError and struct.error."""
        from .xtables_rules import Table

        version, name = _version(table), table.removeprefix(SIX)
        opened = self._socket(version)
        info = _INFO.unpack_from(_option(opened, version.level, _GET_INFO, _INFO.pack(name.encode(), *[0] * 13)))
        given = struct.pack("=32sI4x", name.encode(), info[13]) + bytes(info[13])
        entries = _option(opened, version.level, _GET_ENTRIES, given)[_ENTRIES_HEAD:]
        return Table(name, version.layout, info[1], info[2:7], info[7:12], entries)

    def _chains(self, table: str) -> tuple[Chain, ...]:
        from .xtables_rules import chains

        try:
            return chains(self.table(table))
        except (OSError, struct.error, IndexError):
            version, name = _version(table), table.removeprefix(SIX)
            return tuple(
                Chain(version.layout.family, name, hook.upper(), "nat" if name == "nat" else "filter", hook, 0, "accept", None, (_UNREAD,), "legacy")
                for hook in ("prerouting", "input", "forward", "output", "postrouting")
            )

    def _socket(self, version: _Version) -> socket.socket:
        if version.family not in self._sockets:
            self._sockets[version.family] = socket_in(self._namespace, version.family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        return self._sockets[version.family]


def _version(table: str) -> _Version:
    from .xtables_rules import IP4, IP6  # no lab needs it to be ready

    return _Version(socket.AF_INET6, socket.IPPROTO_IPV6, IP6) if table.startswith(SIX) else _Version(socket.AF_INET, socket.IPPROTO_IP, IP4)


def _holds(chain: Chain) -> bool:
    return bool(chain.rules) or chain.hook is None or chain.policy != "accept"


def _option(opened: socket.socket, level: int, option: int, given: bytes) -> bytes:
    """getsockopt(2) with a buffer that says what is wanted. Raises OSError."""
    buffer, length = ctypes.create_string_buffer(given, len(given)), ctypes.c_uint32(len(given))
    if _libc.getsockopt(opened.fileno(), level, option, buffer, ctypes.byref(length)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return buffer.raw[: length.value]
