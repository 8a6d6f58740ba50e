"""What a router lets through."""

from __future__ import annotations

from ...primitives.forward import ESTABLISHED, ForwardAccept, ForwardPolicy, UnforwardAccept, UnforwardPolicy, condition
from ..lab_table import FAMILY, TABLE, delete_chain, delete_rule, make_chain
from ..nft import expressions as say
from ..toolbox import Toolbox


def forward_policy(tools: Toolbox, action: ForwardPolicy) -> None:
    """Table and base chain, or a new policy for it."""
    make_chain(tools.batch(action.node), "forward", action.policy).commit()


def unforward_policy(tools: Toolbox, action: UnforwardPolicy) -> None:
    """The chain goes with its rules."""
    delete_chain(tools.namespace(action.node), tools.batch(action.node), "forward")


def forward_accept(tools: Toolbox, action: ForwardAccept) -> None:
    """One rule at the end of the chain."""
    match = say.ct_state("established", "related") if action.what == ESTABLISHED else say.iifname(action.what)
    tools.batch(action.node).add_rule(FAMILY, TABLE, "forward", match, say.counter(), say.accept()).commit()


def unforward_accept(tools: Toolbox, action: UnforwardAccept) -> None:
    """The first rule of its kind."""
    delete_rule(tools.namespace(action.node), tools.batch(action.node), "forward", condition(action.what), tidy=False)
