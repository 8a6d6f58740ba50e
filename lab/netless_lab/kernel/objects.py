"""Addresses, routes, rules and tables of a namespace, remembered and given back in the kernel's own words: the very messages of its dumps.

Nothing of a message is understood here but what must be known to tell whether two are of the same object: so whatever an object can have,
known here or not, comes back with it. What is to go is named to the kernel by its own message too, as ``ip route flush`` does it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import struct
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ..model.clearing import Things
from ..model.snapshot import PolicyRule
from .netlink.address import ADDRESSES_BODY, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR, decode_address
from .netlink.attributes import attributes, native
from .netlink.neighbour import FDB_BODY, NEIGHBOURS_BODY, PROXIES_BODY, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH
from .netlink.route import ROUTES_BODY, RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE, decode_route, without_state
from .netlink.rule import RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE, RULES_BODY, decode_rule, with_priority
from .netlink.socket import ACK, CREATE, REPLACE, NetlinkError, NetlinkSocket

LEFT: Final = "left"
"""Of an object that the kernel makes and takes by itself: it is neither taken away nor given back."""
PASSING: Final = "passing"
"""Of an object that a new namespace never has: it goes."""
Essence = Hashable
"""What two messages of one object share; LEFT and PASSING stand for none."""
Kept = Mapping[str, tuple[bytes, ...]]
"""The messages of a namespace by the name of their kind."""

_RTM_NEWADDRLABEL, _RTM_DELADDRLABEL, _RTM_GETADDRLABEL = 72, 73, 74
_AF_INET, _AF_INET6 = 2, 10
_LINK, _HOST = 253, 254
"""RT_SCOPE_ of addresses that the kernel itself gives a link (rtnetlink.h)."""
_BY_THE_KERNEL: Final = frozenset({1, 2, 3})
"""IFAPROT_KERNEL_LO, _RA and _LL: who made an address, told since Linux 5.18 (if_addr.h)."""
_ADDRESS_FLAGS: Final = 0x02 | 0x10 | 0x100 | 0x200 | 0x400
"""IFA_F_NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN: those that people set; others tell how an address fares."""
_LOCAL_TABLE, _PROTO_KERNEL, _UNICAST, _ANYCAST = 255, 2, 1, 4
_CLONED: Final = 0x200
_PERVASIVE_ONLINK: Final = 0x2 | 0x4
_RULE_FLAGS: Final = 0x1 | 0x2
"""FIB_RULE_PERMANENT and FIB_RULE_INVERT; the others tell whether a device that a rule names is there (fib_rules.h)."""
_PERMANENT: Final = 0x80
_GROUP: Final = 1
"""Of the first byte of a MAC that many links take in: the kernel has several for the addresses of a link."""
_ENDLESS: Final = 0xFFFFFFFF


class Kind(NamedTuple):
    """One kind of object: its messages, what asks for all of them, and what tells one from another. ``command`` shows them to people.

    ``quick`` are those that the kernel may have taken away itself meanwhile: that one of them cannot be is no problem. ``returns`` is
    whether one that is missing is given back.
    """

    name: str
    command: str
    new: int
    delete: int
    get: int
    ask: bytes
    essence: Callable[[bytes], Essence]
    quick: bool = False
    returns: bool = True


def _address(body: bytes) -> Essence:
    family, prefix, flags, scope, index = struct.unpack_from("=BBBBI", body, 0)
    found = attributes(body, len(ADDRESSES_BODY))
    if family == _AF_INET6 and _made_by_the_kernel(scope, found):
        return ByItself(index)
    flags = native(found[8]) if 8 in found else flags
    lifetime = struct.unpack_from("=II", found[6]) if 6 in found else (_ENDLESS, _ENDLESS)
    asked = tuple(found.get(kind) for kind in (1, 2, 3, 4, 9, 11))
    return family, prefix, scope, index, flags & _ADDRESS_FLAGS, lifetime == (_ENDLESS, _ENDLESS), asked


class ByItself(NamedTuple):
    """An address that the kernel gave a link: there may be some where there were some, whichever they are; none is given back."""

    link: int


def _made_by_the_kernel(scope: int, found: Mapping[int, bytes]) -> bool:
    if _tells_who_made():
        return native(found.get(11, b"")) in _BY_THE_KERNEL
    return scope in (_LINK, _HOST)


@functools.cache
def _tells_who_made() -> bool:
    """Whether this kernel tells who made an address."""
    number = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return number is not None and (int(number[1]), int(number[2])) >= (5, 18)


def _rule(body: bytes) -> Essence:
    flags = native(body[8:12]) & _RULE_FLAGS
    return body[:8], flags, tuple(sorted(attributes(body, len(RULES_BODY)).items()))


def _route(body: bytes) -> Essence:
    flags, found = native(body[8:12]), attributes(body, len(ROUTES_BODY))
    if body[0] not in (_AF_INET, _AF_INET6) or flags & _CLONED or _comes_with_ipv6(body, found):
        return LEFT
    asked = tuple(sorted((kind, value) for kind, value in found.items() if kind != 12))
    return body[:8], flags & _PERVASIVE_ONLINK, asked


def _comes_with_ipv6(body: bytes, found: Mapping[int, bytes]) -> bool:
    """Whether the kernel makes this route for a link that speaks IPv6 at all: to itself, to its groups, to addresses of the link."""
    family, protocol, table, kind = body[0], body[5], body[4], body[7]
    if family != _AF_INET6 or protocol != _PROTO_KERNEL:
        return False
    return table == _LOCAL_TABLE or kind != _UNICAST or found.get(1, b"")[:1] in (b"\xfe", b"\xff")


def _neighbour(body: bytes) -> Essence:
    state, found = native(body[8:10]), attributes(body, len(NEIGHBOURS_BODY))
    if state == 0:
        return LEFT
    return (body[:8], found.get(1), found.get(2)) if state & _PERMANENT else PASSING


def _proxy(body: bytes) -> Essence:
    return body[:8], attributes(body, len(PROXIES_BODY)).get(1)


def _frames(body: bytes) -> Essence:
    """What a link takes in beside its own MAC: the kernel adds groups for the link's addresses by itself. Entries of bridges go with ports."""
    found = attributes(body, len(FDB_BODY))
    return LEFT if 9 in found else (body[:8], native(body[8:10]), found.get(2), found.get(1))


