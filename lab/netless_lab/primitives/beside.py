"""What the command of a dialect does besides what was asked: who shows that command and does the action does this too."""

from __future__ import annotations

from .address import AddAddress
from .base import Action, Dialect
from .updown import LinkUp


def beside(action: Action, dialect: Dialect) -> tuple[Action, ...]:
    """The actions that come with this one, in order. ifconfig(8) switches a link on when it gives it an address of IPv4."""
    if dialect == "legacy" and isinstance(action, AddAddress) and ":" not in action.cidr:
        return (LinkUp(name=action.link, node=action.node),)
    return ()
