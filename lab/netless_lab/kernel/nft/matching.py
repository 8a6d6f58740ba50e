"""Comparisons of a rule in words: ``ip saddr 10.0.0.0/24``, ``tcp flags syn / syn,rst``, ``ct state { new, established }``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from ...model.netfilter import rules as r
from ...model.netfilter.conditions import FLAGS, bits
from .datatypes import HOST_ORDER, Kind, number, prefix_length, quote, show
from .fields import BITS, Field
from .sets import Set, show_elements, show_range

_OPERATORS: Final = ("==", "!=", "<", "<=", ">", ">=")
_EQ, _NEQ = 0, 1
_ADDRESSES: Final = frozenset({"ipv4", "ipv6", "ether"})


class Phrase(msgspec.Struct, frozen=True, eq=False):
    """A piece of a rule's sentence, and of a statement also what it does (``parts``; a condition's are made by ``conditions``).

    Two phrases are the same only when they are one object: a rule may say a thing twice.
    """

    text: str
    opaque: bool = False
    parts: tuple[r.Part, ...] = ()


class Source(NamedTuple):
    """What a register holds: ``fields`` of the packet (``loaded`` bytes of them, cut by ``mask``), or a ``constant``, or a map's answer."""

    fields: tuple[Field, ...]
    loaded: int = 0
    mask: bytes | None = None
    swapped: bool = False
    constant: bytes | None = None
    map_name: str | None = None
    map_set: Set | None = None

    def as_value(self, field: Field, devices: Mapping[int, str]) -> str:
        """As the right side of ``field set ...``."""
        if self.constant is not None:
            return show(field.kind, self.constant, devices)
        if self.map_name is not None:
            return self.words(devices, field)
        return self.fields[0].key if self.fields else "<unknown>"

    def words(self, devices: Mapping[int, str], data: Field | None = None) -> str:
        """A map lookup in words: ``tcp dport map { 80 : 10.0.0.2 }``."""
        key = " . ".join(field.key for field in self.fields)
        if self.map_set is None or not self.map_set.anonymous:
            return f"{key} map @{self.map_name}"
        value = data or _guess(self.map_set)
        return f"{key} map {show_elements(self.map_set, self.fields, (value,) if value is not None else (), devices)}"


def _guess(found: Set) -> Field:
    """What the data of a map is when the statement does not say: an address, as every map of a nat statement holds."""
    width = len(found.elements[0].data) if found.elements else 4
    kinds: dict[int, Kind] = {2: "port", 4: "ipv4", 16: "ipv6"}
    return Field("", kinds.get(width, "number"), width)


def compare(source: Source, operator: int, value: bytes, devices: Mapping[int, str]) -> list[Phrase]:
    """``source`` compared with a constant: one phrase, or one per field when neighbouring fields are compared at once."""
    if len(source.fields) > 1 and source.mask is None:
        phrases, at = [], 0
        for field in source.fields:
            phrases += compare(Source((field,)), operator, value[at : at + field.width], devices)
            at += field.width
        return phrases
    field, sign = source.fields[0], _OPERATORS[operator] if operator < len(_OPERATORS) else "?"
    value = _as_held(source, value)
    if source.mask is not None:
        return [_masked(field, source.mask, operator, sign, value, devices)]
    if field.kind in _ADDRESSES and len(value) < field.width:
        padded = value.ljust(field.width, b"\0")
        return [_phrase(field, sign, f"{show(field.kind, padded, devices)}/{len(value) * 8}")]
    shown = show(field.kind, value, devices)
    return [_phrase(field, sign, shown)]


def _masked(field: Field, mask: bytes, operator: int, sign: str, value: bytes, devices: Mapping[int, str]) -> Phrase:
    """A comparison of some bits only."""
    length = prefix_length(mask) if field.kind in _ADDRESSES else None
    if length is not None and operator in (_EQ, _NEQ):
        return _phrase(field, sign, f"{show(field.kind, value.ljust(field.width, bytes(1)), devices)}/{length}")
    if field.kind in FLAGS:
        return _flags(field, mask, operator, value)
    narrow = BITS.get((field.key, mask))
    if narrow is not None:
        bits = int.from_bytes(mask, "big")
        shift = (bits & -bits).bit_length() - 1
        return _phrase(narrow, sign, show(narrow.kind, (int.from_bytes(value, "big") >> shift).to_bytes(len(value), "big"), devices))
    left, right = show(field.kind, mask, devices), show(field.kind, value, devices)
    return Phrase(f"{field.key} & {left} {sign} {right}")


def _flags(field: Field, mask: bytes, operator: int, value: bytes) -> Phrase:
    """Bits with names: any of them set, none of them set, or exactly these out of those."""
    wanted, among = number(field.kind, value), bits(field.kind, number(field.kind, mask))
    if wanted == 0 and operator == _NEQ:
        return Phrase(f"{field.key} {among}")
    if wanted == 0 and operator == _EQ:
        return Phrase(f"{field.key} ! {among}")
    shown = bits(field.kind, wanted)
    prefix = "!= " if operator == _NEQ else ""
    return Phrase(f"{field.key} {prefix}{shown} / {among}")


def compare_range(source: Source, first: bytes, last: bytes, sign: str, devices: Mapping[int, str]) -> Phrase:
    """``source`` inside, or not inside, a range."""
    field = source.fields[0]
    return _phrase(field, sign, show_range(field, _as_held(source, first), _as_held(source, last), devices))


def _as_held(source: Source, value: bytes) -> bytes:
    """A constant in the order of its kind: what is compared by size was turned into the order of the network before, as byteorder does."""
    return value[::-1] if source.swapped and source.fields[0].kind in HOST_ORDER else value


def look_up(fields: Sequence[Field], name: str, known: Set | None, negated: bool, is_verdict: bool, devices: Mapping[int, str]) -> Phrase:
    """``fields`` looked up in a set (a match), or in a map of verdicts."""
    key = " . ".join(field.key for field in fields)
    listed = show_elements(known, fields, (), devices) if known is not None and known.anonymous else f"@{name}"
    return Phrase(f"{key} {'vmap ' if is_verdict else '!= ' if negated else ''}{listed}")


def _phrase(field: Field, sign: str, shown: str) -> Phrase:
    text = quote(field.kind, shown)
    return Phrase(f"{field.key} {text}" if sign == "==" else f"{field.key} {sign} {text}")