def _label(body: bytes) -> Essence:
    return body[:8], tuple(sorted(attributes(body, 12).items()))


KINDS: Final = (
    Kind("address", "ip addr", RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR, ADDRESSES_BODY, _address),
    Kind("address label", "ip addrlabel", _RTM_NEWADDRLABEL, _RTM_DELADDRLABEL, _RTM_GETADDRLABEL, bytes([_AF_INET6]) + bytes(11), _label),
    Kind("rule", "ip rule", RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE, RULES_BODY, _rule),
    Kind("route", "ip route", RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE, ROUTES_BODY, _route),
    Kind("neighbour", "ip neigh", RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH, NEIGHBOURS_BODY, _neighbour, quick=True),
    Kind("proxy", "ip neigh show proxy", RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH, PROXIES_BODY, _proxy, quick=True),
    Kind("filter of frames", "bridge fdb", RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH, FDB_BODY, _frames, quick=True, returns=False),
)
"""In the order in which they rest on one another."""


def remember(opened: NetlinkSocket) -> Kept:
    """All objects of a namespace as they are now."""
    return {kind.name: tuple(_dump(opened, kind)) for kind in KINDS}


def put_back(opened: NetlinkSocket, kept: Kept) -> Iterator[str]:
    """Bring the objects of a namespace back to those; what could not be done, in words."""
    for kind in KINDS:
        extra, lost = _compare(kind, _dump(opened, kind), kept[kind.name])
        for body in extra:
            yield from _do(opened, kind, "take away", kind.delete, body)
        if extra:  # the kernel takes the first that fits: a rule whose maker is not told names one of the kernel's own as well (rule_find)
            extra, lost = _compare(kind, _dump(opened, kind), kept[kind.name])
            for body in extra:
                yield from _do(opened, kind, "take away", kind.delete, body)
        for body in sorted(lost, key=lambda body: _rests_on(kind, body)):
            yield from _do(opened, kind, "give back", kind.new, body, CREATE | REPLACE)


def bereft(opened: NetlinkSocket, kept: Kept) -> frozenset[int]:
    """The links that lack what the kernel makes for each that speaks IPv6, and only when it is switched on: its address, and the ways to that."""
    if not kept:
        return frozenset()
    now = {kind.name: _dump(opened, kind) for kind in KINDS if kind.name in ("address", "route")}
    return frozenset(link for link, _ in _made_for_links(kept) - _made_for_links(now))


def _made_for_links(there: Mapping[str, Sequence[bytes]]) -> frozenset[tuple[int, Hashable]]:
    """What the kernel made for IPv6, by links: that there is an address, and of ways their kinds, since an address may be another each time."""
    made: set[tuple[int, Hashable]] = {(essence.link, "") for body in there["address"] if isinstance(essence := _address(body), ByItself)}
    for body in there["route"]:
        found = attributes(body, len(ROUTES_BODY))
        if _comes_with_ipv6(body, found) and body[7] != _ANYCAST:
            made.add((native(found.get(4, b"")), (body[1], body[4], body[7])))
    return frozenset(made)


