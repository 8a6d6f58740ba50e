"""Everything that is kept open to read one namespace: its netlink sockets, its sysctl files, and what was decoded last time.

A message that is byte for byte the one of the last snapshot is not decoded again: in a lab where nothing happens, and for the twenty-nine
links of thirty that a change does not touch, a snapshot costs little more than the kernel's own time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from ..model.netfilter.rules import NamedSet
from ..model.snapshot import Address, Chain, Listener, PolicyRule, Program
from .listeners import Listeners
from .namespace import Namespace, call_in
from .netlink.address import ADDRESSES_BODY, RTM_GETADDR, decode_address
from .netlink.link import DUMP_BODY, RTM_GETLINK, RawLink, decode_link, one_link
from .netlink.neighbour import (
    FDB_BODY,
    NEIGHBOURS_BODY,
    RTM_GETNEIGH,
    RawFdbEntry,
    RawNeighbour,
    decode_fdb,
    decode_neighbour,
)
from .netlink.nsid import inodes_of
from .netlink.qdisc import filters
from .netlink.route import ROUTES_BODY, RTM_GETROUTE, RawRoute, decode_route
from .netlink.rule import RTM_GETRULE, RULES_BODY, decode_rule
from .netlink.socket import NetlinkError, NetlinkSocket
from .nft.read import RulesetReader
from .sysctls import Sysctls
from .xtables import LegacyTables

T = TypeVar("T")

_STOREYS: Final = 8
"""Devices stacked on one another, each of which hears of a carrier from the one below; the kernel itself nests no deeper
(MAX_NEST_DEV, include/linux/netdevice.h)."""


class RawNode(NamedTuple):
    """One namespace as read, devices still as numbers. ``inodes`` are the namespaces behind the ids that its links speak of."""

    links: dict[int, RawLink]
    addresses: dict[int, tuple[Address, ...]]
    routes: tuple[RawRoute, ...]
    policy: tuple[PolicyRule, ...]
    neighbours: tuple[RawNeighbour, ...]
    fdb: tuple[RawFdbEntry, ...]
    chains: tuple[Chain, ...]
    sets: tuple[NamedSet, ...]
    tables: tuple[str, ...]
    xtables: tuple[str, ...]
    legacy: tuple[Chain, ...]
    sysctls: dict[str, str]
    listeners: tuple[Listener, ...]
    inodes: dict[int, int]
    programs: dict[int, tuple[Program, ...]]


class Memo(Generic[T]):
    """Decoded messages of the last round, by their bytes."""

    def __init__(self, decode: Callable[[bytes], T]) -> None:
        self._decode = decode
        self._known: dict[bytes, T] = {}

    def by_body(self, messages: Iterable[bytes]) -> dict[bytes, T]:
        """Every message with what it says; those of the round before from memory."""
        known, decode = self._known, self._decode
        self._known = {body: known[body] if body in known else decode(body) for body in messages}
        return self._known

    def each(self, messages: Iterable[bytes]) -> list[T]:
        """Every message decoded."""
        return list(self.by_body(messages).values())


class Station:
    """The open sockets and files of one namespace. Close it when the node goes: it keeps the namespace alive."""

    def __init__(self, namespace: Namespace) -> None:
        """Open them. Raises OSError when the namespace cannot be entered."""
        self._namespace = namespace.dup()
        with contextlib.ExitStack() as opened:
            opened.callback(self._namespace.close)
            self._route, self._listeners, self._sysctls, self._ruleset, self._legacy = call_in(self._namespace, self._open, opened)
            self._opened = opened.pop_all()
        self._links = Memo(decode_link)
        self._addresses = Memo(decode_address)
        self._routes = Memo(lambda body: tuple(decode_route(body)))
        self._rules = Memo(decode_rule)
        self._nsids: dict[int, int] = {}
        self._up: dict[int, bytes] = {}
        self._dumped: list[bytes] | None = None

    def _open(self, opened: contextlib.ExitStack) -> tuple[NetlinkSocket, Listeners, Sysctls, RulesetReader, LegacyTables]:
        """Inside the namespace, which is entered once for all of them."""
        return (
            opened.enter_context(contextlib.closing(NetlinkSocket(self._namespace))),
            opened.enter_context(contextlib.closing(Listeners(self._namespace))),
            opened.enter_context(contextlib.closing(Sysctls(self._namespace))),
            opened.enter_context(contextlib.closing(RulesetReader(self._namespace))),
            opened.enter_context(contextlib.closing(LegacyTables(self._namespace))),
        )

    def close(self) -> None:
        """Let the namespace go."""
        self._opened.close()

    def read(self, others: Sequence[Namespace] = ()) -> RawNode:
        """One namespace, now; ``others`` are those in which its cables may end. Raises NetlinkError when the kernel refuses a dump."""
        dump, dumped, self._dumped = self._route.dump, self._dumped, None
        links = {found.link.ifindex: found for found in self._told(dump(RTM_GETLINK, DUMP_BODY) if dumped is None else dumped).values()}
        sysctls, tables = self._sysctls.read((link.link.name, link.knobs) for link in links.values())
        legacy = self._legacy.read(tables)
        firewalls = self._ruleset.tables()
        names = {index: link.link.name for index, link in links.items()}
        chains, sets = self._ruleset.read(names) if firewalls else ((), ())
        neighbours = [decode_neighbour(body) for body in dump(RTM_GETNEIGH, NEIGHBOURS_BODY)]
        return RawNode(
            links=links,
            addresses=_by_device(self._addresses.each(dump(RTM_GETADDR, ADDRESSES_BODY))),
            routes=tuple(route for routes in self._routes.each(dump(RTM_GETROUTE, ROUTES_BODY)) for route in routes),
            policy=tuple(rule for rule in self._rules.each(dump(RTM_GETRULE, RULES_BODY)) if rule is not None),
            neighbours=tuple(entry for entry in neighbours if entry is not None),
            fdb=self._fdb(),
            chains=chains,
            tables=firewalls,
            sets=sets,
            xtables=tuple(legacy),
            legacy=tuple(chain for own in legacy.values() for chain in own),
            sysctls=sysctls,
            listeners=self._listeners.read(),
            inodes=self._inodes_of({link.nsid for link in links.values() if link.nsid is not None}, others),
            programs=self._programs(),
        )

    def foresee(self) -> bool:
        """Ask for the links, for the ``read`` that comes next: whether one that is up is otherwise than it was, so that the kernel may have noted
        something of it that is still to be acted on. Raises NetlinkError.
        """
        before = self._up
        self._dumped = self._route.dump(RTM_GETLINK, DUMP_BODY)
        self._told(self._dumped)
        return not self._up.items() <= before.items()

    def _told(self, dumped: list[bytes]) -> dict[bytes, RawLink]:
        """The links of a dump; which are up is kept."""
        told = self._links.by_body(dumped)
        self._up = {found.link.ifindex: body for body, found in told.items() if found.link.up}
        return told

    def catch_up(self) -> None:
        """Have the kernel act on every carrier it has noted: of the links that were up at the last ``read``, each is asked for alone.

        A carrier that has just come is in every dump at once, but the device takes packets, and its bridge hears of it, only when the
        kernel's link watch has run, up to a second later; what is sent until then is lost. A question about one device makes it run for
        that device first (rtnl_getlink in net/core/rtnetlink.c, net/core/link_watch.c). What a bridge so hears of a port may change what
        is to be noted about the bridge, and so on upwards: it is over when a round of answers brings nothing new.
        """
        self._dumped = None
        for _ in range(_STOREYS):
            known, self._up = self._up, {index: body for index in self._up if (body := self._alone(index)) is not None}
            if known == self._up:
                return

    def _alone(self, index: int) -> bytes | None:
        """The kernel's answer about one link; None when it is gone."""
        try:
            return self._route.request(RTM_GETLINK, 0, one_link(index))
        except NetlinkError:
            return None

    def _fdb(self) -> tuple[RawFdbEntry, ...]:
        """The forwarding databases; a MAC that a bridge lists once more per VLAN counts once."""
        try:
            entries = (decode_fdb(body) for body in self._route.dump(RTM_GETNEIGH, FDB_BODY))
            return tuple(dict.fromkeys(entry for entry in entries if entry is not None))
        except NetlinkError:  # a kernel without bridges
            return ()

    def _programs(self) -> dict[int, tuple[Program, ...]]:
        """Where filters of tc decide, by ifindex."""
        try:
            return filters(self._route)
        except NetlinkError:  # a kernel without traffic control
            return {}

    def _inodes_of(self, nsids: Collection[int], candidates: Sequence[Namespace]) -> dict[int, int]:
        """Which of ``candidates`` this namespace calls by each of ``nsids``; those that are none of them are left out.

        The last answers are tried first, and never taken for granted: an id can be given anew after its namespace died.
        """
        last = {self._nsids[nsid] for nsid in nsids if nsid in self._nsids}
        self._nsids = inodes_of(self._route, nsids, sorted(candidates, key=lambda namespace: namespace.inode not in last))
        return self._nsids


def _by_device(addresses: Iterable[tuple[int, Address] | None]) -> dict[int, tuple[Address, ...]]:
    """ifindex -> its addresses, in the kernel's order (primary first)."""
    found: dict[int, list[Address]] = {}
    for entry in addresses:
        if entry is not None:
            found.setdefault(entry[0], []).append(entry[1])
    return {index: tuple(own) for index, own in found.items()}
