"""Addresses and networks as values: an IPv6 address has many spellings and one meaning (RFC 4291 section 2.2, RFC 5952).

The kernel tells every address in one spelling; a lesson, a learner and resolv.conf write it as they like. Whoever compares the two
compares what ``plain`` makes of both.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface


@lru_cache(4096)
def interface(text: str) -> IPv4Interface | IPv6Interface:
    """An address with its network, taken apart once. Raises ValueError."""
    return ip_interface(text)


@lru_cache(4096)
def plain(text: str) -> str:
    """The one spelling of an address, with its prefix or its link when it has one; what is no address stays as it is."""
    try:
        return str(ip_interface(text) if "/" in text else ip_address(text))
    except ValueError:
        return text


def is_address(text: str) -> bool:
    """Whether ``text`` is an address of either family, and not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def same(one: str | None, other: str | None) -> bool:
    """Whether two words mean one address; of no address (None) there is only one."""
    return one == other or (one is not None and other is not None and plain(one) == plain(other))


def with_port(address: str, port: int) -> str:
    """``10.0.0.2:80``, ``[fd00::2]:80``."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
