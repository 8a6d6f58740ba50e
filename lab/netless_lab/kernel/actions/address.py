"""Giving and taking addresses."""

from __future__ import annotations

from ipaddress import ip_interface

from ...primitives.address import AddAddress, DeleteAddress
from ..toolbox import Toolbox


def add_address(tools: Toolbox, action: AddAddress) -> None:
    """RTM_NEWADDR."""
    _change("add", tools, action)


def delete_address(tools: Toolbox, action: DeleteAddress) -> None:
    """RTM_DELADDR."""
    _change("del", tools, action)


def _change(change: str, tools: Toolbox, action: AddAddress | DeleteAddress) -> None:
    own = ip_interface(action.cidr)
    index = tools.index(action.node, action.link)
    tools.route(action.node).addr(change, index=index, address=str(own.ip), prefixlen=own.network.prefixlen)
