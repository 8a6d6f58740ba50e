"""Every node back to a baseline, whatever was done to it: what goto, back and reset begin with.

Interfaces go all at once (``sweep``); while the kernel is busy with them the rest is put right: firewall, connections, files. Then
settings: some of IPv6 can only be read, spinning, once no link is being deleted (net/ipv6/addrconf.c, rtnl_trylock). Then what is left of
the baseline gets its names, addresses, routes and flags back. The caller looks again and compares.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from ..model.snapshot import Link, Name, Node, Snapshot
from . import by_name, conntrack, ipsec, legacy, mptcp, offloads
from .beginning import UNKNOWN, Beginning, NodeBeginning
from .mounts import name_by_mount, name_by_symlink, take_name
from .names import read_names
from .namespace import Namespace, call_in, each_in, out_of_files
from .netlink.link import RTM_DELLINK, RTM_NEWLINK, RawLink, encode_cable, encode_link
from .netlink.nsid import inodes_of
from .netlink.socket import ACK, CREATE, EXCLUSIVE, NETLINK_NETFILTER, NetlinkError, NetlinkSocket
from .nft.batch import Aside, Batch, table_names
from .read import NodeRef
from .resolvers import ETC_NETNS, RESOLV_CONF
from .restore import Restorer, cables
from .rooted import read_text, write_text
from .settings import Settings
from .sweep import Sweep, links

NO_SERVER: Final = "# no name server yet\n"
_LOCKED: Final = "net/ipv4/ip_forward"
"""Whoever writes it spins until no link is being deleted (devinet_sysctl_forward in net/ipv4/devinet.c)."""


class _Doomed(NamedTuple):
    """Links of a node that go, and the namespaces behind the ids that they speak of, of those that were asked before."""

    links: tuple[RawLink, ...]
    inodes: Mapping[int, int]


class _Passing:
    """A node that ends with its names: only its links matter, which may hold others' ends. There may be very many, so it is entered for a moment."""

    def __init__(self, ref: NodeRef) -> None:
        self.ref = ref

    def doomed(self, anew: Collection[str], before: Sequence[Namespace]) -> _Doomed:
        """All its links. Raises OSError when no more files can be opened; one that cannot be entered any more needs no cleaning."""
        try:
            with contextlib.closing(NetlinkSocket(self.ref.namespace)) as opened:
                return _with_ends(opened, tuple(raw for raw in links(opened) if raw.link.kind != "loopback"), before)
        except OSError as error:
            if out_of_files(error):
                raise
            return _Doomed((), {})


