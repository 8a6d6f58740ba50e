"""Hear of every change in every namespace of the lab, whoever makes it, and say so once a burst is over.

* One rtnetlink and one nfnetlink socket hear all namespaces that have an id in ours (NETLINK_LISTEN_ALL_NSID): links, addresses,
  routes, rules, neighbours, forwarding databases, forwarding settings, and nftables.
* inotify and the mount table tell of names in /run/netns, a pidfd of each node's process that it ended.
* What makes no event at all (``Pulse``) is looked at twice a second, only while somebody watches.

Events are not read for what they say, but for whether packets made them: a snapshot costs a millisecond and is always right, a chain of
events is neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Final

from ..room import NETNS
from .discover import inhabited
from .inotify import Inotify
from .listeners import Listeners
from .names import names_by_inode, read_names
from .namespace import Namespace, call_in
from .netlink.link import DUMP_BODY, RTM_GETLINK, decode_link
from .netlink.neighbour import HEAD, is_learned
from .netlink.nsid import give_nsid
from .netlink.socket import NETLINK_NETFILTER, NETLINK_ROUTE, SOL_NETLINK, NetlinkSocket
from .read import NodeRef, resolvers_of
from .resolvers import resolvers_by_name
from .room import has_room
from .station import Memo
from .sysctls import Sysctls
from .xtables import LegacyTables

PULSE_S: Final = 0.5
"""Between two looks at what makes no event."""
_ADD_MEMBERSHIP, _LISTEN_ALL_NSID = 1, 8
_SO_RCVBUFFORCE: Final = 33
_BUFFER: Final = 4 << 20
_ROUTE_GROUPS: Final = (1, 3, 4, 5, 7, 8, 9, 11, 19, 24, 25, 28)
"""RTNLGRP_: LINK, NEIGH, TC, IPV4_IFADDR, _ROUTE, _RULE, IPV6_IFADDR, _ROUTE, _RULE, IPV4_NETCONF, IPV6_NETCONF, NSID (rtnetlink.h)."""
_NFTABLES_GROUPS: Final = (7,)
_DRAIN: Final = 500
QUIET_S: Final = 0.008
"""A burst is over when nothing came for this long."""
LONGEST_S: Final = 0.05
"""A burst that does not end is told of this often."""
_EARLY_S: Final = 0.0005


class Burst:
    """Many notes in, one call out: a cable plugged into a bridge makes a dozen events, and they are one change to a person.

    Calls ``on_change`` when it has been quiet for ``quiet_s`` after a note, or after the longest time a listener may wait. ``last`` is when the
    last note came, on the clock of ``time.monotonic``.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_change: Callable[[], None], quiet_s: float = QUIET_S) -> None:
        self._loop, self._on_change, self.quiet_s = loop, on_change, quiet_s
        self._first = self.last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def note(self) -> None:
        """Something changed."""
        self.last = time.monotonic()
        if self._timer is None:
            self._first = self.last
            self._timer = self._loop.call_later(self.quiet_s, self._maybe)

    def cancel(self) -> None:
        """Forget what was noted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _maybe(self) -> None:
        due = min(self.last + self.quiet_s, self._first + LONGEST_S) - time.monotonic()
        if due > _EARLY_S:
            self._timer = self._loop.call_later(due, self._maybe)
            return
        self._timer = None
        self._on_change()


class Pulse:
    """The silent state of one node. Two looks are equal when nothing silent changed in between. 0.2 ms a look; close it with the node.

    The kernel sends no event for ``icmp_echo_ignore_all``, ``route_localnet``, ``bridge-nf-call-iptables``, an alias or alternative name, what is
    set of a link that is down (STP and other options; netdev_state_change in net/core/dev.c), legacy iptables, sockets that begin to listen,
    resolv.conf, that of /etc/netns too, and namespaces made without a name (tried one by one on Linux 6.18).
    """

    def __init__(self, ref: NodeRef) -> None:
        """Open what is needed. Raises OSError when the namespace cannot be entered."""
        self._ref = ref
        with contextlib.ExitStack() as opened:
            self._route, self._listeners, self._sysctls, self._legacy = call_in(ref.namespace, _senses, ref.namespace, opened)
            self._opened = opened.pop_all()
        self._links = Memo(decode_link)

    def close(self) -> None:
        """Let the namespace go."""
        self._opened.close()

    def look(self, names: Collection[str] = ()) -> Hashable:
        """The silent state now, to be compared with that of another time. ``names`` are the node's own in /run/netns."""
        links = self._links.each(self._route.dump(RTM_GETLINK, DUMP_BODY))
        sysctls, tables = self._sysctls.read((link.link.name, link.knobs) for link in links)
        settled = tuple((own.name, own.alias, own.altnames, own.stp, own.mode, own.options) for own in (link.link for link in links))
        legacy = tuple(
            (table, chain.name, chain.policy, tuple(rule.text for rule in chain.rules))
            for table, chains in self._legacy.read(tables).items()
            for chain in chains
        )
        resolvers = resolvers_of(self._ref, names), resolvers_by_name(names)
        return settled, tuple(sorted(sysctls.items())), legacy, self._listeners.read(), resolvers


