"""Which part of what a packet may be meets a condition, and which does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from ..snapshot import Chain, Node
from . import rules as r
from .packet import DNAT, SNAT, STATES, Packet
from .spans import Spans, addresses, common, network, only, single, spans, without

_LOCAL, _BROADCAST, _MULTICAST, _UNICAST = 2, 3, 5, 1
"""Types of address (RTN_*), as ``fib daddr type`` has them."""
_TYPES = range(12)
_XT_STATES = {1: 1, 2: 2, 4: 4, 8: 8, 64: 256}
"""From bits of nft's ct state to those of iptables."""

Question = r.Condition | r.Lookup | r.Unread
"""What a rule asks of a packet."""
Guess = Literal["unread", "varies", "unlisted"]
"""Why it cannot be told whether a condition holds: it is not readable, it depends on more than the packet, the packet's field is not known."""
Split = tuple[Packet | None, Packet | None] | Guess
"""(the part that meets a condition, the part that does not), None for none of it."""


class View:
    """What rules of a node can ask. ``before_conntrack``: where a packet has not been seen by that, so its state is invalid (nft_ct.c)."""

    def __init__(self, node: Node, *, before_conntrack: bool = False) -> None:
        self.before_conntrack = before_conntrack
        self._node = node
        self._of_types: dict[tuple[int, int], Spans] = {}

    def ask(self, part: Question, chain: Chain, packet: Packet) -> Split:
        """Part a packet by a question of a rule in ``chain``."""
        match part:
            case r.Unread():
                return "varies" if part.varies else "unread"
            case r.Lookup():
                elements = self.elements(part, chain)
                if elements is None:
                    return "unread"
                if len(part.fields) == 1:
                    return self._part(part.fields[0], _together(elements), packet, part.negated)
                if any(self.lacks(field, packet) for field in part.fields):
                    return None, packet
                fits = _any([self._fits(part.fields, element, packet) for element in elements])
                return "unlisted" if fits is None else (packet, None) if fits != part.negated else (None, packet)
            case r.Condition():
                return self._part(part.field, part.values, packet, part.negated)

    def elements(self, part: r.Lookup | r.VerdictMap, chain: Chain) -> tuple[r.Element, ...] | None:
        """Those of the set that a rule of ``chain`` asks, None where it is not in the snapshot."""
        if part.elements is not None:
            return part.elements
        named = (found for found in self._node.sets if (found.family, found.table, found.name) == (chain.family, chain.table, part.name))
        return next((found.elements for found in named), None)

    def lacks(self, field: str, packet: Packet) -> bool:
        """Whether there is no such thing to ask of the packet here: then a rule ends, also one that asks for something else (NFT_BREAK)."""
        return field.startswith("ct ") and field != "ct state" and (self.before_conntrack or not packet.tracked)

    def _part(self, field: str, values: r.Values, packet: Packet, negated: bool) -> Split:
        if self.lacks(field, packet):
            return None, packet
        split = self._split(field, values, packet)
        if split is None:
            return "unlisted"
        return (split[1], split[0]) if negated else split

    def _split(self, field: str, values: r.Values, packet: Packet) -> tuple[Packet | None, Packet | None] | None:
        """The packet where the field is among the values, and where it is not; None when that cannot be told."""
        if isinstance(values, r.Names):
            name = packet.names.get(field)
            if name is None:
                return None
            return (packet, None) if values.hold(name) else (None, packet)
        if field in ("fib saddr type", "fib daddr type"):
            of = packet.source if field == "fib saddr type" else packet.destination
            kinds = (kind for kind in _TYPES if common(only(kind), values.spans))
            return self._split(of, r.Numbers(spans(pair for kind in kinds for pair in self._of_type(kind, packet.family))), packet)
        if field == "xt state":
            value = self._xt_state(packet)
            return None if value is None else (packet, None) if common(only(value & (values.mask or value)), values.spans) else (None, packet)
        have = only(STATES["invalid"]) if field == "ct state" and self.before_conntrack and packet.tracked else packet.possible(field)
        if have is None:
            return None
        if values.mask is not None:
            value = single(have)
            if value is None:
                return None
            return (packet, None) if common(only(value & values.mask), values.spans) else (None, packet)
        inside, outside = common(have, values.spans), without(have, values.spans)
        if not (inside and outside):
            return (packet, None) if inside else (None, packet)
        return packet.listing(field, inside), packet.listing(field, outside)

    def _xt_state(self, packet: Packet) -> int | None:
        """The state as iptables has it, translations among them (XT_CONNTRACK_STATE_*): of a packet without a conntrack entry there are none."""
        if self.before_conntrack or not packet.tracked:
            return _XT_STATES[STATES["invalid"] if packet.tracked else STATES["untracked"]]
        state, status = single(packet.possible("ct state") or ()), single(packet.possible("ct status") or ())
        if state is None or status is None:
            return None
        return _XT_STATES.get(state, 0) | (64 if status & SNAT else 0) | (128 if status & DNAT else 0)

    def _of_type(self, kind: int, family: int) -> Spans:
        """The addresses of which the node's routing says that they are local, broadcast, multicast or unicast."""
        if (kind, family) not in self._of_types:
            if kind == _UNICAST:
                others = spans(pair for other in (_LOCAL, _BROADCAST, _MULTICAST) for pair in self._of_type(other, family))
                found = without(addresses(family), others)
            elif kind == _MULTICAST:
                found = network("224.0.0.0/4" if family == 4 else "ff00::/8")
            else:
                word = {_LOCAL: "local", _BROADCAST: "broadcast"}.get(kind)
                own = (network(route.dst) for route in self._node.routes if route.family == family and route.type == word and route.dst != "default")
                found = spans(pair for each in own for pair in each)
            self._of_types[kind, family] = found
        return self._of_types[kind, family]

    def _fits(self, fields: Sequence[str], element: r.Element, packet: Packet) -> bool | None:
        """Whether fields side by side are one element; None where some of what the packet may be is and some is not."""
        answers: list[bool | None] = []
        for field, key in zip(fields, element.keys, strict=False):
            split = self._split(field, key, packet)
            answers.append(None if split is None or (split[0] is not None and split[1] is not None) else split[0] is not None)
        return False if False in answers else None if None in answers else True


def _together(elements: Iterable[r.Element]) -> r.Values:
    """What elements of one field mean as one condition."""
    keys = [element.keys[0] for element in elements]
    names = [key for key in keys if isinstance(key, r.Names)]
    if names:
        return r.Names(tuple(own for key in names for own in key.names), tuple(own for key in names for own in key.begins))
    return r.Numbers(spans(pair for key in keys if isinstance(key, r.Numbers) for pair in key.spans))


def _any(answers: Collection[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False
