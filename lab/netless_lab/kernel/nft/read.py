"""Every chain and rule of one namespace, through one nfnetlink socket that stays open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ...model.snapshot import Chain, Rule
from ..attributes import attributes, each, text
from ..namespace import Namespace
from ..rtnetlink import NETLINK_NETFILTER, NetlinkError, NetlinkSocket
from . import wire
from .render import render
from .sets import Set, parse_elements
from .wire import FAMILY_NAMES, Expression, big, genmsg, kind, parse_expressions

_SET_PREFIXES: Final = ("__set", "__map")
_COMMENT: Final = 0


class _Place(NamedTuple):
    """Where a rule is."""

    family: str
    table: str
    chain: str


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

    def chains(self, devices: Mapping[int, str]) -> tuple[Chain, ...]:
        """Every chain in the kernel's order, with its rules. ``devices`` names interface indexes, which some rules hold."""
        if self._socket is None:
            return ()
        try:
            answers = self._socket.dump(kind(wire.GETCHAIN), genmsg(0))
            if not answers:
                return ()
            rules = self._rules(devices)
            chains = (_chain(body, rules) for body in answers)
            return tuple(chain for chain in chains if not chain.table.startswith(wire.TRACE_PREFIX))
        except NetlinkError:  # nf_tables is not built in, or may not be read
            return ()

    def _rules(self, devices: Mapping[int, str]) -> dict[_Place, list[Rule]]:
        """Every rule by its chain. One whose message is byte for byte that of the last time, counters included, is not read anew."""
        if devices != self._devices:
            self._known.clear()
            self._devices = dict(devices)
        known: dict[bytes, tuple[_Place, Rule]] = {}
        found: dict[_Place, list[Rule]] = {}
        sets: dict[tuple[int, str], dict[str, Set]] = {}
        for body in self._dump(wire.GETRULE, genmsg(0)):
            place, rule, lasting = (*self._known[body], True) if body in self._known else self._rule(body, devices, sets)
            if lasting:
                known[body] = place, rule
            found.setdefault(place, []).append(rule)
        self._known = known
        return found

    def _rule(
        self, body: bytes, devices: Mapping[int, str], sets: dict[tuple[int, str], dict[str, Set]]
    ) -> tuple[_Place, Rule, bool]:
        """One rule, where it is, and whether its message says all there is to know: an anonymous set may change under the same name."""
        parts = attributes(body, wire.GENMSG_SIZE)
        family, table = body[0], text(parts[1])
        place = _Place(FAMILY_NAMES.get(family, str(family)), table, text(parts[2]))
        program = tuple(parse_expressions(parts.get(4, b"")))
        lasting = not any(_uses_set(expression) for expression in program)
        if not lasting and (family, table) not in sets:
            sets[family, table] = self._sets(family, table)
        sentence = render(place.family, program, sets.get((family, table), {}), devices, _comment(parts.get(7, b"")))
        packets, volume = _counter(program)
        rule = Rule(big(parts[3]), sentence.text, sentence.matches, sentence.verdict, packets, volume, sentence.opaque)
        return place, rule, lasting

    def _sets(self, family: int, table: str) -> dict[str, Set]:
        """The anonymous sets of a table."""
        found: dict[str, Set] = {}
        for body in self._dump(wire.GETSET, genmsg(family) + wire.string(1, table)):
            parts = attributes(body, wire.GENMSG_SIZE)
            name, flags = text(parts[2]), big(parts.get(3, b""))
            if name.startswith(_SET_PREFIXES):
                asked = genmsg(family) + wire.string(1, table) + wire.string(2, name)
                found[name] = Set(flags, parse_elements(self._dump(wire.GETSETELEM, asked), flags))
        return found

    def _dump(self, message: int, body: bytes) -> list[bytes]:
        assert self._socket is not None
        return self._socket.dump(kind(message), body)


def _uses_set(found: Expression) -> bool:
    return found.name == "lookup" and text(found.data.get(1, b"")).startswith(_SET_PREFIXES)


def _chain(body: bytes, rules: Mapping[_Place, list[Rule]]) -> Chain:
    """One NFT_MSG_NEWCHAIN body: table 1, name 3, hook 4 (number 1, priority 2, device 3, devices 4), policy 5, type 7."""
    parts = attributes(body, wire.GENMSG_SIZE)
    family, table, name = FAMILY_NAMES.get(body[0], str(body[0])), text(parts[1]), text(parts[3])
    own = tuple(rules.get(_Place(family, table, name), ()))
    if 4 not in parts:
        return Chain(family, table, name, rules=own)
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
