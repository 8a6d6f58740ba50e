"""Rules of the old iptables that stop packets, with their counters: nft does not show them, and the kernel does not trace them.

The layout is that of include/uapi/linux/netfilter_ipv4/ip_tables.h and x_tables.h; iptables-legacy-save(8) -c prints the same.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ...model.evidence import LegacyRule
from ..namespace import socket_in
from ..read import NodeRef
from ..xtables import option

_GET_INFO, _GET_ENTRIES = 64, 65
_INFO: Final = struct.Struct("=32sI5I5III")
_HEAD: Final = 40
_OFFSETS: Final = struct.Struct("=HHIQQ")
"""In struct ipt_entry from byte 88: where its target is, where the next entry is, comefrom, packets, bytes."""
_OFFSETS_AT: Final = 88
_TARGET: Final = struct.Struct("=H29sB")
_TARGET_SIZE: Final = 32
_DROP: Final = -1
"""A verdict is stored as minus itself minus one; NF_DROP is 0."""
_HOOKS: Final = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_TABLES: Final = ("raw", "mangle", "filter", "security")


def stopping(nodes: Iterable[tuple[str, tuple[str, ...]]], refs: Mapping[str, NodeRef]) -> tuple[LegacyRule, ...]:
    """Every rule, and every policy, that drops or rejects, in these (node, tables in use). What cannot be read is left out."""
    found: list[LegacyRule] = []
    for name, tables in nodes:
        ref = refs.get(name)
        if ref is None or not tables:
            continue
        with contextlib.suppress(OSError, struct.error), socket_in(ref.namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as opened:
            for table in tables:
                if table in _TABLES:
                    found += _rules(opened, name, table)
    return tuple(found)


def risen(before: Iterable[LegacyRule], after: Iterable[LegacyRule]) -> tuple[LegacyRule, ...]:
    """Those that counted packets in between, with how many."""
    known = {(rule.node, rule.table, rule.chain, rule.number): rule.packets for rule in before}
    return tuple(
        LegacyRule(rule.node, rule.table, rule.chain, rule.number, rule.target, by)
        for rule in after
        if (by := rule.packets - known.get((rule.node, rule.table, rule.chain, rule.number), 0)) > 0
    )


def _rules(opened: socket.socket, node: str, table: str) -> Iterator[LegacyRule]:
    name = table.encode()
    info = _INFO.unpack_from(option(opened, socket.IPPROTO_IP, _GET_INFO, _INFO.pack(name, *[0] * 13)))
    hooks, entries, underflow, size = info[1], info[2:7], info[7:12], info[13]
    blob = option(opened, socket.IPPROTO_IP, _GET_ENTRIES, struct.pack("=32sI4x", name, size) + bytes(size))[_HEAD:]
    begins = {entries[hook]: _HOOKS[hook] for hook in range(5) if hooks & 1 << hook}
    policies = {underflow[hook] for hook in range(5) if hooks & 1 << hook}
    at, chain, number = 0, "", 0
    while at + _OFFSETS_AT + _OFFSETS.size <= len(blob):
        to_target, to_next, _, packets, _ = _OFFSETS.unpack_from(blob, at + _OFFSETS_AT)
        if at in begins:
            chain, number = begins[at], 0
        _, raw, _ = _TARGET.unpack_from(blob, at + to_target)
        target = raw.split(b"\0", 1)[0].decode("ascii", "replace")
        if target == "ERROR":  # the head of a chain that somebody made, or the table's end
            chain, number = blob[at + to_target + _TARGET_SIZE :][:30].split(b"\0", 1)[0].decode("ascii", "replace"), 0
        else:
            number += 1
            verdict = int(struct.unpack_from("=i", blob, at + to_target + _TARGET_SIZE)[0]) if not target else 0
            if verdict == _DROP or target == "REJECT":
                yield LegacyRule(node, table, chain, 0 if at in policies else number, target or "DROP", packets)
        if to_next == 0:
            return
        at += to_next
