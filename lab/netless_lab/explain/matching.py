"""Does a rule match a packet? Yes, no, or nobody can tell from here. Pure; for when the kernel's own trace is not at hand.

A rule's matches are triples of ``model.snapshot.Rule``; a packet is a table of what is known of it, by nft's own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final

from ..model.snapshot import Rule

Packet = Mapping[str, str]
"""``{"ip saddr": "10.0.0.2", "meta l4proto": "icmp", "iifname": "br0", "ct state": "new", ...}``. What is not in it is not known."""

Likeness = bool | None
"""None: it depends on something that is not known here."""

_UNCERTAIN: Final = ("limit rate", "ct count", "quota ", "numgen", "jhash", "<")
"""Words of a rule whose effect depends on more than the packet."""
_ABSENT: Final = "-"
"""The value of a field that the packet certainly does not have: a TCP port of a ping."""
_TRANSPORTS: Final = ("tcp", "udp", "icmp", "sctp", "dccp", "udplite", "icmpv6", "th")


def matches(rule: Rule, packet: Packet) -> Likeness:
    """Whether all the rule's matches fit."""
    sure = not rule.opaque and not any(word in rule.text for word in _UNCERTAIN)
    for key, operator, wanted in rule.matches:
        if operator == "vmap":
            continue
        fits = match(key, operator, wanted, packet)
        if fits is False:
            return False
        sure = sure and fits is True
    return True if sure else None


def failing(rule: Rule, packet: Packet) -> tuple[tuple[str, str, str], ...]:
    """The matches that certainly do not fit: why the rule let the packet pass by."""
    return tuple(
        (key, operator, wanted) for key, operator, wanted in rule.matches if match(key, operator, wanted, packet) is False
    )


def match(key: str, operator: str, wanted: str, packet: Packet) -> Likeness:
    """One match."""
    found = value(key, packet)
    if found is None or wanted.startswith("@") or " . " in key:
        return None
    if found == _ABSENT:
        return False
    negated = operator in ("!=", "not in")
    if operator in ("==", "!=", "in", "not in"):
        fits = [_equal(found, item) for item in _items(wanted)]
        if any(fits):
            return not negated
        return None if None in fits else negated
    if found.isdecimal() and wanted.isdecimal():
        left, right = int(found), int(wanted)
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}.get(operator)
    return None


def chosen(rule: Rule, packet: Packet) -> str | None:
    """What a verdict map decides: a verdict, "" when no key fits, None when it cannot be told or there is no map."""
    for key, operator, wanted in rule.matches:
        if operator != "vmap":
            continue
        found = value(key, packet)
        if found is None or wanted.startswith("@") or " . " in key:
            return None
        for pair in wanted.split(","):
            left, _, verdict = pair.partition(" : ")
            if _equal(found, left.strip()):
                return verdict.strip()
        return ""
    return None


def value(key: str, packet: Packet) -> str | None:
    """What the packet has for ``key``; interfaces may be asked for by index as well, and a protocol in several ways."""
    if key in packet:
        return packet[key]
    match key:
        case "iif" | "oif":
            return packet.get(f"{key}name")
        case "ip protocol" | "meta l4proto":
            return packet.get("meta l4proto")
        case "ct original ip saddr" | "ct original ip daddr" | "ct original proto-dst":
            return packet.get(key)
    first = key.split(" ", 1)[0]
    protocol = packet.get("meta l4proto")
    if first == "th" and protocol in ("tcp", "udp"):
        return packet.get(f"{protocol}{key[2:]}")
    if first in _TRANSPORTS and protocol is not None and first not in (protocol, "th"):
        return _ABSENT
    if (
        first == "ip6"
        or (first == "arp" and packet.get("ether type") != "arp")
        or (first == "ip" and packet.get("ether type") == "arp")
    ):
        return _ABSENT
    return None


def _items(wanted: str) -> list[str]:
    return [item.strip() for item in wanted.split(",")]


def _equal(found: str, wanted: str) -> Likeness:
    """One value against one: the same, inside a prefix or a range, or a name that begins so (``veth*``)."""
    if found == wanted:
        return True
    if wanted.endswith("*"):
        return found.startswith(wanted[:-1])
    if "/" in wanted:
        return _inside(found, wanted)
    if "-" in wanted and wanted[0].isdecimal():
        return _between(found, *wanted.split("-", 1))
    if wanted.startswith("0x") or found.startswith("0x"):
        return None if not wanted.startswith("0x") or not found.startswith("0x") else int(found, 16) == int(wanted, 16)
    return False


def _inside(address: str, network: str) -> Likeness:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return None


def _between(found: str, low: str, high: str) -> Likeness:
    try:
        if found.isdecimal():
            return int(low) <= int(found) <= int(high)
        return ip_address(low).packed <= ip_address(found).packed <= ip_address(high).packed
    except ValueError:
        return None