class _Cleaning:
    """One of the lab's own nodes while it is being cleaned."""

    def __init__(self, ref: NodeRef, wanted: Node, began: NodeBeginning, *, new: bool = False, unset: Settings | None = None) -> None:
        """``new``: so much so that nobody can have done anything in it; ``unset`` then says how settings are in such a namespace."""
        self.ref = ref
        self.new = new
        self.wanted = wanted
        self.began = began
        self._keys = None if unset is None else began.settings.beyond(unset)
        self.socket = NetlinkSocket(ref.namespace)
        self.restorer = Restorer(self.socket, wanted, began)
        self._refused: frozenset[str] = frozenset()
        self.well: frozenset[str] = frozenset()  # settings that are as they should be since links went: not asked for again

    def settings_beside_links(self) -> None:
        """While links go, look which settings of no device are as they should be; in a new node put them right, since they are known not to be."""
        settings = self.began.settings
        if not self.new:
            self.well = settings.well(self.ref.namespace)
        elif self._keys is not None:
            keys = self._keys.intersection(settings.of_no_device) - {_LOCKED}
            self.well = keys.difference(settings.put_back(self.ref.namespace, keys))

    def settings(self) -> None:
        """Put back every setting, as far as it goes now; what did not is tried again, so there is nothing to tell. Those of links that are gone
        have their turn when these are made anew.
        """
        settings, gone = self.began.settings, {link.name for link in self.restorer.missing()}
        keys = frozenset(settings.values) if self._keys is None else self._keys
        self._refused = frozenset(settings.put_back(self.ref.namespace, keys - settings.of_devices(gone) - self.well))

    def doomed(self, anew: Collection[str], before: Sequence[Namespace]) -> _Doomed:
        """Its links that are not of the baseline, and those that can only be made anew, cables to the nodes called as in ``anew`` among them."""
        return _with_ends(self.socket, self.restorer.extras(self.spoiled() | _cables_to(anew, self.wanted)), before)

    def spoiled(self) -> frozenset[str]:
        """Links that cannot be put right, only made anew. Nobody can have spoiled one of a new node."""
        return frozenset() if self.new else self.began.settings.spoiled(self.ref.namespace, self.restorer.renamed())

    def offloads(self) -> list[str]:
        """Have links leave to their hardware what they left to it; in words of whom it is not so. Nobody can have changed that in a new node."""
        refused = () if self.new else offloads.put_back(self.ref.namespace, self.began.offloads)
        names = {link.ifindex: link.name for link in self.wanted.links}
        return [f"what {names.get(index, index)} leaves to its hardware (ethtool -k) could not be put back in {self.wanted.name}" for index in refused]

    def settings_again(self, remade: Collection[str]) -> list[str]:
        """The same for what did not go before, and for devices that were changed or made anew since; what cannot be put back, in words."""
        settings = self.began.settings
        born = frozenset() if self._refused else frozenset(remade)  # where nothing was refused every ``default`` was as it should be
        changed = settings.of_devices((self.restorer.touched | frozenset(remade)) - born)
        keys = self._refused | (changed if self._keys is None else changed & self._keys) | settings.of_newborn(born)
        return [f"{problem} in {self.wanted.name}" for problem in settings.put_back(self.ref.namespace, keys).values()]


def purge(
    refs: Sequence[NodeRef],
    beginning: Beginning,
    bare: Collection[int] = (),
    passing: Collection[int] = (),
    renewed: Collection[int] = (),
    begun: Sweep | None = None,
) -> tuple[str, ...]:
    """Bring all of ``refs`` back to the beginning; a node that was not there then, to a bare namespace with ``lo`` down. What could not be put
    right, in words.

    ``bare`` are the inodes of namespaces so new that nobody can have set anything in them; ``passing`` of those that nothing but a
    name holds: with the name they go, and all that is in them, but for their links, which go at once, so that nobody waits for the kernel;
    ``renewed`` of those that nodes of the beginning have got instead of their own, and that are to become like those. ``begun`` are links that are
    on their way out (``begin_with_links``): until they have gone nothing is asked about links, for every such question would wait as well.
    """
    baseline = beginning.snapshot
    with contextlib.ExitStack() as opened:
        cleanings: list[_Cleaning | _Passing] = []
        for ref in refs:
            inode = ref.namespace.inode
            if inode in passing:
                cleanings.append(_Passing(ref))
                continue
            began = UNKNOWN if inode in bare else beginning.of(ref)
            try:
                unset = beginning.bare.settings if inode in renewed else None
                new = inode in bare or inode in renewed
                cleaning = _Cleaning(ref, _wanted(ref, baseline), began, new=new, unset=unset)
            except OSError as error:  # a namespace that cannot be entered any more needs no cleaning
                if out_of_files(error):
                    raise
                continue
            opened.callback(cleaning.socket.close)
            cleanings.append(cleaning)
        return _purge(cleanings, baseline, renewed, begun)