def _senses(namespace: Namespace, opened: contextlib.ExitStack) -> tuple[NetlinkSocket, Listeners, Sysctls, LegacyTables]:
    """What a pulse reads, opened inside the namespace, which is entered once for all of it."""
    return (
        opened.enter_context(contextlib.closing(NetlinkSocket(namespace))),
        opened.enter_context(contextlib.closing(Listeners(namespace))),
        opened.enter_context(contextlib.closing(Sysctls(namespace))),
        opened.enter_context(contextlib.closing(LegacyTables(namespace))),
    )


def population() -> Hashable:
    """Which namespaces have processes in them now."""
    return frozenset(inhabited())


class NamesWatch:
    """Entries of /run/netns: files and links by inotify, mounts on them by the mount table, which polls as changed (proc(5))."""

    def __init__(self, loop: asyncio.AbstractEventLoop, note: Callable[[], None]) -> None:
        self._loop, self._note = loop, note
        self._inotify: Inotify | None = None
        self._directory: int | None = None
        with contextlib.suppress(OSError):  # none left for this user: the mount table and the pulse still tell
            self._inotify = Inotify()
            self._inotify.watch(os.path.dirname(NETNS))
            self._directory = self._inotify.watch(NETNS)
            loop.add_reader(self._inotify.fileno(), self._entries)
        self._mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._mounts, select.EPOLLPRI | select.EPOLLERR)
        self._poll.poll(0)
        loop.add_reader(self._poll.fileno(), self._mounted)

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._poll.fileno())
        self._poll.close()
        os.close(self._mounts)
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()

    def _entries(self) -> None:
        """In the directory anything counts, in its parent only the directory itself."""
        assert self._inotify is not None
        for event in self._inotify.read():
            if event.watch == self._directory:
                self._directory = None if event.lost else self._directory
                self._note()
            elif event.name == os.path.basename(NETNS):
                self._directory = self._inotify.watch(NETNS)
                self._note()

    def _mounted(self) -> None:
        self._poll.poll(0)
        self._note()


