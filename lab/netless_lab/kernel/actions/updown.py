"""Switching interfaces on and off."""

from __future__ import annotations

from ...primitives.updown import LinkDown, LinkUp
from ..toolbox import Toolbox


def link_up(tools: Toolbox, action: LinkUp) -> None:
    """Set IFF_UP."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), state="up")


def link_down(tools: Toolbox, action: LinkDown) -> None:
    """Clear IFF_UP."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), state="down")
