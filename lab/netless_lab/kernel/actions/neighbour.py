"""Writing the ARP table by hand."""

from __future__ import annotations

from ...primitives.neighbour import DeleteNeighbour, SetNeighbour
from ..toolbox import Toolbox


def set_neighbour(tools: Toolbox, action: SetNeighbour) -> None:
    """RTM_NEWNEIGH, permanent, in the place of what was there."""
    index = tools.index(action.node, action.link)
    tools.route(action.node).neigh("replace", dst=action.ip, lladdr=action.mac, ifindex=index, state="permanent")


def delete_neighbour(tools: Toolbox, action: DeleteNeighbour) -> None:
    """RTM_DELNEIGH."""
    tools.route(action.node).neigh("del", dst=action.ip, ifindex=tools.index(action.node, action.link))
