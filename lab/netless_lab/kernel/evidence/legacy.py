"""Rules of the old iptables that stop packets, with their counters: nft does not show them, and the kernel does not trace them.

iptables-legacy-save(8) -c prints the same.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ...model.evidence import LegacyRule
from ..read import NodeRef
from ..xtables import SIX, LegacyTables
from ..xtables_rules import HOOKS, Table, entries

_TABLES: Final = ("raw", "mangle", "filter", "security")


def stopping(nodes: Iterable[tuple[str, tuple[str, ...]]], refs: Mapping[str, NodeRef]) -> tuple[LegacyRule, ...]:
    """Every rule, and every policy, that drops or rejects, in these (node, tables in use). What cannot be read is left out."""
    found: list[LegacyRule] = []
    for name, tables in nodes:
        ref = refs.get(name)
        if ref is None or not tables:
            continue
        with contextlib.suppress(OSError, struct.error), contextlib.closing(LegacyTables(ref.namespace)) as opened:
            for table in tables:
                if table.removeprefix(SIX) in _TABLES:
                    found += _rules(name, opened.table(table))
    return tuple(found)


def risen(before: Iterable[LegacyRule], after: Iterable[LegacyRule]) -> tuple[LegacyRule, ...]:
    """Those that counted packets in between, with how many."""
    known = {(rule.node, rule.table, rule.chain, rule.number): rule.packets for rule in before}
    return tuple(
        LegacyRule(rule.node, rule.table, rule.chain, rule.number, rule.target, by)
        for rule in after
        if (by := rule.packets - known.get((rule.node, rule.table, rule.chain, rule.number), 0)) > 0
    )


def _rules(node: str, table: Table) -> Iterator[LegacyRule]:
    bases, policies = table.bases, table.policies
    chain, number = "", 0
    for entry in entries(table):
        if entry.at in bases:
            chain, number = HOOKS[bases[entry.at]].upper(), 0
        if entry.target == "ERROR":  # the head of a chain that somebody made, or the table's end
            chain, number = entry.label, 0
            continue
        number += 1
        if entry.drops or entry.target == "REJECT":
            yield LegacyRule(node, table.name, chain, 0 if entry.at in policies else number, entry.target or "DROP", entry.packets)
