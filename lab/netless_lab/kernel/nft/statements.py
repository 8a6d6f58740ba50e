"""Statements of a rule in words: what is done with a packet, once it matched."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final, Literal

from ...model.netfilter import rules as r
from ..netlink.attributes import text
from . import conditions
from .datatypes import quoted
from .matching import Phrase
from .wire import OBJECTS, Expression, big

Constant = Callable[[int], bytes | str | None]
"""Register number -> the constant in it, or the words of a map lookup."""

_UNITS: Final = {1: "second", 60: "minute", 3600: "hour", 86400: "day", 604800: "week"}
_LEVELS: Final = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit")
_ICMP: Final = {
    0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable", 9: "net-prohibited",
    10: "host-prohibited", 13: "admin-prohibited",
}  # fmt: skip
_ICMPV6: Final = {0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable", 5: "policy-fail", 6: "reject-route"}
_ICMPX: Final = {0: "no-route", 1: "port-unreachable", 2: "host-unreachable", 3: "admin-prohibited"}
_USUAL_REJECT: Final = {"ip": (0, 3), "ip6": (0, 4)}
_USUAL_INET_REJECT: Final = (2, 1)
_USUAL_BURST, _USUAL_LEVEL = 5, 4
_RANDOM, _PERSISTENT, _FULLY_RANDOM = 0x4, 0x8, 0x10
_AF_INET: Final = 2
_MARKING: Final = frozenset({"ct helper", "ct timeout", "ct expectation", "secmark"})
"""Objects that say something of a connection and decide over no packet."""


def statement(found: Expression, family: str, constant: Constant) -> Phrase:
    """One statement; ``<name>`` and opaque when it is not among those known here."""
    match found.name:
        case "counter":
            return Phrase("counter")
        case "masq":
            ports = _ports(constant, found.number(2), found.number(3))
            part = r.Rewrite("masquerade", port=_port_numbers(constant, found.number(2), found.number(3)))
            return Phrase(_words("masquerade", f"to {ports}" if ports else "", _nat_flags(found.number(1))), parts=(part,))
        case "redir":
            ports = _ports(constant, found.number(1), found.number(2))
            words = _words("redirect", f"to {ports}" if ports else "")
            part = r.Rewrite("redirect", port=_port_numbers(constant, found.number(1), found.number(2)))
            return Phrase(_words(words, _nat_flags(found.number(3))), parts=(part,))
        case "nat":
            return _nat(found, family, constant)
        case "limit":
            return _limit(found)
        case "log":
            return _log(found)
        case "connlimit":
            return Phrase(f"ct count {'over ' if found.number(2) & 1 else ''}{found.number(1)}", parts=(r.Unread("ct count", varies=True),))
        case "notrack":
            return Phrase("notrack", parts=(r.Untrack(),))
        case "objref":
            return _object(found)
        case _:
            return Phrase(f"<{found.name}>", opaque=True, parts=conditions.other(found))


def _object(found: Expression) -> Phrase:
    """A named object: NFTA_OBJREF_IMM_TYPE 1 and _NAME 2, or what a map (4) has for the packet. Only counters change nothing, and need no words
    of their own where a script makes them.
    """
    kind, name = OBJECTS.get(found.number(1), ""), text(found.data.get(2, b""))
    if kind == "counter":
        return Phrase(f"counter name {quoted(name)}")
    said = f"{kind} {'set' if kind.startswith('ct ') else 'name'} {quoted(name)}" if kind else f"<an object of the map @{text(found.data.get(4, b''))}>"
    return Phrase(said, opaque=True, parts=() if kind in _MARKING else (r.Unread("limit or quota", varies=True),))


def reject(found: Expression, family: str) -> Phrase:
    """``reject``, with the kind of answer unless it is the family's usual one."""
    kind, code = found.number(1), found.number(2)
    if kind == 1:
        return Phrase("reject with tcp reset", parts=(r.Drop("tcp reset"),))
    if (kind, code) == _USUAL_REJECT.get(family, _USUAL_INET_REJECT):
        return Phrase("reject", parts=(r.Drop("port-unreachable"),))
    if kind == 2:
        word = str(_ICMPX.get(code, code))
        return Phrase(f"reject with icmpx {word}", parts=(r.Drop(word),))
    six = family == "ip6" or (family != "ip" and code in _ICMPV6 and code not in _ICMP)
    names = _ICMPV6 if six else _ICMP
    word = str(names.get(code, code))
    return Phrase(f"reject with {'icmpv6' if six else 'icmp'} {word}", parts=(r.Drop(word),))


