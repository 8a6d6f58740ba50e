"""The kernel's half of ``primitives.lab_table``: the chains of table ``ip lab``, made and emptied by netlink."""

from __future__ import annotations

import errno
from typing import Final

from ..model.netfilter.rules import Condition
from ..model.snapshot import Chain
from ..primitives.lab_table import Policy, PolicyHook
from .namespace import Namespace
from .nft.batch import Batch, Hook
from .nft.read import RulesetReader

FAMILY: Final = "ip"
TABLE: Final = "lab"
_HOOKS: Final[dict[PolicyHook, tuple[str, int]]] = {"postrouting": ("nat", 100), "forward": ("filter", 0)}
"""Type and priority of each base chain: NF_IP_PRI_NAT_SRC and NF_IP_PRI_FILTER (<linux/netfilter_ipv4.h>)."""


def make_chain(batch: Batch, hook: PolicyHook, policy: Policy = "accept") -> Batch:
    """The table and the base chain, harmless when they are there; an existing chain takes the policy."""
    kind, priority = _HOOKS[hook]
    return batch.add_table(FAMILY, TABLE).add_chain(FAMILY, TABLE, hook, Hook(hook, kind, priority, policy))


def lab_chains(namespace: Namespace) -> dict[str, Chain]:
    """The chains of the table as they are now, by name."""
    reader = RulesetReader(namespace)
    try:
        return {chain.name: chain for chain in reader.read({})[0] if (chain.family, chain.table) == (FAMILY, TABLE)}
    finally:
        reader.close()


def delete_rule(namespace: Namespace, batch: Batch, hook: PolicyHook, condition: Condition, *, tidy: bool) -> None:
    """Delete the first rule of a chain that has this condition. Raises OSError (ENOENT) when there is none.

    ``tidy``: the chain goes too when this was its last rule, and the table when this was its last chain.
    """
    chains = lab_chains(namespace)
    rules = chains[hook].rules if hook in chains else ()
    rule = next((own for own in rules if condition in own.parts), None)
    if rule is None:
        raise OSError(errno.ENOENT, f"table {FAMILY} {TABLE} has no such rule in chain {hook}")
    batch.delete_rule(FAMILY, TABLE, hook, rule.handle)
    if tidy and len(rules) == 1:
        batch.delete_chain(FAMILY, TABLE, hook)
        if len(chains) == 1:
            batch.delete_table(FAMILY, TABLE)
    batch.commit()


def delete_chain(namespace: Namespace, batch: Batch, hook: PolicyHook) -> None:
    """Delete a chain with its rules, and the table when this was its last chain. Raises OSError (ENOENT) when there is none."""
    batch.flush_chain(FAMILY, TABLE, hook).delete_chain(FAMILY, TABLE, hook)
    if lab_chains(namespace).keys() <= {hook}:
        batch.delete_table(FAMILY, TABLE)
    batch.commit()
