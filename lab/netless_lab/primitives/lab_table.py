"""The nftables table of the lessons, ``ip lab``, and the shell lines that fill and empty it (nft(8)).

A table of one's own can be deleted without harm to anybody else's rules; ``flush ruleset`` cannot. pyroute2 cannot write these rules right (it
builds wrong masks), so Python calls nft too (``base.as_python``).
"""

from __future__ import annotations

import re
from typing import Literal

from ..model.snapshot import Chain, Snapshot
from .base import Where, word

FAMILY = "ip"
NAME = "lab"
TABLE = f"{FAMILY} {NAME}"
Policy = Literal["accept", "drop"]
PolicyHook = Literal["postrouting", "forward"]
HOOKS: dict[PolicyHook, str] = {
    "postrouting": "type nat hook postrouting priority srcnat",
    "forward": "type filter hook forward priority filter",
}
"""What a base chain at each hook says of itself; it is called like its hook where nothing else is."""
BORN: dict[PolicyHook, Chain] = {
    "postrouting": Chain(FAMILY, NAME, "postrouting", "nat", "postrouting", 100, "accept"),
    "forward": Chain(FAMILY, NAME, "forward", "filter", "forward", 0, "accept"),
}
"""The same as a snapshot has it; the priorities are NF_IP_PRI_NAT_SRC and NF_IP_PRI_FILTER (<linux/netfilter_ipv4.h>)."""

_RULE, _CHAIN = "'[^{] # handle'", "'^[[:blank:]]*chain '"
"""Lines of a listing: what has a handle and opens no block is a rule."""


def free_name(snapshot: Snapshot, node: str, hook: PolicyHook) -> str:
    """How the chain for a hook is to be called in a node: like the hook, unless what is called so in the table is something else, and stays."""
    state, born = snapshot.node(node), BORN[hook]
    there = {own.name: own for own in (state.chains if state is not None else ()) if (own.family, own.table) == (FAMILY, NAME)}
    for name in (hook, *(f"{hook}{number}" for number in range(2, len(there) + 2))):
        own = there.get(name)
        if own is None or (own.type, own.hook, own.priority) == (born.type, born.hook, born.priority):
            return name
    raise AssertionError("of one name more than there are chains one is free")


def make_chain(where: Where, node: str, hook: PolicyHook, policy: Policy | None = "accept", name: str = "") -> tuple[str, ...]:
    """The lines that make the table and the chain, harmless when they are there; an existing chain takes the policy, if any is said."""
    chain = f"add chain {TABLE} {name or hook} {{ {HOOKS[hook]};{f' policy {policy};' if policy else ''} }}"
    return (where.run(node, f"nft add table {TABLE}"), where.run(node, f"nft {word(chain)}"))


def add_rule(where: Where, node: str, chain: str, rule: str) -> str:
    """The line that appends a rule; quoted, for an interactive shell takes ``!`` for its history."""
    return where.run(node, f"nft {word(f'add rule {chain} {rule}')}")


def delete_rule(where: Where, node: str, chain: str, match: str) -> str:
    """The line that deletes the first rule that holds ``match``: nft deletes by handle, so the handle is looked up."""
    listing = f"nft -a list chain {chain}"
    pattern = re.sub(r"([]/.*^$\\[])", r"\\\1", match)
    handle = f"{listing} | sed -n {word(f'/{pattern} /{{s/.*# handle //p;q}}')}"
    return where.shell(node, f"nft delete rule {chain} handle $({handle})")


def drop_chain(where: Where, node: str, chain: str) -> tuple[str, ...]:
    """The lines that delete a chain of the table when no rule is left in it, and the table when no chain is."""
    empty = f"nft -a list chain {TABLE} {chain} | grep -q {_RULE} || nft delete chain {TABLE} {chain}"
    return (where.shell(node, empty), drop_table(where, node))


def drop_table(where: Where, node: str) -> str:
    """The line that deletes the table when no chain is left in it."""
    return where.shell(node, f"nft list table {TABLE} | grep -q {_CHAIN} || nft delete table {TABLE}")