def begin_with_links(ref: NodeRef, beginning: Beginning, anew: Collection[str]) -> Sweep | None:
    """Begin to clear a node that stays of its links, while those called ``anew`` are made anew; None where none are to go. What came of it is not
    asked: ``purge`` looks at all of it again, when it has ended.

    The kernel takes long for it, and meanwhile holds the lock under which links are changed (rtnl_lock): some 15 ms for each bridge, which waits
    for all CPUs to have let go of what was known of it (rcu_barrier in net/bridge/br_multicast.c).
    """
    wanted = _wanted(ref, beginning.snapshot)
    with contextlib.suppress(OSError), contextlib.closing(NetlinkSocket(ref.namespace)) as opened:
        doomed = Restorer(opened, wanted, beginning.of(ref)).extras(_cables_to(anew, wanted))
        return Sweep(ref.namespace, [raw.link.ifindex for raw in doomed]) if doomed else None
    return None


def _purge(cleanings: Sequence[_Cleaning | _Passing], baseline: Snapshot, renewed: Collection[int], begun: Sweep | None) -> tuple[str, ...]:
    lasting = [cleaning for cleaning in cleanings if isinstance(cleaning, _Cleaning)]
    problems = []
    if begun is not None:
        problems += _beside_links(lasting)
        begun.wait()
    sweeps = [(ref, Sweep(ref.namespace, found)) for ref, found in _spread(cleanings, renewed)]
    problems += _beside_links(lasting) if begun is None else []
    for ref, under_way in sweeps:
        problems += [f"{name} in {ref.name} cannot be deleted" for name in under_way.wait()]
    for cleaning in lasting:
        if not cleaning.new:
            cleaning.restorer.names()  # settings of a link are found by its name
        cleaning.settings()
    problems += _names(lasting, baseline)
    remade = _remake(lasting, problems)
    for cleaning in lasting:
        cleaning.restorer.links()
        problems += cleaning.offloads()
        problems += cleaning.settings_again([link for node, _, link in (end.partition("/") for end in remade) if node == cleaning.wanted.name])
        if cleaning.began is not UNKNOWN:  # where nobody can have done anything there is nothing to undo
            cleaning.restorer.routing()
        problems += cleaning.restorer.problems
    return tuple(problems)


def _beside_links(lasting: Sequence[_Cleaning]) -> list[str]:
    """What rests on no link is put right while links go, the firewalls of all nodes at the same time."""
    old = [(own.ref.namespace, partial(_firewall, own.ref.namespace, own.wanted, own.began)) for own in lasting if not own.new]
    problems = [*chain.from_iterable(map(_resolver, lasting)), *chain.from_iterable(each_in(old))]
    for own in lasting:
        own.settings_beside_links()
    return problems


def _wanted(ref: NodeRef, baseline: Snapshot) -> Node:
    """What the node shall be. A container that was started anew has another namespace and other links: it shall be bare."""
    known = baseline.by_netns(ref.namespace.inode)
    if known is not None:
        return known
    lo = Link("lo", 1, "loopback", up=False, carrier=False, mac="00:00:00:00:00:00", mtu=65536)
    return Node(ref.name, ref.role, ref.namespace.inode, links=(lo,))


def _spread(cleanings: Sequence[_Cleaning | _Passing], renewed: Collection[int]) -> list[tuple[NodeRef, tuple[int, ...]]]:
    """Which links to delete in which namespace. One end of a cable is enough, and every request waits for CPUs as long as the first."""
    doomed: dict[int, set[int]] = {}
    swept: list[Namespace] = []
    spread = []
    anew = {cleaning.wanted.name for cleaning in cleanings if isinstance(cleaning, _Cleaning) and cleaning.ref.namespace.inode in renewed}
    for cleaning in cleanings:
        found = cleaning.doomed(anew, swept)
        left = tuple(raw.link.ifindex for raw in found.links if not _covered(raw, found.inodes, doomed))
        if found.links:
            doomed[cleaning.ref.namespace.inode] = {raw.link.ifindex for raw in found.links}
            swept.append(cleaning.ref.namespace)
        if left:
            spread.append((cleaning.ref, left))
    return spread


def _with_ends(opened: NetlinkSocket, links: tuple[RawLink, ...], before: Sequence[Namespace]) -> _Doomed:
    return _Doomed(links, inodes_of(opened, {raw.nsid for raw in links if raw.nsid is not None}, before))


