"""Anonymous sets and maps, the ``{ ... }`` of a rule: the kernel keeps them apart from the rule, under names like ``__set3``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ..attributes import attributes, each
from .datatypes import number, prefix_length, quote, show
from .fields import Field
from .wire import big, verdict_of

ANONYMOUS, INTERVAL, MAP = 0x1, 0x4, 0x8
"""NFT_SET_* flags."""
_INTERVAL_END: Final = 1


class Element(NamedTuple):
    """One element. ``end`` is the last key of a range, equal to ``key`` for a single one; ``verdict`` and ``data`` are those of a map."""

    key: bytes
    end: bytes
    verdict: str | None
    data: bytes


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
        return tuple(Element(key, last, verdict, data) for key, last, verdict, data, _ in raw)
    return tuple(_ranges(sorted(raw, key=lambda item: (item[0], item[4]))))


def _raw(body: bytes) -> Iterator[tuple[bytes, bytes, str | None, bytes, bool]]:
    """(key, last key, verdict, data, whether it only marks the end of a range) of each element of one message."""
    for _, item in each(attributes(body, 4).get(3, b"")):
        found = attributes(item)
        key = attributes(found.get(1, b"")).get(1, b"")
        last = attributes(found.get(10, b"")).get(1, key)
        data = attributes(found.get(2, b""))
        yield key, last, verdict_of(data), data.get(1, b""), bool(big(found.get(3, b"")) & _INTERVAL_END)


def _ranges(raw: Sequence[tuple[bytes, bytes, str | None, bytes, bool]]) -> Iterator[Element]:
    """An interval set holds the start of each range and, as an element of its own, the first key after it."""
    for place, (key, last, verdict, data, is_end) in enumerate(raw):
        if is_end:
            continue
        following = raw[place + 1][0] if place + 1 < len(raw) else None
        if last == key:
            last = b"\xff" * len(key) if following is None else (big(following) - 1).to_bytes(len(key), "big")
        yield Element(key, last, verdict, data)


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


def show_elements(found: Set, fields: Sequence[Field], data: Field | None, devices: Mapping[int, str]) -> tuple[str, str]:
    """(as nft lists them, as a match value without quotes and spaces). ``fields`` has several for a concatenation."""
    if len(fields) == 1:
        ordered = sorted(found.elements, key=lambda element: number(fields[0].kind, element.key))
    else:
        ordered = sorted(found.elements, key=lambda element: element.key)
    listed: list[str] = []
    plain: list[str] = []
    for element in ordered:
        parts = list(_parts(element, fields, devices))
        mapped = element.verdict or (show(data.kind, element.data, devices) if data else "")
        after = f" : {mapped}" if mapped else ""
        listed.append(" . ".join(quote(field.kind, part) for field, part in zip(fields, parts, strict=True)) + after)
        plain.append(" . ".join(parts) + after)
    return "{ " + ", ".join(listed) + " }", ",".join(plain)


def _parts(element: Element, fields: Sequence[Field], devices: Mapping[int, str]) -> Iterator[str]:
    """The key of one element, cut into its fields; each starts on a 4 byte boundary."""
    at = 0
    for field in fields:
        end = at + field.width
        yield show_range(field, element.key[at:end], element.end[at:end], devices)
        at += (field.width + 3) & ~3
