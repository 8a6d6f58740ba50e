"""The reader: every node's network state from the kernel into one frozen ``Snapshot``.

Two phases, because a cable has two ends and each namespace knows the other end only by numbers of its own: first every namespace is
read, then numbers become names across all of them. A snapshot blocks for a few milliseconds and waits for nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ..model.snapshot import Address, FdbEntry, Link, Neighbour, Node, Peer, Program, Role, Route, Snapshot
from .names import names_by_inode, read_names
from .namespace import Namespace, out_of_files
from .resolvers import Search, read_hosts, read_resolvers, read_search, resolvers_by_name, search_by_name
from .room import has_room
from .station import RawNode, Station


class NodeRef(msgspec.Struct, frozen=True):
    """The way to a node: its name and role in the lab, its open namespace, and a process that lives there (None: no process)."""

    name: str
    role: Role
    namespace: Namespace
    pid: int | None = None


class Reader:
    """Takes snapshots. Holds the sockets of each namespace it has seen open; not thread-safe: one reader, one thread."""

    def __init__(self) -> None:
        self._stations: dict[int, Station] = {}
        self._named: dict[tuple[int, int], _Named] = {}

    def close(self) -> None:
        """Let every namespace go."""
        for station in self._stations.values():
            station.close()
        self._stations.clear()

    def snapshot(self, refs: Sequence[NodeRef]) -> Snapshot:
        """The state of ``refs``, in their order. A node that cannot be read any more is left out; those not asked for are let go.

        Raises OSError when one cannot be read for want of descriptors: a picture that lacks nodes would be a lie.
        """
        names = read_names()
        namespaces = [ref.namespace for ref in refs]
        read = [(ref, raw) for ref in refs if (raw := self._read(ref, namespaces)) is not None]
        whereabouts = _Whereabouts(read)
        named: dict[tuple[int, int], _Named] = {}
        leading = names_by_inode(names)
        nodes = tuple(self._node(ref, raw, whereabouts, leading.get(ref.namespace.inode, ()), named) for ref, raw in read)
        self._named = named
        self._keep({ref.namespace.inode for ref in refs})  # with its last holder a namespace begins to go, and the kernel answers others later
        return Snapshot(nodes, names, time.time_ns())

    def open(self, refs: Iterable[NodeRef]) -> None:
        """Open ahead what the next snapshot reads of these, which holds them: a millisecond a node that it need not take."""
        for ref in refs:
            with contextlib.suppress(OSError):  # then it tries again itself
                if ref.namespace.inode not in self._stations and has_room():
                    self._stations[ref.namespace.inode] = Station(ref.namespace)

    def foresee(self) -> bool:
        """Before a snapshot: whether links that are up are otherwise than at the last, so that there may be something to ``catch_up`` with, which
        the kernel will tell of. Without that the snapshot asks for no links again.
        """
        changed = False
        for station in self._stations.values():
            with contextlib.suppress(OSError):  # it is gone, or going: the snapshot will find that out
                changed |= station.foresee()
        return changed

    def catch_up(self) -> None:
        """Before a packet is sent: let the nodes of the last snapshot be as ready for it as the snapshot says (``Station.catch_up``)."""
        for station in self._stations.values():
            station.catch_up()

    def _keep(self, inodes: set[int]) -> None:
        for gone in self._stations.keys() - inodes:
            self._stations.pop(gone).close()

    def _read(self, ref: NodeRef, namespaces: Sequence[Namespace]) -> RawNode | None:
        """One namespace; None when it, or the right to look into it, is gone.

        It is kept open for the next look while there is room: it costs a score of descriptors, and opening it anew a millisecond.
        """
        inode = ref.namespace.inode
        station = self._stations.pop(inode, None)
        try:
            if station is not None:
                raw = station.read(namespaces)
                keep = True
            else:
                station = Station(ref.namespace)
                raw = station.read(namespaces)
                keep = has_room()
        except OSError as error:
            if station is not None:
                station.close()
            if out_of_files(error):
                raise
            return None
        if keep:
            self._stations[inode] = station
        else:
            station.catch_up()  # now or never: nobody can ask it later
            station.close()
        return raw

    def _node(self, ref: NodeRef, raw: RawNode, whereabouts: _Whereabouts, own_names: tuple[str, ...], named: dict[tuple[int, int], _Named]) -> Node:
        inode = ref.namespace.inode
        devices = {index: link.link.name for index, link in raw.links.items()}
        around = _Around(whereabouts, devices, raw.inodes)
        return Node(
            name=ref.name,
            role=ref.role,
            netns=inode,
            pid=ref.pid,
            names=own_names,
            links=tuple(self._link(index, raw, inode, around, named) for index in raw.links),
            routes=tuple(_route(route.route, devices.get(route.device)) for route in raw.routes),
            policy=raw.policy,
            neighbours=tuple(_neighbour(entry.entry, devices.get(entry.device, "")) for entry in raw.neighbours),
            fdb=tuple(_fdb(entry.entry, devices.get(entry.device, ""), devices.get(entry.master), devices.get(entry.by)) for entry in raw.fdb),
            chains=raw.chains,
            sets=raw.sets,
            xtables=raw.xtables,
            legacy=raw.legacy,
            sysctls=raw.sysctls,
            resolvers=resolvers_of(ref, own_names),
            resolvers_by_name=resolvers_by_name(own_names),
            listeners=raw.listeners,
            tables=raw.tables,
        )

    def _link(self, index: int, raw: RawNode, inode: int, around: _Around, named: dict[tuple[int, int], _Named]) -> Link:
        """The link with names for numbers: the very object of the last snapshot when nothing of it changed, so that comparing is quick."""
        found = raw.links[index]
        peer = None
        if found.lower and (found.lower != index or found.nsid is not None):
            where = inode if found.nsid is None else around.inodes.get(found.nsid)
            peer = around.whereabouts.peer(where, found.lower)
        addresses, master = raw.addresses.get(index, ()), around.devices.get(found.master)
        programs = (*found.link.programs, *raw.programs.get(index, ()))
        known = self._named.get((inode, index))
        if known is None or known.raw is not found.link or known.rest != (peer, master, addresses, programs):
            plain = peer is None and master is None and not addresses and not programs
            link = found.link if plain else msgspec.structs.replace(found.link, peer=peer, master=master, addresses=addresses, programs=programs)
            known = _Named(found.link, (peer, master, addresses, programs), link)
        named[inode, index] = known
        return known.link


class _Named(NamedTuple):
    """A link of the last snapshot, and what it was made of."""

    raw: Link
    rest: tuple[Peer | None, str | None, tuple[Address, ...], tuple[Program, ...]]
    link: Link


class _Around(NamedTuple):
    """What the numbers in a namespace's links stand for: places in all namespaces, its own devices, and namespaces by its ids for them."""

    whereabouts: _Whereabouts
    devices: Mapping[int, str]
    inodes: Mapping[int, int]


