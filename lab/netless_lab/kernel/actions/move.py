"""Carrying an interface into another namespace."""

from __future__ import annotations

from ...primitives.move import MoveLink
from ..toolbox import Toolbox


def move_link(tools: Toolbox, action: MoveLink) -> None:
    """IFLA_NET_NS_FD. The kernel waits about 25 ms for every CPU to let go of the interface."""
    index = tools.index(action.source, action.name)
    tools.route(action.source).link("set", index=index, net_ns_fd=tools.namespace(action.target).fileno())
