"""What is known of a packet: for each field all values that are possible, so that one packet may stand for a whole network's.

A field that is not listed may be anything. The interpreter (``run``) narrows a packet where a rule asks of only a part of it.
Addresses, ports, marks and states are all whole numbers to a rule, and sets of them are spans.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final, Literal, Self

import msgspec

Spans = tuple[tuple[int, int], ...]
"""(first, last), both inside, sorted and apart from one another. () holds nothing."""


def spans(pairs: Iterable[tuple[int, int]]) -> Spans:
    """Any spans, put in order and together."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(pair for pair in pairs if pair[0] <= pair[1]):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def only(*values: int) -> Spans:
    """Just these values."""
    return spans((value, value) for value in values)


def common(one: Spans, other: Spans) -> Spans:
    """What lies in both."""
    found: list[tuple[int, int]] = []
    for first, last in one:
        for start, end in other:
            low, high = max(first, start), min(last, end)
            if low <= high:
                found.append((low, high))
    return tuple(found)


def without(one: Spans, other: Spans) -> Spans:
    """What lies in ``one`` and not in ``other``."""
    left = one
    for start, end in other:
        kept: list[tuple[int, int]] = []
        for first, last in left:
            if first < start:
                kept.append((first, min(last, start - 1)))
            if last > end:
                kept.append((max(first, end + 1), last))
            # what lies inside is gone
        left = tuple(kept)
    return left


def single(found: Spans) -> int | None:
    """The only value there is; None when there are several or none."""
    return found[0][0] if len(found) == 1 and found[0][0] == found[0][1] else None


@lru_cache(maxsize=1024)
def network(cidr: str) -> Spans:
    """The addresses of ``10.0.0.0/24``, ``10.0.0.2`` or ``fd00::/64``. Raises ValueError when it is none.

    The same few are asked for at every look, by every step, and reading one takes 20 microseconds.
    """
    found = ip_network(cidr, strict=False)
    return ((int(found.network_address), int(found.broadcast_address)),)


def members(cidr: str) -> Spans:
    """The addresses in a network that a host of it can have: without those of the network itself and of everybody in it."""
    ((first, last),) = network(cidr)
    return ((first + 1, last - 1),) if last - first > 2 else ((first, last),)


def addresses(family: int) -> Spans:
    """All there are of IPv4 or IPv6."""
    return ((0, (1 << (32 if family == 4 else 128)) - 1),)


def address(text: str) -> int:
    """One address as a number. Raises ValueError."""
    return int(ip_address(text))


def shown(found: Spans, family: int) -> str:
    """Addresses in words, the first few: ``10.0.0.0-10.0.0.2, 10.0.0.4``."""
    words = [_address(first, family) + (f"-{_address(last, family)}" if last > first else "") for first, last in found[:3]]
    return ", ".join(words) + (" ..." if len(found) > 3 else "")


def _address(value: int, family: int) -> str:
    return str(ip_address(value.to_bytes(4 if family == 4 else 16, "big")))


State = Literal["new", "established", "related", "invalid", "untracked"]
STATES: Final[dict[State, int]] = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
"""The bits of ``ct state`` (NF_CT_STATE_BIT, include/uapi/linux/netfilter/nf_conntrack_common.h)."""
SEEN_REPLY, CONFIRMED, SNAT, DNAT = 0x2, 0x8, 0x90, 0x120
"""Bits of ``ct status`` (enum ip_conntrack_status): for NAT the one that says that it is to be done, and that it was set up."""
ZONES: Final = ("ct original zone", "ct reply zone")
"""In which zone conntrack looks for connections that began with such a packet, and for those that it answers."""
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ECHO_REPLY, ECHO_REQUEST = 0, 8
NFPROTO: Final = {4: 2, 6: 10}
_ETHERTYPE: Final = {4: 0x0800, 6: 0x86DD}


