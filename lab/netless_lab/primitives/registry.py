"""Every action and expectation a lesson may name, by its verb: the one list to extend."""

from __future__ import annotations

from .base import Action, Expectation
from .veth import CreateVeth, VethPair

ACTIONS: dict[str, type[Action]] = {action.verb: action for action in (CreateVeth,)}
EXPECTATIONS: dict[str, type[Expectation]] = {expectation.verb: expectation for expectation in (VethPair,)}