def told(opened: NetlinkSocket, kept: Kept, links: Mapping[int, bool], above: Collection[tuple[int, str]] = (), *, born: bool = True) -> Things:
    """What ``put_back`` would take away or give back, in words: as far as a snapshot shows neither it nor how it differs.

    ``born``: also of rules to the tables that those lead to which every namespace is born with. A comparison with the goal of a step leaves
    them out; a history holds them.

    ``links`` are those of the beginning, and whether each is up. What rests on others goes with its link, what the kernel makes for an address
    with that, and what it makes for a link that is up when that goes down. What one of them takes in for a device ``above`` it, named with
    the MAC of that, goes with that device.
    """
    found = Things()
    own: set[bytes | None] = set()
    for kind in KINDS if kept else ():
        if kind.name in _TOLD_OTHERWISE:
            continue
        now = _dump(opened, kind)
        extra, lost = _compare(kind, now, kept[kind.name])
        if kind.name == "address":
            own = {attributes(body, len(ADDRESSES_BODY)).get(2) for body in now}
        extra = [body for body in extra if not _follows(kind, body, links) and not _for_one_above(kind, body, above)]
        lost = [body for body in lost if not _follows(kind, body, links) or (_sender(kind, body) in own and links.get(_way_out(body)))]
        going, coming = len(extra), len(lost)
        if kind.name in _SHOWN:
            new, gone = (Counter(_shown(kind, body, born=born) for body in bodies) for bodies in (extra, lost))
            going, coming = new.pop((), 0), gone.pop((), 0)
            differing = (gone & new).total()
            going, coming = going + differing, coming + differing
        found += Things(*((f"{count} of {kind.command}",) if count else () for count in (going, coming)))
    return found


def _shown(kind: Kind, body: bytes, *, born: bool) -> tuple[object, ...]:
    """What a snapshot says of an object; () where that is nothing, or of rules like those every namespace is ``born`` with nobody looks at it."""
    found = _SHOWN[kind.name](body)
    return () if born and any(isinstance(own, PolicyRule) and own.table in _BORN_WITH for own in found) else found


def _sender(kind: Kind, body: bytes) -> bytes:
    """The address that a route names as its sender's: one that the kernel made goes with it, and is not missed before."""
    return attributes(body, len(ROUTES_BODY)).get(7, b"") if kind.name == "route" else b""


def _way_out(body: bytes) -> int:
    """The link of a route (RTA_OIF), 0 for none."""
    return native(attributes(body, len(ROUTES_BODY)).get(4, b""))


def _for_one_above(kind: Kind, body: bytes, above: Collection[tuple[int, str]]) -> bool:
    if kind.name != "filter of frames" or not above:
        return False
    return (native(body[4:8]), attributes(body, len(FDB_BODY)).get(2, b"").hex(":")) in above


def _follows(kind: Kind, body: bytes, links: Collection[int]) -> bool:
    """Whether an object comes and goes with a link that is told of, or with an address."""
    if kind.name == "route":
        device, made = _way_out(body), body[4] == _LOCAL_TABLE and body[5] == _PROTO_KERNEL
    elif kind.name == "filter of frames":
        device, made = native(body[4:8]), bool(native(attributes(body, len(FDB_BODY)).get(2, b"")[:1]) & _GROUP)
    else:
        device, made = native(body[4:8]) if kind.name == "address" else 0, False
    return made or bool(device and device not in links)


_BORN_WITH: Final = frozenset({253, 254, 255})
"""The tables that such rules lead to: default, main, local (ip-rule(8))."""
_SHOWN: Final[dict[str, Callable[[bytes], tuple[object, ...]]]] = {
    "address": lambda body: found if (found := decode_address(body)) is not None else (),
    "route": lambda body: tuple(decode_route(body)),
    "rule": lambda body: (found,) if (found := decode_rule(body)) is not None else (),
}
"""What is said of an object where a snapshot is compared; nothing of some."""
_TOLD_OTHERWISE: Final = frozenset({"neighbour", "proxy"})
"""Neighbours come and go by themselves, and are shown; proxies are told by their addresses."""


_ASKED_AS: Final[dict[str, Callable[[bytes], bytes]]] = {"route": without_state, "rule": with_priority}
"""What of a dumped message must be otherwise when it is asked for."""


def _compare(kind: Kind, now: Sequence[bytes], kept: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """(messages of what is too much, messages of what is missing). Of several equal ones the first is the one that stays."""
    wanted = {essence: body for body in kept if (essence := kind.essence(body)) not in (LEFT, PASSING)}
    seen: set[Essence] = set()
    extra = []
    for body in now:
        essence = kind.essence(body)
        if essence in wanted and (essence not in seen or isinstance(essence, ByItself)):
            seen.add(essence)
        elif essence != LEFT:
            extra.append(body)
    if not kind.returns:
        return extra, []
    return extra, [body for essence, body in wanted.items() if essence not in seen and not isinstance(essence, ByItself)]


def _rests_on(kind: Kind, body: bytes) -> tuple[bool, bool, int]:
    """The place of an object among others of its kind: the address of a sender is local before a route names it, so is the way to a gateway."""
    if kind.name != "route":
        return False, False, 0
    return 5 in attributes(body, len(ROUTES_BODY)), body[4] != _LOCAL_TABLE, -body[1]


def _dump(opened: NetlinkSocket, kind: Kind) -> list[bytes]:
    with contextlib.suppress(NetlinkError):  # a kernel without that kind
        return opened.dump(kind.get, kind.ask)
    return []


def _do(opened: NetlinkSocket, kind: Kind, what: str, message: int, body: bytes, flags: int = 0) -> Iterator[str]:
    try:
        opened.request(message, ACK | flags, _ASKED_AS[kind.name](body) if kind.name in _ASKED_AS else body)
    except NetlinkError as error:
        if not kind.quick:
            yield f"could not {what} a {kind.name}: {error.strerror}"