class _Whereabouts:
    """Where every ifindex of every namespace is, for the second phase."""

    def __init__(self, read: Sequence[tuple[NodeRef, RawNode]]) -> None:
        self._nodes = {ref.namespace.inode: (ref.name, raw) for ref, raw in read}

    def peer(self, inode: int | None, ifindex: int) -> Peer:
        """The device ``ifindex`` of namespace ``inode``; its node is "" when the lab cannot see that namespace."""
        if inode is None or inode not in self._nodes:
            return Peer("", "", ifindex)
        node, raw = self._nodes[inode]
        link = raw.links.get(ifindex)
        return Peer(node, link.link.name if link else "", ifindex)


def _route(route: Route, device: str | None) -> Route:
    return route if device is None else msgspec.structs.replace(route, dev=device)


def _neighbour(entry: Neighbour, device: str) -> Neighbour:
    return Neighbour(entry.address, device, entry.mac, entry.state, entry.family)


def _fdb(entry: FdbEntry, device: str, master: str | None, by: str | None) -> FdbEntry:
    others = (*entry.others, f"via {by}") if by is not None else entry.others
    return FdbEntry(entry.mac, device, master, entry.state, entry.local, entry.dst, others)


def _root(ref: NodeRef) -> str | None:
    """The root directory as the node's process sees it; our own when the node is our own namespace."""
    if ref.pid is not None:
        return f"/proc/{ref.pid}/root"
    with Namespace.own() as own:
        return "" if own.inode == ref.namespace.inode else None


def hosts_of(ref: NodeRef, name: str) -> str | None:
    """The address that a node's own file of hosts has for a name; where nothing lives, that of our own."""
    return read_hosts(_root(ref) or "", name)


def resolvers_of(ref: NodeRef, names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The name servers that what lives in ``ref`` would ask now; where nothing lives, whoever enters it by its name.

    ``names`` are its own in /run/netns, for who has read them.
    """
    root = _root(ref)
    return read_resolvers(root) if root is not None else resolvers_by_name(_names_of(ref) if names is None else names)


def search_of(ref: NodeRef) -> Search:
    """Where what lives in ``ref`` looks for short names; where nothing lives, whoever enters it by its name."""
    root = _root(ref)
    return read_search(root) if root is not None else search_by_name(_names_of(ref))


def _names_of(ref: NodeRef) -> tuple[str, ...]:
    return names_by_inode(read_names()).get(ref.namespace.inode, ())
