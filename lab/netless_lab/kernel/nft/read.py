"""Every chain and rule of one namespace, through one nfnetlink socket that stays open.

What reads the rules themselves is imported with the first of them: a lab that begins has none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from ...model.netfilter.rules import NamedSet
from ...model.snapshot import Chain, Rule
from ..namespace import Namespace
from ..netlink.attributes import attributes, each, text
from ..netlink.socket import NETLINK_NETFILTER, NetlinkError, NetlinkSocket
from . import wire
from .wire import FAMILY_NAMES, OBJECTS, Expression, big, genmsg, kind, parse_expressions

if TYPE_CHECKING:
    from .sets import Set

_ANONYMOUS: Final = ("__set", "__map")
_COMMENT: Final = 0
_OF_VERDICTS: Final = 0xFFFFFF00
"""NFT_DATA_VERDICT: the type of data of a map of verdicts."""


class _Place(NamedTuple):
    """Where a rule is."""

    family: str
    table: str
    chain: str


class _Sets(NamedTuple):
    """The sets of a namespace: the messages that tell of them, and by (family, table) their contents by name."""

    bodies: list[bytes]
    of: dict[tuple[int, str], dict[str, Set]]


class RulesetReader:
    """Reads the nftables of one namespace. Close it with the node."""

    def __init__(self, namespace: Namespace) -> None:
        """Open the socket; a kernel without netfilter has no rules, and that is not an error."""
        self._known: dict[bytes, tuple[_Place, Rule]] = {}
        self._devices: dict[int, str] = {}
        try:
            self._socket: NetlinkSocket | None = NetlinkSocket(namespace, NETLINK_NETFILTER)
        except OSError:
            self._socket = None

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()

    def tables(self) -> tuple[str, ...]:
        """Every table as nft(8) names it, ``ip lab``, in the kernel's order: one may be there without a chain."""
        if self._socket is None:
            return ()
        try:
            named = [(body[0], text(attributes(body, wire.GENMSG_SIZE)[1])) for body in self._socket.dump(kind(wire.GETTABLE), genmsg(0))]
        except NetlinkError:  # nf_tables is not built in, or may not be read
            return ()
        own = ((family, table) for family, table in named if not table.startswith(wire.TRACE_PREFIX))
        return tuple(f"{FAMILY_NAMES.get(family, str(family))} {table}" for family, table in own)

    def read(self, devices: Mapping[int, str]) -> tuple[tuple[Chain, ...], tuple[NamedSet, ...]]:
        """Every chain in the kernel's order, with its rules, and every set that has a name.

        ``devices`` names interface indexes, which some rules hold.
        """
        if self._socket is None:
            return (), ()
        try:
            answers = self._dump(wire.GETCHAIN, genmsg(0))
            sets = self._sets()
            rules = self._rules(devices, sets)
            asleep = self._dormant()
            chains = (_chain(body, rules, asleep) for body in answers)
            named = (_named(body, sets, devices) for body in sets.bodies)
            return (
                tuple(chain for chain in chains if not chain.table.startswith(wire.TRACE_PREFIX)),
                tuple(found for found in named if found is not None and not found.table.startswith(wire.TRACE_PREFIX)),
            )
        except NetlinkError:  # nf_tables is not built in, or may not be read
            return (), ()

    def _dormant(self) -> frozenset[tuple[int, str]]:
        """(family, table) of those that are switched off: name 1, flags 2 of NFT_MSG_NEWTABLE."""
        told = ((body[0], attributes(body, wire.GENMSG_SIZE)) for body in self._dump(wire.GETTABLE, genmsg(0)))
        return frozenset((family, text(parts[1])) for family, parts in told if big(parts.get(2, b"")) & wire.DORMANT)

    def _rules(self, devices: Mapping[int, str], sets: _Sets) -> dict[_Place, list[Rule]]:
        """Every rule by its chain. One whose message is byte for byte that of the last time, counters included, is not read anew."""
        if devices != self._devices:
            self._known.clear()
            self._devices = dict(devices)
        known: dict[bytes, tuple[_Place, Rule]] = {}
        found: dict[_Place, list[Rule]] = {}
        for body in self._dump(wire.GETRULE, genmsg(0)):
            place, rule, lasting = (*self._known[body], True) if body in self._known else self._rule(body, devices, sets)
            if lasting:
                known[body] = place, rule
            found.setdefault(place, []).append(rule)
        self._known = known
        return found

    def _rule(self, body: bytes, devices: Mapping[int, str], sets: _Sets) -> tuple[_Place, Rule, bool]:
        """One rule, where it is, and whether its message says all there is to know: an anonymous set may change under the same name."""
        from .render import render

        parts = attributes(body, wire.GENMSG_SIZE)
        family, table = body[0], text(parts[1])
        place = _Place(FAMILY_NAMES.get(family, str(family)), table, text(parts[2]))
        program = tuple(parse_expressions(parts.get(4, b"")))
        lasting = not any(_uses_anonymous_set(found) for found in program)
        sentence = render(place.family, program, sets.of.get((family, table), {}), devices, _comment(parts.get(7, b"")))
        packets, volume = _counter(program)
        rule = Rule(big(parts[3]), sentence.text, packets, volume, sentence.opaque, sentence.parts)
        return place, rule, lasting

    def _sets(self) -> _Sets:
        """Every set of every table, the anonymous ones of rules too."""
        from .sets import Set, parse_elements

        found = _Sets([], {})
        for body in self._dump(wire.GETSET, genmsg(0)):
            parts = attributes(body, wire.GENMSG_SIZE)
            table, name, flags = text(parts[1]), text(parts[2]), big(parts.get(3, b""))
            asked = genmsg(body[0]) + wire.string(1, table) + wire.string(2, name)
            with contextlib.suppress(NetlinkError):  # it went in between
                found.of.setdefault((body[0], table), {})[name] = Set(flags, parse_elements(self._dump(wire.GETSETELEM, asked), flags))
                found.bodies.append(body)
        return found

    def _dump(self, message: int, body: bytes) -> list[bytes]:
        assert self._socket is not None
        return self._socket.dump(kind(message), body)


