"""Plugging interfaces into a bridge and pulling them out."""

from __future__ import annotations

from ...primitives.port import AddPort, RemovePort
from ..toolbox import Toolbox


def add_port(tools: Toolbox, action: AddPort) -> None:
    """IFLA_MASTER is the bridge's index."""
    index, bridge = tools.index(action.node, action.name), tools.index(action.node, action.bridge)
    tools.route(action.node).link("set", index=index, master=bridge)


def remove_port(tools: Toolbox, action: RemovePort) -> None:
    """IFLA_MASTER is 0."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), master=0)
