"""The nftables table of the lessons, ``ip lab``, and the shell lines that fill and empty it (nft(8)).

A table of one's own can be deleted without harm to anybody else's rules; ``flush ruleset`` cannot.
"""

from __future__ import annotations

import re
from typing import Literal

from .base import Where, word

TABLE = "ip lab"
Policy = Literal["accept", "drop"]
PolicyHook = Literal["postrouting", "forward"]
HOOKS: dict[PolicyHook, str] = {
    "postrouting": "type nat hook postrouting priority srcnat",
    "forward": "type filter hook forward priority filter",
}
"""What a base chain of each name says of itself; the chain is called like its hook."""

_RULE, _CHAIN = "'[^{] # handle'", "'^[[:blank:]]*chain '"
"""Lines of a listing: what has a handle and opens no block is a rule."""


def make_chain(where: Where, node: str, hook: PolicyHook, policy: Policy = "accept") -> tuple[str, ...]:
    """The lines that make the table and the chain, harmless when they are there; an existing chain takes the policy."""
    chain = f"add chain {TABLE} {hook} {{ {HOOKS[hook]}; policy {policy}; }}"
    return (where.run(node, f"nft add table {TABLE}"), where.run(node, f"nft {word(chain)}"))


def add_rule(where: Where, node: str, hook: PolicyHook, rule: str) -> str:
    """The line that appends a rule; quoted, for an interactive shell takes ``!`` for its history."""
    return where.run(node, f"nft {word(f'add rule {TABLE} {hook} {rule}')}")


def delete_rule(where: Where, node: str, hook: PolicyHook, match: str) -> str:
    """The line that deletes the first rule that holds ``match``: nft deletes by handle, so the handle is looked up."""
    listing = f"nft -a list chain {TABLE} {hook}"
    pattern = re.sub(r"([]/.*^$\\[])", r"\\\1", match)
    handle = f"{listing} | sed -n {word(f'/{pattern} /{{s/.*# handle //p;q}}')}"
    return where.shell(node, f"nft delete rule {TABLE} {hook} handle $({handle})")


def drop_chain(where: Where, node: str, hook: PolicyHook) -> tuple[str, ...]:
    """The lines that delete the chain when no rule is left in it, and the table when no chain is."""
    empty = f"nft -a list chain {TABLE} {hook} | grep -q {_RULE} || nft delete chain {TABLE} {hook}"
    return (where.shell(node, empty), drop_table(where, node))


def drop_table(where: Where, node: str) -> str:
    """The line that deletes the table when no chain is left in it."""
    return where.shell(node, f"nft list table {TABLE} | grep -q {_CHAIN} || nft delete table {TABLE}")


def as_python(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The same lines from Python. pyroute2 cannot write these rules right (it builds wrong masks), so Python calls nft too."""
    return ("import subprocess", *(f"subprocess.run({line!r}, shell=True, check=True)" for line in lines))