class Watch:
    """Calls ``on_change`` on the loop, some milliseconds after anything changed in the nodes added. Belongs to one loop and its thread.

    What packets taught of neighbours and FDB entries (``is_learned``) comes in trains and is waited for as long as may be; then ``on_learned`` is
    called, if that is another.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_change: Callable[[], None], on_learned: Callable[[], None] | None = None) -> None:
        self._loop, self._on_change = loop, on_change
        self._own = Namespace.own()
        self._commands = NetlinkSocket(self._own)
        self._nodes: dict[int, NodeRef] = {}
        self._pidfds: dict[int, int] = {}
        self._pulses: dict[int, Pulse] = {}
        self._last_looks: dict[int, Hashable] = {}
        self._population: Hashable = None
        self._next_pulse: asyncio.TimerHandle | None = None
        self._burst, self._learned = Burst(loop, on_change), Burst(loop, on_learned or on_change, LONGEST_S)
        self._ears = [_ear(NETLINK_ROUTE, _ROUTE_GROUPS)]
        with contextlib.suppress(OSError):  # a kernel without netfilter has no rules to change
            self._ears.append(_ear(NETLINK_NETFILTER, _NFTABLES_GROUPS))
        for ear in self._ears:
            loop.add_reader(ear.fileno(), self._take, ear)
        self._names = NamesWatch(loop, self._burst.note)

    def close(self) -> None:
        """Stop; ``on_change`` is not called any more."""
        self.attend(False)
        for inode in tuple(self._nodes):
            self._drop(inode)
        for ear in self._ears:
            self._loop.remove_reader(ear.fileno())
            ear.close()
        self._names.close()
        self._burst.cancel()
        self._learned.cancel()
        self._commands.close()
        self._own.close()

    def add(self, *refs: NodeRef) -> None:
        """Listen to these nodes from now on. One that is gone already is no error: there is nothing to hear."""
        for ref in refs:
            self._add(ref)

    def only(self, *refs: NodeRef) -> None:
        """Listen to just these nodes from now on: to those that are new, and no more to others, whose namespaces it lets go; their handles may be
        closed already.
        """
        for inode in self._nodes.keys() - {ref.namespace.inode for ref in refs}:
            self._drop(inode)
        self.add(*(ref for ref in refs if self._nodes.get(ref.namespace.inode) != ref))

    def _add(self, ref: NodeRef) -> None:
        inode = ref.namespace.inode
        self._drop(inode)
        self._nodes[inode] = ref
        with contextlib.suppress(OSError):
            if inode != self._own.inode:
                give_nsid(self._commands, ref.namespace)
        if ref.pid is not None and ref.pid != os.getpid():
            self._watch_process(inode, ref.pid)

    def heard(self, *, learned: bool = True) -> float:
        """When it last heard of anything, on the clock of ``time.monotonic``; what the kernel has told by now is among it. ``learned``: of what
        packets taught as well.
        """
        for ear in self._ears:
            self._take(ear)
        return max(self._burst.last, self._learned.last) if learned else self._burst.last

    def attend(self, watched: bool) -> None:
        """Whether somebody watches: only then are things that make no event looked for."""
        if not watched:
            if self._next_pulse is not None:
                self._next_pulse.cancel()
                self._next_pulse = None
            for pulse in self._pulses.values():
                pulse.close()
            self._pulses.clear()
            self._last_looks.clear()
        elif self._next_pulse is None:
            self._population = population()
            names = names_by_inode(read_names())
            for inode in self._nodes:
                self._feel(inode, names)
            self._next_pulse = self._loop.call_later(PULSE_S, self._beat)

    def _drop(self, inode: int) -> None:
        self._nodes.pop(inode, None)
        self._last_looks.pop(inode, None)
        pulse, pidfd = self._pulses.pop(inode, None), self._pidfds.pop(inode, None)
        if pulse is not None:
            pulse.close()
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)

    def _watch_process(self, inode: int, pid: int) -> None:
        """A pidfd becomes readable when its process ends (pidfd_open(2))."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            self._burst.note()
            return
        self._pidfds[inode] = pidfd
        self._loop.add_reader(pidfd, self._ended, inode)

    def _ended(self, inode: int) -> None:
        pidfd = self._pidfds.pop(inode)
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        self._burst.note()

    def _take(self, ear: socket.socket) -> None:
        """Take what has come, and read of it only what kind it is. ENOBUFS means that the kernel dropped some: that too is a change."""
        for _ in range(_DRAIN):
            try:
                burst = self._learned if is_learned(ear.recv(HEAD)) else self._burst
            except BlockingIOError:
                break
            except OSError:
                burst = self._burst
            burst.note()

    def _beat(self) -> None:
        """The slow poll. What is silent in a node that was added since the last one is news too."""
        self._next_pulse = self._loop.call_later(PULSE_S, self._beat)
        now = population()
        changed = now != self._population
        self._population = now
        names = names_by_inode(read_names())
        for inode in tuple(self._nodes):
            before = self._last_looks.get(inode)
            changed |= before != self._feel(inode, names)
        if changed:
            self._burst.note()

    def _feel(self, inode: int, names: Mapping[int, tuple[str, ...]]) -> Hashable:
        """Look at the silent state of a node, and remember it; None when it cannot be seen.

        It is kept open for the next look while there is room for that.
        """
        look: Hashable = None
        pulse = self._pulses.pop(inode, None)
        try:
            if pulse is None:
                pulse = Pulse(self._nodes[inode])
            look = pulse.look(names.get(inode, ()))
        except OSError:
            if pulse is not None:
                pulse.close()
        else:
            if has_room():
                self._pulses[inode] = pulse
            else:
                pulse.close()
        self._last_looks[inode] = look
        return look


def _ear(protocol: int, groups: tuple[int, ...]) -> socket.socket:
    """A netlink socket of our own namespace that hears ``groups`` of every namespace with an id here; it is never sent on."""
    ear = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    try:
        try:
            ear.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except OSError:  # only real root may exceed net.core.rmem_max
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        ear.setsockopt(SOL_NETLINK, _LISTEN_ALL_NSID, 1)
        ear.bind((0, 0))
        for group in groups:
            ear.setsockopt(SOL_NETLINK, _ADD_MEMBERSHIP, group)
    except OSError:
        ear.close()
        raise
    return ear