def _cables_to(nodes: Collection[str], wanted: Node) -> frozenset[str]:
    """The cables of a node whose other ends were in namespaces that are left: they cannot be put right, only made anew."""
    return frozenset(link.name for link in wanted.links if link.kind == "veth" and link.peer is not None and link.peer.node in nodes)


def _covered(raw: RawLink, inodes: Mapping[int, int], doomed: Mapping[int, set[int]]) -> bool:
    """Whether the other end of a cable is among the links of another namespace that go."""
    return raw.link.kind == "veth" and raw.nsid is not None and raw.lower in doomed.get(inodes.get(raw.nsid, 0), ())


def _firewall(namespace: Namespace, wanted: Node, began: NodeBeginning) -> list[str]:
    """No table but those of the baseline, no legacy tables, no policy of IPsec, no endpoint of multipath TCP, no connection remembered, nothing that
    netfilter keeps by name.
    """
    keep = {(own.family, own.table) for own in wanted.chains}
    gone = [table for table in table_names(namespace) if table not in keep]
    aside = Aside()
    stay = _delete_tables(namespace, gone, aside) if gone else []
    problems = [f"the table {table} in {wanted.name} cannot be deleted: {why}" for table, why in stay]
    legacy_tables = call_in(namespace, _legacy_tables)
    problems += legacy.flush(namespace, [table for table in legacy_tables if table not in wanted.xtables])
    with contextlib.suppress(OSError):  # a kernel without IPsec has none to forget
        ipsec.flush(namespace)
    with contextlib.suppress(OSError):  # a kernel without multipath TCP has no endpoints
        mptcp.put_back(namespace, began.mptcp)
    with contextlib.suppress(OSError), aside.closing(NetlinkSocket(namespace, NETLINK_NETFILTER)) as opened:
        with contextlib.suppress(NetlinkError):  # nothing is remembered where conntrack is not at work
            conntrack.flush(opened)
        if not by_name.delete_all(opened):
            aside.wait()  # a rule that uses them is let go of when the kernel has cleaned up
            by_name.delete_all(opened)
            problems += [f"{what} in {wanted.name} cannot be deleted: something uses it" for what in by_name.told(opened)]
    return problems


def _delete_tables(namespace: Namespace, tables: Sequence[tuple[str, str]], aside: Aside) -> list[tuple[str, str]]:
    """All in one transaction, or one by one when that is refused: a program may keep a table for itself (nft(8), ``flags owner``). Those that stay,
    and why.
    """
    try:
        with aside.closing(Batch(namespace)) as batch:
            if _deleted(batch, tables) is not None:
                return [(" ".join(one), why) for one in tables if (why := _deleted(batch, [one])) is not None]
    except OSError as error:  # out of open files
        return [(" ".join(one), str(error.strerror)) for one in tables]
    return []


def _deleted(batch: Batch, tables: Sequence[tuple[str, str]]) -> str | None:
    """None when they are, else why not. One that went by itself meanwhile refuses the transaction, and is gone all the same when it is alone."""
    for family, table in tables:
        batch.delete_table(family, table)
    try:
        batch.commit()
    except OSError as error:
        if error.errno == errno.EPERM:
            return "a program that runs keeps it for itself"
        return None if len(tables) == 1 and error.errno == errno.ENOENT else str(error.strerror)
    return None


def _legacy_tables() -> list[str]:
    """As a snapshot's ``xtables``; read inside the namespace."""
    found: list[str] = []
    for prefix, file in (("", "ip_tables_names"), ("ip6 ", "ip6_tables_names")):
        with contextlib.suppress(OSError), open(f"/proc/thread-self/net/{file}", encoding="ascii") as names:
            found += [f"{prefix}{name}" for name in names.read().split()]
    return found


