"""Policy rules: RTM_NEWRULE (ip-rule(8), include/uapi/linux/fib_rules.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from ...model.snapshot import PolicyRule
from .attributes import attributes, ip, native, number, text
from .route import RTMSG, version_of

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
_DST, _SRC, _IIFNAME, _GOTO, _PRIORITY, _FWMARK, _FLOW, _TUN_ID, _SUPPRESS_IFGROUP = 1, 2, 3, 4, 6, 10, 11, 12, 13
_SUPPRESS_PREFIXLEN, _TABLE, _FWMASK, _OIFNAME = 14, 15, 16, 17
_L3MDEV, _UID_RANGE, _PROTOCOL, _IP_PROTO, _SPORT_RANGE, _DPORT_RANGE = 19, 20, 21, 22, 23, 24
"""FRA_*"""
RULES_BODY: Final = bytes(RTMSG.size)
_ACTIONS: Final = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_LOOKUP, _TO = 1, 2
_WHOLE_MASK: Final = 0xFFFFFFFF
_NO_LIMIT: Final = 0xFFFFFFFF
_INVERT: Final = 0x2
"""FIB_RULE_INVERT"""
_USUAL_MAKERS: Final = (0, 2, 3)
"""RTPROT_UNSPEC, _KERNEL and _BOOT, which ip(8) gives a rule when nothing is asked for."""
_IP_PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}


def decode_rule(body: bytes) -> PolicyRule | None:
    """One RTM_NEWRULE body; None for a family that is neither IPv4 nor IPv6."""
    family, dst_length, src_length, tos, low_table, _, _, action, flags = RTMSG.unpack_from(body, 0)
    version = version_of(family)
    if version is None:
        return None
    found = attributes(body, RTMSG.size)
    name = _ACTIONS.get(action, str(action))
    return PolicyRule(
        priority=native(found.get(_PRIORITY, b"")),
        src=f"{ip(found[_SRC])}/{src_length}" if _SRC in found else "all",
        dst=f"{ip(found[_DST])}/{dst_length}" if _DST in found else "all",
        action=f"goto {native(found[_GOTO])}" if action == _TO and _GOTO in found else name,
        table=(native(found[_TABLE]) if _TABLE in found else low_table) if action == _LOOKUP else 0,
        iif=text(found[_IIFNAME]) if _IIFNAME in found else None,
        oif=text(found[_OIFNAME]) if _OIFNAME in found else None,
        family=version,
        mark=_mark(found),
        negated=bool(flags & _INVERT),
        suppress=_suppress(found),
        others=tuple(_others(found, tos)),
        notes=tuple(_notes(found)),
    )


def with_priority(body: bytes) -> bytes:
    """A rule as dumped, fit to be asked for again: of priority 0 the dump says none, and whoever asks for none gets the next that is free."""
    return body if _PRIORITY in attributes(body, RTMSG.size) else body + number(_PRIORITY, 0)


def _suppress(found: dict[int, bytes]) -> int | None:
    limit = native(found[_SUPPRESS_PREFIXLEN]) if _SUPPRESS_PREFIXLEN in found else _NO_LIMIT
    return None if limit == _NO_LIMIT else limit


def _others(found: dict[int, bytes], tos: int) -> Iterator[str]:
    """Selectors that say something of a packet beside its addresses, links and mark, as ``ip rule`` prints them."""
    if tos:
        yield f"tos {tos:#04x}"
    if native(found.get(_TUN_ID, b"")):
        yield f"tun_id {int.from_bytes(found[_TUN_ID], 'big')}"
    if native(found.get(_L3MDEV, b"")):
        yield "l3mdev"
    if _UID_RANGE in found:
        yield "uidrange {}-{}".format(*struct.unpack("=II", found[_UID_RANGE]))
    if native(found.get(_IP_PROTO, b"")):
        yield f"ipproto {_IP_PROTOCOLS.get(native(found[_IP_PROTO]), native(found[_IP_PROTO]))}"
    for kind, word in ((_SPORT_RANGE, "sport"), (_DPORT_RANGE, "dport")):
        if kind in found:
            least, most = struct.unpack("=HH", found[kind])
            yield f"{word} {least}" if least == most else f"{word} {least}-{most}"


def _notes(found: dict[int, bytes]) -> Iterator[str]:
    group = native(found[_SUPPRESS_IFGROUP]) if _SUPPRESS_IFGROUP in found else _NO_LIMIT
    if group != _NO_LIMIT:
        yield f"suppress_ifgroup {group}"
    if flow := native(found.get(_FLOW, b"")):
        yield f"realms {flow >> 16}/{flow & 0xFFFF}" if flow >> 16 else f"realms {flow}"
    if native(found.get(_PROTOCOL, b"")) not in _USUAL_MAKERS:
        yield f"protocol {native(found[_PROTOCOL])}"


def _mark(found: dict[int, bytes]) -> str | None:
    """FRA_FWMARK and FRA_FWMASK as ``ip rule`` prints them: 0x1, or 0x1/0xff."""
    value, mask = native(found.get(_FWMARK, b"")), native(found[_FWMASK]) if _FWMASK in found else _WHOLE_MASK
    if not value:
        return None
    return f"{value:#x}" if mask == _WHOLE_MASK else f"{value:#x}/{mask:#x}"