def _uses_anonymous_set(found: Expression) -> bool:
    return found.name == "lookup" and text(found.data.get(1, b"")).startswith(_ANONYMOUS)


def _named(body: bytes, sets: _Sets, devices: Mapping[int, str]) -> NamedSet | None:
    """One NFT_MSG_NEWSET body: table 1, name 2, flags 3, type of key 4, type of data 6, of objects 15. None for the anonymous set of a rule."""
    from .conditions import elements
    from .fields import key_fields
    from .sets import MAP, OBJECTS_MAP, SET_FLAGS

    parts = attributes(body, wire.GENMSG_SIZE)
    table, name = text(parts[1]), text(parts[2])
    found = sets.of[body[0], table][name]
    if found.anonymous:
        return None
    kind = big(parts.get(6, b"")) if found.flags & MAP else 0
    objects = OBJECTS.get(big(parts.get(15, b"")), "") if found.flags & OBJECTS_MAP else ""
    fields, data = key_fields(big(parts.get(4, b""))), key_fields(kind) if kind != _OF_VERDICTS else ()
    return NamedSet(
        family=FAMILY_NAMES.get(body[0], str(body[0])),
        table=table,
        name=name,
        kind=" . ".join(field.key for field in fields),
        elements=elements(found, fields, devices, data),
        maps_to=objects or ("verdict" if kind == _OF_VERDICTS else " . ".join(field.key for field in data)),
        flags=tuple(word for bit, word in SET_FLAGS.items() if found.flags & bit),
        others=tuple(_others(parts)),
    )


def _others(parts: Mapping[int, bytes]) -> Iterator[str]:
    """What else a set was made with, as nft(8) takes it: NFTA_SET_TIMEOUT 11 and _GC_INTERVAL 12 in ms, _DESC 9 with its size, _EXPR 17."""
    if big(parts.get(11, b"")):
        yield f"timeout {big(parts[11])}ms"
    if big(parts.get(12, b"")):
        yield f"gc-interval {big(parts[12])}ms"
    if size := big(attributes(parts.get(9, b"")).get(1, b"")):
        yield f"size {size}"
    if text(attributes(parts.get(17, b"")).get(1, b"")) == "counter":
        yield "counter"


def _chain(body: bytes, rules: Mapping[_Place, list[Rule]], asleep: Container[tuple[int, str]]) -> Chain:
    """One NFT_MSG_NEWCHAIN body: table 1, name 3, hook 4 (number 1, priority 2, device 3, devices 4), policy 5, type 7."""
    parts = attributes(body, wire.GENMSG_SIZE)
    family, table, name = FAMILY_NAMES.get(body[0], str(body[0])), text(parts[1]), text(parts[3])
    own = tuple(rules.get(_Place(family, table, name), ()))
    dormant = (body[0], table) in asleep
    if 4 not in parts:
        return Chain(family, table, name, rules=own, dormant=dormant)
    hook = attributes(parts[4])
    number, names = big(hook.get(1, b"")), wire.hooks(family)
    devices = [text(device) for _, device in each(hook[4])] if 4 in hook else [text(hook[3])] if 3 in hook else []
    return Chain(
        family=family,
        table=table,
        name=name,
        type=text(parts.get(7, b"")) or None,
        hook=names[number] if number < len(names) else str(number),
        priority=int.from_bytes(hook.get(2, b""), "big", signed=True),
        policy=("accept" if big(parts[5]) == wire.ACCEPT else "drop") if 5 in parts else None,
        device=", ".join(devices) or None,
        rules=own,
        dormant=dormant,
    )


def _comment(userdata: bytes) -> str:
    """The comment in a rule's user data, which is type, length, value with one byte each for the first two; the kernel only keeps it."""
    at = 0
    while at + 2 <= len(userdata):
        number, length = userdata[at], userdata[at + 1]
        if number == _COMMENT:
            return text(userdata[at + 2 : at + 2 + length])
        at += 2 + length
    return ""


def _counter(program: tuple[Expression, ...]) -> tuple[int | None, int | None]:
    """(packets, bytes) of the first counter of a rule: bytes are attribute 1, packets 2."""
    for found in program:
        if found.name == "counter":
            return found.number(2), found.number(1)
    return None, None
