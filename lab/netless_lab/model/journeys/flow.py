"""What connection tracking says of a flow, and the tuples that NAT makes one conversation of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Set
from itertools import islice
from typing import Final, Literal

import msgspec

from .packet import ICMP, ICMP6, TCP, UDP, Tuple


class Flow(msgspec.Struct, frozen=True):
    """One entry of a node's connection table. ``reply`` is the tuple an answer is expected to have: not the reverse of ``original``
    where NAT rewrites.

    ``replied`` is whether an answer was seen (conntrack(8) prints [UNREPLIED] otherwise), ``assured`` whether it is past its beginning,
    ``source_nat`` and ``destination_nat`` whether the source or the destination was rewritten. ``event`` says how it was learned: "known" is
    one that was in the table before. ``mark`` is the connection's, ``left_s`` the seconds until it is forgotten unless another packet comes.
    """

    node: str
    original: Tuple
    reply: Tuple
    event: Literal["new", "update", "destroy", "known"] = "known"
    replied: bool = False
    assured: bool = False
    source_nat: bool = False
    destination_nat: bool = False
    tcp_state: str = ""
    mark: int = 0
    left_s: int = 0

    @property
    def text(self) -> str:
        """As conntrack(8) lists it."""
        protocol = _PROTOCOLS.get(self.original.proto, str(self.original.proto))
        ways = [_side(self.original), *(() if self.replied else ("[UNREPLIED]",)), _side(self.reply), *(("[ASSURED]",) if self.assured else ())]
        return " ".join(filter(None, (protocol, self.tcp_state, *ways, f"mark={self.mark}")))

    @property
    def asked(self) -> Tuple:
        """Who asks whom for what, without the number that tells one flow from another: the sender's port, ICMP's id."""
        return asked(self.original)

    @property
    def forgetting(self) -> str:
        """The command that takes it out of its node's table, and no other."""
        one = self.original
        if one.proto in (ICMP, ICMP6):
            ends = f"--{_PROTOCOLS[one.proto]}-id {one.sport}"
        else:
            ends = f"--sport {one.sport} --dport {one.dport}"
        return f"conntrack -D -f {'ipv6' if ':' in one.src else 'ipv4'} -p {_PROTOCOLS.get(one.proto, str(one.proto))} -s {one.src} -d {one.dst} {ends}"


_PROTOCOLS: Final = {ICMP: "icmp", ICMP6: "icmpv6", TCP: "tcp", UDP: "udp"}


def asked(talk: Tuple) -> Tuple:
    """As ``Flow.asked``, of a talk in the direction in which it began."""
    return talk._replace(sport=0, dport=0) if talk.proto in (ICMP, ICMP6) else talk._replace(sport=0)


def _side(talk: Tuple) -> str:
    ports = f"id={talk.sport}" if talk.proto in (ICMP, ICMP6) else f"sport={talk.sport} dport={talk.dport}"
    return f"src={talk.src} dst={talk.dst} {ports}"


MOST_SILENT: Final = 4096
"""Conversations that are remembered beyond those under way. Twenty a second are told, so these are those of more than three minutes: longer
than a connection table keeps one that is over, or a datagram's (nf_conntrack_tcp_timeout_time_wait, _udp_timeout_stream: 120 s)."""


class _Group:
    """The tuples of one conversation, and the (node, tuple) of the connection tables' entries that say so."""

    __slots__ = ("entries", "talks")

    def __init__(self) -> None:
        self.talks: list[Tuple] = []
        self.entries: list[tuple[str, Tuple]] = []


class Groups:
    """Which tuples are one conversation, and in which direction: +1 as it began, -1 the answers.

    A tuple and its reverse always belong together; NAT adds others, learned from flows or, where a node keeps no table, from one packet
    seen to enter it as one and to leave it as another. A group ends, unless it is under way, when the last entry of it has left its
    connection table: whatever the same tuples are used for next is another conversation to the kernel as well. Of those that no table
    tells the end of, the longest silent go first.
    """

    def __init__(self, flows: Iterable[Flow] = ()) -> None:
        self._known: dict[Tuple, tuple[int, int]] = {}
        self._groups: OrderedDict[int, _Group] = OrderedDict()
        self._ended: set[int] = set()
        self._next = 0
        for flow in flows:
            self.learn(flow)

    def learn(self, flow: Flow) -> None:
        """Join the tuples of a flow."""
        before, after = flow.original, flow.reply.reverse
        group, sign = self.find(before)
        other, other_sign = self._known.get(after, (group, sign))
        self.join(after, group, sign)
        if other != group:
            self._merge(other, group, sign * other_sign)
        entries, entry = self._groups[group].entries, (flow.node, before)
        if entry in entries:
            entries.remove(entry)
        if flow.event != "destroy":
            entries.append(entry)
            self._ended.discard(group)
        elif not entries:
            self._ended.add(group)
        self._groups.move_to_end(group)

    def find(self, talk: Tuple) -> tuple[int, int]:
        """(group, direction); a tuple never seen begins a group of its own."""
        if (found := self._known.get(talk)) is None:
            self._next += 1
            self._groups[self._next] = _Group()
            self.join(talk, self._next, 1)
            found = self._known[talk]
        return found

    def talks(self, group: int) -> tuple[Tuple, ...]:
        """Every tuple of a group, in both directions, those included that were not seen on any wire yet."""
        return tuple(self._groups[group].talks)

    def known(self, talk: Tuple) -> bool:
        """Whether this tuple belongs to a group already."""
        return talk in self._known

    def join(self, talk: Tuple, group: int, sign: int) -> None:
        """Add a tuple, and its reverse, to a group."""
        for member, direction in ((talk, sign), (talk.reverse, -sign)):
            if member not in self._known:
                self._known[member] = (group, direction)
                self._groups[group].talks.append(member)

    def forget(self, going: Set[int]) -> None:
        """End those that are not in ``going``, the groups that are under way, as far as nothing more can come of them or they are too many."""
        for group in going:
            self._groups.move_to_end(group)
        gone = self._ended - going
        gone.update(islice(self._groups, max(0, len(self._groups) - len(going) - MOST_SILENT)))
        for group in gone:
            for member in self._groups.pop(group).talks:
                del self._known[member]
        self._ended -= gone

    def _merge(self, other: int, group: int, sign: int) -> None:
        moved, into = self._groups.pop(other), self._groups[group]
        self._ended.discard(other)
        for member in moved.talks:
            self._known[member] = (group, self._known[member][1] * sign)
        into.talks += moved.talks
        into.entries += moved.entries