def _resolver(cleaning: _Cleaning) -> list[str]:
    """The name servers of the node's own file, written in place: in a container the file is a mount."""
    if cleaning.ref.pid is None:
        return []
    root = f"/proc/{cleaning.ref.pid}/root"
    lines = "".join(f"nameserver {server}\n" for server in cleaning.wanted.resolvers) or NO_SERVER
    try:
        if read_text(root, RESOLV_CONF) != lines:
            write_text(root, RESOLV_CONF, lines)
    except OSError as error:
        return [f"could not write {RESOLV_CONF} of {cleaning.wanted.name}: {error.strerror}"]
    return []


def _names(cleanings: list[_Cleaning], baseline: Snapshot) -> list[str]:
    """The names of the baseline and no others; the folders that ``ip netns exec`` looks into go with the names."""
    wanted = {(name.name, name.how, name.netns) for name in baseline.names}
    problems: list[str] = []
    for name in read_names():
        if (name.name, name.how, name.netns) not in wanted:
            try:
                take_name(name.name)
            except OSError as error:
                problems.append(f"could not take the name {name.name} away: {error.strerror}")
    there = {name.name for name in read_names()}
    for name in baseline.names:
        ref = next((cleaning.ref for cleaning in cleanings if cleaning.ref.namespace.inode == name.netns), None)
        if name.name not in there and ref is not None:
            _name(ref, name)
    with contextlib.suppress(OSError):
        for entry in os.listdir(ETC_NETNS):
            if entry not in {name.name for name in baseline.names}:
                path = f"{ETC_NETNS}/{entry}"
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    return problems


def _name(ref: NodeRef, name: Name) -> None:
    with contextlib.suppress(OSError):
        if name.how == "symlink" and name.target is not None:
            name_by_symlink(name.target, name.name)
        else:
            with ref.namespace.held() as fd:
                name_by_mount(f"/proc/self/fd/{fd}", name.name)


def _missing(cleanings: list[_Cleaning]) -> dict[str, tuple[Link, ...]]:
    return {cleaning.wanted.name: cleaning.restorer.missing() for cleaning in cleanings}


def _widowed(cleaning: _Cleaning, missing: dict[str, tuple[Link, ...]]) -> list[Link]:
    """The ends of cables whose other end is out of reach, in a namespace that is dying: a cable is made anew with both ends."""
    gone = {(node, link.ifindex) for node, links in missing.items() for link in links}
    ends = [link for link in cleaning.wanted.links if link.kind == "veth" and link not in missing[cleaning.wanted.name]]
    return [link for link in ends if link.peer is not None and (link.peer.node, link.peer.ifindex) in gone]


def _remake(cleanings: list[_Cleaning], problems: list[str]) -> list[str]:
    """Make the cables of the baseline again whose ends are both gone: these ends, as ``host/eth0``."""
    missing = _missing(cleanings)
    if not any(missing.values()):
        return []
    widowed = [(cleaning, link) for cleaning in cleanings for link in _widowed(cleaning, missing)]
    for cleaning, link in widowed:
        with contextlib.suppress(NetlinkError):  # it may be gone by now
            cleaning.socket.request(RTM_DELLINK, ACK, encode_link(link.ifindex))
    missing = _missing(cleanings) if widowed else missing
    by_name = {cleaning.wanted.name: cleaning for cleaning in cleanings}
    remade = []
    for node, link, far_node, far in cables(tuple(cleaning.wanted for cleaning in cleanings), missing):
        try:
            with by_name[far_node.name].ref.namespace.held() as fd:
                by_name[node.name].socket.request(RTM_NEWLINK, ACK | CREATE | EXCLUSIVE, encode_cable(link, far, fd))
            remade += [f"{node.name}/{link.name}", f"{far_node.name}/{far.name}"]
        except NetlinkError as error:
            problems.append(f"could not make {link.name} of {node.name} again: {error.strerror}")
    lost = [f"{node}/{link.name}" for node, links in missing.items() for link in links]
    problems += [f"{end} is gone and cannot be made again" for end in lost if end not in remade]
    return remade