def nat_words(kind: str, first: str, last: str, ports: str) -> str:
    """``dnat to 10.0.0.2:80``, ``snat to 1.2.3.4-1.2.3.9``; brackets around an IPv6 address that has a port behind it."""
    target = first if first == last or not last else f"{first}-{last}"
    if ports and ":" in first:
        target = f"[{target}]"
    return f"{kind} to {target}{ports}"


def port_range(first: int, last: int) -> str:
    """``:80`` or ``:1000-2000``."""
    return f":{first}" if first == last else f":{first}-{last}"


def _nat(found: Expression, family: str, constant: Constant) -> Phrase:
    kind: Literal["dnat", "snat"] = "dnat" if found.number(1) == 1 else "snat"
    first, last = constant(found.number(3)), constant(found.number(4))
    ports = _ports(constant, found.number(5), found.number(6))
    if isinstance(first, str):
        words = f"{kind} to {first}{ports}"
    elif first is None and not ports:
        return Phrase(f"<{kind}>", opaque=True, parts=(r.Rewrite(kind, chosen=True),))
    else:
        words = nat_words(kind, _address(first), _address(last if isinstance(last, bytes) else first), ports)
    if family == "inet":
        version = "ip" if found.number(2) == _AF_INET else "ip6"
        words = words.replace(f"{kind} to", f"{kind} {version} to", 1)
    return Phrase(_words(words, _nat_flags(found.number(7))), parts=(_rewrite(found, constant, first, last),))


def _rewrite(found: Expression, constant: Constant, first: bytes | str | None, last: bytes | str | None) -> r.Rewrite:
    """What a nat statement writes in; what a map chooses cannot be told."""
    kind: Literal["dnat", "snat"] = "dnat" if found.number(1) == 1 else "snat"
    if isinstance(first, str) or (first is None and 3 in found.data):
        return r.Rewrite(kind, chosen=True)
    port = _port_numbers(constant, found.number(5), found.number(6))
    if first is None:
        return r.Rewrite(kind, port=port)
    return r.Rewrite(kind, (big(first), big(last) if isinstance(last, bytes) else big(first)), port)


def _address(payload: bytes | None) -> str:
    if payload is None:
        return ""
    if len(payload) == 16:
        return socket.inet_ntop(socket.AF_INET6, payload)
    return socket.inet_ntop(socket.AF_INET, payload[:4].ljust(4, b"\0"))


def _ports(constant: Constant, first: int, last: int) -> str:
    """The ports of a nat statement, "" when it has none."""
    low, high = constant(first) if first else None, constant(last) if last else None
    if not isinstance(low, bytes):
        return ""
    return port_range(big(low[:2]), big(high[:2]) if isinstance(high, bytes) else big(low[:2]))


def _port_numbers(constant: Constant, first: int, last: int) -> tuple[int, int] | None:
    low, high = constant(first) if first else None, constant(last) if last else None
    if not isinstance(low, bytes):
        return None
    return big(low[:2]), big(high[:2]) if isinstance(high, bytes) else big(low[:2])


def _nat_flags(value: int) -> str:
    names = {_RANDOM: "random", _FULLY_RANDOM: "fully-random", _PERSISTENT: "persistent"}
    return ",".join(name for bit, name in names.items() if value & bit)


def _limit(found: Expression) -> Phrase:
    """Attributes: rate 1, unit in seconds 2, burst 3, type 4 (1: bytes), flags 5 (1: over)."""
    rate, unit, burst = found.number(1), _UNITS.get(found.number(2), "second"), found.number(3)
    varies = (r.Unread("limit rate", varies=True),)
    over = "over " if found.number(5) & 1 else ""
    if found.number(4):
        return Phrase(_words(f"limit rate {over}{_size(rate)}/{unit}", f"burst {_size(burst)}" if burst else ""), parts=varies)
    return Phrase(_words(f"limit rate {over}{rate}/{unit}", f"burst {burst} packets" if burst != _USUAL_BURST else ""), parts=varies)


def _size(count: int) -> str:
    for scale, name in ((1 << 20, "mbytes"), (1 << 10, "kbytes")):
        if count >= scale and count % scale == 0:
            return f"{count // scale} {name}"
    return f"{count} bytes"


def _log(found: Expression) -> Phrase:
    """Attributes: group 1, prefix 2, snap length 3, queue threshold 4, level 5."""
    level = found.number(5, _USUAL_LEVEL)
    return Phrase(
        _words(
            "log",
            f"prefix {quoted(text(found.data[2]))}" if 2 in found.data else "",
            f"group {found.number(1)}" if 1 in found.data else "",
            f"snaplen {found.number(3)}" if found.number(3) else "",
            f"queue-threshold {found.number(4)}" if found.number(4) else "",
            f"level {_LEVELS[level] if level < len(_LEVELS) else level}" if 1 not in found.data and level != _USUAL_LEVEL else "",
        )
    )


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)
