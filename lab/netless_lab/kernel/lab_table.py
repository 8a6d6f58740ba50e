"""The kernel's half of ``primitives.lab_table``: chains of table ``ip lab``, made and emptied by netlink; rules in any."""

from __future__ import annotations

import errno

from ..model.netfilter.rules import Condition
from ..model.snapshot import Chain
from ..primitives.lab_table import BORN, FAMILY, NAME, Policy, PolicyHook
from .namespace import Namespace
from .nft.batch import Batch, Hook
from .nft.read import RulesetReader


def make_chain(batch: Batch, hook: PolicyHook, policy: Policy = "accept", name: str = "") -> Batch:
    """The table, awake, and the base chain, harmless when they are there; an existing chain takes the policy.

    The table by itself: the kernel takes no chain for one in the transaction that wakes it (nf_tables_newchain()).
    """
    born = BORN[hook]
    assert born.type is not None
    batch.add_table(FAMILY, NAME, awake=True).commit()
    return batch.add_chain(FAMILY, NAME, name or hook, Hook(hook, born.type, born.priority, policy))


def _chains(namespace: Namespace, family: str, table: str) -> dict[str, Chain]:
    """The chains of a table as they are now, by name."""
    reader = RulesetReader(namespace)
    try:
        return {chain.name: chain for chain in reader.read({})[0] if (chain.family, chain.table) == (family, table)}
    finally:
        reader.close()


def delete_rule(namespace: Namespace, batch: Batch, place: tuple[str, str, str], condition: Condition, *, tidy: bool) -> None:
    """Delete the first rule of a chain (family, table, name) that has this condition. Raises OSError (ENOENT) when there is none.

    ``tidy``: the chain goes too when this was its last rule, and the table when this was its last chain.
    """
    family, table, name = place
    chains = _chains(namespace, family, table)
    rules = chains[name].rules if name in chains else ()
    rule = next((own for own in rules if condition in own.parts), None)
    if rule is None:
        raise OSError(errno.ENOENT, f"table {family} {table} has no such rule in chain {name}")
    batch.delete_rule(family, table, name, rule.handle)
    if tidy and len(rules) == 1:
        batch.delete_chain(family, table, name)
        if len(chains) == 1:
            batch.delete_table(family, table)
    batch.commit()


def delete_chain(namespace: Namespace, batch: Batch, name: str) -> None:
    """Delete a chain of ``ip lab`` with its rules, and the table when this was its last chain. Raises OSError (ENOENT) when there is none."""
    batch.flush_chain(FAMILY, NAME, name).delete_chain(FAMILY, NAME, name)
    if _chains(namespace, FAMILY, NAME).keys() <= {name}:
        batch.delete_table(FAMILY, NAME)
    batch.commit()