class Packet(msgspec.Struct, frozen=True):
    """A packet of one family. ``numbers`` by nft's name of the field, addresses included; ``names`` of the devices, "" where there is none."""

    family: Literal[4, 6]
    numbers: dict[str, Spans] = {}
    names: dict[str, str] = {}

    def listing(self, field: str, values: Spans) -> Self:
        """With just these values in a field."""
        return msgspec.structs.replace(self, numbers={**self.numbers, field: values})

    def forgetting(self, *fields: str) -> Self:
        """With anything possible in these fields."""
        return msgspec.structs.replace(self, numbers={field: values for field, values in self.numbers.items() if field not in fields})

    def between(self, iif: str, oif: str) -> Self:
        """Coming in by one device and leaving by the other, "" for none."""
        return msgspec.structs.replace(self, names={**self.names, "iifname": iif, "oifname": oif})

    def in_zone(self, number: int | None, direction: str) -> Self:
        """Looked for among connections of this zone (``rules.Zone``)."""
        known = {field: only(number or 0) if direction in field else only(0) for field in ZONES if number is not None or direction not in field}
        return msgspec.structs.replace(self, numbers={**self.forgetting(*ZONES).numbers, **known})

    def possible(self, field: str) -> Spans | None:
        """The values of a field; None when it may be anything."""
        return self.numbers.get(field)

    def beginning(self) -> Self:
        """As the first packet of a conversation, that nobody has translated or marked."""
        known = first(self.family, protocol=single(self.numbers.get("meta l4proto", ()))).numbers
        return msgspec.structs.replace(self, numbers={**self.numbers, **known})

    @property
    def source(self) -> str:
        """The field of the sender's address."""
        return "ip saddr" if self.family == 4 else "ip6 saddr"

    @property
    def destination(self) -> str:
        """The field of the receiver's address."""
        return "ip daddr" if self.family == 4 else "ip6 daddr"

    @property
    def tracked(self) -> bool:
        """Whether conntrack has it, and NAT may be applied."""
        return self.numbers.get("ct state") != only(STATES["untracked"])


def any_packet(family: Literal[4, 6] = 4) -> Packet:
    """Of a family, and nothing else is known of it."""
    known = {"meta nfproto": only(NFPROTO[family]), "meta protocol": only(_ETHERTYPE[family]), "ether type": only(_ETHERTYPE[family])}
    return Packet(family, known)


def first(family: Literal[4, 6] = 4, *, source: Spans | None = None, destination: Spans | None = None, protocol: int | None = None) -> Packet:
    """The first packet of a conversation, as it is before any rule: new, of the original direction, not translated, without a mark."""
    packet = any_packet(family)
    own = {"ct state": only(STATES["new"]), "ct direction": only(0), "ct status": only(0), "meta mark": only(0), "ct mark": only(0)}
    own |= {packet.source: source} if source is not None else {}
    own |= {packet.destination: destination} if destination is not None else {}
    own |= {"meta l4proto": only(protocol)} if protocol is not None else {}
    own |= {"icmp type": only(ECHO_REQUEST), "icmp code": only(0)} if protocol == ICMP else {}
    own |= {"icmpv6 type": only(128), "icmpv6 code": only(0)} if protocol == ICMPV6 else {}
    return msgspec.structs.replace(packet, numbers=packet.numbers | own)


def answer(to: Packet, *, translated: bool) -> Packet:
    """The answer to it, as the forward hook sees it: addressed to who asked, for what NAT did is undone by then. Its marks are its own; what was
    done to the receiver of ``to`` is known of its conversation, and so of it. Where conntrack never saw ``to``, nothing is known of either.
    """
    numbers = dict(to.forgetting("meta mark", "ct mark").numbers)
    for one, other in ((to.source, to.destination), ("th sport", "th dport")):
        swapped = {key: numbers[was] for key, was in ((one, other), (other, one)) if was in numbers}
        numbers = {key: values for key, values in numbers.items() if key not in (one, other)} | swapped
    done = single(numbers.get("ct status", ()))
    numbers = {field: values for field, values in numbers.items() if field not in ("ct state", "ct direction", "ct status")}
    numbers |= {"ct state": only(STATES["established"]), "ct direction": only(1)} if to.tracked else {}
    numbers |= {"ct status": only(SEEN_REPLY | CONFIRMED | (done & DNAT) | (SNAT if translated else 0))} if done is not None and to.tracked else {}
    numbers |= {"icmp type": only(ECHO_REPLY)} if "icmp type" in numbers else {}
    numbers |= {"icmpv6 type": only(129)} if "icmpv6 type" in numbers else {}
    names = {"iifname": to.names.get("oifname", ""), "oifname": to.names.get("iifname", "")} if to.names else {}
    return Packet(to.family, numbers, names)
