"""Anonymous sets and maps, the ``{ ... }`` of a rule: the kernel keeps them apart from the rule, under names like ``__set3``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ...model.netfilter import rules as r
from ..netlink.attributes import attributes, each, text
from .datatypes import number, prefix_length, quote, show
from .fields import Field
from .wire import big, verdict_of, verdict_words

ANONYMOUS, INTERVAL, MAP, OBJECTS_MAP = 0x1, 0x4, 0x8, 0x40
"""NFT_SET_* flags."""
SET_FLAGS: Final = {0x2: "constant", 0x4: "interval", 0x10: "timeout", 0x20: "dynamic"}
"""As nft lists them."""
_INTERVAL_END: Final = 1


class Element(NamedTuple):
    """One element. ``end`` is the last key of a range, equal to ``key`` for a single one; ``decides`` and ``data`` are those of a map, ``named``
    that of a map of objects.
    """

    key: bytes
    end: bytes
    decides: r.Verdict | None
    data: bytes
    named: str = ""

    @property
    def verdict(self) -> str:
        """What it decides, as nft prints it; "" when nothing."""
        return verdict_words(self.decides)


class Set(NamedTuple):
    """One set: the flags it was made with and its elements."""

    flags: int
    elements: tuple[Element, ...]

    @property
    def anonymous(self) -> bool:
        """Whether it belongs to one rule and is shown inside it."""
        return bool(self.flags & ANONYMOUS)


def parse_elements(answers: Iterable[bytes], flags: int) -> tuple[Element, ...]:
    """The elements in the bodies of NFT_MSG_NEWSETELEM messages, ranges put together."""
    raw = [item for body in answers for item in _raw(body)]
    if not flags & INTERVAL:
        return tuple(own for own, _ in raw)
    return tuple(_ranges(sorted(raw, key=lambda item: (item[0].key, item[1]))))


def _raw(body: bytes) -> Iterator[tuple[Element, bool]]:
    """(element, whether it only marks the end of a range) of each of one message: NFTA_SET_ELEM_OBJREF is 9."""
    for _, item in each(attributes(body, 4).get(3, b"")):
        found = attributes(item)
        key = attributes(found.get(1, b"")).get(1, b"")
        last = attributes(found.get(10, b"")).get(1, key)
        data = attributes(found.get(2, b""))
        yield Element(key, last, verdict_of(data), data.get(1, b""), text(found.get(9, b""))), bool(big(found.get(3, b"")) & _INTERVAL_END)


def _ranges(raw: Sequence[tuple[Element, bool]]) -> Iterator[Element]:
    """An interval set holds the start of each range and, as an element of its own, the first key after it."""
    for place, (own, is_end) in enumerate(raw):
        if is_end:
            continue
        following, last = raw[place + 1][0].key if place + 1 < len(raw) else None, own.end
        if last == own.key:
            last = b"\xff" * len(last) if following is None else (big(following) - 1).to_bytes(len(last), "big")
        yield own._replace(end=last)


def show_range(field: Field, first: bytes, last: bytes, devices: Mapping[int, str]) -> str:
    """A range of values: one value, a prefix when an address range is one, or ``first-last``."""
    if first == last:
        return show(field.kind, first, devices)
    if field.kind in ("ipv4", "ipv6"):
        differing = bytes(a ^ b for a, b in zip(first, last, strict=True))
        length = prefix_length(bytes(0xFF ^ byte for byte in differing))
        if length is not None and big(first) & big(differing) == 0:
            return f"{show(field.kind, first, devices)}/{length}"
    return f"{show(field.kind, first, devices)}-{show(field.kind, last, devices)}"


def show_elements(found: Set, fields: Sequence[Field], data: Sequence[Field], devices: Mapping[int, str]) -> str:
    """As nft lists them. ``fields`` has several for a concatenation."""
    if len(fields) == 1:
        ordered = sorted(found.elements, key=lambda element: number(fields[0].kind, element.key))
    else:
        ordered = sorted(found.elements, key=lambda element: element.key)
    return "{ " + ", ".join(show_element(element, fields, data, devices) for element in ordered) + " }"


def show_element(element: Element, fields: Sequence[Field], data: Sequence[Field], devices: Mapping[int, str]) -> str:
    """One element as nft lists it: ``10.0.0.2``, ``"br0" : accept``."""
    parts = (quote(field.kind, part) for field, part in zip(fields, _parts(element.key, element.end, fields, devices), strict=True))
    mapped = element.verdict or (show_data(element, data, devices) if element.data or element.named else "")
    return " . ".join(parts) + (f" : {mapped}" if mapped else "")


def show_data(element: Element, data: Sequence[Field], devices: Mapping[int, str]) -> str:
    """What an element of a map leads to, as nft prints it; "" for that of a set."""
    return f'"{element.named}"' if element.named else " . ".join(_parts(element.data, element.data, data, devices))


def _parts(first: bytes, last: bytes, fields: Sequence[Field], devices: Mapping[int, str]) -> Iterator[str]:
    """What lies side by side in a key, or in what it leads to, cut into its fields; each starts on a 4 byte boundary."""
    at = 0
    for field in fields:
        end = at + field.width
        yield show_range(field, first[at:end], last[at:end], devices)
        at += (field.width + 3) & ~3
