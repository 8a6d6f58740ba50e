"""A whole ruleset as ``nft -s list ruleset`` prints it, from the chains of a snapshot. Named sets are not in a snapshot, so not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from netless_lab.kernel.nft.datatypes import quoted
from netless_lab.model.snapshot import Chain

_BRIDGE: Final = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
_PLAIN: Final = {"filter": 0}
_IP: Final = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_ONLY_IN: Final = {"dstnat": "prerouting", "srcnat": "postrouting"}
_NEAR: Final = 10


def listing(chains: Iterable[Chain]) -> str:
    """The listing, tables in the order their first chain comes; "" without chains. A table without chains cannot be shown."""
    tables: dict[tuple[str, str], list[Chain]] = {}
    for chain in chains:
        tables.setdefault((chain.family, chain.table), []).append(chain)
    parts = []
    for (family, table), own in tables.items():
        body = "\n\n".join(_chain(chain) for chain in own)
        parts.append(f"table {family} {table} {{\n{body}\n}}\n")
    return "".join(parts)


def _chain(chain: Chain) -> str:
    lines = [f"\tchain {chain.name} {{"]
    if chain.hook is not None:
        device = f" device {quoted(chain.device)}" if chain.device else ""
        priority = priority_words(chain.family, chain.hook, chain.priority)
        lines.append(f"\t\ttype {chain.type} hook {chain.hook}{device} priority {priority}; policy {chain.policy or 'accept'};")
    lines += [f"\t\t{rule.text}" for rule in chain.rules]
    return "\n".join([*lines, "\t}"])


def priority_words(family: str, hook: str, priority: int) -> str:
    """A priority by its name, or by a name and a small offset, as nft prints it: ``srcnat``, ``filter - 5``, ``7``."""
    names = _BRIDGE if family == "bridge" else _PLAIN if family in ("arp", "netdev") else _IP
    usable = {name: value for name, value in names.items() if _ONLY_IN.get(name, hook) == hook}
    name = min(usable, key=lambda candidate: abs(usable[candidate] - priority))
    offset = priority - usable[name]
    if abs(offset) > _NEAR:
        return str(priority)
    if offset == 0:
        return name
    return f"{name} {'+' if offset > 0 else '-'} {abs(offset)}"
