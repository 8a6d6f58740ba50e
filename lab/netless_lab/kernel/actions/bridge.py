"""Making a switch."""

from __future__ import annotations

from ...primitives.bridge import CreateBridge
from ..toolbox import Toolbox


def create_bridge(tools: Toolbox, action: CreateBridge) -> None:
    """RTM_NEWLINK of kind bridge."""
    tools.route(action.node).link("add", ifname=action.name, kind="bridge")
