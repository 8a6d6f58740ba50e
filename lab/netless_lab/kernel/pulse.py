"""What changes without a word: the kernel sends no event for some settings, so they are looked at now and then while somebody watches.

Silent are: ``icmp_echo_ignore_all``, ``route_localnet``, ``bridge-nf-call-iptables``, an alias or alternative name, STP on a bridge that is
down, legacy iptables, sockets that begin to listen, resolv.conf, and namespaces made without a name (tried one by one on Linux 6.18).
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable

from .decode_link import DUMP_BODY, RTM_GETLINK, decode_link
from .discover import inhabited
from .listeners import Listeners
from .read import NodeRef, resolvers_of
from .rtnetlink import NetlinkSocket
from .station import Memo
from .sysctls import Sysctls
from .xtables import LegacyTables


class Pulse:
    """The silent state of one node. Two looks are equal when nothing silent changed in between. 0.2 ms a look; close it with the node."""

    def __init__(self, ref: NodeRef) -> None:
        """Open what is needed. Raises OSError when the namespace cannot be entered."""
        self._ref = ref
        with contextlib.ExitStack() as opened:
            self._route = opened.enter_context(contextlib.closing(NetlinkSocket(ref.namespace)))
            self._listeners = opened.enter_context(contextlib.closing(Listeners(ref.namespace)))
            self._sysctls = opened.enter_context(contextlib.closing(Sysctls(ref.namespace)))
            self._legacy = opened.enter_context(contextlib.closing(LegacyTables(ref.namespace)))
            self._opened = opened.pop_all()
        self._links = Memo(decode_link)

    def close(self) -> None:
        """Let the namespace go."""
        self._opened.close()

    def look(self, names: Iterable[str] | None = None) -> Hashable:
        """The silent state now, to be compared with that of another time. ``names``: the node's own in /run/netns, for who has read them."""
        links = self._links.each(self._route.dump(RTM_GETLINK, DUMP_BODY))
        sysctls, tables = self._sysctls.read((link.link.name, link.knobs) for link in links)
        settled = tuple((link.link.name, link.link.alias, link.link.altnames, link.link.stp, link.link.mode) for link in links)
        return settled, tuple(sorted(sysctls.items())), self._legacy.holding(tables), self._listeners.read(), resolvers_of(self._ref, names)


def population() -> Hashable:
    """Which namespaces have processes in them now."""
    return frozenset(inhabited())
