"""Sets of whole numbers as spans: addresses, ports, marks and states are all numbers to a rule."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

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
