"""Rewriting the sender on the way out."""

from __future__ import annotations

from ...primitives.masquerade import Masquerade, Unmasquerade
from ..lab_table import FAMILY, TABLE, delete_rule, make_chain
from ..nft import expressions as say
from ..toolbox import Toolbox


def masquerade(tools: Toolbox, action: Masquerade) -> None:
    """Table, chain and rule in one transaction."""
    batch = make_chain(tools.batch(action.node), "postrouting")
    rule = (say.saddr(action.net), say.oifname(action.bridge, "!="), say.counter(), say.masquerade())
    batch.add_rule(FAMILY, TABLE, "postrouting", *rule).commit()


def unmasquerade(tools: Toolbox, action: Unmasquerade) -> None:
    """The rule for this network, and what is empty then."""
    condition = ("ip saddr", "==", action.net)
    delete_rule(tools.namespace(action.node), tools.batch(action.node), "postrouting", condition, tidy=True)
