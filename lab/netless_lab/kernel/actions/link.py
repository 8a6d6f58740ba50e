"""Changing an interface as such."""

from __future__ import annotations

from ...primitives.link import DeleteLink, RenameLink, SetMtu
from ..toolbox import Toolbox


def delete_link(tools: Toolbox, action: DeleteLink) -> None:
    """RTM_DELLINK; a cable goes with both ends. The kernel waits about 15 ms for every CPU to let go of it."""
    tools.route(action.node).link("del", index=tools.index(action.node, action.name))


def rename_link(tools: Toolbox, action: RenameLink) -> None:
    """A new IFLA_IFNAME for the same index."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), ifname=action.new)


def set_mtu(tools: Toolbox, action: SetMtu) -> None:
    """A new IFLA_MTU."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), mtu=action.size)
