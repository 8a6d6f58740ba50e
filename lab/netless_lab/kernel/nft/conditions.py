"""The conditions of a rule, typed: registers and constants of the kernel's own form become ``model.netfilter.rules``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ...model.netfilter import rules as r
from ...model.netfilter.packet import Spans, spans
from .datatypes import HOST_ORDER, number, prefix_length, show
from .fields import BITS, Field
from .sets import Element, Set, show_data, show_element
from .wire import Expression

_EQ, _NEQ, _LT, _LTE, _GT, _GTE = range(6)
"""enum nft_cmp_ops."""
_SAME: Final = {
    "iif": "iifname", "oif": "oifname", "ip protocol": "meta l4proto", "ip6 nexthdr": "meta l4proto",
    "tcp sport": "th sport", "udp sport": "th sport", "tcp dport": "th dport", "udp dport": "th dport",
}  # fmt: skip
_VARYING: Final = frozenset({"limit", "quota", "connlimit", "numgen", "dynset"})
LOADS: Final = {"exthdr": 1, "rt": 1, "numgen": 1, "hash": 2, "socket": 2, "osf": 1, "xfrm": 1, "tunnel": 2}
"""Expressions that put something into a register which is not followed here, and the attribute that says into which."""


def name_of(field: Field) -> str:
    """The one name that the interpreter knows a field by."""
    return _SAME.get(field.key, field.key)


def compared(fields: Sequence[Field], mask: bytes | None, swapped: bool, operator: int, value: bytes, devices: Mapping[int, str]) -> tuple[r.Part, ...]:
    """A register compared with a constant. Several fields side by side are all equal to it; whether one of them differs is not said field by field."""
    if len(fields) > 1:
        if mask is not None or operator != _EQ:
            return (r.Unread(" . ".join(field.key for field in fields)),)
        parts, at = list[r.Part](), 0
        for field in fields:
            parts += compared((field,), None, swapped, operator, value[at : at + field.width], devices)
            at += field.width
        return tuple(parts)
    field = fields[0]
    if field.kind in ("ifname", "ifindex"):
        return _device(field, operator, value, swapped, devices) if mask is None else (r.Unread(field.key),)
    wide = field.width * 8
    if mask is not None:
        length = prefix_length(mask) if field.kind in ("ipv4", "ipv6", "ether") else None
        if operator not in (_EQ, _NEQ):
            return (r.Unread(field.key),)
        cut = BITS.get((field.key, mask))
        if length is None and cut is None:
            held = r.Numbers(_one(_value(field, value, swapped)), _value(field, mask.ljust(field.width, b"\0"), swapped))
            return (r.Condition(name_of(field), held, operator == _NEQ),)
        if cut is not None:
            bits = int.from_bytes(mask, "big")
            shift = (bits & -bits).bit_length() - 1
            return (r.Condition(cut.key, r.Numbers(_one(int.from_bytes(value, "big") >> shift)), operator == _NEQ),)
        assert length is not None
        return (r.Condition(name_of(field), r.Numbers(_prefix(value, field.width, length)), operator == _NEQ),)
    if operator in (_EQ, _NEQ):
        short = len(value) < field.width
        held = r.Numbers(_prefix(value, field.width, len(value) * 8) if short else _one(_value(field, value, swapped)))
        return (r.Condition(name_of(field), held, operator == _NEQ),)
    if field.kind in HOST_ORDER and not swapped:
        return (r.Unread(field.key),)
    edge, most = _value(field, value, swapped), (1 << wide) - 1
    within = {_LT: (0, edge - 1), _LTE: (0, edge), _GT: (edge + 1, most), _GTE: (edge, most)}[operator]
    return (r.Condition(name_of(field), r.Numbers(spans([within]))),)


def between(field: Field, swapped: bool, first: bytes, last: bytes, negated: bool) -> r.Part:
    """A register inside, or not inside, a range."""
    if field.kind in ("ifname", "ifindex"):
        return r.Unread(field.key)
    return r.Condition(name_of(field), r.Numbers(spans([(_value(field, first, swapped), _value(field, last, swapped))])), negated)


def looked_up(fields: Sequence[Field], name: str, known: Set | None, negated: bool, is_verdict: bool, devices: Mapping[int, str]) -> r.Part:
    """A register looked up in a set, or in a map of verdicts."""
    keys = tuple(name_of(field) for field in fields)
    own = elements(known, fields, devices) if known is not None and known.anonymous else None
    return r.VerdictMap(keys, name, own) if is_verdict else r.Lookup(keys, name, own, negated)


def elements(known: Set, fields: Sequence[Field], devices: Mapping[int, str], data: Sequence[Field] = ()) -> tuple[r.Element, ...]:
    """The elements of a set as typed values."""
    return tuple(_element(element, fields, devices, data) for element in known.elements)


def _element(element: Element, fields: Sequence[Field], devices: Mapping[int, str], data: Sequence[Field]) -> r.Element:
    keys, at = list[r.Values](), 0
    for field in fields:
        first, last = element.key[at : at + field.width], element.end[at : at + field.width]
        keys.append(_names(field, first, last, devices) if field.kind in ("ifname", "ifindex") else _range(field, first, last))
        at += (field.width + 3) & ~3
    shown = show_data(element, data, devices) if element.data or element.named else ""
    return r.Element(tuple(keys), element.decides, shown, show_element(element, fields, data, devices))


def other(found: Expression) -> tuple[r.Part, ...]:
    """What is not followed here and is no statement of ``statements``: a condition that varies, or something unreadable that may decide."""
    if found.name in _VARYING:
        return (r.Unread(found.name, varies=True),)
    return (r.Unfollowed(found.name),)


def _range(field: Field, first: bytes, last: bytes) -> r.Numbers:
    return r.Numbers(spans([(_value(field, first, False), _value(field, last, False))]))


def _names(field: Field, first: bytes, last: bytes, devices: Mapping[int, str]) -> r.Names:
    """A device by name or number; in a set of ranges a name that is the beginning of others is the span of all of them."""
    if field.kind == "ifindex":
        return r.Names((show("ifindex", first, devices),))
    begins = first.rstrip(b"\0")
    if first != last:
        return r.Names(begins=(begins.decode("utf-8", "replace"),))
    return r.Names((begins.decode("utf-8", "replace"),))


def _device(field: Field, operator: int, value: bytes, swapped: bool, devices: Mapping[int, str]) -> tuple[r.Part, ...]:
    if operator not in (_EQ, _NEQ):
        return (r.Unread(field.key),)
    if field.kind == "ifindex":
        number_of = _value(field, value, swapped)
        if number_of not in devices and number_of:
            return (r.Unread(field.key),)
        held = r.Names((devices.get(number_of, ""),))
    else:
        whole = b"\0" in value or len(value) >= field.width
        name = value.split(b"\0", 1)[0].decode("utf-8", "replace")
        held = r.Names((name,)) if whole else r.Names(begins=(name,))
    return (r.Condition(name_of(field), held, operator == _NEQ),)


def _value(field: Field, payload: bytes, swapped: bool) -> int:
    """The number in the bytes of a constant; one that was turned round is in network order whatever its kind."""
    return int.from_bytes(payload, "big") if swapped else number(field.kind, payload)


def _one(value: int) -> Spans:
    return ((value, value),)


def _prefix(value: bytes, width: int, length: int) -> Spans:
    first = int.from_bytes(value.ljust(width, b"\0")[:width], "big")
    rest = (1 << (width * 8 - length)) - 1
    return ((first & ~rest, first | rest),)
